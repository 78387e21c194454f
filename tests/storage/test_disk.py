"""What is kept on disk: within limits, beneath one's own directory too, and with every trouble told once."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import stored
from stored import ConfigurationError, EntryWarning, PersistenceWarning, StorageUser, configure, getCacheDir, keyed_by
from stored._methods.answer import bound_call, results_for
from stored._settings import settings
from stored.stores import DirectoryStore, LayeredStore, MemoryStore
from stored.typing import Upkeep
from tests.stores.test_files import without_handles
from tests.stores.test_layered import Failing
from tests.stores.test_locks import elsewhere, held, received, when_waiting

CALLS: list[Any] = []
GATE: list[Connection] = []


@pytest.fixture(autouse=True)
def no_calls() -> None:
    CALLS.clear()


class Custom:
    """A value that has to be pickled."""


@keyed_by("n")
class Model:
    def __init__(self, n: float = 1.0) -> None:
        self.n = n

    @stored.stored
    def power(self, x: float) -> float:
        CALLS.append(x)
        return self.n * x**2

    @stored.stored
    def custom(self) -> Custom:
        CALLS.append("custom")
        return Custom()

    @stored.stored
    def gated(self) -> float:
        CALLS.append("gated")
        for end in GATE:
            end.send("begun")
            end.recv()
        return self.n


def new_user(persistence: str = "rw") -> StorageUser:
    """A user with nothing in memory, of one space."""
    return StorageUser("limits", persistence, lambda: "owner", lambda: "owner 1", None)


CONTENT = np.arange(100.0)


def store(*names: str) -> None:
    """Store objects that all take the same room."""
    for name in names:
        new_user().storeObject(name, CONTENT)


def entry_files(place: Path) -> list[Path]:
    return sorted(place.rglob("*.stored"))


def kept(place: Path) -> str:
    """The names of objects on disk; they are of one letter."""
    return "".join(each.name[0] for each in entry_files(place))


def set_ages(place: Path, **ages: float) -> None:
    now = time.time()
    for name, age in ages.items():
        (file,) = place.rglob(f"{name}-*.stored")
        os.utime(file, (now, now - age))


@pytest.fixture
def size(tmp_path: Path) -> int:
    """What one of the objects takes on disk."""
    with configure(cache_dir=tmp_path / "measured"):
        store("a")
    return entry_files(tmp_path / "measured")[0].stat().st_size


# -- limits -----------------------------------------------------------------------------------------------------------


def test_the_least_recently_used_go_first(cache_dir: Path, size: int) -> None:
    """Beyond max_bytes what was neither read nor written for longest goes, until a tenth is free."""
    store(*"abcde")
    set_ages(cache_dir, a=500, b=400, c=300, d=200, e=100)
    with configure(max_bytes=5 * size):
        assert np.array_equal(new_user().getStoredObject("a"), CONTENT)
        store("f")
    assert kept(cache_dir) == "adef"


def test_the_limit_is_kept_with_every_write(cache_dir: Path, size: int) -> None:
    """However much one process stores, it never takes more than allowed, and the latest is always there."""
    with configure(max_bytes=5.5 * size // 1):
        for name in "abcdefghijklmnopqrst":
            store(name)
            assert len(entry_files(cache_dir)) <= 5
            assert name in kept(cache_dir)


def test_what_is_not_used_for_long_goes(cache_dir: Path) -> None:
    """Beyond max_age since its last use a result is dropped, whatever its size; others stay."""
    store(*"abc")
    set_ages(cache_dir, a=500, b=400, c=200)
    with configure(max_age=300.0):
        assert new_user().getStoredObject("a") is not None
        store("d")
    assert kept(cache_dir) == "acd"


@pytest.mark.parametrize(
    ("settings", "noted"),
    [
        ({}, False),
        ({"max_bytes": 10**9}, True),
        ({"max_age": 1e9}, True),
        ({"max_age": 1e9, "persistence": "r"}, False),
    ],
)
def test_uses_are_noted_where_they_matter(cache_dir: Path, settings: dict[str, Any], noted: bool) -> None:
    """Reading an entry sets its time if there are limits and writing is allowed; without limits it costs nothing."""
    store("a")
    set_ages(cache_dir, a=500)
    (file,) = entry_files(cache_dir)
    before = file.stat().st_mtime
    with configure(**settings):
        assert new_user().getStoredObject("a") is not None
        assert new_user().getStoredObject("b") is None
    assert (file.stat().st_mtime > before) is noted


def test_what_cannot_be_noted_is_read(cache_dir: Path) -> None:
    """An entry is found though its use cannot be noted."""

    class Untouchable(MemoryStore):
        def touch(self, name: str) -> None:
            raise OSError("read-only")

    with configure(store=Untouchable(), max_age=1e9):
        store("a")
        assert new_user().getStoredObject("a") is not None


def test_a_result_larger_than_all_is_kept_in_memory(cache_dir: Path, size: int) -> None:
    """What exceeds max_bytes by itself displaces nothing but its older self; one warning names both sizes."""
    store(*"ab")
    user = new_user()
    with configure(max_bytes=3 * size):
        with pytest.warns(
            PersistenceWarning, match=rf"object 'a' .* it takes 8\d+ bytes, and max_bytes is {3 * size}"
        ) as caught:
            for _ in range(2):
                user.storeObject("a", np.arange(1000.0))
        assert [each.filename for each in caught] == [__file__]
        assert len(user.getStoredObject("a")) == 1000
        assert new_user().getStoredObject("a") is None
    assert kept(cache_dir) == "b"


def test_results_of_other_processes_count(cache_dir: Path, size: int) -> None:
    """What others write is noticed by the time that a tenth of what is allowed has been written here, not before."""
    with configure(max_bytes=20 * size):
        store("a")
        (ours,) = entry_files(cache_dir)
        for number in range(25):
            shutil.copy(ours, ours.with_name(f"x{number}.stored"))
            os.utime(ours.with_name(f"x{number}.stored"), (0.0, 0.0))
        store("b", "c")
        assert len(entry_files(cache_dir)) == 28
        store("d")
        assert len(entry_files(cache_dir)) == 18
        assert kept(cache_dir) == "abcd" + 14 * "x"


def test_limits_are_kept_every_hour(cache_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Little is written, and yet an hour later a write drops what is too old by then."""
    with configure(max_age=300.0):
        store("a")
        set_ages(cache_dir, a=500)
        store("b")
        assert kept(cache_dir) == "ab"
        monkeypatch.setattr(time, "monotonic", lambda now=time.monotonic: now() + 3601.0)
        store("c")
    assert kept(cache_dir) == "bc"


