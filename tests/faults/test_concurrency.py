"""Processes and threads that do everything at once to the same entries never see a mixed value, or half a one."""

from __future__ import annotations

import random
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stored import StorageUser, configure, keyed_by, stored, upkeep
from tests.faults.memory import forget_memory
from tests.faults.processes import PATIENCE, in_processes, in_threads
from tests.faults.scale import rounds
from tests.faults.values import KINDS, check, edition, made, same, whole_entries

PARAMETERS = range(3)
KEYS = [(kind, x) for kind in KINDS for x in range(2)]
EDITIONS = 1_000_000
MAX_BYTES = 4_000_000


@keyed_by("n")
class Model:
    """An owner whose results tell what they are, but for the edition, which differs each time."""

    def __init__(self, n: int) -> None:
        self.n = n

    @stored(ignore=("random",))
    def value(self, kind: str, x: int) -> Any:
        return made(kind, self.n, x, edition=random.randrange(EDITIONS))

    @stored(maxsize=1, ignore=("random",))
    def second(self, kind: str, x: int) -> Any:
        return made(kind, "second", self.n, self.value(kind, x) is not None, x, edition=random.randrange(EDITIONS))


class Changing:
    """An owner whose parameter threads change while others use it.

    It only grows: nobody can tell, from parameters alone, that they have been others meanwhile and are the same again.
    """

    def __init__(self) -> None:
        self.owner = Model(len(PARAMETERS))
        self._lock = threading.Lock()

    def change(self) -> None:
        with self._lock:
            self.owner.value.cache_clear()
            self.owner.n += 1

    def check(self, ask: Callable[[], Any], kind: str, x: int) -> None:
        """The value is that of the parameter of now, or of one that it has been since it was asked for."""
        first = self.owner.n
        value = ask()
        last = self.owner.n
        assert any(same(value, made(kind, n, x, edition=edition(value))) for n in range(first, last + 1))


class Worker:
    """Does anything, in an order that its seed tells."""

    def __init__(self, seed: int, shared: Changing) -> None:
        self.chance = random.Random(seed)
        self.shared = shared
        self.owners = [Model(n) for n in PARAMETERS]
        self.users = [user(n) for n in PARAMETERS]

    def work(self) -> None:
        for _ in range(rounds(40, 800)):
            n, (kind, x) = self.chance.choice(PARAMETERS), self.chance.choice(KEYS)
            self.chance.choices(self.ACTS, self.ODDS)[0](self, n, kind, x)

    def call(self, n: int, kind: str, x: int) -> None:
        check(self.owners[n].value(kind, x), kind, n, x)

    def call_anew(self, n: int, kind: str, x: int) -> None:
        check(Model(n).value(kind, x), kind, n, x)

    def call_in_call(self, n: int, kind: str, x: int) -> None:
        check(self.owners[n].second(kind, x), kind, "second", n, True, x)

    def call_shared(self, n: int, kind: str, x: int) -> None:
        self.shared.check(lambda: self.shared.owner.value(kind, x), kind, x)

    def refresh_shared(self, n: int, kind: str, x: int) -> None:
        self.shared.check(lambda: self.shared.owner.value.refresh(kind, x), kind, x)

    def change_shared(self, n: int, kind: str, x: int) -> None:
        self.shared.change()

    def refresh(self, n: int, kind: str, x: int) -> None:
        check(self.owners[n].value.refresh(kind, x), kind, n, x)

    def look(self, n: int, kind: str, x: int) -> None:
        self.owners[n].value.cached(kind, x)
        self.owners[n].value.explain(kind, x)

    def clear(self, n: int, kind: str, x: int) -> None:
        self.owners[n].value.cache_clear(kind, x)

    def clear_all(self, n: int, kind: str, x: int) -> None:
        self.owners[n].value.cache_clear()

    def clear_everywhere(self, n: int, kind: str, x: int) -> None:
        Model.second.cache_clear()

    def restart(self, n: int, kind: str, x: int) -> None:
        self.owners[n], self.users[n] = Model(n), user(n)

    def store(self, n: int, kind: str, x: int) -> None:
        self.users[n].storeObject(f"{kind} {x}", made(kind, "object", n, x, edition=self.chance.randrange(EDITIONS)))

    def read(self, n: int, kind: str, x: int) -> None:
        found = user(n).getStoredObject(f"{kind} {x}")
        if found is not None:
            check(found, kind, "object", n, x)

    def remove(self, n: int, kind: str, x: int) -> None:
        self.users[n].removeObject(f"{kind} {x}")

    def list_all(self, n: int, kind: str, x: int) -> None:
        assert set(self.users[n].listObjects()) <= {f"{kind} {x}" for kind, x in KEYS}

    def tidy(self, n: int, kind: str, x: int) -> None:
        assert upkeep().entries >= 0

    def limit_memory(self, n: int, kind: str, x: int) -> None:
        """Have all threads share less for a moment, or nothing."""
        with configure(memory_sets=self.chance.randrange(3)):
            self.call_anew(n, kind, x)

    ACTS = (call, call_anew, call_in_call, call_shared, refresh_shared, change_shared, refresh, look, clear, clear_all)
    ACTS += (clear_everywhere, restart, store, read, remove, list_all, tidy, limit_memory)
    ODDS = (6, 6, 4, 8, 2, 3, 3, 2, 3, 1, 1, 3, 6, 6, 2, 2, 1, 1)


