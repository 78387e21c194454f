"""Where does the result of a call come from: memory, store, another thread, or a computation?"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stored import EntryWarning, PersistenceWarning, configure, keyed_by, stored
from stored._methods import answer as answer_module
from stored._methods.answer import bound_call
from stored._methods.results import results_of
from stored._storage import PersistentTier
from tests.methods.models import CALLS, Cosmology, run_while_one_waits
from tests.methods.owners import Described

# -- parameters --


def test_an_equal_owner_finds_the_result() -> None:
    """Results belong to the parameters, not to the object."""
    first = Cosmology(70.0).age(1.0)
    assert Cosmology(np.float64(70.0)).age(1.0) == first
    assert len(CALLS) == 1
    assert Cosmology(70).age(1.0) == first
    assert len(CALLS) == 2


def test_nothing_outlives_its_parameters() -> None:
    """A changed parameter is noticed at the next call, and the old results return with the old value."""
    cosmo = Cosmology(70.0)
    old = cosmo.age(0.0)
    cosmo.H0 = 35.0
    assert cosmo.age(0.0) == 2 * old
    cosmo.H0 = 70.0
    assert cosmo.age(0.0) == old
    assert len(CALLS) == 2  # the last one came from disk


def test_none_is_a_result() -> None:
    """None is stored, in memory and on disk."""
    assert Cosmology().nothing() is None
    cosmo = Cosmology()
    assert cosmo.nothing() is None
    assert cosmo.nothing() is None
    assert CALLS == ["nothing"]


def test_an_exception_is_never_stored() -> None:
    """A call that failed once computes again."""

    @keyed_by("n")
    class Failing:
        n = 1

        @stored(ignore=("CALLS",))
        def method(self) -> int:
            CALLS.append(1)
            if len(CALLS) == 1:
                raise ValueError("first time")
            return 2

    owner = Failing()
    with pytest.raises(ValueError, match="first time"):
        owner.method()
    assert owner.method() == 2


def test_parameters_changed_by_the_method_leave_nothing_stored() -> None:
    """A result computed while parameters changed is returned and not kept, under either parameters."""

    @keyed_by("n")
    class Restless:
        def __init__(self) -> None:
            self.n = 0

        @stored
        def method(self) -> int:
            self.n += 1
            return self.n

    owner = Restless()
    assert [owner.method(), owner.method()] == [1, 2]
    owner.n = 0
    assert owner.method() == 1
    assert owner.method.cache_info().stores == 0


# -- the store --


@pytest.mark.parametrize(("persistence", "computed"), [("rw", 1), ("r", 2), ("w", 2), ("", 2)])
def test_persistence_is_obeyed(persistence: str, computed: int) -> None:
    """A new owner finds results only where they were written and may be read."""
    with configure(persistence=persistence):
        Cosmology().age(1.0)
        Cosmology().age(1.0)
    assert len(CALLS) == computed


def test_clearing_needs_the_right_to_write() -> None:
    """With read-only persistence the memory is cleared and the disk is not."""
    Cosmology().age(1.0)
    with configure(persistence="r"):
        Cosmology().age.cache_clear()
    assert Cosmology().age.cached(1.0)


def test_an_entry_that_holds_no_table_is_replaced(cache_dir: Path) -> None:
    """A well-formed entry whose value is not the table that was asked for is a miss with a warning."""
    cosmo = Cosmology()
    value = cosmo.curve(0.5)
    definition = Cosmology.curve._self_definition
    key = bound_call(results_of(definition, cosmo), cosmo, (0.5,), {}).key()
    PersistentTier("rw").slot(key).save({"foo": 1})
    with pytest.warns(EntryWarning, match="was not used"):
        assert Cosmology().curve(0.5) == value
    assert Cosmology().curve(0.5) == value


def test_a_damaged_entry_is_replaced(cache_dir: Path) -> None:
    """An altered entry is a miss with one warning; the next process finds the new one."""
    value = Cosmology().age(1.0)
    (entry,) = cache_dir.rglob("*-age-*.stored")
    content = bytearray(entry.read_bytes())
    content[-1] ^= 1
    entry.write_bytes(content)
    with pytest.warns(EntryWarning, match="was not used") as caught:
        assert Cosmology().age(1.0) == value
    assert len(caught) == 1
    assert Cosmology().age(1.0) == value
    assert len(CALLS) == 2


def test_an_unwritable_directory_costs_persistence_only(tmp_path: Path) -> None:
    """The result is returned and kept in memory, with one warning for all stores."""
    (tmp_path / "file").write_text("in the way")
    with configure(cache_dir=tmp_path / "file" / "cache"):
        cosmo = Cosmology()
        with pytest.warns(PersistenceWarning, match="kept in memory only") as caught:
            assert cosmo.age(1.0) == cosmo.age(1.0)
            cosmo.age(2.0)
        assert len([each for each in caught if "kept in memory" in str(each.message)]) == 1
        assert caught[0].filename == __file__
    assert len(CALLS) == 2


def test_results_that_cannot_be_written_stay_in_memory() -> None:
    """A value that cannot be pickled is returned and remembered here, with one warning."""

    @keyed_by("n")
    class Odd:
        n = 1

        @stored
        def method(self) -> Any:
            CALLS.append(1)
            return lambda: 1

    owner = Odd()
    with pytest.warns(PersistenceWarning, match="cannot be pickled"):
        first = owner.method()
    assert owner.method() is first
    assert len(CALLS) == 1


# -- processes and threads --


MODEL = """
from stored import keyed_by, stored, Axis
import numpy as np, sys
calls = []
@keyed_by("H0", "name")
class Model:
    def __init__(self, H0, name): self.H0, self.name = H0, name
    @stored
    def plain(self, z, label="x"): calls.append(1); return self.H0 * z
    @stored
    def table(self): calls.append(1); return np.arange(5) * self.H0
    @stored(interpolate=Axis("z", 0, 1, points=8, vectorized=False))
    def curve(self, z): calls.append(1); return z
    @stored(interpolate=True)
    def spline(self): calls.append(1); return np.array([np.arange(5.0), np.arange(5.0)])
    @stored
    def odd(self): calls.append(1); return {frozenset([1]): complex(1, 2), "self": type(self)}