def test_without_limits_nothing_goes(cache_dir: Path) -> None:
    """By default results stay, however old."""
    store("a")
    set_ages(cache_dir, a=1e9)
    store("b")
    assert stored.upkeep().removed_entries == 0
    assert kept(cache_dir) == "ab"


# -- quick results ----------------------------------------------------------------------------------------------------


def test_quick_results_are_kept_in_memory(cache_dir: Path) -> None:
    """What took less than min_compute_seconds to compute is not written, and found in memory; by default all is."""
    with configure(min_compute_seconds=3600.0):
        model = Model()
        assert [model.power(2.0), model.power(2.0), Model().power(2.0)] == [4.0] * 3
        assert model.power.cache_info().stores == 0
        store("a")  # nobody knows what that took
    assert kept(cache_dir) == "a"
    assert len(CALLS) == 2
    assert [Model().power(2.0), Model().power(2.0)] == [4.0, 4.0]
    assert len(CALLS) == 3


@pytest.mark.parametrize(("persistence", "left"), [("rw", 0), ("w", 0), ("r", 1)])
def test_a_quick_result_leaves_no_older_one(cache_dir: Path, persistence: str, left: int) -> None:
    """A result that is not written takes the entry that it replaces away, if writing is allowed."""
    Model().power(2.0)
    with configure(min_compute_seconds=3600.0, persistence=persistence):
        Model().power.refresh(2.0)
    assert len(entry_files(cache_dir)) == left


