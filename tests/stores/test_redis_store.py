"""The worked example, a store in a Redis server, keeps the contract, and computes each result once."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import stored
from stored import StorageUser, configure
from stored.testing import StoreContract
from tests.faults.processes import PATIENCE, started, until

redis = pytest.importorskip("redis", reason="redis-py is not installed: pip install 'stored[test-cluster]'")
if shutil.which("redis-server") is None:
    pytest.skip("there is no redis-server, as Debian's package of this name has", allow_module_level=True)

from tests.stores.redis_store import RedisStore  # noqa: E402

NUMBERS = range(12)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of this module's own on loopback, with a password, which keeps nothing on disk."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    password, folder = secrets.token_hex(16), tmp_path_factory.mktemp("redis")
    options = f"bind 127.0.0.1\nport {port}\nrequirepass {password}\nsave ''\nappendonly no\ndir {folder}\n"
    server = subprocess.Popen(["redis-server", "-"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    try:
        assert server.stdin is not None
        with server.stdin as config:
            config.write(options.encode())
        address = f"redis://:{password}@127.0.0.1:{port}"
        until(lambda: server.poll() is not None or _answers(address))
        assert server.poll() is None, "redis-server has ended"
        yield address
    finally:
        server.kill()
        server.wait(PATIENCE)


def _answers(address: str) -> bool:
    with redis.Redis.from_url(address) as client, contextlib.suppress(redis.ConnectionError):
        return bool(client.ping())
    return False


@pytest.fixture
def store(url: str) -> Iterator[RedisStore]:
    place = RedisStore(url)
    place._redis.flushall()
    yield place
    place._redis.close()


class TestRedisStore(StoreContract):
    @pytest.fixture
    def store(self, store: RedisStore) -> RedisStore:
        return store


@stored.keyed_by("scale")
class Model:
    """Says in a file what it computes, and in which process."""

    def __init__(self, log: str) -> None:
        self.scale, self.log = 1, log

    @stored.stored(ignore=("self.log",))
    def square(self, number: int) -> int:
        with open(self.log, "a") as log:
            log.write(f"{number} {os.getpid()}\n")
        time.sleep(0.05)
        return self.scale * number**2


def squares(url: str, log: str) -> list[int]:
    with configure(store=RedisStore(url)):
        return [Model(log).square(number) for number in NUMBERS]


def computed(log: Path) -> list[tuple[int, int]]:
    return [tuple(map(int, line.split())) for line in log.read_text().splitlines()] if log.exists() else []


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_each_result_is_computed_once(store: RedisStore, tmp_path: Path, method: str) -> None:
    """Of four processes that need the same results, one computes each."""
    log = tmp_path / "log"
    with started(*[(squares, store.url, str(log))] * 4, method=method) as processes:
        found = [each.result() for each in processes]
    assert found == [[number**2 for number in NUMBERS]] * 4
    assert sorted(number for number, _ in computed(log)) == list(NUMBERS)


def test_a_killed_process_keeps_nobody(store: RedisStore, tmp_path: Path) -> None:
    """When one is killed while it computes, its lease ends, another computes that, and all values are right."""
    log = tmp_path / "log"
    with started(*[(squares, store.url, str(log))] * 4, method="spawn") as processes:
        until(lambda: len(computed(log)) > 2)
        killed = computed(log)[-1][1]
        os.kill(killed, signal.SIGKILL)
        found = [each.result() for each in processes if each.pid != killed]
    assert found == [[number**2 for number in NUMBERS]] * 3
    times = Counter(number for number, _ in computed(log))
    assert sorted(times) == list(NUMBERS)
    assert times.total() <= len(NUMBERS) + 1


def test_a_server_that_is_away_costs_persistence_only(tmp_path: Path) -> None:
    """Its errors are those of any store: with a warning, results are computed and kept in memory."""
    with (
        configure(store=RedisStore("redis://:secret@127.0.0.1:1")),
        pytest.warns(stored.PersistenceWarning) as caught,
    ):
        assert Model(str(tmp_path / "log")).square(3) == 9
    assert not any("secret" in str(each.message) for each in caught)


def test_limits_are_kept(store: RedisStore) -> None:
    """What is beyond a limit goes, as in a directory, and upkeep has what to say."""
    user = StorageUser("m", "rw", lambda: "owner", lambda: "owner", None)
    with configure(store=store, max_bytes=3000):
        for number in range(10):
            user.storeObject(f"object {number}", bytes(500))
        done = stored.upkeep()
    assert 0 < done.bytes <= 3000
    assert [each for each in done.not_done if "leftovers" not in each] == []