def use(H0):
    m = Model(H0, "n")
    return [float(m.plain(2.0)), m.table().tolist(), m.curve(0.5), float(m.spline()(2.5)), m.odd()[frozenset([1])]]
"""


def run(tmp_path: Path, cache_dir: Path, code: str, seed: str) -> str:
    """Run code against the model in a fresh process."""
    (tmp_path / "the_model.py").write_text(MODEL)
    environment = {
        **os.environ,
        "STORED_CACHE_DIR": str(cache_dir),
        "STORED_KEY_FILE": str(tmp_path / "config" / "key"),
        "PYTHONHASHSEED": seed,
        "PYTHONPATH": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_second_process_finds_every_result(tmp_path: Path, cache_dir: Path) -> None:
    """A fresh process computes nothing; with one parameter changed, everything; changed back, nothing."""
    code = "from the_model import *\nr = use({}); print(r, len(calls))"
    first = run(tmp_path, cache_dir, code.format(70.0), "1")
    assert first.endswith(" 12")
    assert run(tmp_path, cache_dir, code.format(70.0), "2") == first.replace(" 12", " 0")
    changed = f"{code.format(71.0)}; calls.clear(); r = use(70.0); print(r, len(calls))"
    other, back = run(tmp_path, cache_dir, changed, "3").splitlines()
    assert other.endswith(" 12")
    assert back == first.replace(" 12", " 0")


def test_threads_compute_once() -> None:
    """Of many threads that need one result, one computes, on one owner or on equal ones."""
    started, release = threading.Barrier(9), threading.Event()

    @keyed_by("n")
    class Slow:
        n = 1

        @stored(persistent=False)
        def method(self) -> int:
            CALLS.append(1)
            assert release.wait(20)
            return 7

    shared, results = Slow(), []

    def work(owner: Slow) -> None:
        started.wait(20)
        results.append(owner.method())

    threads = [threading.Thread(target=work, args=(shared if i % 2 else Slow(),), daemon=True) for i in range(8)]
    for thread in threads:
        thread.start()
    started.wait(20)
    while len(answer_module._flights._waiting) < 7:
        pass
    release.set()
    for thread in threads:
        thread.join(20)
    assert results == [7] * 8
    shared.method()
    assert len(CALLS) == 1


def test_one_computation_for_threads_on_one_owner() -> None:
    """However the threads interleave, an owner computes a persistent result once."""
    cosmo, barrier = Cosmology(), threading.Barrier(8)

    def work() -> None:
        barrier.wait(20)
        for z in range(20):
            assert cosmo.age(float(z)) == 1 / 70 / (1 + z)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(CALLS) == 20
    info = cosmo.age.cache_info()
    assert (info.hits, info.misses) == (140, 20)


def test_threads_that_notice_a_change_share_one_memory() -> None:
    """When two threads notice new parameters at once, neither throws away what the other computes."""
    describing, go = threading.Event(), threading.Event()

    class Slow(Described):
        def getHashableString(self) -> str:
            describing.set()
            assert go.wait(20)
            return "slow"

        @stored(persistent=False)
        def result(self) -> int:
            CALLS.append(1)
            return 1

    owner = Slow(1.0)
    threads = [threading.Thread(target=owner.result, daemon=True) for _ in range(2)]
    threads[0].start()
    assert describing.wait(20)
    threads[1].start()
    go.set()
    for thread in threads:
        thread.join(20)
    owner.result()
    assert CALLS == [1]


def test_recursion_through_stored_methods() -> None:
    """A stored method may call itself and other stored methods."""

    @keyed_by("n")
    class Recursive:
        n = 1

        @stored
        def fibonacci(self, k: int) -> int:
            CALLS.append(k)
            return k if k < 2 else self.fibonacci(k - 1) + self.fibonacci(k - 2)

    assert Recursive().fibonacci(30) == 832040
    assert len(CALLS) == 31


def test_a_failing_leader_frees_the_others() -> None:
    """When the thread that computes fails, another computes."""
    entered = threading.Event()
    go = threading.Event()

    @keyed_by("n")
    class Failing:
        n = 1

        @stored(ignore=("CALLS",))
        def method(self) -> int:
            CALLS.append(1)
            if len(CALLS) == 1:
                entered.set()
                assert go.wait(20)
                raise ValueError("leader")
            return 5

    owner, results = Failing(), []

    def lead() -> None:
        with pytest.raises(ValueError, match="leader"):
            owner.method()

    threads = [threading.Thread(target=lead), threading.Thread(target=lambda: results.append(owner.method()))]
    run_while_one_waits(*threads, entered, go)
    assert results == [5]
