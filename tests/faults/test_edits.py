"""A model is edited between two runs: no result outlives its code, and none is computed anew for nothing."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.faults.edited import DEMO, FILES, RUN, RUN_DEMO, mutants, run, write
from tests.faults.scale import LONG, rounds

MUTANTS = list(mutants(FILES, rounds(20, 1)))
MUTANTS_OF_DEMO = list(mutants(DEMO, rounds(200, 1)))

BLANKS = " " * 12

HARMLESS = {
    "a comment": ("lib", "    step = ", "    # so wide\n                step = "),
    "a docstring": ("lib", "    step = ", '    "So wide."\n                step = '),
    "formatting": ("lib", "x**1.5 + offset(x)", "(x ** 1.5\n                    + offset( x ))"),
    "annotations": ("lib", "def weight(x, k=2.0):", "def weight(x: float, k: float = 2.0) -> float:"),
    "moved lines": ("lib", "class Grid:", "\n\n\n\n        class Grid:"),
    "an unused function": ("lib", "class Grid:", "def unused(): return C\n\n        class Grid:"),
    "an unused import": ("lib", "import math", "import math, os, json"),
    "a docstring of a class": ("base", "    ORDER = 2", '    "All models."\n            ORDER = 2'),
    "a docstring of a module": ("constants", "C = 3.0", '"Numbers."\n        C = 3.0'),
    "a constant that is not used": ("constants", "C = 3.0", "C, D = 3.0, 4.0"),
    "a constant that is computed in another way": ("constants", "C = 3.0", "C = 1.5 * 2"),
    "an unused method of the model": ("model", "    def hook(", f"    def unused(self): return 1\n\n{BLANKS}def hook("),
    "another stored method": (
        "model",
        "    @stored\n            def of_base",
        f"    @stored\n{BLANKS}def more(self): return 1\n\n{BLANKS}@stored\n{BLANKS}def of_base",
    ),
}
GROUPS = len(HARMLESS) if LONG else 3
"""Neighbours, which can be in each other's way, are in different ones."""


def filled_folder(folder: Path, files: Mapping[str, str], program: str) -> Path:
    """A folder with a model, and a cache with all that it gives."""
    write(folder / "project", files)
    found = run(folder / "project", folder / "cache", program)
    assert found is not None
    assert found["misses"]
    return folder


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """That of the model of five modules."""
    return filled_folder(tmp_path_factory.mktemp("filled"), FILES, RUN)


@pytest.fixture(scope="module")
def filled_demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """That of the demo's cosmology."""
    return filled_folder(tmp_path_factory.mktemp("demo"), DEMO, RUN_DEMO)


def check_edit(
    filled: Path, folder: Path, files: Mapping[str, str], program: str, change: tuple[str, str, str]
) -> None:
    """After an edit, the next process gives what the plain methods give."""
    module, place, source = change
    shutil.copytree(filled / "cache", folder / "cache")
    write(folder / "project", files, **{module: source})
    found = run(folder / "project", folder / "cache", program)
    if found is not None:  # else the model itself raises an error now
        assert found["found"] == pytest.approx(found["plain"], rel=1e-5), place
        exact = slice(1, None) if program is RUN else slice(-1, None)  # these are no values of tables
        assert found["found"][exact] == found["plain"][exact]


@pytest.mark.parametrize("change", MUTANTS, ids=[f"{each[0]} {each[1]}" for each in MUTANTS])
def test_no_result_outlives_its_code(filled: Path, tmp_path: Path, change: tuple[str, str, str]) -> None:
    """Whatever is edited, wherever, the next process gives what the plain methods give."""
    check_edit(filled, tmp_path, FILES, RUN, change)


@pytest.mark.parametrize("change", MUTANTS_OF_DEMO, ids=[f"{each[0]} {each[1]}" for each in MUTANTS_OF_DEMO])
def test_no_result_of_the_demo_outlives_its_code(
    filled_demo: Path, tmp_path: Path, change: tuple[str, str, str]
) -> None:
    """Taken for somebody's own modules."""
    check_edit(filled_demo, tmp_path, DEMO, RUN_DEMO, change)


