"""Who computes what others wait for? A process that computes for long says so in a note, and that it still lives.

A thread of the process makes the notes and sets their times, so that those who wait see that its program runs. Where
that thread cannot run, since one that computes never gives way to others, and where the process is stopped, no sign of
life is seen, though the lock is held. The thread ends when nothing is computed any longer.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from _thread import allocate_lock, start_new_thread
from typing import Any

from stored._fork_safe_lock import ForkSafeLock
from stored.stores._drafts import OpenDraft
from stored.stores._files import close_file, open_file, try_lock_file
from stored.stores._folders import OpenFolders, spare_handles
from stored.typing import Holder

__all__ = ["HOLDER", "HOLDER_START", "HolderNotes", "SignsOfLife"]

HOLDER = ".holder"
HOLDER_START = b'{"host": '

_PAUSE = 1.0
"""Seconds between two looks at what is computed; what is computed for half as long then gets a note."""

_BETWEEN_SIGNS = 10.0
"""Seconds between two signs of life: few, since a server may hear those of many processes."""

_MOST_BYTES = 512
_LATEST = 1e11
"""No note was made later, in seconds since 1970."""


class HolderNotes:
    """The notes of what this process computes, and the thread that keeps them."""

    def __init__(self) -> None:
        self._reset()
        os.register_at_fork(
            before=self._before_fork, after_in_parent=self._after_fork_in_parent, after_in_child=self._after_fork
        )

    def _reset(self) -> None:
        self._lock = ForkSafeLock()
        self._begun: dict[object, tuple[OpenFolders, str, float]] = {}
        self._notes: dict[object, OpenDraft] = {}
        self._signs: dict[object, float] = {}  # when each note showed the latest sign of life
        self._has_thread = False
        self._pause = allocate_lock()
        self._pause.acquire()

    def _before_fork(self) -> None:
        """Let a note that is being made be known to the child, but do not wait for a server that is gone."""
        self._lock.acquire(timeout=_PAUSE)

    def _after_fork_in_parent(self) -> None:
        with contextlib.suppress(RuntimeError):  # the lock was not free
            self._lock.release()

    def _after_fork(self) -> None:
        """Leave all notes to the parent in a forked process."""
        for each in self._notes.values():
            each.close()  # while it is open here, it would seem to be of a living process
        self._reset()

    def begin(self, block: object, folders: OpenFolders, digest: str) -> None:
        """A block that computes has begun; if it takes long, there will be a note."""
        self._begun[block] = folders, digest, time.monotonic()
        if not self._has_thread:
            try:  # noqa: SIM105  (suppressing takes some depth of recursion too)
                self._start()
            except (RuntimeError, MemoryError):  # no more threads, or a deep recursion: the next one starts it
                pass

    def _start(self) -> None:
        with self._lock:
            if not self._has_thread:
                start_new_thread(self._keep, ())  # threading.Thread takes several levels of recursion
                self._has_thread = True

    def end(self, block: object) -> None:
        """It has ended."""
        try:
            self._begun.pop(block, None)
            with self._lock:  # not while the note is made
                if block in self._notes:
                    self._remove(block)
        except (RecursionError, MemoryError):  # the thread does it later
            pass

    def _remove(self, block: object) -> None:
        self._signs.pop(block, None)
        self._notes.pop(block).discard()

    def _keep(self) -> None:
        is_needed = True
        while is_needed:
            self._pause.acquire(timeout=_PAUSE)  # it is never released; programs replace time.sleep in their tests
            for block in [*self._begun, *self._notes]:
                with contextlib.suppress(OSError, MemoryError), self._lock:  # nobody is told
                    self._renew(block)
            is_needed = self._needs_thread()

    def _needs_thread(self) -> bool:
        """Is anything computed? If not, the thread ends, and whoever begins from now on starts another."""
        with self._lock:
            self._has_thread = False
            # whoever began before this line is seen in the next one, and who begins after it finds no thread
            self._has_thread = bool(self._begun or self._notes)
            return self._has_thread

    def _renew(self, block: object) -> None:
        """Make the note of a block, or show a sign of life in it; remove it if the block is over."""
        folders, digest, began = self._begun.get(block, (None, "", 0.0))
        note = self._notes.get(block)
        now = time.monotonic()
        if folders is None:
            if note is not None:  # its end was interrupted
                self._remove(block)
        elif note is None:
            if now - began >= _PAUSE / 2 and len(self._notes) < spare_handles():
                self._notes[block] = _new_note(folders, digest, now - began)
                self._signs[block] = now
        elif note.is_lost():
            self._remove(block)  # and made anew at the next look
        elif now - self._signs[block] >= _BETWEEN_SIGNS:
            note.touch()
            self._signs[block] = now


def _new_note(folders: OpenFolders, digest: str, seconds: float) -> OpenDraft:
    """A note of a computation that began so many seconds ago."""
    folders.work()  # an error if the directory was removed: it is not made again for this
    told = {"host": os.uname().nodename, "process": os.getpid(), "since": time.time() - seconds}
    note = OpenDraft(folders, [json.dumps(told).encode()])
    try:
        note.rename(f"{digest}{HOLDER}")  # in place of that of a process that died, or of one that is overtaken
    except BaseException:
        note.discard()
        raise
    return note


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
        self.holder = None
        with contextlib.suppress(OSError):
            descriptor = open_file(self._name, self._folders.work())
            try:
                self._look_at(descriptor, now)
            finally:
                close_file(descriptor)

    def _look_at(self, descriptor: int, now: float) -> None:
        """Look at a note, which says nothing if it is left over from a process that died.

        Where locks are seen on one computer only, that of a living process on another seems to be left over; but its
        time changes.
        """
        state = os.fstat(descriptor)
        sign = state.st_ino, state.st_mtime_ns
        if sign != self._seen:
            self._seen, self.latest = sign, now
        if not _is_left_over(descriptor):
            self.holder = _holder(os.read(descriptor, _MOST_BYTES))


def _is_left_over(descriptor: int) -> bool:
    try:
        return try_lock_file(descriptor, fcntl.LOCK_SH)
    except OSError:  # there are no locks, by which that could be known
        return False


def _holder(data: bytes) -> Holder | None:
    """What a note says; None for anything else."""
    try:
        told: Any = json.loads(data)
        holder = Holder(str(told["host"])[:100], int(told["process"]), float(told["since"]))
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError):
        return None
    return holder if 0 <= holder.since < _LATEST else None
