"""Does a store keep the contract? Tests for authors of stores, who inherit them; importing it needs pytest."""

from stored.testing._contract import BAD_NAMES, StoreContract

__all__ = ["BAD_NAMES", "StoreContract"]
