"""Settings come from the environment."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.settings.processes import SHOW_LIMITS, shown, start


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, ["/home/nobody/.cache/stored", "rw", False, "/home/nobody/.config/stored/key", None]),
        (
            {"XDG_CACHE_HOME": "/xdg/cache", "XDG_CONFIG_HOME": "/xdg/config", "STORED_DISABLE": "0"},
            ["/xdg/cache/stored", "rw", False, "/xdg/config/stored/key", None],
        ),
        (
            # the XDG specification has relative and empty ones ignored; so are empty ones of ours
            {"XDG_CACHE_HOME": "relative", "XDG_CONFIG_HOME": "", "STORED_CACHE_DIR": "", "STORED_DISABLE": ""},
            ["/home/nobody/.cache/stored", "rw", False, "/home/nobody/.config/stored/key", None],
        ),
        (
            {"STORED_CACHE_DIR": "/c", "STORED_KEY_FILE": "/k", "STORED_PERSISTENCE": "r", "STORED_DISABLE": "1"},
            ["/c", "r", True, "/k", None],
        ),
        (
            {"STORED_CACHE_DIR": "~/c", "STORED_KEY_FILE": "relative/k", "STORED_PERSISTENCE": ""},
            ["/home/nobody/c", "", False, "/relative/k", None],
        ),
    ],
    ids=["defaults", "xdg", "ignored", "own", "relative"],
)
def test_the_environment_is_read(environment: dict[str, str], expected: list[Any]) -> None:
    """A fresh process takes its settings from the environment, and the rest from the platform's conventions."""
    assert shown(**environment) == expected


@pytest.mark.parametrize(
    ("cache", "config", "expected"),
    [
        ("/x", "/x", ["/x/stored", "/x/stored-key/key"]),
        ("/x/", "/x/../x", ["/x/stored", "/x/stored-key/key"]),
        ("/x", "/x/stored", ["/x/stored", "/x/stored-key/key"]),
        ("/x", "/x/stored/deep/er", ["/x/stored", "/x/stored-key/key"]),
        ("/home/nobody/.config", "", ["/home/nobody/.config/stored", "/home/nobody/.config/stored-key/key"]),
        ("/x", "/x/config", ["/x/stored", "/x/config/stored/key"]),
        ("/x/config/stored", "/x/config", ["/x/config/stored/stored", "/x/config/stored/key"]),
        ("/x/config", "/x", ["/x/config/stored", "/x/stored/key"]),
        ("/x/stored/key", "/x", ["/x/stored/key/stored", "/x/stored/key/stored-key/key"]),
    ],
)
def test_the_default_key_is_outside_the_default_cache(cache: str, config: str, expected: list[str]) -> None:
    """However the two base directories are nested, the import works; else the key is where it always was."""
    assert shown(XDG_CACHE_HOME=cache, XDG_CONFIG_HOME=config)[::3] == expected


def test_links_between_the_base_directories(tmp_path: Path) -> None:
    """What counts is where they lead."""
    (tmp_path / "cache").mkdir()
    (tmp_path / "config").symlink_to("cache")
    found = shown(XDG_CACHE_HOME=str(tmp_path / "cache"), XDG_CONFIG_HOME=str(tmp_path / "config"))
    assert found[::3] == [f"{tmp_path}/cache/stored", f"{tmp_path}/cache/stored-key/key"]


def test_with_one_base_directory_pickles_are_stored(tmp_path: Path) -> None:
    """Not only the import works."""
    base = str(tmp_path / "base")
    for found in ("None", "<built-in function print>"):
        done = start(PICKLED, XDG_CACHE_HOME=base, XDG_CONFIG_HOME=base)
        assert (done.stdout.strip(), done.stderr) == (found, "")
    assert sorted(os.listdir(base)) == ["stored", "stored-key"]