def user(n: int) -> StorageUser:
    return StorageUser("concurrency", "rw", lambda: "user", lambda: f"n = {n}", None)


def work(seed: int, threads: int, own_settings: dict[str, Any]) -> int:
    """Work in threads that share an owner; what has its parameter come to?"""
    shared = Changing()
    # often only when all have started, as threads start with an error otherwise under coverage
    start = threading.Barrier(threads, action=lambda: sys.setswitchinterval(1e-4), timeout=PATIENCE)

    def act(worker: Worker) -> None:
        start.wait()
        worker.work()

    with configure(**own_settings):
        in_threads(*[(act, Worker(seed * 100 + number, shared)) for number in range(threads)])
    return shared.owner.n


def check_all(last: int) -> None:
    """All that is stored can be read, and is right."""
    forget_memory(Model)
    for n in PARAMETERS:
        for name in user(n).listObjects():
            kind, x = name.split()
            check(user(n).getStoredObject(name), kind, "object", n, int(x))
    for n in range(last + 1):
        for kind, x in KEYS:
            if n in PARAMETERS or Model(n).value.cached(kind, x):
                check(Model(n).value(kind, x), kind, n, x)


SETTINGS: dict[str, list[dict[str, Any]]] = {
    "one directory": [{}, {}, {}],
    "limits": [{}, {"max_bytes": MAX_BYTES}, {"max_bytes": MAX_BYTES // 2, "max_age": 3600.0}],
    "layers": [{"shared_dirs": ["other"]}, {"cache_dir": "other", "shared_dirs": ["cache"]}, {}],
}


def placed(own_settings: dict[str, Any], place: Path) -> dict[str, Any]:
    """Settings with the paths in them below a place."""
    places: dict[str, Callable[[Any], Any]] = {
        "cache_dir": lambda name: place / name,
        "shared_dirs": lambda names: [place / name for name in names],
    }
    return {name: places.get(name, lambda value: value)(value) for name, value in own_settings.items()}


@pytest.mark.parametrize(
    ("settings", "method"),
    [
        ("one directory", "fork"),
        ("one directory", "spawn"),
        ("limits", "fork"),
        ("layers", "fork"),
        ("layers", "forkserver"),
    ],
)
@pytest.mark.parametrize("memory_sets", [0, 8], indirect=True)
def test_no_mix_up(settings: str, method: str, cache_dir: Path) -> None:
    """Whatever processes and threads do to shared entries, each gets values of its own keys; all entries stay good."""
    each = [placed(own, cache_dir.parent) for own in SETTINGS[settings]] * rounds(1, 3)
    last = max(in_processes(*[(work, seed, rounds(3, 6), own) for seed, own in enumerate(each)], method=method))
    for own in each:
        with configure(**own) as now:
            check_all(last)
            assert upkeep().leftovers == 0
            assert whole_entries(now.cache_dir) > 0
    print(f"{len(each)} processes, {len(each) * rounds(3, 6) * rounds(40, 800)} acts, 0 mix-ups")
