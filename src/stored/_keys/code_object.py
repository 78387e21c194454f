"""Which text stands for compiled code, where its source is not known?"""

from __future__ import annotations

from collections.abc import Iterator
from types import CodeType

__all__ = ["code_object_text", "names_in", "nested_code"]


def code_object_text(code: CodeType) -> str:
    """The text of a code object, which is the same in every process of one version of Python, without its lines."""
    counts = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)
    names = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
    return f"{code.co_code.hex()} {code.co_exceptiontable.hex()} {counts} {names} {_constant_text(code.co_consts)}"


def _constant_text(value: object) -> str:
    if isinstance(value, CodeType):
        return code_object_text(value)
    if isinstance(value, tuple):
        return f"({', '.join(map(_constant_text, value))})"
    if isinstance(value, frozenset):
        return f"{{{', '.join(sorted(map(_constant_text, value)))}}}"  # its order depends on the hash seed
    return hex(value) if type(value) is int else repr(value)  # Python limits how many decimal digits it writes


def nested_code(code: CodeType) -> Iterator[CodeType]:
    """A code object, and those of functions, comprehensions and classes in it."""
    yield code
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from nested_code(each)


def names_in(code: CodeType) -> frozenset[str]:
    """The attributes and global names that code uses, and the names by which it may pass arguments."""
    found: set[str] = set()
    for each in nested_code(code):
        found.update(each.co_names)
        for constant in each.co_consts:
            if isinstance(constant, tuple):
                found.update([name for name in constant if isinstance(name, str)])
    return frozenset(found)
