"""Which text stands for compiled code, where its source is not known?"""

from __future__ import annotations

from types import CodeType

__all__ = ["code_object_text", "names_in"]


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


def names_in(code: CodeType) -> frozenset[str]:
    """The attributes and global names that code uses, and the names by which it may pass arguments."""
    found = set(code.co_names)
    for each in code.co_consts:
        if isinstance(each, CodeType):
            found |= names_in(each)
        elif isinstance(each, tuple):
            found.update([name for name in each if isinstance(name, str)])
    return frozenset(found)
