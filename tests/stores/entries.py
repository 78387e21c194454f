"""Names and contents like those of entries, which are all that a directory's upkeep removes."""

from __future__ import annotations

from stored._entry_form import ENTRY_MAGIC
from stored._keys import Key, Space

FOLDER = "tests"
"""The folder in which all of them are."""


def named(label: str) -> str:
    """The name of an entry."""
    return Key(Space("tests", "Owner", ""), label).entry_name


def label_of(name: str) -> str:
    """The label of an entry's name."""
    return name.split("-")[2]


def content(size: int = 10) -> bytes:
    """So many bytes that begin as an entry does."""
    return ENTRY_MAGIC.ljust(size, b"x")
