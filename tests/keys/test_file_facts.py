"""What was read of long files is kept from one process to the next, and never taken for that of another text."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import stored
from stored._keys import file_facts
from stored._keys.file_facts import FileFacts, kept_facts, load_facts_by, note_facts, unsaved_facts
from stored._keys.function_tree import _read_file

SOURCES = sorted(Path(stored.__file__).parent.rglob("*.py"))


@pytest.fixture
def kept() -> Iterator[dict[str, Any]]:
    """What was kept, by the names of files, in place of what the cache directory has."""
    found: dict[str, Any] = {}
    before = list(file_facts._loaders)
    unsaved_facts()
    load_facts_by(found.get)
    yield found
    unsaved_facts()
    file_facts._loaders[:] = before


def texts(facts: FileFacts) -> Any:
    return {place: [file_facts._code_digest(each) for each in found] for place, found in facts.codes.items()}


def test_what_is_kept_is_what_was_read(kept: dict[str, Any]) -> None:
    """Of all files of this library that are long enough, and of them alone."""
    for path in SOURCES:
        lines = path.read_text().splitlines(keepends=True)
        read = _read_file(lines, str(path), 0)
        kept.update(unsaved_facts())
        found = kept_facts(str(path), lines, 0)
        assert (found is None) == (len(lines) < file_facts._LEAST_LINES)
        if found is not None:
            assert found.functions == read.functions
            assert texts(found) == texts(read)
            code = next(iter(read.codes.values()))[0]
            assert not isinstance(code, str)
            assert found.has(code)
            assert not found.has(code.replace(co_consts=(*code.co_consts, 1)))
    assert len(kept) > 10


def test_what_was_kept_of_another_text_is_not_taken(kept: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor for other flags, or of another version of Python, or what is damaged."""
    lines = [*["# nothing\n"] * 400, "def f(): return 1\n"]
    note_facts("/a.py", lines, 0, _read_file(lines, "/a.py", 0))
    kept.update(unsaved_facts())
    assert kept_facts("/a.py", lines, 0) is not None
    assert kept_facts("/a.py", [*lines, "\n"], 0) is None
    assert kept_facts("/a.py", lines, 1) is None
    assert kept_facts("/b.py", lines, 0) is None
    whole = kept["/a.py"]
    for text in ("", "{}", "[]", "1", b"1", json.dumps({**json.loads(whole), "names": [1]}), whole[:-9]):
        kept["/a.py"] = text
        assert kept_facts("/a.py", lines, 0) is None
    kept["/a.py"] = whole
    assert kept_facts("/a.py", lines, 0) is not None
    monkeypatch.setattr(sys, "version", "4.0")
    assert kept_facts("/a.py", lines, 0) is None


def test_cells_of_notebooks_are_not_kept(kept: dict[str, Any]) -> None:
    """Their names are those of no files."""
    note_facts("<cell 1>", ["\n"] * 400, 0, FileFacts({}, {}))
    assert unsaved_facts() == []
    kept["<cell 1>"] = "{}"
    assert kept_facts("<cell 1>", ["\n"] * 400, 0) is None


MODEL = """
import sys
from stored import keyed_by, stored
from stored._keys import function_tree
import helpers

parsed = []
parse = function_tree.parse
function_tree.parse = lambda text: parsed.append(text) or parse(text)

@keyed_by("p")
class Model:
    def __init__(self, p): self.p = p
    @stored
    def value(self): return self.p * helpers.f199()
    @stored(persistent={persistent})
    def other(self): return self.p + helpers.f199()

model = Model(2.0)
print(model.other() if "other" in sys.argv else model.value())
print(any(each.count("def f") > 100 for each in parsed), model.value.cache_info().persistent_hits)
"""


def helpers(number: int) -> str:
    first = f"def f0(): return {number}\n"
    return first + "".join([f"\ndef f{n}(): return f{n - 1}()\n" for n in range(1, 200)])


def run(folder: Path, *arguments: str) -> list[str]:
    environment = {**os.environ, "STORED_CACHE_DIR": str(folder / "cache"), "STORED_KEY_FILE": str(folder / "key")}
    command = [sys.executable, "-B", "model.py", *arguments]
    return subprocess.run(
        command, check=True, capture_output=True, text=True, cwd=folder, env=environment
    ).stdout.split()


def test_processes_after_the_first_need_not_read_long_files(tmp_path: Path) -> None:
    """Until the file has changed, or where what was kept is damaged; results are those of the code of now."""
    (tmp_path / "model.py").write_text(MODEL.format(persistent=True))
    (tmp_path / "helpers.py").write_text(helpers(1))
    assert run(tmp_path) == ["2.0", "True", "0"]
    assert run(tmp_path) == ["2.0", "False", "1"]
    assert run(tmp_path, "other")[:2] == ["3.0", "False"]
    (tmp_path / "helpers.py").write_text(helpers(2))
    assert run(tmp_path) == ["4.0", "True", "0"]
    assert run(tmp_path) == ["4.0", "False", "1"]
    for path in (tmp_path / "cache").rglob("*.code"):
        path.write_bytes(path.read_bytes()[:-1])
    assert run(tmp_path) == ["4.0", "True", "1"]


def test_nothing_is_written_where_no_result_is(tmp_path: Path) -> None:
    """A program that keeps results in memory alone leaves nothing on disk."""
    (tmp_path / "model.py").write_text(MODEL.format(persistent=False))
    (tmp_path / "helpers.py").write_text(helpers(1))
    assert run(tmp_path, "other")[0] == "3.0"
    assert not list(tmp_path.rglob("*.code"))
