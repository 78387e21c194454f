"""Paths below the folder of a module, or of its project, are the same in every checkout."""

from __future__ import annotations

import types
from pathlib import Path
from typing import Any

import pytest

from stored._keys.project_paths import without_folder


def module(file: Path, name: str) -> Any:
    made = types.ModuleType(name)
    made.__file__ = str(file)
    return made


@pytest.mark.parametrize("kind", [str, Path])
@pytest.mark.parametrize("mark", ["", "pyproject.toml"])
def test_paths_of_a_project(tmp_path: Path, kind: Any, mark: str) -> None:
    """The folder of the module comes first, so that a module can move with what lies beside it."""
    root = tmp_path / "checkout"
    (root / "src" / "pkg").mkdir(parents=True)
    if mark:
        (root / mark).touch()
    node = module(root / "src" / "pkg" / "lib.py", "pkg.lib")
    found = [
        str(without_folder(kind(root / each), node)) for each in ("src/pkg/a.dat", "src/pkg", "src/b.dat", "data/c.dat")
    ]
    assert found[:2] == ["<folder>/a.dat", "<folder>"]
    assert found[2] == ("<project>/src/b.dat" if mark else "<project>/b.dat")
    assert found[3] == ("<project>/data/c.dat" if mark else str(root / "data/c.dat"))


def test_other_paths_stay(tmp_path: Path) -> None:
    """Those elsewhere, those that only begin alike, and what belongs to no file."""
    node = module(tmp_path / "pkg" / "lib.py", "lib")
    for each in ("/elsewhere/a", str(tmp_path / "pkg2"), "relative", ""):
        assert without_folder(each, node) == each
        assert without_folder(each, types.ModuleType("made")) == each