@pytest.mark.parametrize("first", range(GROUPS))
def test_what_cannot_matter_does_not(filled: Path, tmp_path: Path, first: int) -> None:
    """Nothing is computed anew; at length, one after the other is tried."""
    files = dict(FILES)
    for module, old, new in list(HARMLESS.values())[first::GROUPS]:
        assert files[module].count(old) == 1
        files[module] = files[module].replace(old, new)
    write(tmp_path / "project", files)
    found = run(tmp_path / "project", filled / "cache")
    assert found is not None
    assert found["misses"] == 0


@pytest.mark.parametrize("seed", ["0", "1", "77"])
def test_another_checkout_and_hash_seed_do_not_matter(filled: Path, tmp_path: Path, seed: str) -> None:
    """Nor does another working directory."""
    shutil.copytree(filled / "project", tmp_path / "other")
    found = run(tmp_path, filled / "cache", PYTHONPATH=str(tmp_path / "other"), PYTHONHASHSEED=seed)
    assert found is not None
    assert found["misses"] == 0


def test_a_helper_that_moves_does_not_matter(filled: Path, tmp_path: Path) -> None:
    """To another module, as long as it says the same, and what it uses too."""
    moved = "def integral" + textwrap.dedent(FILES["tools"]).partition("def integral")[2].partition("\nadd =")[0]
    tools = textwrap.dedent(FILES["tools"]).replace(moved, "from more import integral\n")
    write(tmp_path / "project", tools=tools, more=moved)
    found = run(tmp_path / "project", filled / "cache")
    assert found is not None
    assert found["misses"] == 0


def test_two_projects_with_modules_of_one_name_share_nothing_that_differs(filled: Path, tmp_path: Path) -> None:
    """Though they share a cache."""
    write(tmp_path / "project", constants=FILES["constants"].replace("3.0", "4.0"))
    found = run(tmp_path / "project", filled / "cache")
    assert found is not None
    assert found["found"] == pytest.approx(found["plain"], rel=1e-5)


OWNER = """
from stored import StorageUser, keyed_by, stored

class Part:
    def __init__(self, h): self.h = h
    def age(self, x): return self.h * x * {age}

class Base:
    K = {k}

{decorator}
class Model(Base):
    def __init__(self, p):
        self.p = p
        self.half = p / {half}
        self.part = Part(0.7)
        {user}
    def {method}(self): return repr(self.p)
    @stored
    def of_function(self): return self.half * self.K + self.part.age(1.0)
    of_base = of_stored = of_objects = of_imported = of_function
    @stored
    def table(self, x): return self.half * x
"""
OWNERS = {
    "a string": {"decorator": "", "user": "pass", "method": "getHashableString"},
    "a StorageUser": {
        "decorator": "",
        "user": "self.su = StorageUser('m', 'rw', lambda: 'm', lambda: str(self.p), None)",
        "method": "text",
    },
    "these parameters only": {"decorator": "@keyed_by('p', only=True)", "user": "pass", "method": "text"},
    "parameters": {"decorator": "@keyed_by('p')", "user": "pass", "method": "text"},
}


@pytest.mark.parametrize("kind", OWNERS)
def test_what_sets_attributes_counts_for_every_kind_of_owner(tmp_path: Path, kind: str) -> None:
    """Also where the values of attributes are in no key, with class attributes and the classes of attributes."""
    for k, half, age in ((1, 2, 1), (1, 4, 1), (2, 4, 1), (2, 4, 3), (2, 4, 3)):
        model = OWNER.format(k=k, half=half, age=age, **OWNERS[kind])
        write(tmp_path / "project", model=model)
        found = run(tmp_path / "project", tmp_path / "cache")
        assert found is not None
        assert found["found"] == found["plain"]
    assert found["misses"] == 0
