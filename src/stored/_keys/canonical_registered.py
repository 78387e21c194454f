"""Which text stands for a value in a key? Values of types that somebody has registered."""

from __future__ import annotations

from typing import Any, cast

from stored._adapters import Adapter, NoFormError, adapter_of
from stored._keys.canonical import Walk, add_forms, text_or_digest
from stored._keys.class_names import class_name, is_library_class
from stored._keys.unstable_values import RefusedValueError, UnstableValueError

__all__ = ["adapter_text", "key_of"]


def _registered_text(value: Any, walk: Walk) -> str:
    """The name of the type, the code of its functions, and what these tell of the value."""
    kind = type(value)
    adapter = cast(Adapter, adapter_of(kind))
    if adapter.refusal:
        raise RefusedValueError(value, adapter.refusal)
    parts = [adapter_text(adapter, walk)]
    if kind is not adapter.kind:
        parts.append(class_name(kind, walk))
    if not is_library_class(kind):  # methods of the class are called, whatever the key tells
        parts.append(walk.reached_text(kind))
    try:
        told = key_of(adapter, value)
    except NoFormError as error:
        raise _error_of_part(adapter, value, walk) or RefusedValueError(value, str(error)) from None
    try:
        parts.append(walk.part(told, ""))
    except UnstableValueError as error:
        raise _error_of_part(adapter, value, walk) or (error if adapter.home else error.of_part()) from None
    if adapter.beyond is not None:
        parts += [f"{name!a}={walk.part(getattr(value, name), f'.{name}')}" for name in adapter.beyond(value)]
    return text_or_digest("registered", f"registered({', '.join(parts)})")


def _error_of_part(adapter: Adapter, value: Any, walk: Walk) -> UnstableValueError | None:
    """The error of the part of a value that has no form, at the place by which users know it; None if there is none."""
    return None if adapter.parts is None else walk.error_of_part(value, adapter.parts(value))


def key_of(adapter: Adapter, value: Any) -> Any:
    """The plain values that stand for a value in a key; what the function raises is told of which type it is."""
    try:
        return cast(Any, adapter.key)(value)
    except NoFormError:
        raise
    except Exception as error:  # it may raise anything
        error.add_note(f"raised by what {adapter.name} is registered with as its key")
        raise


def adapter_text(adapter: Adapter, walk: Walk) -> str:
    """The name of a type that is registered, and what its key is made by, if that is somebody's own."""
    return f"{adapter.name}, {walk.part(adapter.key, ', key')}" if adapter.home else adapter.name


add_forms(registered=_registered_text)
