"""By which text is a class known, as itself, and where an object of it stands in a key?

Objects tell their class by its name and those of its bases and metaclass; what its code says is part of versions.
Classes that one function makes have the same name: a class that is not found under its name has the digest of its
content beside it. One of a script or a notebook may be another one in the next process, so it always has a digest, of
its constants.
"""

from __future__ import annotations

import weakref
from typing import Any
from uuid import uuid4

from stored._keys.canonical import Walk, add_forms, digest, nested_too_deeply
from stored._keys.class_content import class_content
from stored._keys.compiled_modules import compiled_text
from stored._keys.libraries import find_by_name, has_known_name, is_library_module, is_of_main
from stored._keys.qualified_names import qualified_name
from stored._keys.unstable_values import UnstableValueError
from stored.errors import OwnerWarning, StoredError, warn_caller

__all__ = ["base_names", "class_name", "is_library_class", "local_class_digest"]

_names: weakref.WeakKeyDictionary[type, str] = weakref.WeakKeyDictionary()

_local_digests: weakref.WeakKeyDictionary[type, str] = weakref.WeakKeyDictionary()


_IMMUTABLE = 1 << 8
"""The flag of classes whose attributes cannot be set, `Py_TPFLAGS_IMMUTABLETYPE`: they are compiled."""


def is_library_class(kind: type) -> bool:
    """Does a class belong to the standard library or an installed package, or is it compiled?

    Classes that `make_dataclass` and `types.new_class` make for users say that they are of the module `types`.
    """
    if kind.__flags__ & _IMMUTABLE:
        return True
    return is_library_module(kind.__module__) and (kind.__module__ != "types" or has_known_name(kind))


def _library_class_name(kind: type) -> str:
    """The name of a library's class, with the module in which users find it: private ones change between versions."""
    parts = kind.__module__.split(".")
    public = next((number for number, part in enumerate(parts) if part.startswith("_")), len(parts)) or len(parts)
    module = ".".join(parts[:public])
    build = compiled_text(kind.__module__)
    if build:  # of the user's own
        return f"{qualified_name(kind)} {build}"
    return f"{module}.{kind.__qualname__}" if find_by_name(module, kind.__qualname__) is kind else qualified_name(kind)


def class_name(kind: type, walk: Walk | None = None) -> str:
    """The text of a class where an object of it stands in a key; it stays the same for as long as the class exists.

    Parameters
    ----------
    kind : type
        The class.
    walk : Walk, optional
        The walk that found it. In one of code, the class may be in its own content, so that its text depends on where
        the walk began.

    Raises
    ------
    UnstableValueError
        If the content of the class counts, and something in it has no stable form.
    """
    if walk is not None and not walk.has_names:
        return walk.text(kind)
    if walk is not None and walk.is_of_code:
        return walk.entered(kind.__mro__, _name_in_walk)  # not the class, which stands for itself as a value
    found = _names.get(kind)
    if found is None:
        found = _names.setdefault(kind, Walk(is_of_code=True).entered(kind.__mro__, _name_in_walk))
    return found


def _name_in_walk(mro: Any, walk: Walk) -> str:
    kind: type = mro[0]
    if is_library_class(kind):
        return ascii(_library_class_name(kind))
    bases = [class_name(each, walk) for each in _named_bases(kind)]
    name = ascii(qualified_name(kind)) + (f"({', '.join(bases)})" if bases else "")
    is_known = has_known_name(kind)
    if is_known and not is_of_main(kind):
        return name
    return f"{name}:{digest(class_content(kind, walk, with_code=not is_known))}"


def _named_bases(kind: type) -> list[type]:
    """The bases of a class, and its metaclass, if it is the class that brings it in."""
    bases = [each for each in kind.__bases__ if each is not object]
    metaclass = type(kind)
    return bases if metaclass is type or metaclass in map(type, bases) else [*bases, metaclass]


def base_names(kind: type) -> list[str]:
    """The texts of the bases of a class, and of its metaclass, without those that all classes have.

    Raises
    ------
    StoredError
        Naming what has no stable form in the content of a base.
    """
    try:
        return [class_name(each) for each in _named_bases(kind)]
    except (UnstableValueError, RecursionError) as error:
        raise _class_error(kind, error) from None


def local_class_digest(kind: type) -> str:
    """The digest of what a function gave to a class that it made; empty for a class that is found under its name.

    Classes that one function makes have the same name and code; their digests differ in bases, attributes, and in the
    closures and defaults of their functions. The code of these is left to the versions of the methods. The digest is
    made once for each class: a class stays the same one although it counts something in an attribute. A class with
    something in it that has no stable form has a digest that no other class has, and a warning says so.
    """
    if has_known_name(kind) or is_library_class(kind):
        return ""
    found = _local_digests.get(kind)
    if found is None:
        try:
            content = Walk(is_of_code=True).entered(kind.__mro__, _local_content)
        except (UnstableValueError, RecursionError) as error:
            content = uuid4().hex  # which no other class has, in any process
            reason = _class_error(kind, error)
            warn_caller(f"results of {kind.__qualname__} are found by this process only: {reason}", OwnerWarning)
        found = _local_digests.setdefault(kind, digest(content))  # one for all threads
    return found


def _local_content(mro: Any, walk: Walk) -> str:
    bases = [class_name(each, walk) for each in _named_bases(mro[0])]
    return f"{bases!r} {class_content(mro[0], walk, with_code=False, is_of_owner=True)}"


def _class_error(kind: type, error: UnstableValueError | RecursionError) -> StoredError:
    label = f"class {kind.__qualname__}, which is told by its content: "
    if isinstance(error, RecursionError):
        return nested_too_deeply(kind, label)
    remedy = "a class that its module has under its own name is not told by its content"
    return error.as_key_error(kind.__name__, label, remedy)


def _class_text(kind: Any, walk: Walk) -> str:
    """The text of a class itself: its name, its bases, and what its body says; of a library's, its name alone."""
    if is_library_class(kind):
        return f"type({_library_class_name(kind)!a})"
    bases = ", ".join([walk.part(each, ".__bases__") for each in _named_bases(kind)])
    name = qualified_name(kind) if walk.has_names else kind.__qualname__
    content = digest(class_content(kind, walk, with_code=walk.is_of_code))
    return f"type({name!a}, ({bases}), {content}{walk.reached_text(kind)})"


def _is_class(value: object) -> bool:
    return isinstance(value, type)


add_forms(exact={type: _class_text}, kinds=[(_is_class, _class_text)])
