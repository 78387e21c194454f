"""Of all processes that need the same missing entry, which one computes it? The one that has the lease of the name.

A lease is a key in Redis that goes by itself soon after its process has died; a thread of the process renews it.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator

from stored.typing import Turn, Waiting, check_name

LEASE = 2.0  # seconds; longer than a program that lives keeps its threads from running
DAY = 86_400
PROCESS = uuid.uuid4().hex  # with the number of the process, since a forked one has the same
RENEW = "return redis.call('get', KEYS[1]) == ARGV[1] and redis.call('pexpire', KEYS[1], ARGV[2])"
END = """if redis.call('get', KEYS[1]) == ARGV[1] then redis.call('del', KEYS[1]) end
if ARGV[2] == '1' then redis.call('incr', KEYS[2]); redis.call('expire', KEYS[2], 86400) end"""
WAITS_FOR_ITSELF = """local holder = redis.call('get', KEYS[1])
for _ = 1, 99 do
    if holder == ARGV[1] then return 1 end
    local needed = holder and redis.call('get', 'waits:' .. holder)
    holder = needed and redis.call('get', 'lease:' .. needed)
end
return 0"""


class Leases:
    """The leases that this process has on a server, and what its threads wait for."""

    def __init__(self, server) -> None:
        self._redis = server
        self._held: set[str] = set()

    @contextlib.contextmanager
    def declare_wait(self, name: str) -> Iterator[None]:
        note = f"waits:{_me()}"  # of a process that has died it stays for a day, and tells nothing without a lease
        self._redis.set(note, check_name(name), ex=DAY)
        try:
            yield
        finally:
            self._redis.delete(note)

    @contextlib.contextmanager
    def compute_turn(
        self, name: str, limit: float | None, tell: Callable[[Waiting], object] | None = None
    ) -> Iterator[Turn]:
        turn, lease = (Turn.MINE, None) if check_name(name) in self._held else self._take(name, limit, tell)
        if lease is None:  # others have computed it, or this process does already
            yield turn
            return
        holder, process, over, lets_others_go_on = _me(), os.getpid(), threading.Event(), "1"
        self._held.add(name)
        threading.Thread(target=self._renew, args=(lease, holder, over), daemon=True).start()
        try:
            yield turn
        except BaseException as error:
            lets_others_go_on = str(int(isinstance(error, Exception)))  # after Ctrl-C, one of them computes
            raise
        finally:
            over.set()
            self._held.discard(name)
            if os.getpid() == process:  # else it was forked within the block, which is its parent's
                self._redis.eval(END, 2, lease, f"ended:{name}", holder, lets_others_go_on)

    def _take(
        self, name: str, limit: float | None, tell: Callable[[Waiting], object] | None
    ) -> tuple[Turn, str | None]:
        begun, next_told, ended = time.monotonic(), 3.0, self._times_ended(name)
        with self.declare_wait(name):
            while not self._leases(f"lease:{name}"):
                waited = time.monotonic() - begun
                if self._redis.eval(WAITS_FOR_ITSELF, 1, f"lease:{name}", _me()):
                    return Turn.MINE, None
                if limit is not None and waited >= limit and (limit == 0 or self._leases(f"second:{name}")):
                    return Turn.EXPIRED, f"second:{name}" if limit else None
                if tell is not None and waited >= next_told:
                    next_told = 2 * waited
                    tell(Waiting(waited))
                time.sleep(min(0.25, max(0.002, waited / 10)))
                if self._times_ended(name) > ended:
                    return Turn.DONE_ELSEWHERE, None
        return Turn.MINE, f"lease:{name}"

    def _times_ended(self, name: str) -> int:
        return int(self._redis.get(f"ended:{name}") or 0)

    def _leases(self, key: str) -> bool:
        return bool(self._redis.set(key, _me(), nx=True, px=int(LEASE * 1000)))

    def _renew(self, lease: str, holder: str, over: threading.Event) -> None:
        while not over.wait(LEASE / 3):
            with contextlib.suppress(OSError):
                self._redis.eval(RENEW, 1, lease, holder, int(LEASE * 1000))


def _me() -> str:
    return f"{PROCESS}:{os.getpid()}:{threading.get_ident()}"
