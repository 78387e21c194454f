"""What is known of scientists' types: which plain values stand for a value in a key, and how is it written and read?

`register` teaches a type, `adapter_of` finds what is known of one, and `adapter_named` what an entry names. A module
``of_...`` knows types of another library, and is loaded when the first of these is met. Nothing here makes keys or
entries.
"""

from typing import TYPE_CHECKING

from stored._adapters.own_dtypes import copy_with_own_dtype, frozen, own_dtype, own_record
from stored._adapters.registry import (
    BY_PICKLE,
    Adapter,
    NoFormError,
    adapter_named,
    adapter_of,
    add,
    own_adapters,
)
from stored._lazy import lazy_attributes

if TYPE_CHECKING:
    from stored._adapters.registering import register

__all__ = [
    "BY_PICKLE",
    "Adapter",
    "NoFormError",
    "adapter_named",
    "adapter_of",
    "add",
    "copy_with_own_dtype",
    "frozen",
    "own_adapters",
    "own_dtype",
    "own_record",
    "register",
]

if not TYPE_CHECKING:  # type checkers would take every name for one of these
    __getattr__ = lazy_attributes(__name__, {"register": "registering"})
