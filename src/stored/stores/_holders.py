"""Who computes what others wait for? A process that computes for long says so in a note, and that it still lives.

A thread of the process makes the notes and sets their times, so that those who wait see that its program runs. Where
that thread cannot run, since one that computes never gives way to others, and where the process is stopped, no sign of
life is seen, though the lock is held.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
import time
from typing import Any

from stored._fork_safe_lock import ForkSafeLock
from stored.stores._drafts import OpenDraft
from stored.stores._files import close_file, open_file
from stored.stores._folders import OpenFolders
from stored.typing import Holder

__all__ = ["HOLDER", "HOLDER_START", "HolderNotes", "SignsOfLife"]

HOLDER = ".holder"
HOLDER_START = b'{"host": '

_PAUSE = 2.0
"""Seconds after which a computation has a note, and between two signs of life."""

_MOST_BYTES = 512


class HolderNotes:
    """The notes of what this process computes, by name; and the thread that keeps them."""

    def __init__(self) -> None:
        self._reset()
        os.register_at_fork(after_in_child=self._after_fork)

    def _reset(self) -> None:
        self._lock = ForkSafeLock()
        self._begun: dict[object, tuple[OpenFolders, str, float]] = {}
        self._notes: dict[object, OpenDraft] = {}
        self._has_work = threading.Event()
        self._thread: threading.Thread | None = None

    def _after_fork(self) -> None:
        """Leave all notes to the parent in a forked process."""
        for each in self._notes.values():
            each.close()  # while it is open here, it would seem to be of a living process
        self._reset()

    def begin(self, block: object, folders: OpenFolders, digest: str) -> None:
        """A block that computes has begun; if it takes long, there will be a note."""
        self._begun[block] = folders, digest, time.time()
        if not self._has_work.is_set():
            self._has_work.set()
            self._start()

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                thread = threading.Thread(target=self._keep, name="stored: signs of life", daemon=True)
                with contextlib.suppress(RuntimeError):  # there can be no more threads: nobody is told
                    thread.start()
                    self._thread = thread

    def end(self, block: object) -> None:
        """It has ended."""
        _, digest, _ = self._begun.pop(block, (None, "", 0.0))
        with self._lock:
            note = self._notes.pop(block, None)
        if note is not None:
            note.remove_name(f"{digest}{HOLDER}")
            note.discard()

    def _keep(self) -> None:
        begun = self._begun  # a forked process has others
        while begun is self._begun:
            self._has_work.wait()
            time.sleep(_PAUSE)
            for block in list(begun):
                with contextlib.suppress(OSError), self._lock:  # nobody is told
                    self._renew(block)
            if not begun:
                self._has_work.clear()
                if begun:  # since the look above
                    self._has_work.set()

    def _renew(self, block: object) -> None:
        """Make the note of a block that is not over, or set its time."""
        folders, digest, since = self._begun.get(block, (None, "", 0.0))
        if folders is None:
            return
        note = self._notes.get(block)
        if note is not None:
            note.touch()
        elif time.time() - since >= _PAUSE / 2:
            told = {"host": socket.gethostname(), "process": os.getpid(), "since": since}
            note = OpenDraft(folders, [json.dumps(told).encode()])
            self._notes[block] = note
            note.add_name(f"{digest}{HOLDER}")


class SignsOfLife:
    """What a process that waits sees of the one which computes.

    Parameters
    ----------
    folders : OpenFolders
        The folders of the directory.
    digest : str
        The digest of the name that it waits for.

    Attributes
    ----------
    holder : Holder or None
        Who computes, as far as is known.
    latest : float
        When a sign of life was seen, by `time.monotonic`; at first, when it began to wait.
    """

    def __init__(self, folders: OpenFolders, digest: str) -> None:
        self._folders = folders
        self._name = f"{digest}{HOLDER}"
        self._seen: object = None
        self.holder: Holder | None = None
        self.latest = self._looked = time.monotonic()

    def look(self, now: float) -> None:
        """Look again, if that is some time ago."""
        if now - self._looked < _PAUSE / 2:
            return
        self._looked = now
        try:
            descriptor = open_file(self._name, self._folders.work())
        except OSError:
            return
        try:
            state = os.fstat(descriptor)
            sign = state.st_ino, state.st_mtime_ns
            if sign != self._seen:
                self._seen, self.latest = sign, now
                self.holder = _holder(os.read(descriptor, _MOST_BYTES))
        except OSError:
            pass
        finally:
            close_file(descriptor)


def _holder(data: bytes) -> Holder | None:
    """What a note says; None for anything else."""
    try:
        told: Any = json.loads(data)
        return Holder(str(told["host"])[:100], int(told["process"]), float(told["since"]))
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError):
        return None