# -- upkeep -----------------------------------------------------------------------------------------------------------


def leave(place: Path, name: str = f"1-{'0' * 16}.draft") -> Path:
    """A draft that a dead process has left."""
    (place / ".work").mkdir(parents=True, exist_ok=True)
    (place / ".work" / name).touch()
    return place / ".work" / name


def test_upkeep_tidies_and_tells(cache_dir: Path, size: int) -> None:
    """Leftovers and what is beyond the limits are removed, and the rest is counted."""
    store(*"abcd")
    set_ages(cache_dir, a=500, b=400)
    leave(cache_dir)
    assert stored.upkeep() == Upkeep(4, 4 * size, 0, 0, 1)
    with configure(max_age=450.0):
        assert stored.upkeep() == Upkeep(3, 3 * size, 1, size, 0)
    with configure(max_bytes=2 * size):
        assert stored.upkeep() == Upkeep(1, size, 2, 2 * size, 0)
    shutil.rmtree(cache_dir)
    assert stored.upkeep() == Upkeep()
    with configure(store=MemoryStore()):
        store("a")
        assert stored.upkeep() == Upkeep()


@pytest.mark.parametrize("settings", [{"persistence": "r"}, {"persistence": ""}, {"disable": True}])
def test_upkeep_needs_the_right_to_write(cache_dir: Path, settings: dict[str, Any]) -> None:
    """Where nothing may be written nothing is removed, and that is an error with a way out."""
    draft = leave(cache_dir)
    with configure(**settings), pytest.raises(ConfigurationError, match="give it persistence='rw' and disable=False"):
        stored.upkeep()
    assert draft.exists()


def test_upkeep_that_fails_is_an_error(cache_dir: Path) -> None:
    """Whoever asks for upkeep is told when the directory cannot be read."""
    leave(cache_dir)
    with without_handles(), pytest.raises(OSError, match="Too many open files"):
        stored.upkeep()


def test_the_first_write_clears_leftovers(cache_dir: Path) -> None:
    """A process clears a directory when it first writes there, and not each time; reading clears nothing."""
    draft = leave(cache_dir)
    assert new_user().getStoredObject("a") is None
    assert draft.exists()
    store("a")
    assert not draft.exists()
    leave(cache_dir)
    store("b")
    assert draft.exists()


@pytest.mark.parametrize("step", ["clear_leftovers", "trim"])
def test_upkeep_that_fails_costs_nothing(step: str) -> None:
    """Results are stored though upkeep fails, with one warning at the caller's line."""

    class Failing(MemoryStore):
        def location(self, name: str = "") -> str:
            return f"a store without {step}"

        def refuse(self, *_: object) -> Any:
            raise OSError("no such thing")

    setattr(Failing, step, Failing.refuse)
    with configure(store=Failing(), max_bytes=10**6):
        with pytest.warns(
            PersistenceWarning, match=f"upkeep of a store without {step} failed .no such thing."
        ) as caught:
            for name in "abc":
                new_user().storeObject(name, CONTENT)
        assert [each.filename for each in caught] == [__file__]
        assert new_user().listObjects() == ["a", "b", "c"]


# -- trouble ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("use", [lambda: Model().power.cache_clear(), lambda: new_user().listObjects()])
def test_what_cannot_be_listed_is_told(use: Callable[[], object]) -> None:
    """A listing that fails is not taken for an empty one: it is told once, and what is there stays."""
    Model().power(2.0)
    store("a")
    with without_handles(), pytest.warns(PersistenceWarning, match=r"cannot be listed .*; not all is shown") as caught:
        use()
        use()
    assert [each.filename for each in caught] == [__file__]
    assert new_user().listObjects() == ["a"]
    assert Model().power(2.0) == 4.0
    assert CALLS == [2.0]


def test_known_trouble_is_not_told_again() -> None:
    """Of a directory that could not be read it is not said too that it cannot be listed."""
    store("a")
    with without_handles():
        with pytest.warns(PersistenceWarning, match="cannot be read"):
            assert new_user().getStoredObject("a") is None
        assert new_user().listObjects() == []


