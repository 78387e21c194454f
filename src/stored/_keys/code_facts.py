"""What does the code of a function say, and which names does it use? Of its source or, without one, of its bytecode."""

from __future__ import annotations

import dis
import functools
import itertools
import sys
import weakref
from types import CodeType

from stored._keys.canonical import digest
from stored._keys.code_object import code_object_text, nested_code
from stored._keys.function_tree import read_function
from stored._keys.used_names import CHANGING, Origin, ReadFunction, UsedName

__all__ = ["code_facts"]

_known: dict[int, tuple[weakref.ref[CodeType], ReadFunction]] = {}
"""By the id of the code object: equal code objects can come from different sources, and a file can be edited."""


def code_facts(code: CodeType) -> ReadFunction:
    """What a function's code says, with a text that is the same in every process, and the names that it uses."""
    found = _known.get(id(code))
    if found is None:
        facts = read_function(code) or _of_bytecode(code)
        found = _known[id(code)] = weakref.ref(code, functools.partial(_forget, id(code))), facts
    return found[1]


def _forget(code_id: int, _: object) -> None:
    _known.pop(code_id, None)


def _of_bytecode(code: CodeType) -> ReadFunction:
    text = f"python{sys.version_info.major}.{sys.version_info.minor} {digest(code_object_text(code))}"
    reads: set[UsedName] = set()
    changes: set[UsedName] = set()
    for each in nested_code(code):
        _read_names(each, frozenset(code.co_freevars), reads, changes)
    return ReadFunction(text, frozenset(reads), changes=frozenset(changes))


_NAMES = frozenset({"LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"})
_CLOSED_OVER = frozenset({"LOAD_DEREF", "LOAD_CLASSDEREF", "LOAD_FROM_DICT_OR_DEREF"})
_ATTRIBUTES = frozenset({"LOAD_ATTR", "LOAD_METHOD"})
_WITHOUT_MEANING = frozenset({"CACHE", "EXTENDED_ARG", "PUSH_NULL", "NOT_TAKEN"})


def _read_names(
    code: CodeType,
    closed_over: frozenset[str],
    reads: set[UsedName],
    changes: set[UsedName],
) -> None:
    """Add the names that code loads, with attributes that are loaded of them, and what it imports.

    Names that pytest adds are no identifiers.
    """
    plain = code.replace(co_consts=(None,) * len(code.co_consts))  # whose constants need not be written
    steps = [each for each in dis.get_instructions(plain) if each.opname not in _WITHOUT_MEANING]
    for number, step in enumerate(steps):
        name = str(step.argval)
        if step.opname == "IMPORT_NAME":
            level = steps[number - 2]
            is_constant = level.opname == "LOAD_CONST"
            reads.add(
                UsedName(name, (), Origin(name, code.co_consts[level.arg or 0] if is_constant else level.arg or 0))
            )
        elif (step.opname in _NAMES and name.isidentifier()) or (step.opname in _CLOSED_OVER and name in closed_over):
            end = next(last for last in range(number + 1, len(steps)) if steps[last].opname not in _ATTRIBUTES)
            path = tuple([str(each.argval) for each in steps[number + 1 : end]])
            if path and path[-1] in CHANGING and _is_statement(steps[end:]):
                changes.add(UsedName(name, path))
            else:
                reads.add(UsedName(name, path))


def _is_statement(steps: list[dis.Instruction]) -> bool:
    """Is a method, which is loaded before these steps, called by them, and what it returns not used?"""
    effects = [0 if _is_jump(each) else dis.stack_effect(each.opcode, each.arg) for each in steps]
    depths = itertools.accumulate(effects)  # of the stack, above the method
    end = next(n for n, (step, depth) in enumerate(zip(steps, depths, strict=True)) if _is_jump(step) or depth < 0)
    return steps[end].opname == "CALL" and steps[end + 1].opname == "POP_TOP"


def _is_jump(step: dis.Instruction) -> bool:
    return step.opcode in dis.hasjrel or step.opcode in dis.hasjabs
