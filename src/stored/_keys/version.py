"""What is the version of a stored method's code?"""

from __future__ import annotations

from typing import Any

from stored._keys.canonical import UnstableValueError, Walk, canonical, digest, nested_too_deeply
from stored._keys.class_names import base_names

__all__ = ["code_version", "version_for_class"]


def code_version(function: Any, code: str, axes: tuple[object, ...]) -> str:
    """The digest of what results depend on, beside owner and arguments: code, closures, decorators and axes.

    Parameters
    ----------
    function : callable or None
        The method as it was decorated; None if the user has given a version, and nothing of the code counts.
    code : str
        The text of the plain method's code, read when it was decorated.
    axes : tuple
        The axes along which the method is interpolated, as values.

    Raises
    ------
    UnstableKeyError
        Naming what the function closes over, or has as a default, that has no stable form.
    """
    text = "" if function is None else _function_text(function)
    return digest(f"{code}\n{text}\n{canonical(axes)}")


def _function_text(function: Any) -> str:
    label = f"the code of {function.__qualname__}(): "
    try:
        return Walk(is_of_code=True).text(function)
    except UnstableValueError as error:
        remedy = "or say version='1', which stands for the code and all that it closes over"
        raise error.as_key_error(function.__name__, label, remedy) from None
    except RecursionError:
        raise nested_too_deeply(function, label) from None


def version_for_class(version: str, owner: type, code: tuple[str, ...]) -> str:
    """The version of a method of a class: with its bases, and the code of what the method reaches on the class."""
    bases = base_names(owner)
    return digest("\n".join([version, ", ".join(bases), *code])) if bases or code else version