def open_directory(tmp_path: Path) -> Path:
    """A directory with an entry in which everybody can write."""
    with configure(cache_dir=tmp_path / "made"):
        store("a")
    (tmp_path / "made").rename(tmp_path / "open")
    (tmp_path / "open").chmod(0o777)
    return tmp_path / "open"


@pytest.mark.parametrize("use", [lambda: new_user().getStoredObject("a"), lambda: new_user().storeObject("b", 1)])
def test_a_directory_open_to_everybody_is_told(tmp_path: Path, use: Callable[[], object]) -> None:
    """Whoever reads or writes where everybody can write is warned once, at the caller's line, with a way out."""
    place = open_directory(tmp_path)
    message = rf"{place} can be written to by everybody on this computer: .*chmod o-w"
    with configure(cache_dir=place):
        with pytest.warns(PersistenceWarning, match=message) as caught:
            use()
        use()
        new_user().storeObject("c", 1)
    assert [each.filename for each in caught] == [__file__]


def test_a_shared_directory_open_to_everybody_is_told(tmp_path: Path) -> None:
    """The directory that is named is the one that others can write to, though one's own is private."""
    place = open_directory(tmp_path)
    with configure(shared_dirs=[place]), pytest.warns(PersistenceWarning, match=f"{place} can be written to by"):
        assert new_user().getStoredObject("a") is not None


def test_a_private_directory_is_nothing_to_tell(tmp_path: Path) -> None:
    """A directory that others can read, or have no entry in, is nothing to warn of."""
    place = open_directory(tmp_path)
    with configure(cache_dir=place):
        assert new_user().getStoredObject("b") is None
        place.chmod(0o755)
        assert new_user().getStoredObject("a") is not None


# -- turns ------------------------------------------------------------------------------------------------------------


def compute_gated(end: Connection) -> None:
    GATE.append(end)
    end.send(Model().gated())


def test_what_another_process_computes_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that needs what another computes waits for it, and finds it."""
    with elsewhere(compute_gated) as (_, end):
        assert received(end) == "begun"
        when_waiting(monkeypatch, lambda: end.send("go on"))
        model = Model()
        assert model.gated() == received(end) == 1.0
        assert model.gated.cache_info()[:2] == (1, 0)
    assert CALLS == []


def test_waiting_for_another_process_has_a_limit(cache_dir: Path) -> None:
    """After lock_timeout a result is computed here too, and stored, with one warning at the caller's line."""
    place = DirectoryStore(cache_dir)
    Model().power(2.0)
    (name,) = place.names()
    with held(place, name), configure(lock_timeout=0.0):
        place.delete(name)
        with pytest.warns(
            PersistenceWarning, match=r"power\(x=2\) is still being computed .* 0 s.*lock_timeout"
        ) as caught:
            assert Model().power(2.0) == 4.0
        assert [each.filename for each in caught] == [__file__]
        place.delete(name)
        assert Model().power(2.0) == 4.0
        assert Model().power(2.0) == 4.0
    assert len(CALLS) == 3


@pytest.mark.parametrize("persistence", ["r", "w", ""])
def test_nobody_waits_for_what_it_could_not_find(cache_dir: Path, persistence: str) -> None:
    """Where results are not read, or not written, nobody waits, and no lock is made."""
    place = DirectoryStore(cache_dir)
    Model().power(2.0)
    (name,) = place.names()
    with held(place, name), configure(persistence=persistence):
        place.delete(name)
        locks = list(cache_dir.rglob("*.lock"))
        assert Model().power(2.0) == 4.0
        assert list(cache_dir.rglob("*.lock")) == locks


# -- shared directories -----------------------------------------------------------------------------------------------


