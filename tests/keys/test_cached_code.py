"""What Python has cached of a file is taken only where it is surely that of the file as it is."""

from __future__ import annotations
import __future__

import os
import py_compile
import subprocess
import sys
from collections.abc import Callable
from importlib.util import cache_from_source
from pathlib import Path

import pytest

from stored._keys.cached_code import cached_code

SOURCE = "def f(x):\n    return x * 2.0\n"
FLAG = __future__.annotations.compiler_flag


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A module whose code was cached some time after it was written."""
    made = tmp_path / "module.py"
    made.write_text(SOURCE)
    cache(made)
    return made


def cache(file: Path, seconds: float = 60.0) -> Path:
    """Let Python cache the code of a file, so much later than the file was written."""
    path = Path(py_compile.compile(str(file), doraise=True))  # type: ignore[arg-type]
    os.utime(path, (path.stat().st_atime, path.stat().st_mtime + seconds))
    return path


def test_what_is_cached_is_what_the_file_compiles_to(file: Path) -> None:
    """The same code."""
    assert cached_code(str(file), 0) == compile(SOURCE, str(file), "exec", dont_inherit=True)


def replaced(file: Path) -> None:
    """Another text of the same size, with the same time of modification."""
    known = file.stat()
    file.write_text(SOURCE.replace("2", "3"))
    os.utime(file, ns=(known.st_atime_ns, known.st_mtime_ns))
    os.utime(cache_from_source(str(file)))  # when both were touched in the same moment


def touched(file: Path) -> None:
    """The same text, at another time."""
    os.utime(file, (0, 0))


def longer(file: Path) -> None:
    """A longer text, with the same time of modification."""
    known = file.stat()
    file.write_text(SOURCE + "# more\n")
    os.utime(file, ns=(known.st_atime_ns, known.st_mtime_ns))


def gone(file: Path) -> None:
    """No source."""
    file.unlink()


def not_cached(file: Path) -> None:
    """Nothing is cached."""
    os.unlink(cache_from_source(str(file)))


def of_another_python(file: Path) -> None:
    """Its first bytes are others."""
    damaged(file, lambda data: b"0000" + data[4:])


def checked_by_hash(file: Path) -> None:
    """It is of another kind."""
    damaged(file, lambda data: data[:4] + b"\3\0\0\0" + data[8:])


def cut(file: Path) -> None:
    """Some is missing."""
    damaged(file, lambda data: data[:-5])


def something_else(file: Path) -> None:
    """It is no code."""
    damaged(file, lambda data: data[:16] + b"N")


def damaged(file: Path, change: Callable[[bytes], bytes]) -> None:
    """Change what is cached."""
    path = Path(cache_from_source(str(file)))
    path.write_bytes(change(path.read_bytes()))
    os.utime(path, (path.stat().st_atime, path.stat().st_mtime + 60.0))


@pytest.mark.parametrize(
    "change",
    [replaced, touched, longer, gone, not_cached, of_another_python, checked_by_hash, cut, something_else],
)
def test_what_is_not_surely_of_the_file(change: Callable[[Path], None], file: Path) -> None:
    """It is not taken."""
    change(file)
    assert cached_code(str(file), 0) is None


def test_links_and_caches_in_another_place(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They can be exchanged without a change of the file."""
    link = file.parent / "link"
    link.symlink_to(file.parent, target_is_directory=True)
    assert cached_code(str(link / "module.py"), 0) is None
    (file.parent / "other.py").symlink_to(file)
    cache(file.parent / "other.py")
    assert cached_code(str(file.parent / "other.py"), 0) is None
    assert cached_code(str(file), 0) is not None
    monkeypatch.setattr(sys, "pycache_prefix", str(file.parent / "prefix"))
    cache(file)
    assert cached_code(str(file), 0) is None


def test_what_was_cached_right_after_the_file_was_written(tmp_path: Path) -> None:
    """An edit of the same second, of the same size, would not be noticed."""
    file = tmp_path / "module.py"
    file.write_text(SOURCE)
    cache(file, 0.5)
    assert cached_code(str(file), 0) is None


def test_annotations_that_are_not_evaluated(file: Path) -> None:
    """It is taken only if the flag of the compiler is the same."""
    assert cached_code(str(file), FLAG) is None
    file.write_text(f"from __future__ import annotations\n{SOURCE}")
    cache(file)
    assert cached_code(str(file), FLAG) is not None
    assert cached_code(str(file), 0) is None


def test_names_of_no_file() -> None:
    """There is nothing."""
    for name in ("", "<cell 1>", "a\0b", "nowhere.py"):
        assert cached_code(name, 0) is None


MODEL = """
from stored import keyed_by, stored
import helpers_of_tests

@keyed_by("p")
class Model:
    def __init__(self, p): self.p = p
    @stored
    def value(self): return helpers_of_tests.f(self.p)

print(Model(2.0).value())
"""


def test_edits_are_seen_whatever_is_cached(tmp_path: Path) -> None:
    """Processes give what the code of now gives, and what another one has stored of the same code."""
    helpers = tmp_path / "helpers_of_tests.py"
    (tmp_path / "model.py").write_text(MODEL)
    environment = {**os.environ, "STORED_CACHE_DIR": str(tmp_path / "cache")}

    def run() -> str:
        command = [sys.executable, "model.py"]
        found = subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True)
        return found.stdout.strip()

    helpers.write_text(SOURCE)
    assert run() == "4.0"
    cache(helpers)
    assert run() == "4.0"
    helpers.write_text(SOURCE.replace("2", "3"))
    os.utime(helpers, (1.0, 1.0))  # else Python itself takes what it has cached in the same second
    assert run() == "6.0"
    cache(helpers)
    assert run() == "6.0"
