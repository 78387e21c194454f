"""The text of a function's code changes with what it computes."""

from __future__ import annotations

import functools
import os
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stored._keys import code_facts
from tests.keys.models import function_of


def code_text(function: Any) -> str:
    return code_facts(function.__code__).text


# -- normalised source ------------------------------------------------------------------------------------------------

SOURCE = """
def f(self, z, k=1):
    total = z * k
    for n in (1, 2):
        total += n
    return total
"""

SAME = {
    "comments": SOURCE.replace("total = z", "# so many\n    total = z"),
    "a docstring": SOURCE.replace("    total = z", '    """Add up."""\n    total = z'),
    "formatting": SOURCE.replace("(1, 2)", "(\n        1,\n        2,\n    )").replace("z * k", "(z*k)"),
    "annotations": SOURCE.replace("z, k=1)", "z: float, k: int = 1) -> float").replace("total = z", "total: float = z"),
    "the stored decorator": SOURCE.replace("def", "@stored\ndef"),
    "its options": SOURCE.replace("def", "@stored.stored('name', maxsize=3)\ndef"),
    "indentation": "class C:\n" + textwrap.indent(SOURCE, "    "),
}

DIFFERENT = {
    "an operator": SOURCE.replace("z * k", "z + k"),
    "a constant": SOURCE.replace("(1, 2)", "(1, 3)"),
    "the type of a constant": SOURCE.replace("(1, 2)", "(1.0, 2)"),
    "a default": SOURCE.replace("k=1", "k=2"),
    "an argument": SOURCE.replace("k=1", "k=1, j=0"),
    "a kind of argument": SOURCE.replace("k=1", "*, k=1"),
    "another decorator": SOURCE.replace("def", "@stored\n@doubled\ndef"),
    "the order of statements": SOURCE.replace("total += n", "n += total"),
    "async": SOURCE.replace("def", "async def"),
    "a local name": SOURCE.replace("    total = z", "    k: int\n    total = z"),
}


@pytest.fixture
def loaded(tmp_path: Path) -> Callable[[str], Any]:
    """Runs source from a file of its own, and gives what it defines."""

    def load(source: str) -> Any:
        path = tmp_path / f"source{len(list(tmp_path.iterdir()))}.py"
        path.write_text(source)
        decorators = "def stored(*a, **k):\n return a[0] if callable(a[0]) else lambda f: f\n"
        names: dict[str, Any] = {"doubled": lambda f: f, "__name__": "loaded"}
        exec(decorators, names)
        names["stored"].stored = names["stored"]
        exec(compile(source, str(path), "exec"), names)
        return getattr(names.get("C"), "f", names.get("f"))

    return load


@pytest.mark.parametrize("change", SAME)
def test_what_cannot_change_a_result_does_not_count(loaded: Callable[[str], Any], change: str) -> None:
    """Comments, docstring, formatting, annotations and the stored decorator are no part of a function's text."""
    assert code_text(loaded(SAME[change])) == code_text(loaded(SOURCE))


@pytest.mark.parametrize("change", DIFFERENT)
def test_anything_else_counts(loaded: Callable[[str], Any], change: str) -> None:
    """A change that can change a result changes the text."""
    assert code_text(loaded(DIFFERENT[change])) != code_text(loaded(SOURCE))


def test_docstrings_inside_do_not_count(loaded: Callable[[str], Any]) -> None:
    """Functions and classes within have docstrings and comments too."""
    with_text = 'def f():\n class D:\n  "doc"\n def g():\n  "doc"\n  return 1 # one\n return g()'
    assert code_text(loaded(with_text)) == code_text(
        loaded("def f():\n class D: pass\n def g(): return 1\n return g()")
    )


def test_fields_of_a_class_inside_count(loaded: Callable[[str], Any]) -> None:
    """In a class body an annotation makes a field, and its type can say which kind."""
    bodies = ["x: int = 1", "x: ClassVar[int] = 1", "x = 1", "x: int"]
    texts = {code_text(loaded(f"def f():\n class D:\n  {body}\n return D")) for body in bodies}
    assert len(texts) == len(bodies)
    inner = "def f():\n class D:\n  def g(self):\n   a{} = 1\n   return a\n return D"
    assert code_text(loaded(inner.format(": int"))) == code_text(loaded(inner.format("")))


def test_text_in_strings_of_many_lines_counts(loaded: Callable[[str], Any]) -> None:
    """The blanks inside a string are the string's, even where the code around it is indented."""
    method = 'class C:\n    def f(self):\n        return """a\n{}b"""\n'
    texts = {code_text(loaded(method.format(" " * blanks))) for blanks in (0, 1, 4, 5, 8)}
    assert len(texts) == 5
    assert code_text(loaded('def f(self):\n    return """a\nb"""\n')) in texts


def test_a_wrapper_has_its_own_text() -> None:
    """A function made with functools.wraps has the text of the wrapper, not of the wrapped function."""

    def plain() -> int:
        return 1

    @functools.wraps(plain)
    def wrapper() -> int:
        return plain() + 1

    assert code_text(wrapper) != code_text(plain)


def test_a_file_edited_later_is_not_the_source_of_old_code(tmp_path: Path) -> None:
    """The text of running code stays once it is known, and newly loaded code has a text of its own."""
    path = tmp_path / "edited.py"
    functions, texts = [], []
    for body in ("1", "2"):
        path.write_text(f"def f(): return {body}\n")
        os.utime(path, ns=(0, int(body) * 10**9))
        names: dict[str, Any] = {}
        exec(compile(path.read_text(), str(path), "exec"), names)
        functions.append(names["f"])
        texts.append(code_text(names["f"]))
    assert [code_text(each) for each in functions] == texts
    assert len(set(texts)) == 2