@pytest.fixture
def group(tmp_path: Path) -> Iterator[Path]:
    """A directory of a group that is read beneath one's own, with results in it that another user has put there."""
    place = tmp_path / "group"
    with configure(cache_dir=place, key_file=tmp_path / "their key"):
        Model().power(2.0)
        Model().custom()
        new_user().storeObject("a", "theirs")
    CALLS.clear()
    before = snapshot(place)
    with configure(shared_dirs=[place]):
        yield place
    assert snapshot(place) == before, "nothing in the directory of a group is changed"


def snapshot(place: Path) -> dict[str, tuple[int, bytes]]:
    return {str(each): (each.stat().st_mtime_ns, each.read_bytes()) for each in place.rglob("*") if each.is_file()}


def test_results_of_a_group_are_found(group: Path, cache_dir: Path) -> None:
    """What one's own directory does not hold is read from a shared one, and nothing is written for it."""
    assert Model().power.cached(2.0)
    assert Model().power(2.0) == 4.0
    assert new_user().getStoredObject("a") == "theirs"
    assert new_user().listObjects() == ["a"]
    assert CALLS == []
    assert not cache_dir.exists()


def test_own_results_come_first(group: Path, tmp_path: Path, cache_dir: Path) -> None:
    """What is computed or stored is in one's own directory, and found there before the shared ones, in their order."""
    assert Model().power(3.0) == 9.0
    new_user().storeObject("a", "mine")
    assert Model().power.refresh(2.0) == 4.0
    assert new_user().getStoredObject("a") == "mine"
    assert len(entry_files(cache_dir)) == 3
    with configure(cache_dir=tmp_path / "fresh", shared_dirs=[group, cache_dir]):
        assert Model().power.cached(3.0)
        assert new_user().getStoredObject("a") == "theirs"
    with configure(cache_dir=tmp_path / "fresh", shared_dirs=[cache_dir, group]):
        assert new_user().getStoredObject("a") == "mine"


def test_what_was_cleared_stays_away(group: Path) -> None:
    """A shared result that is cleared is hidden, by upkeep too, until it is computed again; others have it still."""
    Model().power.cache_clear()
    assert new_user().removeObject("a") is True
    with configure(max_bytes=0, max_age=0.0):
        stored.upkeep()
    assert not Model().power.cached(2.0)
    assert new_user().getStoredObject("a") is None
    assert new_user().listObjects() == []
    assert Model().power(2.0) == 4.0
    assert CALLS == [2.0]
    assert Model().power.cached(2.0)
    with configure(max_bytes=0):
        stored.upkeep()
    assert not Model().power.cached(2.0)
    with configure(cache_dir=group, shared_dirs=[]):
        assert Model().power.cached(2.0)


def test_pickles_of_others_are_not_loaded(group: Path, tmp_path: Path) -> None:
    """A pickle signed with another user's key is passed over with one warning, and computed; with that key it loads."""
    with configure(key_file=tmp_path / "their key"):
        assert Model().custom.cached()
    with pytest.warns(EntryWarning, match=f"{group}.* was not signed with your key") as caught:
        assert isinstance(Model().custom(), Custom)
    assert [each.filename for each in caught] == [__file__]
    assert CALLS == ["custom"]
    assert isinstance(Model().custom(), Custom)
    assert CALLS == ["custom"]


def test_the_cache_directory_is_ones_own(group: Path, cache_dir: Path) -> None:
    """With shared directories too, getCacheDir gives the one that is written to."""
    assert getCacheDir() == f"{cache_dir}/"
    assert getCacheDir("module") == f"{cache_dir}/module/"


def test_a_shared_directory_need_not_be_there(cache_dir: Path, tmp_path: Path) -> None:
    """A directory that is missing holds nothing; one's own serves as ever."""
    with configure(shared_dirs=[tmp_path / "missing"]):
        for _ in range(2):
            assert Model().power(2.0) == 4.0
        assert CALLS == [2.0]
        Model().power.cache_clear()
        assert entry_files(cache_dir) == []
    assert not (tmp_path / "missing").exists()


def test_leftovers_of_a_group_are_its_own_business(group: Path, cache_dir: Path) -> None:
    """Upkeep tidies one's own directory only; a shared one is not even counted."""
    Model().power(3.0)
    (file,) = entry_files(cache_dir)
    assert stored.upkeep() == Upkeep(1, file.stat().st_size)


