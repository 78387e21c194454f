"""How are results forgotten: of a method as a whole, and of an owner?"""

from __future__ import annotations

from typing import Any

from stored._engine import live_records, methods_of, spaces_with_method
from stored._methods.code_history import modules_with_results
from stored._methods.definition import Definition
from stored._methods.results import forget_calls, results_of
from stored._storage import PersistentTier
from stored.errors import OwnerError

__all__ = ["clear", "clear_method"]


def clear(owner: object) -> None:
    """Forget the results of all stored methods of an object for its present parameters, in memory and on disk.

    Of a stored function, all results are forgotten, as by its ``cache_clear()``.

    Those of its earlier parameters that memory has go too, and the counts of `cache_info` start from zero. Objects that
    a `StorageUser` stores by name stay; its `resetStorage` removes them.

    Parameters
    ----------
    owner : object
        The object, or a stored function.

    Raises
    ------
    OwnerError
        If it has no stored methods, or does not tell its parameters.
    """
    kind, errors = type(owner), list[OwnerError]()
    if isinstance(getattr(kind, "__stored_method__", None), property):
        stored: Any = owner
        stored.cache_clear()
        return
    methods = methods_of(kind)
    if not methods:
        given = (
            f"the class {owner.__qualname__}, not an object"
            if isinstance(owner, type)
            else f"an object of {kind.__qualname__}, which has no stored methods"
        )
        raise OwnerError(
            f"stored.clear() got {given}, so there is nothing to forget;"
            " give it an object that has some, or say Class.method.cache_clear() to forget all results of one method"
        )
    for each in methods:
        try:
            results_of(each, owner).clear(owner)
        except OwnerError as error:  # it may be of one method: depends="auto" with code that cannot be followed
            errors.append(error)
    if len(errors) == len(methods):
        raise errors[0]


def clear_method(definition: Definition) -> None:
    """Forget all results of a method, of every owner that ever used it, in memory and on disk, of earlier code too."""
    forget_calls(definition, lambda _: True)
    for _, record in live_records():
        results = record.methods.get(definition)
        if results is not None:
            results.forget_in_memory()
    modules = definition.modules()
    for space, method in spaces_with_method(definition):  # of earlier parameters, and of owners that have been freed
        space.forget(method)
        modules.add(space.address.module)
    if definition.persistent:
        tier = PersistentTier("rw")
        modules.update(modules_with_results(tier, definition))
        tier.forget_method(sorted(modules), *definition.stored_name)
        definition.listed.clear()
