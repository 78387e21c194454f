"""Compiled modules of the user's own count by the content of their files."""

from __future__ import annotations

import shutil
import subprocess
import sys
import types
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest
import xxhash._xxhash

from stored._keys import compiled_modules
from stored._keys.class_names import _library_class_name
from stored._keys.code_graph import code_state
from stored._keys.compiled_modules import compiled_text, name_in_compiled

MODEL = """
import _xxhash
from _xxhash import xxh64_intdigest
from stored._keys.canonical import canonical, digest
from stored._keys.code_graph import code_state

HANDLE = next(each for each in vars(_xxhash).values() if type(each).__name__ == "builtin_function_or_method")

def of_module(x): return _xxhash.xxh32_intdigest(x)
def of_class(x): return _xxhash.xxh32(x)
def imported(x): return xxh64_intdigest(x)
def as_constant(x): return HANDLE(x)
def inside():
    import _xxhash as mine
    return mine.xxh32
def whole(): return vars(_xxhash)
def none(): return 1

functions = (of_module, of_class, imported, as_constant, inside, whole, none)
print(digest(canonical(xxh64_intdigest)), *[code_state([each]).digest for each in functions])
"""


def digests(folder: Path) -> list[str]:
    command = [sys.executable, str(folder / "model_of_test.py")]
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=folder).stdout.split()


def test_another_build_counts(tmp_path: Path) -> None:
    """For all that comes from it, and for nothing else; the folder does not matter."""
    real = Path(str(xxhash._xxhash.__file__))
    found = []
    for folder, more in (("a", b""), ("b", b""), ("c", b"\0")):
        (tmp_path / folder).mkdir()
        shutil.copy(real, tmp_path / folder)
        with (tmp_path / folder / real.name).open("ab") as stream:
            stream.write(more)
        (tmp_path / folder / "model_of_test.py").write_text(MODEL)
        found.append(digests(tmp_path / folder))
    assert found[0] == found[1]
    assert [one == other for one, other in zip(found[0], found[2], strict=True)] == [False] * 7 + [True]


FUNCTION, COPY = iter([1]), iter([2])
"""Without a form, and they do not tell from where they are, as functions that f2py makes."""


def test_what_does_not_tell_from_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is looked for in compiled modules, under its name first."""
    digests = []
    for content in (b"1", b"2", b"1"):
        compiled_modules._file_digest.cache_clear()
        module = types.ModuleType("compiled_of_test")
        module.__file__ = str(tmp_path / f"compiled_of_test{EXTENSION_SUFFIXES[0]}")
        Path(module.__file__).write_bytes(content)
        vars(module).update(FUNCTION=FUNCTION, other=COPY)
        monkeypatch.setitem(sys.modules, module.__name__, module)
        states = [code_state([each]) for each in (lambda: FUNCTION, lambda: COPY)]
        assert [each.formless for each in states] == [(), ()]
        digests.append([each.digest for each in states])
    assert digests[0] == digests[2]
    assert set(digests[0]).isdisjoint(digests[1])
    Path(module.__file__).unlink()
    compiled_modules._file_digest.cache_clear()
    assert compiled_text("compiled_of_test").endswith(EXTENSION_SUFFIXES[0])


def test_a_compiled_class_is_known_by_its_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where an object of it stands in a key."""
    compiled_modules._file_digest.cache_clear()
    other = types.ModuleType("another_compiled_of_test")
    other.__file__ = str(tmp_path / f"another{EXTENSION_SUFFIXES[0]}")
    Path(other.__file__).write_bytes(b"1")
    monkeypatch.setitem(sys.modules, other.__name__, other)
    kind = type("Grid", (), {"__module__": other.__name__})
    assert _library_class_name(kind) == f"{other.__name__}.Grid {compiled_text(other.__name__)}"
    assert name_in_compiled(FUNCTION, "FUNCTION") is None


@pytest.mark.parametrize("name", ["xxhash._xxhash", "math", "sys", "not_imported_anywhere", __name__])
def test_others_do_not(name: str) -> None:
    """Those of installed packages and of Python, and what is not compiled."""
    assert compiled_text(name) == ""
