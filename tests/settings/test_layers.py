"""Blocks that overlap, in this thread, in others, and in processes that are forked."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stored import ConfigurationError, StoredWarning, configure
from stored._settings import Settings, settings, validity
from stored._settings import layers as layers_module
from stored.stores import MemoryStore
from tests.settings.processes import start


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


def test_places_that_a_block_leaves_behind_are_reported(tmp_path: Path) -> None:
    """If a block's directories stay because those that remain do not go together, there is a warning each time."""
    with configure(cache_dir=tmp_path / "c", key_file=tmp_path / "k"):
        outer = configure(cache_dir=tmp_path / "a")
        key = configure(key_file=tmp_path / "c" / "key")
        with pytest.warns(StoredWarning, match="lies inside"):
            outer.__exit__(None, None, None)
        with pytest.warns(StoredWarning, match="lies inside"), configure(shared_dirs=[tmp_path / "shared"]):
            pass
        with configure(max_age=3):  # this leaves nothing behind
            pass
        key.__exit__(None, None, None)
        assert (settings().cache_dir, settings().shared_dirs) == (tmp_path / "c", ())


def test_shortcuts_end_if_an_error_follows_a_change() -> None:
    """Settings that were changed count for shortcuts too if the change was interrupted afterwards."""
    before = validity.token
    block = configure()

    def change() -> None:
        with layers_module.changing_settings():
            layers_module.add_layer(block, {"max_age": 1.0})
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        change()
    assert validity.token is not before
    block.__exit__(None, None, None)


# -- processes --------------------------------------------------------------------------------------------------------


FORKS = """
import os, signal, threading
from stored import configure

with configure() as before:
    over = threading.Event()

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
with configure() as now:
    raise SystemExit(any(statuses) or now != before)
"""


def test_settings_can_be_changed_after_a_fork() -> None:
    """A process that is forked while another thread changes settings can change them, and has them complete."""
    done = start(f"import warnings; warnings.simplefilter('ignore', DeprecationWarning)\n{FORKS}")
    assert (done.returncode, done.stderr) == (0, "")
