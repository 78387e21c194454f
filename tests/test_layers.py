"""Imports go down the layers only, without circles, and from wing to wing by the front door."""

from __future__ import annotations

import ast
import functools
import os
import subprocess
import sys
from pathlib import Path

import pytest

import stored

ROOT = Path(stored.__file__).parent

# each row may import what stands in rows above it; packages of one row do not see each other
ROWS = (
    {
        "errors",
        "typing",
        "_version",
        "_bounded_json",
        "_entry_form",
        "_fork_safe_lock",
        "_lazy",
        "_platform",
        "_private_folder",
        "_unix_group",
    },
    {"stores", "_store_process", "_adapters"},
    {"_settings"},
    {"_keys", "_tables"},
    {"_storage"},
    {"_engine"},
    {"_methods"},
    {"", "testing"},
    {"compat", "demo", "pytest_plugin"},
    {"cli"},
    {"__main__"},
)
RANK = {package: rank for rank, row in enumerate(ROWS) for package in row}
PACKAGES = sorted(each.name for each in ROOT.iterdir() if (each / "__init__.py").is_file())
MOST_LINES = 400


def modules() -> dict[str, Path]:
    """The file of each module, by its name without the leading ``stored.``; a package is named after its folder."""
    found = {}
    for file in ROOT.rglob("*.py"):
        parts = file.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


MODULES = modules()


@functools.cache
def tree(module: str) -> ast.Module:
    """The syntax tree of a module."""
    return ast.parse(MODULES[module].read_text())


def package(module: str) -> str:
    """The package of a module, or the module itself if it lies in none."""
    return module.split(".")[0]


@functools.cache
def imported(module: str) -> set[tuple[str, str]]:
    """What a module imports of stored, anywhere in it, as pairs of a module and a name (empty for all of it)."""
    found = set()
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            found |= {(alias.name, "") for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module} has a relative import"
            found |= {(node.module or "", alias.name) for alias in node.names}
    own = {
        (name.removeprefix("stored").removeprefix("."), each) for name, each in found if name.split(".")[0] == "stored"
    }
    return {_of_submodule(*pair) for pair in own}


def _of_submodule(name: str, imported_name: str) -> tuple[str, str]:
    """The pair itself, or the submodule that it means."""
    deeper = f"{name}.{imported_name}".removeprefix(".")
    return (deeper, "") if deeper in MODULES and imported_name not in handed_out(name) else (name, imported_name)


@functools.cache
def handed_out(wing: str) -> set[str]:
    """The names in a package's ``__all__``."""
    for node in tree(wing).body:
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["__all__"]:
            return set(ast.literal_eval(node.value))
    return set()


def test_every_package_has_a_row() -> None:
    """Each package, and each module beside them, has its place among the layers."""
    assert {package(module) for module in MODULES} == set(RANK)


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_go_down(module: str) -> None:
    """A module imports only from its own package and from rows above."""
    own = package(module)
    used = {package(name) for name, _ in imported(module)} - {own}
    assert not {each for each in used if RANK[each] >= RANK[own]}


@pytest.mark.parametrize("module", sorted(MODULES))
def test_wings_are_entered_by_the_front_door(module: str) -> None:
    """What a package hands out is imported from the package, and nothing else of it is imported."""
    for name, each in imported(module):
        other = package(name)
        if other in PACKAGES and other != package(module):
            assert name == other, f"{module} imports {each} from {name}; have {other} hand it out"
            assert each in handed_out(other), f"{module} imports {each}, which {other} does not hand out"


def test_no_module_imports_itself_in_a_circle() -> None:
    """Following the imports of a module never leads back to it; a package's own ``__init__`` gathers what is below."""
    left = {module: {name for name, _ in imported(module)} - {module} for module in MODULES}
    while left:
        done = {module for module, names in left.items() if not names & set(left)}
        assert done, f"there is a circle among {sorted(left)}"
        left = {module: names for module, names in left.items() if module not in done}


