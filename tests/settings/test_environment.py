"""Settings come from the environment, can be changed and restored, and are never half changed."""

from __future__ import annotations

import contextlib
import json
import math
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stored import configure
from stored._settings import Settings, check_persistence, settings
from stored._settings import layers as layers_module
from stored.errors import ConfigurationError, StoredWarning
from stored.stores import DirectoryStore, MemoryStore

SHOW = """
import json
from stored._settings import settings
now = settings()
print(json.dumps([str(now.cache_dir), now.persistence, now.disable, str(now.key_file), now.store]))
"""

SHOW_LIMITS = """
import json
from stored._settings import settings
now = settings()
numbers = [now.max_bytes, now.max_age, now.min_compute_seconds, now.lock_timeout]
print(json.dumps([[str(each) for each in now.shared_dirs], *map(repr, numbers)]))
"""


def start(program: str = SHOW, cwd: str = "/", **environment: str) -> subprocess.CompletedProcess[str]:
    """A fresh process that has these variables and a home, and nothing else that matters."""
    kept = {
        name: os.environ[name]
        for name in ("PATH", "LD_LIBRARY_PATH", "COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG")
        if name in os.environ
    }
    command = [sys.executable, "-c", program]
    full = {"HOME": "/home/nobody", **kept, **environment}
    return subprocess.run(command, cwd=cwd, env=full, capture_output=True, text=True, timeout=60, check=False)


