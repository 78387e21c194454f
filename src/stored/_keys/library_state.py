"""Which attributes of an owner does the class of a library make, of which all parameters are told?

An owner of a user's class that inherits from one of astropy's cosmologies has attributes that the cosmology has
computed of its parameters, or computes when they are asked for. They follow from the parameters, unless the user's
class sets them, too.
"""

from __future__ import annotations

from types import CodeType

from stored._adapters import adapter_of
from stored._keys.class_functions import class_parts
from stored._keys.known_of_class import known_of_class
from stored._keys.libraries import is_library_module
from stored._keys.set_on_subclasses import codes_in, names_set_in, set_on_subclasses

__all__ = ["made_by_library"]

_NOTHING = frozenset[str]()


def made_by_library(kind: type) -> frozenset[str]:
    """The names of attributes that follow from the parameters of a class, since its base in a library makes them."""
    adapter = adapter_of(kind)
    if adapter is None or adapter.fields is None:
        return _NOTHING
    return known_of_class(kind, "made by library", lambda: _find_made(kind))


def _find_made(kind: type) -> frozenset[str]:
    made, own = {"_abc_impl", *set_on_subclasses(kind)}, set[str]()
    for base in kind.__mro__[:-1]:
        (made if is_library_module(base.__module__) else own).update(vars(base))
    own -= set_on_subclasses(kind) | {"_abc_impl"}
    for function, base in class_parts(kind).homes.items():
        code = function.__code__
        if is_library_module(base.__module__):
            made.update(*[(*each.co_names, *_texts(each)) for each in codes_in(code)])
        else:
            own.update(names_set_in(code), *[_texts(each) for each in codes_in(code)])
    return frozenset(made - own)


def _texts(code: CodeType) -> list[str]:
    """The texts in code that can be names of attributes."""
    return [each for each in code.co_consts if isinstance(each, str) and each.isidentifier()]
