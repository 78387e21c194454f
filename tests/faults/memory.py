"""Memory that holds nothing, where a test is about what is on disk."""

from __future__ import annotations

from stored import configure


def forget_memory(*owner_classes: type) -> None:
    """Forget what memory has of all methods of classes, as if the process had just begun; the disk stays as it is."""
    with configure(persistence=""):
        for owner_class in owner_classes:
            for each in vars(owner_class).values():
                if hasattr(each, "cache_clear"):
                    each.cache_clear()
