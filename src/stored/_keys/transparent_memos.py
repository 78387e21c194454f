"""For which memos is it proven that what a method gives does not depend on whether they were filled before?

That a memo was filled under the same parameters is taken for granted. The proof is one for all that a method reaches:
each function on its own reads memos only where they have surely been filled (`memo_proof`), each memo is filled at one
place only, and emptied in the way that it is asked for. What has no proof makes all memos of the method count.

An attribute that only may be written, as in ``x = self.h; x += 1``, joins the key: that its value is the same after a
call is seen then, and here taken for granted.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Hashable, Iterable, Mapping
from types import FunctionType
from typing import Any, NamedTuple

from stored._keys.class_functions import class_functions, find_on_class, generated_accesses, is_data, left_by_value
from stored._keys.first_values import RESTORING, mentioned_names
from stored._keys.function_tree import FunctionTree, function_tree
from stored._keys.memo_facts import UnprovenError
from stored._keys.memo_proof import MemoProof
from stored._keys.memo_slots import Memos, MethodText, Slot
from stored._keys.reach_report import AttributeWrite
from stored._keys.self_accesses import Write
from stored._keys.self_reads import self_accesses

__all__ = ["transparent_memos"]


def transparent_memos(
    kind: type,
    functions: Iterable[tuple[Any, int | None, bool]],
    used: Mapping[str, bool],
    written: Mapping[str, AttributeWrite],
    writes: Collection[Write],
    kept: Collection[str],
) -> dict[str, frozenset[str] | None]:
    """The memos that what a method gives does not depend on, with what tells the keys of their items from others.

    Parameters
    ----------
    kind : type
        The class of the object.
    functions : iterable of (FunctionType, int or None, bool)
        What is reached, with the position of the object among the arguments, and whether it is the class.
    used : mapping of str to bool
        The attributes that are read, and whether the value is used.
    written : mapping of str to AttributeWrite
        The attributes that are written.
    writes : collection of Write
        Where.
    kept : collection of str
        The attributes that keep what a function has computed, as ``cached_property`` does.
    """
    lazy = frozenset([name for name, each in written.items() if each.is_lazy])
    read = frozenset([name for name, each in written.items() if used.get(name) and (each.is_lazy or each.is_certain)])
    is_filled_elsewhere = any(write.name in kept for write in writes)
    is_emptied = any(written[name].emptied for name in lazy - read if name in used)
    if is_filled_elsewhere or is_emptied or not read <= lazy:
        return {}
    items = frozenset([write.name for write in writes if write.how != "set"]) & read
    try:
        proof = _ClassProof(kind, Memos(read - items - frozenset(kept), items, read & frozenset(kept)))
        proof.prove(functions)
    except UnprovenError:
        return {}
    return {name: proof.labels(name) if name in items else None for name in lazy}


class _Emptying(NamedTuple):
    """A statement that empties a memo.

    Attributes
    ----------
    memo, leaves : str
        Which, and what it leaves there, as in `Write`; "unknown" if a name is computed.
    block : object
        What tells the statements that run together with it.
    is_deletion : bool
        Is no attribute left?
    """

    memo: str
    leaves: str
    block: object
    is_deletion: bool


class _ClassProof:
    """The proof for all that a method of a class reaches."""

    def __init__(self, kind: type, memos: Memos) -> None:
        self._kind = kind
        self._memos = memos
        self._proofs: dict[tuple[FunctionType, str], MemoProof | None] = {}
        self._sites: dict[tuple[str, str], set[Hashable]] = {}
        self._made: dict[str, set[str]] = {}
        self._bare: set[str] = set()
        self._asked: set[str] = set()
        self._emptyings = self._all_emptyings()

    def prove(self, functions: Iterable[tuple[Any, int | None, bool]]) -> None:
        """Raise unless there is a proof."""
        for function, position, is_class in functions:
            self._prove_function(function, None if is_class else position)
        labels = {memo: {label for name, label in self._sites if name == memo} for memo in self._memos.items}
        is_once = all(len(each) == 1 for each in self._sites.values())
        is_once &= all(len(each) == 1 for each in self._made.values())
        is_once &= not any("" in each and len(each) > 1 for each in labels.values())
        if not is_once or not all(map(self._is_empty_as_asked, self._emptyings)) or self._bare & self._made.keys():
            raise UnprovenError

    def labels(self, memo: str) -> frozenset[str] | None:
        """What tells the keys of the items of a container from others; None if one of them has nothing that does."""
        found = frozenset([label for name, label in self._sites if name == memo])
        return None if "" in found else found

    def _is_empty_as_asked(self, emptying: _Emptying) -> bool:
        """Is what is left there what the functions take for empty?"""
        if emptying.leaves == "empty":
            return emptying.memo in self._memos.items
        if emptying.leaves == "unknown":
            return emptying.memo not in self._asked
        return emptying.is_deletion if emptying.memo in self._asked else emptying.memo not in self._bare

    # -- functions ----------------------------------------------------------------------------------------------------

    def _prove_function(self, function: FunctionType, position: int | None) -> None:
        generated = generated_accesses(function, self._kind)
        if generated is not None:
            if any(each.name in frozenset().union(*self._memos) for each in generated.reads):
                raise UnprovenError
            return
        text = self._text(function, position)
        if any(map(text.mentions, ast.walk(text.node))):
            self._proof(function, text)

    def _text(self, function: FunctionType, position: int | None) -> MethodText:
        tree = function_tree(function.__code__)
        if tree is None:
            raise UnprovenError
        named = [*tree.node.args.posonlyargs, *tree.node.args.args]
        owner = named[position].arg if position is not None and position < len(named) else ""
        return MethodText(tree, owner, self._memos)

    def _proof(self, function: FunctionType, text: MethodText) -> MemoProof | None:
        key = function, text.owner
        if key not in self._proofs:
            self._proofs[key] = None  # for functions that call each other
            try:
                self._proofs[key] = MemoProof(text, function.__code__.co_filename, self)
            except UnprovenError:
                del self._proofs[key]
                raise
        return self._proofs[key]

    def method(self, name: str) -> MemoProof | None:
        """The proof for a method of the object."""
        value = find_on_class(self._kind, name).value
        try:
            return self._proof(value, self._text(value, 0)) if type(value) is FunctionType else None
        except UnprovenError:
            return None  # if it reads memos, it is reached, and proven there

    # -- what functions note ------------------------------------------------------------------------------------------

    def note_fill(self, slot: Slot, site: Hashable) -> None:
        """Note where something is filled."""
        self._sites.setdefault((slot.memo, slot.label), set()).add(site)

    def note_empty_container(self, memo: str, text: str) -> None:
        """Note that a container is made where there is none."""
        self._made.setdefault(memo, set()).add(text)

    def note_bare_use(self, memo: str) -> None:
        """Note the use of a container that may not have been made."""
        self._bare.add(memo)

    def note_existence(self, memo: str) -> None:
        """Note that it is asked whether there is an attribute, be it None."""
        self._asked.add(memo)

    def are_emptied_together(self, memo: str, other: str) -> bool:
        """Is the other emptied wherever the first is?"""
        blocks = [{each.block for each in self._emptyings if each.memo == name} for name in (memo, other)]
        return blocks[0] <= blocks[1]

    # -- where memos are emptied --------------------------------------------------------------------------------------

    def _all_emptyings(self) -> list[_Emptying]:
        names = self._memos.whole | self._memos.items
        found = [
            _Emptying(name, left_by_value(vars(base)[name]), "class", False)
            for base in self._kind.__mro__[:-1]
            for name in names & vars(base).keys()
            if is_data(vars(base)[name])
        ]
        returned: set[str] = set()
        changed: set[str] = set()
        for name, function, position, is_class in class_functions(self._kind):
            generated = generated_accesses(function, self._kind)
            accesses = self_accesses(function.__code__, position, is_class) if generated is None else generated
            if name in RESTORING:
                mentioned = names & mentioned_names(function.__code__)
                found += [_Emptying(each, "nothing", (name, each), False) for each in mentioned]
            if accesses is None:
                if names & mentioned_names(function.__code__):
                    raise UnprovenError
                continue
            if accesses.unknown_writes and name not in RESTORING:
                found += [_Emptying(each, "unknown", (name, each), False) for each in names]
            returned |= {name} if accesses.returned & names else set()
            changed |= {write.name for write in accesses.writes}
            tree = None if generated is not None else function_tree(function.__code__)
            emptying = [each for each in accesses.writes if each.name in names and each.leaves != "value"]
            found += [_emptying(function, tree, write) for write in emptying]
        if returned & changed:
            raise UnprovenError  # it may be emptied by another name
        return found


def _emptying(function: Any, tree: FunctionTree | None, write: Write) -> _Emptying:
    where, statement = _simple_statement(tree, write.line)
    block = (function.__code__.co_filename, function.__code__.co_qualname, where)
    match statement:
        case ast.Delete() | ast.Expr(ast.Call(ast.Name("delattr") | ast.Attribute(attr="pop" | "__delattr__"))):
            return _Emptying(write.name, write.leaves, block, True)
    return _Emptying(write.name, write.leaves, block, False)


def _simple_statement(tree: FunctionTree | None, line: int) -> tuple[object, ast.stmt | None]:
    """The statement on a line, with what tells the block in which it stands."""
    for node in ast.walk(tree.node) if tree is not None else ():
        for name, block in ast.iter_fields(node):
            for each in block if isinstance(block, list) else ():
                is_simple = isinstance(each, ast.stmt) and not hasattr(each, "body")
                if is_simple and each.lineno <= line <= (each.end_lineno or line):
                    return (getattr(node, "lineno", 0), getattr(node, "col_offset", 0), name), each
    return None, None
