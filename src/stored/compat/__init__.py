"""Stand-ins for the storage modules of other packages."""
