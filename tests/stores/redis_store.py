"""A store in a Redis server, over redis-py: the worked example of a store. Leases give one computation for all."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from stored.typing import Buffer, Store, Turn, Upkeep, Usage, Waiting, check_name
from tests.stores.redis_leases import Leases


class Server(redis.Redis):
    """A server whose troubles are those that stores may have."""

    def execute_command(self, *words, **options):
        try:
            return super().execute_command(*words, **options)
        except redis.RedisError as error:
            raise OSError(f"Redis: {error}") from error


class RedisStore(Store):
    """Entries in one hash, and the times of their uses in a sorted set; pickled, it is its URL."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._redis = Server.from_url(url, retry=Retry(NoBackoff(), 1), socket_timeout=10)  # its pool survives forks
        self._leases = Leases(self._redis)

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

    def declare_wait(self, name: str) -> AbstractContextManager[None]:
        return self._leases.declare_wait(name)

    def compute_turn(
        self, name: str, limit: float | None, tell: Callable[[Waiting], object] | None = None
    ) -> AbstractContextManager[Turn]:
        return self._leases.compute_turn(name, limit, tell)