@pytest.mark.parametrize("method", ["writable_by_others", "compute_turn", "declare_wait"])
def test_a_store_that_fails_costs_persistence_only(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An OSError of the least of a store's methods reaches no caller."""

    def fail(*arguments: object) -> None:
        raise OSError("connection lost")

    store = MemoryStore()
    monkeypatch.setattr(store, method, fail)
    with configure(store=store):
        assert Model().power(3.0) == Model().power(3.0) == 9.0


def test_a_shared_directory_that_cannot_be_read_is_told_once(tmp_path: Path, cache_dir: Path) -> None:
    """Whatever is asked for and stored, there is one warning, with the directory and the way out."""
    (tmp_path / "group").touch()
    with (
        configure(shared_dirs=[tmp_path / "group"]),
        pytest.warns(PersistenceWarning, match=rf"{tmp_path}/group cannot be read .*shared_dirs") as caught,
    ):
        assert [Model().power(float(x)) for x in range(4)] == [0.0, 1.0, 4.0, 9.0]
        assert new_user().listObjects() == []
    assert [each.filename for each in caught] == [__file__]


def test_quick_methods_take_no_locks(cache_dir: Path) -> None:
    """A method whose results are not worth storing waits for nobody, and keeps nobody waiting, from then on."""
    model = Model()
    with configure(min_compute_seconds=1e6):
        model.power(1.0)
        place = DirectoryStore(cache_dir)
        with held(place, model_name(model, 2.0)), configure(lock_timeout=0.0):
            assert model.power(2.0) == 4.0
    assert CALLS == [1.0, 2.0]


def model_name(model: Model, x: float) -> str:
    """The name of a result in the store."""
    definition: Any = Model.power._self_definition
    return str(results_for(definition, model).key(model, bound_call(definition, model, (x,), {})).entry_name())


def test_short_ages_are_kept(cache_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a max_age below an hour, writing tidies up accordingly often."""
    now = [time.monotonic()]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    with configure(max_age=100.0):
        Model().power(1.0)
        for file in entry_files(cache_dir):
            os.utime(file, (1.0, 1.0))
        now[0] += 11.0
        Model().power(2.0)
        assert len(entry_files(cache_dir)) == 1


def test_threads_that_wait_for_each_other_by_other_means_end(cache_dir: Path) -> None:
    """A call that waits for a thread which needs the very same result: the thread computes at the limit, and warns."""
    with ThreadPoolExecutor(1) as pool:

        @keyed_by("n")
        class Recursive:
            n = 1

            @stored.stored(ignore=("depth",), version="1")
            def value(self, depth: int) -> int:
                return pool.submit(self.value, depth - 1).result(60) + 1 if depth else 0

        message = "is still being computed by another thread after 0.01 s"
        with configure(lock_timeout=0.01), pytest.warns(PersistenceWarning, match=message):
            assert Recursive().value(1) == 1


def test_drafts_of_the_key_are_removed(tmp_path: Path, cache_dir: Path) -> None:
    """What a process left that died while it made the key goes with upkeep, an hour later; other files stay."""
    Model().custom()
    folder = settings().key_file.parent
    old, new, other = (folder / name for name in (f"key.1.{'0' * 16}", f"key.2.{'0' * 16}", "key.old"))
    for file in (old, new, other):
        file.write_bytes(b"secret")
    for file in (old, other):
        os.utime(file, (1.0, 1.0))
    stored.upkeep()
    assert sorted(each.name for each in folder.iterdir()) == sorted(["key", new.name, other.name])


def test_a_layer_that_cannot_be_listed_is_told() -> None:
    """What one's own layer holds is listed, and the layer that cannot be is named."""
    store = LayeredStore(MemoryStore(), Failing())
    with configure(store=store), pytest.warns(PersistenceWarning, match="shared directory the failing one cannot be"):
        new_user().storeObject("a", 1)
        assert new_user().listObjects() == ["a"]