def defined(path: Path, running: str, found: str) -> str:
    """The text of a function that runs other code than its file says by now."""
    path.write_text(found)
    names: dict[str, Any] = {"__name__": "defined"}
    exec(compile(running, str(path), "exec", dont_inherit=True), names)
    return code_text(names.get("f") or names["C"].f)


@pytest.mark.parametrize(
    ("running", "found"),
    [
        ("def f(): return 1\n", "def f(): return 2\n"),
        ("def f(): return 1\n", "def f(): return 1.0\n"),
        ("def f(): return [1 for _ in x]\n", "def f(): return [2 for _ in x]\n"),
        ("def f(): return a\n", "def f(): return b\n"),
        ("class C:\n def f(self): return self.__a\n", "class D:\n def f(self): return self.__a\n"),
        ("def f(): return 1\n", "\ndef f(): return 1\n"),
        ("def f(): return 1\n", "def f(): return 1\n\0"),
        ("def f(): return 1\n", "def f(): return 1\n)\n"),
    ],
)
def test_a_file_with_other_code_is_not_used(tmp_path: Path, running: str, found: str) -> None:
    """A file that was edited since it was compiled, or that is not what was compiled under its name, is not used."""
    texts = [defined(tmp_path / "a.py", running, found), defined(tmp_path / "b.py", running, running)]
    assert [text.startswith("python3.") for text in texts] == [True, False]


@pytest.mark.parametrize(
    "source",
    [
        "class C:\n def f(self): return self.__a, __class__, super().f()\n",
        "from __future__ import annotations\ndef f(x: int) -> int:\n def g(y: int): return x\n return g\n",
        "def outer(k):\n def f(): return k, {'a', 'b'}, 1e400, -0.0\n return f\nf = outer(1)\n",
        "def f(): return '\\d', 1 is 1\n",
        "if True:\n\tdef f():\n\t\t'doc'\n\t\treturn [i for i in (1, 2)]\n",
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_a_file_with_the_running_code_is_used(tmp_path: Path, source: str) -> None:
    """Its text is used with private names, closures, __future__ imports, and what the compiler warns of."""
    assert not defined(tmp_path / "a.py", source, source).startswith("python3.")


def test_a_file_of_equal_size_and_time_is_read_again(tmp_path: Path) -> None:
    """Python keeps the earlier content of such a file, which must not be taken for the new one."""
    path = tmp_path / "a.py"
    texts = []
    for body in ("1", "2"):
        source = f"def f(): return {body}\n"
        path.write_text(source)
        os.utime(path, ns=(0, 0))
        names: dict[str, Any] = {}
        exec(compile(source, str(path), "exec"), names)
        texts.append(code_text(names["f"]))
    assert len(set(texts)) == 2


def test_the_text_of_a_deleted_function_is_not_used_again() -> None:
    """Code that gets the address of deleted code is read anew."""
    texts = set()
    for number in range(50):
        names: dict[str, Any] = {}
        exec(f"def f(): return {number}", names)
        texts.add(code_text(names.pop("f")))
    assert len(texts) == 50


# -- functions without source -----------------------------------------------------------------------------------------

SOURCELESS = [
    "f = lambda a: a",
    "f = lambda *a: a",
    "f = lambda **a: a",
    "f = lambda a, /: a",
    "f = lambda *, a: a",
    "f = lambda a, b: a",
    "f = lambda a: a + 1",
    "f = lambda a: a + 1.0",
    "f = lambda a: a + True",
    "f = lambda a: a.real",
    "f = lambda a: a.imag",
    "f = lambda a: a in {1, 2}",
    "f = lambda a: a in {1, 3}",
    "f = lambda a: a in (1, 2)",
    "f = lambda a: (lambda: 1)",
    "f = lambda a: (lambda: 2)",
    "f = lambda a: (lambda: a)",
    "def f(a): return 'x'",
    "def f(a): return 'y'",
    f"def f(a): return {hex(16**5000)}",
    "def f(a):\n try: return 1/a\n except ZeroDivisionError: return 0",
    "def f(a):\n try: return 1/a\n except ValueError: return 0",
]


def test_functions_without_source_differ_by_their_code() -> None:
    """Made by exec, they differ where their code, constants, names or kinds of arguments differ, and only there."""
    texts = [code_text(function_of(source)) for source in SOURCELESS]
    assert len(set(texts)) == len(SOURCELESS)
    assert texts == [code_text(function_of(f"\n# a comment\n{source}")) for source in SOURCELESS]


def test_lambdas_on_one_line_are_distinguished() -> None:
    """Their source line is the same, their code is not."""
    one, other = (lambda x: x + 1), (lambda x: x + 2)
    assert code_text(one) != code_text(other)


def test_source_that_cannot_be_read_as_a_function_is_not_used(loaded: Callable[[str], Any]) -> None:
    """If a file no longer contains what runs, because it is broken or about something else, the bytecode counts."""
    for number, replaced in enumerate(["def f(:\n", "def g():\n    return 1\n", "x = (\n", "", "f = '''\n"]):
        function = loaded("def f():\n    return 12345\n")
        Path(function.__code__.co_filename).write_text(replaced)
        assert code_text(function).startswith("python3."), number
