"""By which text is a class known, as itself, and where an object of it stands in a key?

Objects tell their class by its name and those of its bases; what its code says is part of versions. Classes that one
function makes have the same name: a class that is not found under its name has the digest of its content beside it. One
of a script or a notebook may travel to a process where it is not found, so it always has a digest, of its constants.
"""

from __future__ import annotations

import threading
import weakref
from typing import Any

from stored._keys.canonical import Walk, add_forms, digest
from stored._keys.class_content import class_content
from stored._keys.libraries import find_by_name, is_library_module
from stored._keys.source import qualified_name

__all__ = ["base_names", "class_name", "is_library_class", "local_class_digest"]


class _Digests(threading.local):
    """The classes whose digests this thread is making, which may be inside one another."""

    def __init__(self) -> None:
        self.in_progress: list[type] = []


_making = _Digests()

_names: weakref.WeakKeyDictionary[type, str] = weakref.WeakKeyDictionary()

_local_digests: weakref.WeakKeyDictionary[type, str] = weakref.WeakKeyDictionary()


def is_library_class(kind: type) -> bool:
    """Does a class belong to the standard library or an installed package?"""
    return is_library_module(kind.__module__)


def _has_known_content(kind: type) -> bool:
    """Does the name of a class say which one it is?"""
    if is_library_class(kind):
        return True
    if "<locals>" in kind.__qualname__:
        return False
    return _is_of_main(kind) or find_by_name(kind.__module__, kind.__qualname__) is kind


def _is_of_main(kind: type) -> bool:
    return kind.__module__ in {"__main__", "__mp_main__"}


def class_name(kind: type) -> str:
    """The text of a class where an object of it stands in a key; it stays the same for as long as the class exists."""
    found = _names.get(kind)
    if found is not None:
        return found
    bases = base_names(kind)
    name = ascii(qualified_name(kind)) + (f"({', '.join(bases)})" if bases else "")
    if kind in _making.in_progress:  # an object of the class is an attribute of it
        return name
    if not _has_known_content(kind):
        name = f"{name}:{_content_digest(kind, with_code=True)}"
    elif _is_of_main(kind):
        name = f"{name}:{_content_digest(kind, with_code=False)}"
    if not _making.in_progress:  # else it may be told by less than all
        _names[kind] = name
    return name


def base_names(kind: type) -> list[str]:
    """The texts of those bases of a class that are the user's own."""
    return [class_name(each) for each in kind.__bases__ if not is_library_class(each)]


def _content_digest(kind: type, with_code: bool) -> str:
    _making.in_progress.append(kind)
    try:
        walk = Walk(is_lenient=True)
        return digest(walk.entered(kind, lambda kind, walk: class_content(kind, walk, with_code)))
    finally:
        _making.in_progress.pop()


def local_class_digest(kind: type) -> str:
    """The digest of what a function gave to a class that it made; empty for a class that is found under its name.

    Classes that one function makes have the same name and code; their digests differ in bases, attributes, and in the
    closures and defaults of their functions. The code of these is left to the versions of the methods. The digest is
    made once for each class: a class stays the same one although it counts something in an attribute.
    """
    if _has_known_content(kind):
        return ""
    found = _local_digests.get(kind)
    if found is None:
        content = [base_names(kind), _content_digest(kind, with_code=False)]
        found = _local_digests[kind] = digest(repr(content))
    return found


def _class_text(kind: Any, walk: Walk) -> str:
    """The text of a class itself: its name, its bases, and what its body says; of a library's, its name alone."""
    if is_library_class(kind):
        return f"type({qualified_name(kind)!a})"
    bases = ", ".join([walk.part(each, ".__bases__") for each in kind.__bases__])
    return f"type({qualified_name(kind)!a}, ({bases}), {digest(class_content(kind, walk))})"


def _is_class(value: object) -> bool:
    return isinstance(value, type)


add_forms(exact={type: _class_text}, kinds=[(_is_class, _class_text)])
