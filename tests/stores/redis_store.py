"""A store in a Redis server, over redis-py: the worked example of a store, with one computation for all by leases.

Whoever computes has a lease of the name, a key that goes by itself soon after its process has died; a thread renews it.
"""

from __future__ import annotations

import contextlib
import os
import re
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from stored.typing import Buffer, Store, Turn, Upkeep, Usage, Waiting, check_name

LEASE = 2.0  # seconds; shorter than any pause in which a program that lives lets no thread of its run
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


class Server(redis.Redis):
    """A server whose troubles are those that stores may have."""

    def execute_command(self, *words, **options):
        try:
            return super().execute_command(*words, **options)
        except redis.RedisError as error:
            raise OSError(f"Redis: {error}") from error


class RedisStore(Store):
    def __init__(self, url: str) -> None:
        self.url = url
        self._redis = Server.from_url(url, retry=Retry(NoBackoff(), 1), socket_timeout=10)  # its pool survives forks
        self._held: set[str] = set()

    def __reduce__(self):
        return RedisStore, (self.url,)

    def read(self, name: str) -> Buffer | None:
        return self._redis.hget("data", check_name(name))

    def write(self, name: str, parts: Sequence[Buffer]) -> None:
        data = b"".join(parts)
        self._redis.zadd("used", {check_name(name): self._now()})  # first: what has no time would never be trimmed
        self._redis.hset("data", name, data)

    def delete(self, name: str) -> bool:
        self._redis.zrem("used", check_name(name))
        return self._redis.hdel("data", name) > 0

    def names(self, folder: str = "") -> Iterator[str]:
        prefix = f"{check_name(folder)}/" if folder else ""
        return (name for name in map(bytes.decode, self._redis.hkeys("data")) if name.startswith(prefix))

    def location(self, name: str = "") -> str:
        return f"{re.sub('//[^/]*@', '//', self.url)}/{name}"  # without the password

    def touch(self, name: str) -> None:
        self._redis.zadd("used", {check_name(name): self._now()}, xx=True)

    def _now(self) -> float:
        seconds, microseconds = self._redis.time()  # of the server: clocks of clients differ
        return seconds + microseconds / 1e6

    def count_written(self, size: int) -> Usage:
        return Usage(self._redis.hincrby("usage", "bytes", size), float(self._redis.hget("usage", "trimmed_at") or 0))

    def trim(self, ending: str, max_bytes: int | None, max_age: float | None) -> Upkeep:
        now, listed = self._now(), self._redis.zrange("used", 0, -1, withscores=True)  # the least recently used first
        used = {name.decode(): at for name, at in listed if name.decode().endswith(ending)}
        sizes = {name: self._redis.hstrlen("data", name) for name in used}
        total, removed = sum(sizes.values()), []
        allowed = total if max_bytes is None or total <= max_bytes else 0.9 * max_bytes
        for name, at in used.items():
            if total <= allowed and (max_age is None or at >= now - max_age):
                break
            self.delete(name)
            total -= sizes[name]
            removed.append(sizes[name])
        self._redis.hset("usage", mapping={"bytes": total, "trimmed_at": now})
        return Upkeep(len(used) - len(removed), total, len(removed), sum(removed))

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
