"""Which part of which file does a function's code come from: its syntax tree, and what it says?"""

from __future__ import annotations
import __future__

import ast
import contextlib
import functools
import inspect
import itertools
import linecache
import os
import textwrap
import zlib
from collections.abc import Iterable, Iterator, Mapping
from types import CodeType, FunctionType
from typing import Any, NamedTuple, TypeAlias

from stored._keys.cached_code import cached_code
from stored._keys.canonical import digest
from stored._keys.chosen_items import chosen_items
from stored._keys.closure_memos import closure_memos
from stored._keys.code_object import nested_code
from stored._keys.file_facts import Bounds, FileFacts, FoundFunction, kept_facts, note_facts
from stored._keys.function_reader import read_functions
from stored._keys.module_memos import module_memos
from stored._keys.sent_main import SENT_CODE
from stored._keys.syntax import FunctionNode, parse, without_warnings
from stored._keys.used_names import ReadFunction

__all__ = ["FunctionTree", "adopt_sources", "function_tree", "read_function", "source_text", "sources_of"]


class FunctionTree(NamedTuple):
    """The syntax tree of a function, and the class in whose body it stands, after which private names are mangled."""

    node: FunctionNode
    class_name: str | None


class _File(NamedTuple):
    """A file, and what it says: `linecache` has another list of lines for a file that has changed."""

    lines: list[str]
    facts: FileFacts


_NO_SOURCE = (OSError, TypeError, ValueError, SyntaxError, LookupError, RecursionError)
"""Without a source (exec, a plain interpreter), or with a file that was edited since it was imported."""


def read_function(code: CodeType) -> ReadFunction | None:
    """What the source of a function says, with the digest of its text; None if it is not known, or was edited."""
    try:
        found = _file_of(code).facts.functions[_place(code)]
        return found[_index(code, [each.bounds for each in found])].read
    except _NO_SOURCE:
        return None


def source_text(code: CodeType) -> str:
    """The lines of a function in its file, without decorators; empty if they are not known."""
    try:
        file = _file_of(code)
        found = file.facts.functions[_place(code)]
        (first, _), (last, _) = found[_index(code, [each.bounds for each in found])].bounds
    except _NO_SOURCE:
        return ""
    return textwrap.dedent("".join(file.lines[first - 1 : last]))


def function_tree(code: CodeType) -> FunctionTree | None:
    """The syntax tree that a code object was compiled from; None if its source is not known, or says something else."""
    try:
        file = _file_of(code)
        trees = _trees_of_file(file.lines)[_place(code)]
        return trees[_index(code, [each.bounds for each in file.facts.functions[_place(code)]])]
    except _NO_SOURCE:
        return None


def _file_of(code: CodeType) -> _File:
    """The file of a code object; a `LookupError` if it does not compile to this code, since it was edited meanwhile."""
    return _named_file_of(code)[1]


def _named_file_of(code: CodeType) -> tuple[str, _File]:
    flags = code.co_flags & __future__.annotations.compiler_flag
    for name, lines in _texts_for(code):
        file = _known_file(name, lines, flags)
        if file.facts.has(code):
            return name, file
    raise LookupError(code.co_qualname)


def _texts_for(code: CodeType) -> Iterator[tuple[str, list[str]]]:
    """The texts that a code object may come from, with their names: that of its file, and those that were sent."""
    name = code.co_filename
    if name != SENT_CODE:
        linecache.checkcache(name)
        lines = linecache.getlines(name)
        if not lines and not name.startswith("<"):  # else it is generated, and not to be found in a module either
            lines = inspect.findsource(code)[0]  # which looks through all modules, as for one in a zip file
        if lines:
            yield name, lines
    yield from reversed(_sent_sources.values())


def _known_file(name: str, lines: list[str], flags: int) -> _File:
    file = _known_files.get((name, flags))
    if file is None or (file.lines is not lines and file.lines != lines):
        kept = kept_facts(name, lines, flags)
        file = _File(lines, _read_file(lines, name, flags) if kept is None else kept)
        _known_files[name, flags] = file
        while len(_known_files) > _MOST_FILES:
            _known_files.pop(next(iter(_known_files)), None)
    return file


_sent_sources: dict[str, tuple[str, list[str]]] = {}
"""Texts that other processes have sent, with their names, by their digests; the latest last."""

_MOST_SENT = 64


def sources_of(functions: Iterable[FunctionType]) -> dict[str, bytes]:
    """The texts that functions come from, compressed, by the names of their files.

    Parameters
    ----------
    functions : iterable of FunctionType
        The functions.
    """
    files: dict[str, _File] = {}
    for each in functions:
        with contextlib.suppress(*_NO_SOURCE):
            name, file = _named_file_of(each.__code__)
            files[name] = file
    return {name: _compressed("".join(file.lines)) for name, file in files.items()}


@functools.lru_cache(maxsize=64)
def _compressed(text: str) -> bytes:
    return zlib.compress(text.encode())


