"""Code is the user's own, or that of the standard library or an installed package."""

from __future__ import annotations

import importlib.util
import sys
import types
import warnings
from pathlib import Path

import numpy as np
import pytest

from stored._keys.libraries import find_by_name, is_library_module
from tests.keys.models import Base


@pytest.mark.parametrize(
    "name", ["builtins", "json", "json.decoder", "math", "numpy", "numpy.linalg", "stored._keys", "sys"]
)
def test_libraries(name: str) -> None:
    """Whether they are compiled or not, parts of packages and this library itself included."""
    assert is_library_module(name)


@pytest.mark.parametrize("name", [__name__, "__main__", "no.such.module", None])
def test_modules_of_the_user(name: str | None) -> None:
    """Also those that are not imported, or have no name."""
    assert name == "__main__" or not is_library_module(name)


def test_a_hidden_part_of_a_package_belongs_to_it() -> None:
    """Some packages give another name than that of the module in which a class is."""
    assert is_library_module("numpy.no_such_part")


def test_a_module_without_a_file_is_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As one that was made by hand; one in a file of the user's is so too, and one in site-packages is not."""
    monkeypatch.setitem(sys.modules, "made_by_hand", types.ModuleType("made_by_hand"))
    assert not is_library_module("made_by_hand")
    for folder, is_library in (("site-packages", True), ("mine", False)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "some.py").write_text("")
        spec = importlib.util.spec_from_file_location("some", tmp_path / folder / "some.py")
        assert spec is not None
        monkeypatch.setitem(sys.modules, "some", importlib.util.module_from_spec(spec))
        assert is_library_module("some") is is_library


def test_what_a_module_has_is_found_by_its_name() -> None:
    """And nothing where it has nothing; no module is asked for names that it would warn of."""
    assert find_by_name(__name__.rpartition(".")[0] + ".models", "Base.step") is Base.step
    assert find_by_name("numpy", "linalg.norm") is np.linalg.norm
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert find_by_name("numpy", "object") is None
    assert find_by_name("no.such.module", "x") is find_by_name(None, "x") is find_by_name("math", "x.y") is None
