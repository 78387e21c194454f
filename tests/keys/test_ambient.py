"""What code asks for that no name tells counts too: the environment, random generators, versions of packages."""

from __future__ import annotations

import functools
import os
import random
import subprocess
import sys
import types
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis.utils.conventions
import numpy as np
import pytest
from numpy.random import default_rng

from stored._keys.code_graph import code_state
from stored._keys.distributions import distribution_text

ALIAS = os.environ
VARIABLE = "STORED_TEST_A"

ENVIRONMENT: list[Callable[[], Any]] = [
    lambda: os.environ["STORED_TEST_A"],
    lambda: os.environ.get("STORED_TEST_A"),
    lambda: os.environ.get("STORED_TEST_A", "x"),
    lambda: "STORED_TEST_A" in os.environ,
    lambda: "STORED_TEST_A" not in os.environ,
    lambda: os.getenv("STORED_TEST_A"),
    lambda: os.getenv(VARIABLE),
    lambda: os.getenv(key="STORED_TEST_A"),
    lambda: os.environ.get(VARIABLE, "x"),
    lambda: os.environ.get(key="STORED_TEST_A"),
    lambda: os.environ[VARIABLE],
    lambda: ALIAS["STORED_TEST_A"],
    lambda: ALIAS.get("STORED_TEST_A"),
]


@pytest.mark.parametrize("function", ENVIRONMENT)
def test_an_environment_variable_counts_by_its_value(
    monkeypatch: pytest.MonkeyPatch, function: Callable[[], Any]
) -> None:
    """However it is read by name; others do not count."""
    monkeypatch.delenv("STORED_TEST_A", raising=False)
    digests = [code_state([function])]
    for value in ("1", "2"):
        monkeypatch.setenv("STORED_TEST_A", value)
        assert not digests[-1].is_same()
        digests.append(code_state([function]))
        assert digests[-1].is_same()
    monkeypatch.setenv("STORED_TEST_B", "1")
    assert digests[-1].is_same()
    assert len({each.digest for each in digests}) == 3


DRAWING: list[Callable[..., Any]] = [
    lambda: np.random.normal(),
    lambda: np.random.default_rng().normal(),
    lambda: np.random.default_rng(None).normal(),
    lambda: default_rng(seed=None).normal(),
    lambda: np.random.RandomState().normal(),
    lambda: random.random(),
    lambda: random.Random().random(),
    lambda: random.SystemRandom().random(),
    lambda: random.choice([1, 2]),
    lambda: uuid.uuid4(),
    lambda: os.urandom(3),
]


def environment(name: str) -> Any:
    return os.environ[name]


def of_local() -> Any:
    VARIABLE = "".join(["STORED", "_TEST_A"])
    return os.environ[VARIABLE]


def of_inner() -> Any:
    return [os.environ.get(VARIABLE) for VARIABLE in ("STORED_TEST_A",)]


@pytest.mark.parametrize(
    "function", [environment, lambda: dict(os.environ), lambda name: os.getenv(name), of_local, of_inner]
)
def test_the_environment_by_computed_names_makes_results_private(
    monkeypatch: pytest.MonkeyPatch, function: Callable[..., Any]
) -> None:
    """Since any of it may be asked for; in memory, they are kept for as long as it stays the same."""
    state = code_state([function])
    (reason,) = state.formless
    assert "by computed names" in reason
    assert state.is_same()
    monkeypatch.setenv("STORED_TEST_A", "1")
    assert not state.is_same()


def test_parts_of_libraries_that_are_loaded_later_count_as_they_are() -> None:
    """numpy imports its random numbers when they are first asked for."""
    code = (
        "import numpy as np\nfrom stored._keys.code_graph import code_state\ndef f(): return np.random.normal()\n"
        "def g(): return np.random.default_rng(1).normal()\n"
        "print(len(code_state([f]).formless), code_state([g]).digest)\n"
    )
    found = []
    for before in ("", "import numpy.random\n"):
        done = subprocess.run([sys.executable, "-c", before + code], capture_output=True, text=True, check=True)
        found.append(done.stdout)
    assert found[0] == found[1]
    assert found[0].startswith("1 ")


def wrapped() -> Any:
    """A function of the user's in a wrapper of an installed package."""
    names: dict[str, Any] = {"__name__": "pytest", "wraps": functools.wraps}
    exec("def around(f):\n @wraps(f)\n def inner(*a): return f(*a)\n return inner", names)
    return names["around"](environment_free)


def environment_free() -> int:
    return 1


def test_the_package_of_a_wrapper_counts() -> None:
    """Though the wrapper has the module of what it wraps."""
    assert "pytest" in code_state([wrapped()]).libraries
    assert "pytest" not in code_state([environment_free]).libraries