PICKLED = """
import stored
user = stored.StorageUser("m", "rw", lambda: "m", lambda: "m", None)
print(user.getStoredObject("x"))
user.storeObject("x", print)
"""


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, [[], "None", "None", "0.0", "None"]),
        (
            {"SHARED_DIRS": "", "MAX_BYTES": "", "MAX_AGE": "", "MIN_COMPUTE_SECONDS": "", "LOCK_TIMEOUT": ""},
            [[], "None", "None", "0.0", "None"],
        ),
        (
            {
                "SHARED_DIRS": "/a::relative:~/b:/with space:",
                "MAX_BYTES": "1e9",
                "MAX_AGE": "86400",
                "MIN_COMPUTE_SECONDS": "0.5",
                "LOCK_TIMEOUT": " 0 ",
            },
            [["/a", "/relative", "/home/nobody/b", "/with space"], "1000000000", "86400.0", "0.5", "0.0"],
        ),
    ],
    ids=["defaults", "empty", "given"],
)
def test_the_environment_sets_limits(values: dict[str, str], expected: list[Any]) -> None:
    """Shared directories and limits come from variables too; an empty one is as good as none."""
    assert shown(SHOW_LIMITS, **{f"STORED_{name}": value for name, value in values.items()}) == expected


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"STORED_PERSISTENCE": "x"}, "STORED_PERSISTENCE is 'x'"),
        ({"STORED_CACHE_DIR": "/c", "STORED_KEY_FILE": "/c/k"}, "lies inside the cache directory"),
        ({"XDG_CACHE_HOME": "/x", "STORED_KEY_FILE": "/x/stored/k"}, "lies inside the cache directory"),
        ({"STORED_CACHE_DIR": "/x", "XDG_CONFIG_HOME": "/x"}, "lies inside the cache directory"),
        ({"STORED_CACHE_DIR": "~no such user/c"}, "STORED_CACHE_DIR is '~no such user/c'"),
        ({"STORED_CACHE_DIR": "  "}, "STORED_CACHE_DIR is '  '; it must be a path"),
        ({"STORED_KEY_FILE": "\t"}, "STORED_KEY_FILE is '\\t'; it must be a path"),
        ({"STORED_DISABLE": "maybe"}, "STORED_DISABLE is 'maybe'; it must be 1, true, yes or on"),
        ({"STORED_SHARED_DIRS": "/a: "}, "STORED_SHARED_DIRS[1] is ' '; it must be a path"),
        ({"STORED_SHARED_DIRS": "/a:/b", "STORED_KEY_FILE": "/b/k"}, "lies inside the cache directory /b"),
        ({"STORED_MAX_BYTES": "1GB"}, "STORED_MAX_BYTES is '1GB'; it must be a number"),
        ({"STORED_MAX_BYTES": "1.5"}, "STORED_MAX_BYTES is 1.5; it must be a whole number of bytes"),
        ({"STORED_MAX_AGE": "nan"}, "STORED_MAX_AGE is nan; it must be a finite number that is not negative, or None"),
        ({"STORED_MIN_COMPUTE_SECONDS": "-1"}, "STORED_MIN_COMPUTE_SECONDS is -1.0; it must be a finite number"),
        ({"STORED_LOCK_TIMEOUT": "inf"}, "STORED_LOCK_TIMEOUT is inf; it must be a finite number that is not negative"),
    ],
    ids=lambda each: "" if isinstance(each, str) else " ".join(each),
)
def test_an_environment_that_cannot_be_used_is_an_error(environment: dict[str, str], message: str) -> None:
    """A variable with a value that cannot be used is a ConfigurationError on import, not something silent."""
    done = start("import stored", **environment)
    assert done.returncode != 0
    assert "ConfigurationError" in done.stderr
    assert message in done.stderr


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        *[(each, True) for each in ("1", "true", "Yes", "ON", " on ")],
        *[(each, False) for each in ("0", "False", "no", "OFF")],
    ],
)
def test_disable_is_switched_in_words(value: str, expected: bool) -> None:
    """The variable disables with a word that says so, and not with one that says the contrary."""
    assert shown(STORED_DISABLE=value)[2] is expected


def test_importing_writes_nothing(tmp_path: Path) -> None:
    """The import makes neither the cache directory nor a key."""
    assert start("import stored", HOME=str(tmp_path)).returncode == 0
    assert os.listdir(tmp_path) == []


# -- without a home directory -----------------------------------------------------------------------------------------


HOMELESS = """
import os, pwd
del os.environ["HOME"]
def unknown(uid):
    raise KeyError(uid)
pwd.getpwuid = unknown  # as for a user without an entry in the user database
import stored
user = stored.StorageUser("m", "rw", lambda: "m", lambda: "m", None)
user.storeObject("x", print)  # pickled, hence signed
with stored.configure() as now:
    print(now.cache_dir, now.key_file)
"""


def homeless(tmp_path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return start(HOMELESS, TMPDIR=str(tmp_path), **environment)


def test_without_a_home_the_temporary_directory_serves(tmp_path: Path) -> None:
    """Where no home directory can be determined, entries and key are in a private directory, twice in the same."""
    for _ in range(2):
        done = homeless(tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        own = tmp_path / f"stored-{os.geteuid()}"
        assert done.stdout.split() == [str(own / ".cache/stored"), str(own / ".config/stored/key")]
        assert os.listdir(tmp_path) == [own.name]
        assert own.stat().st_mode & 0o777 == 0o700


def test_a_home_that_is_not_needed_is_not_replaced(tmp_path: Path) -> None:
    """With both places named no home directory is needed, and none is made."""
    for key in ("STORED_KEY_FILE", "XDG_CONFIG_HOME"):
        done = homeless(tmp_path, **{"STORED_CACHE_DIR": str(tmp_path / "c"), key: str(tmp_path / key)})
        assert (done.returncode, done.stderr) == (0, "")
        assert not (tmp_path / f"stored-{os.geteuid()}").exists()


def _link(place: Path) -> None:
    place.with_name("elsewhere").mkdir(mode=0o700)
    place.symlink_to("elsewhere")


def _open(place: Path) -> None:
    place.mkdir()
    place.chmod(0o777)


@pytest.mark.parametrize("occupy", [_link, _open, Path.touch])
def test_a_directory_open_to_others_does_not_stand_in(tmp_path: Path, occupy: Callable[[Path], None]) -> None:
    """What somebody else may have put in the place of the private directory is refused, with a way out."""
    occupy(tmp_path / f"stored-{os.geteuid()}")
    done = homeless(tmp_path)
    assert done.returncode != 0
    assert "set STORED_CACHE_DIR and STORED_KEY_FILE" in done.stderr
