"""Imports go down the layers only."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import stored

ROOT = Path(stored.__file__).parent

# each row may import what stands in rows above it; modules of one row do not see each other
ROWS = (
    {"errors", "typing", "_version", "_platform"},
    {"_source", "_format", "_config", "_tables", "_axes"},
    {"_keys", "_sampling", "_leja", "_tolerance"},
    {"_owners", "_arguments", "_curves", "_explanations"},
    {"_pieces"},
    {"_calculus", "_monotone", "_quadrature", "_surfaces", "_plots"},
    {"_interpolants"},
    {"_tabulation"},
    {"stores._base"},
    {"_codecs", "_memory", "_trust", "stores._files", "stores._layered", "stores._memory"},
    {"_shortcuts", "stores._locks"},
    {"stores._upkeep"},
    {"stores._directory"},
    {"stores"},
    {"_persistence"},
    {"_engine"},
    {"_results"},
    {"_decorators"},
    {"demo._physics"},
    {"demo._cosmology", "testing"},
    {"demo", "compat"},
    {"demo._tour", "compat.colossus", ""},
    {"_cli"},
    {"__main__"},
)
RANK = {module: rank for rank, row in enumerate(ROWS) for module in row}

BY_LAYER = {
    "L0": {"errors", "typing", "_version", "_platform"},
    "L1": {"_source", "_keys", "_owners", "_arguments", "_format", "_tables", "_config"}
    | {"_axes", "_sampling", "_leja", "_curves", "_pieces", "_calculus", "_monotone", "_quadrature", "_surfaces"}
    | {"_plots", "_interpolants", "_tabulation", "_tolerance", "_explanations"},
    "L2": {
        "_codecs",
        "_memory",
        "_shortcuts",
        "_trust",
        "stores",
        *(f"stores.{each}" for each in ("_base", "_directory", "_files", "_layered", "_locks", "_memory", "_upkeep")),
    },
}


def modules() -> dict[str, Path]:
    found = {}
    for file in ROOT.rglob("*.py"):
        parts = file.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


def imports(file: Path) -> set[str]:
    """Modules of stored that a file imports anywhere, in functions too."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{file}: relative import"
            own = modules()
            base = node.module or ""
            for alias in node.names:
                deeper = f"{base}.{alias.name}"
                names.add(deeper if deeper.removeprefix("stored.") in own and base.startswith("stored") else base)
    return {name.removeprefix("stored").removeprefix(".") for name in names if name.split(".")[0] == "stored"}


@pytest.mark.parametrize("module", sorted(modules()))
def test_imports_go_down(module: str) -> None:
    """A module imports only from rows above its own."""
    assert module in RANK, f"{module} has no place among the layers; give it one"
    upward = {name for name in imports(modules()[module]) if RANK[name] >= RANK[module]}
    assert not upward


def test_format_never_touches_files() -> None:
    """The format works on bytes: it opens nothing and knows no paths."""
    tree = ast.parse(modules()["_format"].read_text())
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert not names & {"open", "os", "Path", "pathlib", "io"}


def test_stores_never_see_values() -> None:
    """A store imports neither codecs nor the format nor pickle."""
    stores = {module for module in modules() if module.split(".")[0] == "stores"}
    for module in stores:
        assert imports(modules()[module]) <= stores | {"typing"}
        assert "pickle" not in modules()[module].read_text()


def test_heavy_imports_wait() -> None:
    """Neither scipy's interpolation nor any optional package is imported at the top of a core module."""
    for module in set(modules()) - {"demo._physics"}:
        tree = ast.parse(modules()[module].read_text())
        top = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
        names = {alias.name for node in top for alias in node.names} | {
            getattr(node, "module", "") or "" for node in top
        }
        if module != "compat.colossus":
            assert not {name for name in names if name.split(".")[0] in {"scipy", "matplotlib", "colossus", "attr"}}