@pytest.mark.parametrize("name", PACKAGES)
def test_every_package_says_what_it_is_for(name: str) -> None:
    """The docstring of a package has a few lines."""
    said = ast.get_docstring(tree(name)) or ""
    assert 1 <= len(said.splitlines()) <= 8


@pytest.mark.parametrize("module", sorted(MODULES))
def test_modules_are_short(module: str) -> None:
    """No module has more lines than a reader keeps in mind."""
    assert len(MODULES[module].read_text().splitlines()) <= MOST_LINES


def test_format_never_touches_files() -> None:
    """The format works on bytes: it opens nothing and knows no paths."""
    for module in ("_storage.format", "_storage.native"):
        names = {node.id for node in ast.walk(tree(module)) if isinstance(node, ast.Name)}
        assert not names & {"open", "os", "Path", "pathlib", "io"}


def test_stores_never_see_values() -> None:
    """A store imports neither codecs nor the format nor pickle."""
    for module in (each for each in MODULES if package(each) == "stores"):
        allowed = {"stores", "typing", "_entry_form", "_fork_safe_lock", "_private_folder", "_unix_group"}
        assert {package(name) for name, _ in imported(module)} <= allowed
        assert "pickle" not in MODULES[module].read_text()


def test_tables_know_nothing_of_caching() -> None:
    """Tables import nothing of the library but its errors and types."""
    for module in (each for each in MODULES if package(each) == "_tables"):
        assert {package(name) for name, _ in imported(module)} <= {"_tables", "_lazy", "errors", "typing"}


def test_storage_knows_nothing_of_tables() -> None:
    """Storage keeps values of any kind: it imports nothing of tables."""
    for module in (each for each in MODULES if package(each) == "_storage"):
        assert "_tables" not in {package(name) for name, _ in imported(module)}


def test_heavy_imports_wait() -> None:
    """Neither scipy's interpolation nor any optional package is imported at the top of a core module.

    What is known of another library's types may import it, and is itself imported when such a type is met.
    """
    adapters = {each for each in MODULES if each.startswith("_adapters.of_")}
    for module in set(MODULES) - adapters - {"demo._physics.expansion", "compat._tier"}:
        top = [node for node in tree(module).body if isinstance(node, ast.Import | ast.ImportFrom)]
        names = {alias.name for node in top for alias in node.names} | {
            getattr(node, "module", "") or "" for node in top
        }
        assert not {name for name in names if name.split(".")[0] in {"scipy", "matplotlib", "colossus", "attr"}}


CALLS = """
import sys
from stored import keyed_by, stored

@keyed_by("n")
class Model:
    n = 1.0

    @stored
    def method(self, x):
        return x

def modules():
    return {name for name in sys.modules if name.startswith("stored")}

before = modules()
model = Model()
assert [model.method(1.0), model.method(1.0), model.method.refresh(1.0)] == [1.0, 1.0, 1.0]
assert not model.method.cached(2.0)
model.method.cache_clear()
print(sorted(modules() - before))
"""


def test_calls_import_nothing_of_the_library(tmp_path: Path) -> None:
    """A call may come where an import fails: in a forked process, without file handles, or deep in a recursion."""
    environment = {**os.environ, "STORED_CACHE_DIR": str(tmp_path / "cache"), "STORED_KEY_FILE": str(tmp_path / "key")}
    done = subprocess.run([sys.executable, "-c", CALLS], env=environment, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_start_up_waits_for_use() -> None:
    """`import stored` leaves numpy, and all that keys and stores results, to the first name that is used."""
    code = "import sys; before = set(sys.modules); import stored; print(*set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    wings = {"stored._keys", "stored._tables", "stored._storage", "stored._engine", "stored.stores"}
    assert not {"numpy", "scipy", "wrapt", "xxhash", "tempfile", *wings} & set(done.stdout.split())