SEEDED: list[Callable[..., Any]] = [
    lambda: np.random.default_rng(1).normal(),
    lambda: default_rng(seed=7).normal(),
    lambda: random.Random(3).random(),
    lambda seed: np.random.RandomState(seed).normal(),  # a seed of None is seen when the method runs
    lambda rng: rng.normal(),
    lambda: np.random.Generator(np.random.PCG64(1)).normal(),
]


@pytest.mark.parametrize("function", DRAWING)
def test_draws_without_a_seed_make_results_private(function: Callable[[], Any]) -> None:
    """The reason names the function that draws."""
    (reason,) = code_state([function]).formless
    assert "generator" in reason
    assert "give it a seed" in reason


@pytest.mark.parametrize("function", SEEDED)
def test_draws_with_a_seed_are_ordinary_values(function: Callable[[], Any]) -> None:
    """Of a generator that is made in the function, or given to it."""
    assert code_state([function]).formless == ()


def test_versions_of_packages_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one from an index its version; of one from a folder its files too; those of Python and numpy never."""
    assert [distribution_text(each) for each in ("json", "numpy", "scipy", "os")] == [""] * 4
    assert distribution_text("pytest") == f"pytest {pytest.__version__}"
    found = []
    for record in ("lib.py,sha256=a,1", "lib.py,sha256=b,1", "lib.py,sha256=b,1\n__pycache__/lib.pyc,,"):
        folder = tmp_path / str(len(found)) / "lib_of_test-1.2.dist-info"
        folder.mkdir(parents=True)
        (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: lib_of_test\nVersion: 1.2\n")
        (folder / "RECORD").write_text(record)
        (folder / "direct_url.json").write_text('{"url": "file:///lib", "dir_info": {}}')
        with monkeypatch.context() as patch:
            patch.syspath_prepend(folder.parent)
            distribution_text.cache_clear()
            found.append(distribution_text("lib_of_test"))
    assert [each.startswith("lib_of_test 1.2 ") for each in found] == [True] * 3
    assert len(set(found)) == 2
    distribution_text.cache_clear()
    monkeypatch.setattr(pytest, "__file__", str(tmp_path / "pytest.py"))
    assert distribution_text("pytest") == f"pytest {pytest.__version__}"
    assert distribution_text("no_module_of_this_name").strip() == "no_module_of_this_name"


def test_a_module_that_is_looked_for_counts_by_whether_it_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    """As code does that goes another way where a package was imported; the results are ordinary ones."""
    states = []
    for function in (lambda: "module_of_test" in sys.modules, lambda: "module_of_test" not in sys.modules):
        for is_there in (False, True):
            with monkeypatch.context() as patch:
                if is_there:
                    patch.setitem(sys.modules, "module_of_test", types.ModuleType("module_of_test"))
                states.append(code_state([function]))
                assert states[-1].formless == ()
                assert states[-1].is_same()
                assert states[-1].nodes[0].constants == (("module_of_test in sys.modules", str(is_there)),)
            assert states[-1].is_same() is not is_there
    assert len({each.digest for each in states}) == 4


modules = {"a": 1}
environ = {"a": 1}
key = "a"


def test_a_table_that_is_looked_in_counts_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever its name; only of the environment, and of what is imported, nothing else counts."""
    state = code_state([lambda: "b" in modules])
    monkeypatch.setitem(modules, "b", 2)
    assert not state.is_same()
    assert code_state([lambda: "b" in modules]).digest != state.digest


@pytest.mark.parametrize("function", [lambda: environ[key], lambda: environ.get(key)])
def test_a_table_of_the_name_of_the_environment_counts(monkeypatch: pytest.MonkeyPatch, function: Any) -> None:
    """As any table."""
    state = code_state([function])
    monkeypatch.setitem(environ, "a", 2)
    assert not state.is_same()
    assert code_state([function]).digest != state.digest


@pytest.mark.parametrize(
    "function",
    [
        lambda: len(pytest.__all__),
        lambda: pytest.__all__[0],
        lambda: __import__("pytest").__all__,
        lambda: hypothesis.utils.conventions.not_set,
    ],
)
def test_the_package_counts_of_which_data_is_read(function: Callable[[], Any]) -> None:
    """Lists and other values do not tell where they are from."""
    assert {"pytest", "hypothesis"} & code_state([function]).libraries


def inside() -> Any:
    from hypothesis import __all__ as names

    return names


def test_the_package_counts_from_which_data_is_imported() -> None:
    """Inside the function."""
    assert "hypothesis" in code_state([inside]).libraries