def shown(program: str = SHOW, **environment: str) -> list[Any]:
    done = start(program, **environment)
    assert done.returncode == 0, done.stderr
    found: list[Any] = json.loads(done.stdout)
    return found


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
    ("values", "expected"),
    [
        ({}, [[], "None", "None", "0.0", "600.0"]),
        (
            {"SHARED_DIRS": "", "MAX_BYTES": "", "MAX_AGE": "", "MIN_COMPUTE_SECONDS": "", "LOCK_TIMEOUT": ""},
            [[], "None", "None", "0.0", "600.0"],
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
def test_an_environment_that_cannot_be_used_is_told(environment: dict[str, str], message: str) -> None:
    """A variable with a value that cannot be used is a ConfigurationError on import, not something silent."""
    done = start("import stored", **environment)
    assert done.returncode != 0
    assert "ConfigurationError" in done.stderr
    assert message in done.stderr


def test_configure_overrides_the_environment() -> None:
    """What the program says counts more than the environment, and what it does not say stays."""
    done = start(
        f"import stored; stored.configure(persistence='w')\n{SHOW}", STORED_PERSISTENCE="r", STORED_DISABLE="1"
    )
    assert json.loads(done.stdout)[1:3] == ["w", True]


def test_importing_writes_nothing(tmp_path: Path) -> None:
    """The import makes neither the cache directory nor a key."""
    assert start("import stored", HOME=str(tmp_path)).returncode == 0
    assert os.listdir(tmp_path) == []


def test_configure_stays(tmp_path: Path) -> None:
    """Without a with block, settings are changed for good, also within a block of another call."""
    with configure(persistence="w", max_age=1):
        configure(cache_dir=tmp_path / "new", persistence="r", disable=True, key_file=tmp_path / "k")
        now = settings()
        assert (now.cache_dir, now.persistence, now.disable, now.key_file) == (
            tmp_path / "new",
            "r",
            True,
            tmp_path / "k",
        )
    assert settings() == now._replace(max_age=None)


def test_configure_changes_what_is_named_only(tmp_path: Path) -> None:
    """What is not given stays as it is."""
    before = settings()
    with configure(persistence="r") as now:
        assert now is settings()
        assert (now.persistence, now.cache_dir, now.key_file) == ("r", before.cache_dir, before.key_file)
        with configure(disable=True):
            assert (settings().persistence, settings().disable) == ("r", True)


def interrupted() -> None:
    assert settings().disable
    raise KeyboardInterrupt


def test_a_block_restores(tmp_path: Path) -> None:
    """After with blocks, nested or ended by an error, everything is as it was before."""
    before = settings()
    with configure(persistence="r"):
        outer = settings()
        with pytest.raises(KeyboardInterrupt), configure(disable=True):
            interrupted()
        assert settings() == outer
        with configure(cache_dir=tmp_path / "other"), configure(persistence=""):
            assert settings() == outer._replace(cache_dir=tmp_path / "other", persistence="")
        assert settings() == outer
    assert settings() == before


class NotAStore:
    """Reads, and no more."""

    def read(self, name: str) -> None: ...


BAD: list[tuple[str, Any, str]] = [
    *(
        ("cache_dir", value, "cache_dir is .*; it must be a path")
        for value in (None, 5, b"bytes", [], "", "a\0b", Path)
    ),
    *(("key_file", value, "key_file is .*; it must be a path") for value in (None, 1.5, "", "~no such user/k")),
    *(
        ("persistence", value, "it must be 'rw'")
        for value in (None, True, False, "x", "rwx", "RW", 1, ["r"], b"r", " ")
    ),
    *(("disable", value, "it must be True or False") for value in (None, 0, 1, "", "no")),
    *(("store", value, "it must be a stored.stores.Store") for value in (1, "/dir", True, NotAStore(), MemoryStore)),
    *(
        ("shared_dirs", value, "shared_dirs is .*; it must be a sequence of paths")
        for value in ("/a", b"/a", Path("/a"), None, 5)
    ),
    *(
        ("shared_dirs", value, r"shared_dirs\[1\] is .*; it must be a path")
        for value in (["/a", ""], ["/a", 5], ("/a", None), ["/a", b"/b"])
    ),
    *(
        (name, value, f"{name} is .*; it must be a finite number that is not negative")
        for name in ("max_bytes", "max_age", "min_compute_seconds", "lock_timeout")
        for value in (-1, -1e-9, math.inf, math.nan, 10**400, True, "1", b"1", [], 1j, configure)
    ),
    *((name, None, f"{name} is None; it must be a finite") for name in ("min_compute_seconds", "lock_timeout")),
    *(("max_bytes", value, "it must be a whole number of bytes, or None") for value in (0.5, 1e-300, np.float64(1.5))),
]


@pytest.mark.parametrize(("name", "value", "message"), BAD, ids=lambda each: repr(each)[:20])
def test_a_bad_value_changes_nothing(name: str, value: Any, message: str) -> None:
    """A value that cannot be used is a ConfigurationError, which is a ValueError, and no setting changes."""
    before = settings()
    good = {"persistence": "r", "disable": True, "cache_dir": "/somewhere/else"}
    with pytest.raises(ConfigurationError, match=message) as caught:
        configure(**{**good, name: value})
    assert isinstance(caught.value, ValueError)
    assert settings() is before


@pytest.mark.parametrize("inside", ["key", "deep/er/key", ".", "../cache/key", "link/../../cache/key"])
def test_the_key_is_not_kept_with_the_entries(tmp_path: Path, inside: str) -> None:
    """A key file inside the cache directory, on whatever way, is refused: who writes entries could replace it."""
    cache = tmp_path / "cache"
    (cache / "link").mkdir(parents=True)
    before = settings()
    with pytest.raises(ConfigurationError, match="lies inside the cache directory"):
        configure(cache_dir=cache, key_file=cache / inside)
    with configure(key_file=tmp_path / "elsewhere"), pytest.raises(ConfigurationError, match="lies inside"):
        configure(key_file=cache / inside)
    with pytest.raises(ConfigurationError, match="lies inside"):
        configure(cache_dir=before.key_file.parent)
    assert settings() == before


def test_links_do_not_hide_where_the_key_is(tmp_path: Path) -> None:
    """The directories that are meant count, not their names; a directory with a like name is another."""
    (tmp_path / "cache").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "cache")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(ConfigurationError, match="lies inside"):
        configure(cache_dir=tmp_path / "cache", key_file=tmp_path / "link" / "key")
    with pytest.raises(ConfigurationError, match="lies inside"):
        configure(cache_dir=tmp_path / "link", key_file=tmp_path / "cache" / "key")
    with configure(cache_dir=tmp_path / "cache", key_file=tmp_path / "cache2" / "key"):
        assert settings().key_file == tmp_path / "cache2" / "key"
    with configure(cache_dir=tmp_path / "loop"):
        assert settings().cache_dir == tmp_path / "loop"


def test_paths_become_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative path means the working directory of now, ~ the home directory; text and paths will do."""
    monkeypatch.chdir(tmp_path)
    with configure(cache_dir="relative", key_file=Path("~/k")):
        monkeypatch.chdir("/")
        assert settings().cache_dir == tmp_path / "relative"
        assert settings().key_file == Path.home() / "k"


def test_a_store_takes_the_place_of_the_directory(tmp_path: Path) -> None:
    """A store is used in place of the directory until it is taken back, or a directory is set."""
    store = MemoryStore()
    with configure(store=store):
        assert settings().store is store
        with configure(persistence="r"):
            assert settings().store is store
        with configure(store=None):
            assert settings().store is None
        with configure(cache_dir=tmp_path / "d"):
            assert settings().store is None
        with configure(cache_dir=tmp_path / "d", store=DirectoryStore(tmp_path)):
            assert isinstance(settings().store, DirectoryStore)


def test_limits_are_numbers(tmp_path: Path) -> None:
    """Whole numbers and others, of numpy too, become plain ones; None takes a limit away."""
    assert not settings().are_limited
    with configure(max_bytes=np.int64(10), max_age=Fraction(1, 2), min_compute_seconds=1, lock_timeout=np.float32(0.5)):
        now = settings()
        numbers = [now.max_bytes, now.max_age, now.min_compute_seconds, now.lock_timeout]
        assert list(map(repr, numbers)) == ["10", "0.5", "1.0", "0.5"]
        assert now.are_limited
        with configure(max_bytes=None):
            assert settings().are_limited
            with configure(max_age=None, max_bytes=1e9):
                assert repr(settings().max_bytes) == "1000000000"
                assert settings().are_limited
            with configure(max_age=None):
                assert not settings().are_limited


def test_directories_can_be_shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any sequence of paths will do, and each means what it does now; an empty one takes them back."""
    monkeypatch.chdir(tmp_path)
    with configure(shared_dirs=(each for each in ("relative", Path("/a"), "~/b"))):
        monkeypatch.chdir("/")
        assert settings().shared_dirs == (tmp_path / "relative", Path("/a"), Path.home() / "b")
        with configure(cache_dir=tmp_path / "own"):
            assert len(settings().shared_dirs) == 3
        with configure(shared_dirs=[]):
            assert settings().shared_dirs == ()


def test_shared_directories_take_a_store_back() -> None:
    """Directories that are shared go beneath the directory of the entries, not beneath a store."""
    with configure(store=MemoryStore()):
        assert settings().store is not None
        with configure(shared_dirs=["/a"]):
            assert settings().store is None
        with configure(shared_dirs=["/a"], store=MemoryStore()):
            assert settings().store is not None


def test_the_key_is_not_kept_with_shared_entries(tmp_path: Path) -> None:
    """A key file inside any of the shared directories, by its name or through a link, is refused."""
    (tmp_path / "group").mkdir()
    (tmp_path / "link").symlink_to("group")
    shared = [tmp_path / "other", tmp_path / "group"]
    for key in ("group/key", "link/key", "link/deeper/key", "other"):
        with pytest.raises(ConfigurationError, match="lies inside the cache directory"):
            configure(shared_dirs=shared, key_file=tmp_path / key)
    with configure(key_file=tmp_path / "group" / "key"), pytest.raises(ConfigurationError, match="lies inside"):
        configure(shared_dirs=[tmp_path / "link"])
    with configure(shared_dirs=shared, key_file=tmp_path / "group2" / "key"):
        assert settings().shared_dirs == tuple(shared)


# -- blocks that overlap ----------------------------------------------------------------------------------------------


def test_a_block_takes_back_its_own_settings_only() -> None:
    """Of two blocks that overlap, each takes back what it has set, also if the first to begin is the first to end."""
    before = settings()
    first = configure(max_age=1, persistence="r")
    second = configure(persistence="w")
    with contextlib.ExitStack() as stack:
        stack.enter_context(second)
        with first:
            assert settings() == before._replace(max_age=1.0, persistence="w")
        assert settings() == before._replace(persistence="w")
    assert settings() == before


def test_blocks_of_two_threads_overlap() -> None:
    """A block keeps its settings to its end, whatever blocks other threads begin and end meanwhile."""
    before, all_are_inside, wrong = settings(), threading.Barrier(4), list[Any]()

    def use(name: str) -> None:
        for value in range(1, 100):
            with configure(**{name: value}):
                all_are_inside.wait(60)
                for _ in range(3):
                    if getattr(settings(), name) != value:
                        wrong.append((name, value, settings()))

    names = ["max_bytes", "max_age", "min_compute_seconds", "lock_timeout"]
    threads = [threading.Thread(target=use, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert settings() == before


@contextlib.contextmanager
def restored() -> Iterator[None]:
    """Settings as they were, whatever was set for good."""
    before = layers_module._layers, layers_module._current
    yield
    layers_module._layers, layers_module._current = before


VALUES = st.fixed_dictionaries(
    {},
    optional={
        "cache_dir": st.sampled_from(["/a", "/b"]),
        "shared_dirs": st.sampled_from([(), ("/c",)]),
        "store": st.sampled_from([None, MemoryStore()]),
        "persistence": st.sampled_from(["r", "w", ""]),
        "max_age": st.sampled_from([None, 1.0, 2.0]),
        "lock_timeout": st.sampled_from([1.0, 2.0]),
    },
)


def total(before: Settings, layers: Iterable[dict[str, Any]]) -> Settings:
    """What should be in force: a directory takes a store back that was set earlier."""
    for values in layers:
        if "cache_dir" in values or "shared_dirs" in values:
            before = before._replace(store=None)
        paths = {name: Path(values[name]) for name in values if name == "cache_dir"}
        shared = {name: tuple(map(Path, values[name])) for name in values if name == "shared_dirs"}
        before = before._replace(**{**values, **paths, **shared})
    return before


@given(st.lists(st.tuples(st.sampled_from(["enter", "leave", "stay"]), VALUES, st.integers(0, 9)), max_size=20))
def test_settings_are_those_of_the_blocks_in_force(steps: list[tuple[str, dict[str, Any], int]]) -> None:
    """Whatever the order in which blocks begin and end, the values of those in force apply in their order."""
    before, layers = settings(), list[tuple[configure | None, dict[str, Any]]]()
    with restored():
        for step, values, which in steps:
            blocks = [layer for layer in layers if layer[0] is not None]
            if step == "enter":
                block = configure(**values)
                assert block.__enter__() == settings()
                layers.append((block, values))
            elif step == "stay":
                configure(**values)
                layers.append((None, values))
            elif blocks:
                left = blocks[which % len(blocks)]
                left[0].__exit__(None, None, None)  # type: ignore[union-attr]
                layers.remove(left)
            assert settings() == total(before, [values for _, values in layers])


def test_calls_in_a_loop_do_not_fill_memory() -> None:
    """Settings that nothing can take back any more take the place of those before, within a block too."""
    with configure(disable=True):
        for value in range(100):
            configure(max_age=value)
        with configure(max_age=1):
            configure(max_age=2)
        assert len(layers_module._layers) < 10


def test_an_object_can_be_used_for_several_blocks() -> None:
    """One after the other, one inside the other, or left too often: it applies from the first to the last."""
    before = settings()
    block = configure(max_age=1)
    for _ in range(2):
        with block as outer:
            with block as inner:
                assert outer == inner == before._replace(max_age=1.0)
            assert settings() == outer
        assert settings() == before
    block.__exit__(None, None, None)
    with block, configure(max_age=2):
        assert settings().max_age == 2
    with contextlib.ExitStack() as stack:
        stack.push(configure(max_age=1))  # left without having been entered
        assert settings().max_age == 1
    assert settings() == before


def test_a_directory_takes_a_store_back_for_its_block_only(tmp_path: Path) -> None:
    """A store that was set before a directory is used again after the block, in whatever order the blocks end."""
    store = MemoryStore()
    outer, inner = configure(store=store), configure(cache_dir=tmp_path / "d")
    inner.__exit__(None, None, None)
    assert settings().store is store
    with inner:
        outer.__exit__(None, None, None)
        assert (settings().store, settings().cache_dir) == (None, tmp_path / "d")


def test_leaving_a_block_never_puts_the_key_with_the_entries(tmp_path: Path) -> None:
    """If what remains does not go together, directories and key file stay until it does, with a warning."""
    with configure(cache_dir=tmp_path / "c"):
        outer = settings()
        first = configure(cache_dir=tmp_path / "a", max_age=1)
        second = configure(key_file=tmp_path / "c" / "key")
        stuck = settings()._replace(max_age=None)
        with pytest.warns(StoredWarning, match="lies inside the cache directory .*; choose others") as caught:
            first.__exit__(None, None, None)
        assert caught[0].filename == __file__
        assert settings() == stuck
        third = configure(key_file=tmp_path / "k", persistence="r")
        assert settings() == outer._replace(persistence="r", key_file=tmp_path / "k")
        with pytest.warns(StoredWarning, match="lies inside"):
            third.__exit__(None, None, None)
        with configure(max_age=3):  # this changes no place, so it is neither refused nor reported again
            assert settings() == outer._replace(key_file=tmp_path / "k", max_age=3.0)
            with pytest.raises(ConfigurationError, match="lies inside"):
                configure(cache_dir=tmp_path)
        second.__exit__(None, None, None)
        assert settings() == outer


FORKS = """
import os, signal, threading
from stored import configure
from stored._settings import settings

before, over = settings(), threading.Event()

def change():
    while not over.is_set():
        with configure(max_age=1):
            pass

thread = threading.Thread(target=change)
thread.start()
statuses = []
for _ in range(40):
    child = os.fork()
    if not child:
        signal.alarm(20)  # a deadlock ends too
        with configure(persistence="r") as now:
            pass
        os._exit(now._replace(max_age=None) != before._replace(persistence="r"))
    statuses.append(os.waitpid(child, 0)[1])
over.set()
thread.join()
raise SystemExit(any(statuses) or settings() != before)
"""


def test_settings_can_be_changed_after_a_fork() -> None:
    """A process that is forked while another thread changes settings can change them, and has them complete."""
    done = start(f"import warnings; warnings.simplefilter('ignore', DeprecationWarning)\n{FORKS}")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("value", ["rw", "wr", "r", "w", ""])
def test_persistence_is_of_two_letters(value: str) -> None:
    """Any combination of r and w is a persistence."""
    assert check_persistence(value) == value


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


# -- without a home directory -----------------------------------------------------------------------------------------

HOMELESS = """
import os, pwd
del os.environ["HOME"]
def unknown(uid):
    raise KeyError(uid)
pwd.getpwuid = unknown  # as for a user without an entry in the user database
import stored
from stored._settings import settings
user = stored.StorageUser("m", "rw", lambda: "m", lambda: "m", None)
user.storeObject("x", print)  # pickled, hence signed
print(settings().cache_dir, settings().key_file)
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
    done = homeless(tmp_path, STORED_CACHE_DIR=str(tmp_path / "c"), STORED_KEY_FILE=str(tmp_path / "k"))
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
