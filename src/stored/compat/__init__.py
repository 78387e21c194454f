"""Replacements for the storage modules of other packages: `stored.compat.colossus` for that of Colossus."""
