"""The pytest plugin for the test suites of users: an empty cache for a test, and results that are verified."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path

import pytest

MODEL = """
    import pathlib
    from stored import StorageUser, keyed_by, stored

    COMPUTED = []
    USER = StorageUser("model", "rw", lambda: "model", lambda: "parameters", None)
    WORLD = pathlib.Path(__file__).with_name("world")

    @keyed_by("a")
    class Model:
        a = 1.0

        @stored
        def value(self, x=1.0):
            COMPUTED.append(x)
            return float(WORLD.read_text()) * x if WORLD.exists() else self.a * x

    MODEL = Model()
    """


_PLUGINS = ["-p", "stored.pytest_plugin", "-p", "no:cacheprovider"]
_ENVIRONMENT = {"PYTEST_ADDOPTS": "", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # those of others take half a second


def run(folder: Path, tests: str, *options: str, world: str = "") -> tuple[int, str]:
    """Run pytest on tests of a model: its exit status, and what it writes."""
    (folder / "model.py").write_text(textwrap.dedent(MODEL))
    (folder / "test_model.py").write_text("import pytest\nfrom model import *\n" + textwrap.dedent(tests))
    if world:
        (folder / "world").write_text(world)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *_PLUGINS, *options],
        cwd=folder,
        env={**os.environ, "STORED_CACHE_DIR": str(folder / "users-cache"), **_ENVIRONMENT},
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout + done.stderr


def test_each_test_has_an_empty_cache(tmp_path: Path) -> None:
    """In memory and on disk, also where an object serves several tests; that of the user is not touched."""
    status, text = run(
        tmp_path,
        """
        def test_first():
            assert MODEL.value() == 1.0
            assert COMPUTED == [1.0]
            USER.storeObject("x", 1.0, persistent=False)
            assert USER.getStoredObject("x") == 1.0

        @pytest.mark.parametrize("number", [1, 2])
        def test_own(stored_cache, number):
            COMPUTED.clear()
            assert USER.getStoredObject("x") is None
            assert not stored_cache.exists()
            assert [MODEL.value(), MODEL.value(), Model().value()] == [1.0] * 3
            assert COMPUTED == [1.0]
            assert stored_cache.is_dir()
            assert any(stored_cache.rglob("*.stored"))

        def test_afterwards():
            COMPUTED.clear()
            assert MODEL.value() == 1.0
            assert COMPUTED == [], "it is in the user's cache"

        @pytest.mark.stored_cache(persistence="")
        def test_in_memory(stored_cache):
            COMPUTED.clear()
            assert [MODEL.value(), MODEL.value()] == [1.0] * 2
            assert COMPUTED == [1.0]
            assert not stored_cache.exists()
        """,
        "--strict-markers",
    )
    assert status == 0, text
    assert len(list((tmp_path / "users-cache").rglob("*.stored"))) == 1


STALE = """
    def test_stale():
        assert MODEL.value() == 1.0

    def test_harmless():
        assert 1 == 1
    """


@pytest.mark.parametrize(("option", "fails"), [("", False), ("--stored-verify", True), ("--stored-verify=0", False)])
def test_a_stale_result_fails_its_test(tmp_path: Path, option: str, fails: bool) -> None:
    """With the option, which takes a share."""
    assert run(tmp_path, STALE)[0] == 0
    status, text = run(tmp_path, STALE, *option.split(), world="2.0")
    assert (status == 1) == fails, text
    assert ("StaleResultWarning: a stored result of Model.value(x=1.0) is stale: it was 1.0" in text) == fails
    assert ("1 passed" in text) == fails


def test_a_stale_result_fails_its_test_whatever_becomes_of_the_warning(tmp_path: Path) -> None:
    """Filtered by a mark, by the code or on the command line, or caught; in a fixture it is an error."""
    tests = """
        import warnings

        @pytest.mark.filterwarnings("ignore")
        def test_marked():
            MODEL.value(2.0)

        def test_silenced():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                MODEL.value(3.0)

        @pytest.mark.filterwarnings("error")
        def test_caught():
            try:
                MODEL.value(4.0)
            except Exception:
                pass

        @pytest.fixture
        def value():
            return MODEL.value(5.0)

        def test_set_up(value):
            pass

        def test_harmless():
            pass
        """
    assert run(tmp_path, tests)[0] == 0
    status, text = run(tmp_path, tests, "--stored-verify", "-W", "ignore", world="2.0")
    assert status == 1
    assert "3 failed, 1 passed, 1 error" in text
    assert text.count("is stale: it was") >= 4


def test_a_marker_that_cannot_be(tmp_path: Path) -> None:
    """It fails its test."""
    markers = ["persistance='r'", "persistence='x'", "''", "'', persistence='r'"]
    test = "@pytest.mark.stored_cache({})\ndef test_{}(stored_cache): pass\n"
    status, text = run(tmp_path, "".join(test.format(each, number) for number, each in enumerate(markers)))
    assert status == 1
    assert f"{len(markers)} errors" in text
    for each in markers:
        assert f"the marker is stored_cache({each}); it takes persistence='rw', 'r', 'w' or ''" in text


def test_paths_after_the_option_are_told(tmp_path: Path) -> None:
    """Not taken for a share."""
    status, text = run(tmp_path, STALE, "--stored-verify", "test_model.py")
    assert status == pytest.ExitCode.USAGE_ERROR
    assert "the share is 'test_model.py', which is no number" in text


@pytest.mark.parametrize("share", ["2", "-1", "some"])
def test_a_share_that_cannot_be(tmp_path: Path, share: str) -> None:
    """It is a usage error, which says why."""
    status, text = run(tmp_path, STALE, f"--stored-verify={share}")
    assert status == pytest.ExitCode.USAGE_ERROR
    assert "stored-verify" in text
    assert ("it must be a share of all calls, from 0 to 1" in text) == (share == "2")


def test_pytest_finds_the_plugin() -> None:
    """By the entry point that the package declares."""
    with open(Path(__file__).parents[1] / "pyproject.toml", "rb") as file:
        declared = tomllib.load(file)["project"]["entry-points"]["pytest11"]
    assert declared == {"stored": "stored.pytest_plugin"}
    assert importlib.import_module(declared["stored"]).stored_cache