def adopt_sources(sources: Mapping[str, bytes]) -> None:
    """Know the texts that the functions come from which another process has sent."""
    for name, data in sources.items():
        number = digest(data.decode("latin-1"))
        known = _sent_sources.pop(number, None)
        _sent_sources[number] = known or (name, zlib.decompress(data).decode().splitlines(keepends=True))
    for each in list(_sent_sources)[: -max(_MOST_SENT, len(sources))]:
        _sent_sources.pop(each, None)


_known_files: dict[tuple[str, int], _File] = {}

_MOST_FILES = 1024

_NONE = frozenset[str]()


def _read_file(lines: list[str], filename: str, flags: int) -> FileFacts:
    source = "".join(lines)
    with without_warnings():
        tree = parse(source)
        compiled = cached_code(filename, flags) or compile(tree, filename, "exec", flags=flags, dont_inherit=True)
    functions: dict[tuple[str, int], list[FoundFunction]] = {}
    found_functions = list(read_functions(tree))
    texts: dict[ast.AST, str] = {node: read.text for node, _, read in found_functions}
    memos, choices, closed_over = module_memos(tree, texts), chosen_items(texts), closure_memos(texts)
    for node, _, read in found_functions:
        filled = memos.get(node, _NONE) | closed_over.get(node, _NONE)
        read = read._replace(text=digest(read.text), memos=filled, choices=choices.get(node, frozenset()))
        found = FoundFunction(_bounds(node), read)
        functions.setdefault(_place_of_node(node), []).append(found)
    codes: dict[tuple[str, int], list[CodeType | str]] = {}
    for module in [compiled, *_compiled_statements(tree, filename, flags)]:
        for each in itertools.islice(nested_code(module), 1, None):
            codes.setdefault((each.co_qualname, each.co_firstlineno), []).append(each)
    facts = FileFacts(functions, codes)
    if any(class_name is not None for _, class_name, _ in found_functions):  # what methods read is soon asked for
        _keep_trees(lines, [found[:2] for found in found_functions])
    note_facts(filename, lines, flags, facts)
    return facts


def _compiled_statements(tree: ast.Module, filename: str, flags: int) -> list[CodeType]:
    """The statements of a cell of a notebook, where they are compiled one by one; none of a file.

    Python compiles calls of what the same module imports in another way, if it sees the import.
    """
    if os.path.isfile(filename):
        return []
    with without_warnings():
        modules = [ast.Module([each], []) for each in tree.body]
        return [compile(each, filename, "exec", flags=flags, dont_inherit=True) for each in modules]


_Trees: TypeAlias = dict[tuple[str, int], list[FunctionTree]]

_known_trees: dict[int, tuple[list[str], _Trees]] = {}
"""By the ids of the lists of lines, the latest last."""

_MOST_TREES = 16


def _trees_of_file(lines: list[str]) -> _Trees:
    """The trees of all functions of a file, by name and first line, in the order of `read_functions`."""
    known = _known_trees.get(id(lines))
    if known is None:
        with without_warnings():
            return _keep_trees(lines, [found[:2] for found in read_functions(parse("".join(lines)))])
    return _keep(lines, known[1])


def _keep_trees(lines: list[str], functions: Iterable[tuple[FunctionNode, str | None]]) -> _Trees:
    trees: _Trees = {}
    for node, class_name in functions:
        trees.setdefault(_place_of_node(node), []).append(FunctionTree(node, class_name))
    return _keep(lines, trees)


def _keep(lines: list[str], trees: _Trees) -> _Trees:
    """Keep the trees of a file, until those of some others are asked for."""
    _known_trees.pop(id(lines), None)
    _known_trees[id(lines)] = lines, trees
    for each in list(_known_trees)[:-_MOST_TREES]:
        _known_trees.pop(each, None)
    return trees


def _place(code: CodeType) -> tuple[str, int]:
    return code.co_name, code.co_firstlineno


def _place_of_node(node: FunctionNode) -> tuple[str, int]:
    if isinstance(node, ast.Lambda):
        return "<lambda>", node.lineno
    return node.name, min(node.lineno, *(each.lineno for each in node.decorator_list), node.lineno)


def _bounds(node: FunctionNode) -> Bounds:
    body: Any = node.body if isinstance(node, ast.Lambda) else node
    return (body.lineno, body.col_offset), (body.end_lineno, body.end_col_offset)


def _index(code: CodeType, found: list[Bounds]) -> int:
    """Which of the functions at the place of a code is it? Several lambdas can stand on one line.

    It is the innermost whose body has all instructions of the code in it.
    """
    if len(found) == 1:
        return 0
    positions = list(_positions(code))
    around = [
        number
        for number, (start, end) in enumerate(found)
        if positions and all(start <= begin and stop <= end for begin, stop in positions)
    ]  # without positions none, and so a ValueError
    return min(around, key=lambda number: (-found[number][0][0], -found[number][0][1], found[number][1]))


def _positions(code: CodeType) -> Iterator[Bounds]:
    for line, end_line, column, end_column in code.co_positions():
        if line is not None and end_line is not None and column is not None and end_column:
            yield (line, column), (end_line, end_column)
