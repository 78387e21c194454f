"""While another process exchanges folders of the cache for links, nothing is written, changed or removed outside."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from stored.stores import DirectoryStore
from tests.faults.processes import started
from tests.faults.scale import rounds
from tests.stores.entries import content, named

NAMES = [named(label) for label in "abcdefgh"]
FOLDER = NAMES[0].rpartition("/")[0]
EXCHANGED = [".work", FOLDER, FOLDER.partition("/")[0]]


def exchange(root: Path, outside: Path, begun: Connection) -> None:
    """Put a link to the folder outside in the place of one of the cache, and the folder back, for ever."""
    begun.send("begun")
    while True:
        for folder in random.sample(EXCHANGED, len(EXCHANGED)):
            place, aside = root / folder, root.parent / "aside"
            with contextlib.suppress(OSError):
                os.rename(place, aside)
                os.symlink(outside / folder, place)
                os.sched_yield()
                os.unlink(place)
            with contextlib.suppress(OSError):
                shutil.rmtree(place)
            with contextlib.suppress(OSError):
                os.rename(aside, place)


def write(store: DirectoryStore, name: str) -> None:
    store.write(name, [content(40)])


def trim(store: DirectoryStore, name: str) -> None:
    store.trim(".stored", 100, 0.0)


def leave_draft(store: DirectoryStore, name: str) -> None:
    """Leave what a process that died would leave, following no link."""
    work = os.open(store.root / ".work", os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        os.close(os.open(f"2-{'0' * 16}.draft", os.O_WRONLY | os.O_CREAT, 0o600, dir_fd=work))
    finally:
        os.close(work)


def clear_leftovers(store: DirectoryStore, name: str) -> None:
    store.clear_leftovers()


def read(store: DirectoryStore, name: str) -> None:
    found = store.read(name)
    assert found is None or len(found) == 40  # outside are 100 bytes


def list_names(store: DirectoryStore, name: str) -> None:
    assert set(NAMES) >= set(store.names())


def take_turn(store: DirectoryStore, name: str) -> None:
    with store.compute_turn(name, 0.0):
        store.count_written(1)


USES: dict[str, Callable[[DirectoryStore, str], object]] = {
    "write": write,
    "delete": lambda store, name: store.delete(name),
    "touch": lambda store, name: store.touch(name),
    "trim": trim,
    "clear leftovers": clear_leftovers,
    "turn": take_turn,
    "read": read,
    "names": list_names,
}

FIRST = {"delete": write, "touch": write, "trim": write, "read": write, "clear leftovers": leave_draft}
"""What has to be done before each use, so that there is something to use."""


def state_of(folder: Path) -> dict[str, tuple[int, ...]]:
    """What is in a folder and below it, and when it was changed."""
    states = {path.relative_to(folder).as_posix(): path.lstat() for path in folder.rglob("*")}
    return {path: (state.st_ino, state.st_mtime_ns, state.st_ctime_ns, state.st_size) for path, state in states.items()}


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """Folders of the same names elsewhere, with files that look like entries, drafts and notes."""
    outside = tmp_path / "outside"
    for name in (
        *NAMES,
        f"{FOLDER}/outside.stored",
        f".work/2-{'0' * 16}.draft",
        f".work/{'0' * 32}.waits",
        ".work/size",
        ".work/locks",
    ):
        (outside / name).parent.mkdir(parents=True, exist_ok=True)
        (outside / name).write_bytes(content(100))
        os.utime(outside / name, (1000, 1000))
    return outside


@contextlib.contextmanager
def exchanging(root: Path, outside: Path) -> Iterator[None]:
    """A block in which another process exchanges folders."""
    ours, theirs = get_context("fork").Pipe(duplex=False)
    with started((exchange, root, outside, theirs)):
        assert ours.recv() == "begun"
        yield


@pytest.mark.parametrize("use", USES)
def test_no_exchange_leads_outside(use: str, outside: Path, tmp_path: Path) -> None:
    """Whatever is used while folders become links and folders again, what is outside stays as it is."""
    store = DirectoryStore(tmp_path / "root")
    for name in NAMES:
        store.write(name, [content(40)])
    before = state_of(outside)
    done = 0
    with exchanging(store.root, outside):
        for number in range(100_000):
            if number >= rounds(300, 100_000) and done:  # on a busy machine, folders can be links for long
                break
            with contextlib.suppress(OSError):
                if use in FIRST:
                    FIRST[use](store, NAMES[number % 8])
            with contextlib.suppress(OSError):
                USES[use](store, NAMES[number % 8])
                done += 1
    assert state_of(outside) == before
    assert done > 0
