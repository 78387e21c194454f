"""What arrives in this process from a script: its class, its methods and its results are the script's."""

from __future__ import annotations

import dataclasses
import pickle
import re
import subprocess
import sys
import warnings
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from stored import Interpolant, StorageUser, configure, keyed_by, storage_user, stored
from stored._keys import function_tree, sent_main
from stored._methods import sent_method
from stored._settings import sent, settings
from stored._storage import current_store
from stored.errors import ConfigurationError
from stored.stores import DirectoryStore, MemoryStore
from stored.typing import Buffer
from tests.travel.scripts import MODEL, start

cloudpickle = pytest.importorskip("cloudpickle")

SENDING = """
class Outer:
    @keyed_by("a")
    class Inner:
        def __init__(self, a):
            self.a = a

        @stored
        def slow(self):
            return [helper(self.a)]


def local(scale):
    @keyed_by("a")
    class Local:
        def __init__(self, a):
            self.a = a

        @stored(persistent=True)
        def slow(self):
            return scale * helper(self.a)

    return Local


class Telling:  # with a StorageUser of its own
    def __init__(self):
        self.user = stored_user(self)

    def name(self):
        return "telling"

    def text(self):
        return "a=1"


def stored_user(owner):
    from stored import StorageUser

    return StorageUser("telling", "rw", owner.name, owner.text, None)


if __name__ == "__main__":
    import cloudpickle

    model = Model(2.0)
    alone, telling = Model(5.0), Telling()
    users = storage_user(alone)
    users.storeObject("mine", [1.0, 2.0], persistent=True)
    telling.user.storeObject("its", [3.0], persistent=True)
    sent = {
        "model": model, "method": model.slow, "of class": Model.__dict__["grid"], "work": work,
        "inner": Outer.Inner(4.0),
        "local": local(2.0)(7.0), "user": (users, alone), "telling": telling, "interpolant": model.table.interpolant(),
    }
    expected = model.slow(1.0), sent["inner"].slow(), sent["local"].slow(), model.grid().points
    with open(os.environ["SENT_OF_TEST"], "wb") as file, SETTINGS:
        file.write(cloudpickle.dumps(sent))
        file.write(cloudpickle.dumps({"model": model}))
    print(json.dumps([expected, computed()]))
"""


@pytest.fixture
def arrive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """A function that lets a script send, in a process of its own, and gives what arrives here."""
    monkeypatch.setattr(sent, "_adopted", sent._Adopted())
    monkeypatch.setattr(sent_main, "_sent", None)
    monkeypatch.setattr(sent_main, "_functions", [])
    log, file = tmp_path / "log", tmp_path / "sent"
    monkeypatch.setenv("LOG_OF_TEST", str(log))
    monkeypatch.setenv("SENT_OF_TEST", str(file))
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2]))

    def run(within: str = "configure()", sending: str = SENDING) -> Any:
        told = start(MODEL + sending.replace("SETTINGS", within), tmp_path)
        with file.open("rb") as opened:
            return [pickle.load(opened), pickle.load(opened)], told

    return run


def log_of(tmp_path: Path) -> list[str]:
    """The arguments that were computed."""
    return (tmp_path / "log").read_text().split()


def test_results_of_the_script_are_found_here(arrive: Callable[..., Any], tmp_path: Path) -> None:
    """By its classes, inner and local ones too; nothing is computed a second time, and pickled results are signed."""
    (got, _), (expected, computed) = arrive()
    model = got["model"]
    assert got["method"](1.0) == model.slow(1.0) == expected[0]
    assert [got["inner"].slow(), got["local"].slow(), model.grid().points] == expected[1:]
    assert got["work"](model, 1.0)[0] == expected[0]
    assert len(log_of(tmp_path)) == computed == 1
    assert got["inner"].slow.cache_info().persistent_hits == got["local"].slow.cache_info().persistent_hits == 1
    assert model.slow(8.0) == 48.0
    assert len(log_of(tmp_path)) == 2


def test_the_method_is_a_stored_one(arrive: Callable[..., Any]) -> None:
    """With its attributes; what arrives again is the same one, and this process sends it on and back."""
    (got, again), _ = arrive()
    kind = type(got["model"])
    assert kind.__dict__["grid"] is got["of class"] is type(again["model"]).__dict__["grid"]
    assert repr(kind.slow) == "<stored method Model.slow>"
    assert kind.slow.__qualname__ == "Model.slow"
    back = pickle.loads(cloudpickle.dumps(got["model"]))
    assert type(back).__dict__["grid"] is got["of class"]
    assert back.table.inverse(2.25) == pytest.approx(0.5)
    assert "persistent_hits" in repr(back.slow.cache_info())


def test_users_find_what_was_stored(arrive: Callable[..., Any]) -> None:
    """Those of an owner that holds none, and those that it holds; interpolants are what they were."""
    (got, _), _ = arrive()
    user, owner = got["user"]
    assert user is storage_user(owner)
    assert user.getStoredObject("mine") == [1.0, 2.0]
    assert isinstance(got["telling"].user, StorageUser)
    assert got["telling"].user.getStoredObject("its") == [3.0]
    assert isinstance(got["interpolant"], Interpolant)
    assert got["interpolant"](0.5) == pytest.approx(2.25)


def test_settings_of_the_script_are_in_force_here(arrive: Callable[..., Any], tmp_path: Path) -> None:
    """Under those of this process; the key that signs is never sent, and the latest to arrive count."""
    there = tmp_path / "there"
    arrive(f"configure(cache_dir={str(there)!r}, lock_timeout=7.0, max_bytes=10**9)")
    now = settings()
    assert (now.lock_timeout, now.max_bytes) == (7.0, 10**9)
    assert now.cache_dir == tmp_path / "cache"  # by configure() of this process
    assert all("key" not in name for name in sent._adopted.sent.values)  # type: ignore[union-attr]
    with configure(max_bytes=5000):
        assert (settings().lock_timeout, settings().max_bytes) == (7.0, 5000)
    arrive(f"configure(cache_dir={str(there)!r}, lock_timeout=8.0, max_bytes=None)")
    assert (settings().lock_timeout, settings().max_bytes) == (8.0, None)


def test_settings_that_do_not_go_together_are_left(
    arrive: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as a key that would lie in the directory of results: those of this process stay."""

    def refused(*_: object, **__: object) -> None:
        raise ConfigurationError("the key would lie among the results")

    monkeypatch.setattr(sent, "add_layer", refused)
    before = settings()
    (got, _), (expected, _) = arrive("configure(lock_timeout=7.0)")
    assert settings() == before
    assert got["model"].slow(1.0) == expected[0]


class Anywhere(DirectoryStore):
    """A store of the user's own."""


class Unsendable(Anywhere):
    """One that cannot be sent."""

    def __reduce__(self) -> Any:
        raise TypeError("open connections cannot be pickled")

    def write(self, name: str, parts: Sequence[Buffer]) -> None:
        """As before."""
        super().write(name, parts)


@pytest.mark.parametrize("kind", [Anywhere, Unsendable, MemoryStore])
def test_a_store_is_sent_if_it_can_be(kind: Any, tmp_path: Path) -> None:
    """If not, the other process keeps nothing on disk, since it would be in another place."""
    with configure(store=kind() if kind is MemoryStore else kind(tmp_path / "own")):
        values = sent.sent_settings().values
        assert sent.sent_settings() is not None
        assert (values.get("store") is not None) is (kind is Anywhere) is sent.can_travel(current_store())
        assert values.get("persistence", "rw") == ("rw" if kind is Anywhere else "")
    assert sent.sent_settings().values.get("store") is None


def test_the_script_is_told_from_the_program_here(arrive: Callable[..., Any]) -> None:
    """Keys of what arrived name the script, not the program that runs here."""
    (got, _), _ = arrive()
    assert sent_main.main_module().name == "__main__:script.py"
    assert re.search(r"script\.py", storage_user(got["model"]).module)


def test_pickled_results_of_its_classes_are_kept(arrive: Callable[..., Any], tmp_path: Path) -> None:
    """Those of classes that arrived with it: the script finds what was computed here."""
    (got, _), _ = arrive()
    other = type(got["model"])(9.0)
    assert other.grid().points == [9.0, 3.0]
    assert other.grid.cache_info().stores == 1
    code = "print(json.dumps([Model(9.0).grid().points, Model(9.0).grid.cache_info().persistent_hits]))\n"
    twice = "model = Model(9.0)\nmodel.grid()\n" + code.replace("Model(9.0)", "model")
    assert start(MODEL + twice, tmp_path) == [[9.0, 3.0], 1]


def test_edited_code_is_told_by_what_arrives(arrive: Callable[..., Any], tmp_path: Path) -> None:
    """A class of the same name that was edited has results of its own."""
    (first, _), _ = arrive()
    edited = MODEL.replace("FACTOR * x", "FACTOR * x + 1.0")
    told = start(edited + SENDING.replace("SETTINGS", "configure()"), tmp_path)
    with (tmp_path / "sent").open("rb") as opened:
        second = pickle.load(opened)
    assert second["model"].slow(1.0) == told[0][0] == 8.0
    assert first["model"].slow(1.0) == 6.0
    assert len(log_of(tmp_path)) == 2


# -- in one process ---------------------------------------------------------------------------------------------------


def make_classes() -> list[type]:
    """Classes without importable names: one in a function, and one in another class."""

    @keyed_by("a")
    class Local:
        def __init__(self, a: float) -> None:
            self.a = a

        @stored
        def slow(self) -> float:
            """A result."""
            return 2.0 * self.a

    @keyed_by("a")
    class Inner(Local):
        @stored
        def more(self) -> float:
            """Another one."""
            return 3.0 * self.a

    Inner.__qualname__ = "make_classes.<locals>.Outer.Inner"
    return [Local, Inner]


def test_what_is_sent_to_itself_is_what_it_was() -> None:
    """A class that was made in a function, by value and back: its methods are the same objects."""
    Model: Any = make_classes()[0]
    model = Model(1.0)
    assert model.slow() == 2.0
    back = pickle.loads(cloudpickle.dumps(model))
    assert type(back).__dict__["slow"] is Model.__dict__["slow"]
    assert back.slow() == 2.0
    bound = pickle.loads(cloudpickle.dumps(model.slow))
    assert bound() == 2.0


def test_a_method_may_arrive_in_another_class() -> None:
    """As one that somebody has put there under another name: that class keeps its own name."""
    Model: Any = make_classes()[0]
    given = (vars(Model)["slow"], keyed_by("a"))
    calls = """
method, keyed = given
class Other:
    a = 3.0
Other.slow = method
assert keyed(Other)().slow() == 6.0
assert Other.__qualname__ == "Other"
given = None
"""
    assert pickle.loads(hop(given, calls)) is None


def test_a_method_without_a_class_can_be_sent() -> None:
    """It is not known then what its code reaches."""

    @stored
    def slow(self: Any) -> float:
        return 1.0

    back = pickle.loads(cloudpickle.dumps(slow))
    assert back is slow


class Called:
    """A method that is no function."""

    __name__ = __qualname__ = "called"

    def __call__(self, owner: Any) -> float:
        """A result."""
        return 3.0


def test_a_method_that_is_no_function_can_be_sent() -> None:
    """Such as an object that can be called."""
    called = Called()
    called.__qualname__ = "Called.called"
    method = stored(version="1")(called)
    arrived = pickle.loads(cloudpickle.dumps(sent_method.sent_method(method, None)))
    assert arrived.definition().function(None) == 3.0


def test_sending_a_method_of_which_the_code_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is sent all the same, without a version by which it would be known again."""

    @keyed_by("a")
    class Model:
        a = 1.0

        @stored
        def slow(self) -> float:
            """A result."""
            return self.a

    def fails(*_: object) -> None:
        raise RuntimeError("cannot be read")

    method = vars(Model)["slow"]
    monkeypatch.setattr(method.__stored_method__, "code_of", fails)
    sent_by = sent_method.sent_method(method, Model)
    assert sent_by.version is None
    monkeypatch.setattr(sent, "_PROGRAM", "another")
    assert sent_method.known_here(sent_by) is None
    monkeypatch.undo()
    assert sent_method.known_here(sent_by) is method


def test_cloudpickle_is_told_to_send_a_module_by_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then its classes have no name by which others find them."""
    (tmp_path / "by_value.py").write_text(
        "from stored import keyed_by, stored\n@keyed_by('a')\nclass Model:\n    a = 1.0\n    @stored\n"
        "    def slow(self):\n        return self.a\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    import by_value  # type: ignore[import-not-found]

    assert sent_method.has_importable_name(by_value.Model)
    cloudpickle.register_pickle_by_value(by_value)
    try:
        assert not sent_method.has_importable_name(by_value.Model)
        back = pickle.loads(cloudpickle.dumps(by_value.Model()))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert back.slow() == 1.0
    finally:
        cloudpickle.unregister_pickle_by_value(by_value)


# -- from several scripts, and through several processes ---------------------------------------------------------------

VERSIONED = """
import os

import cloudpickle
from stored import keyed_by, stored

FACTOR = FACTOR_OF_TEST


class Result:
    def __init__(self, value):
        self.value = value


@keyed_by("n")
class M:
    def __init__(self, n):
        self.n = n

    @stored(version="1")
    def f(self):
        return self.n * FACTOR

    @stored(version="1")
    def pickled(self):
        return Result(self.n * FACTOR)


if __name__ == "__main__":
    with open(os.environ["SENT_OF_TEST"], "ab") as file:
        file.write(cloudpickle.dumps(M(10.0)))
    print("null")
"""


@pytest.mark.usefixtures("arrive")
def test_classes_of_two_scripts_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever came last: also where the version of the method is given, so that its code does not tell."""
    owners = []
    for name, factor in (("a", "1.0"), ("b", "1000.0")):
        folder = tmp_path / name
        folder.mkdir()
        monkeypatch.setenv("SENT_OF_TEST", str(folder / "sent"))
        start(VERSIONED.replace("FACTOR_OF_TEST", factor), folder, name=f"{name}.py", cache=tmp_path / "cache")
        owners.append(pickle.loads((folder / "sent").read_bytes()))
    first, second = owners
    assert [first.f(), second.f()] == [10.0, 10000.0]
    assert [second.pickled().value, first.pickled().value] == [10000.0, 10.0]
    for owner in owners:
        with configure(memory_sets=0):
            again = type(owner)(10.0)
            assert type(again.pickled()) is type(owner.pickled())
            assert again.pickled.cache_info().persistent_hits == 1
    names = [storage_user(owner).module for owner in owners]
    assert ["a.py" in names[0], "b.py" in names[1]] == [True, True]


LIVE = """
import os

import cloudpickle
from stored import keyed_by, stored

K = 1.0


@keyed_by("n")
class M:
    def __init__(self, n):
        self.n = n

    @stored(version="1")
    def given(self, x):
        return x * K

    @stored(ignore=("K",))
    def ignoring(self, x):
        return x * K

    @stored
    def plain(self, x):
        return x * K


if __name__ == "__main__":
    with open(os.environ["SENT_OF_TEST"], "wb") as file:
        file.write(cloudpickle.dumps(M(1.0)))
        K = 2.0
        file.write(cloudpickle.dumps(M(1.0)))
    print("null")
"""


@pytest.mark.usefixtures("arrive")
def test_what_arrives_later_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where versions leave out what has changed, calls that were never made before are made with the code of now."""
    monkeypatch.setenv("SENT_OF_TEST", str(tmp_path / "live"))
    start(LIVE, tmp_path)
    with (tmp_path / "live").open("rb") as file:
        first = pickle.load(file)
        assert [first.given(3.0), first.ignoring(3.0), first.plain(3.0)] == [3.0, 3.0, 3.0]
        second = pickle.load(file)
    assert [second.given(5.0), second.ignoring(5.0), second.plain(5.0)] == [10.0, 10.0, 10.0]
    assert second.plain(3.0) == 6.0


HOP = """
import pickle
import sys

import cloudpickle

given = pickle.load(sys.stdin.buffer)
CALLS
sys.stdout.buffer.write(cloudpickle.dumps(given))
"""


def hop(given: Any, calls: str = "") -> Any:
    """What comes back from a process that it goes through."""
    code = HOP.replace("CALLS", calls)
    data = given if isinstance(given, bytes) else cloudpickle.dumps(given)
    return subprocess.run([sys.executable, "-c", code], input=data, stdout=subprocess.PIPE, check=True).stdout


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("calls", ["", "given.slow()"])
def test_a_class_that_comes_back_is_as_it_was(number: int, calls: str) -> None:
    """Also from a process that has not looked at it, and by another one: results are found in all of them."""
    kind: Any = make_classes()[number]
    before = {name: value for base in kind.__mro__ for name, value in vars(base).items() if name in {"slow", "more"}}
    owner = kind(4.0)
    back = pickle.loads(hop(hop(owner, calls), "given.slow()"))
    assert type(back) is kind
    assert all(vars(base)[name] is before[name] for name in before for base in kind.__mro__ if name in vars(base))
    assert owner.slow() == 8.0
    assert owner.slow.cache_info().persistent_hits == 1


@pytest.mark.parametrize("slots", [False, True])
def test_dataclasses_that_come_by_value_have_their_form(slots: bool) -> None:
    """As parameters and in code, though the mark of no default is another object after its journey, and slots none."""

    @dataclasses.dataclass(slots=slots)
    class Part:
        x: float
        tags: list[str] = dataclasses.field(default_factory=list)

    @keyed_by("part")
    class Model:
        def __init__(self, part: Any) -> None:
            self.part = part

        @stored
        def slow(self) -> float:
            """Makes another one."""
            return Part(self.part.x).x + self.part.x

    model = Model(Part(3.0))
    # of an object that comes back, slots are lost without stored, too
    hop(model, "assert given.slow() == 6.0, given.slow(); given = None")
    assert model.slow() == 6.0


PARTS = """
import dataclasses
import os

import cloudpickle
from stored import keyed_by, stored


@dataclasses.dataclass
class Part:
    x: float
    tags: list[str] = dataclasses.field(default_factory=list)


@keyed_by("part")
class Model:
    def __init__(self, part):
        self.part = part

    @stored
    def slow(self):
        return Part(self.part.x).x + self.part.x


if __name__ == "__main__":
    model = Model(Part(3.0))
    with open(os.environ["SENT_OF_TEST"], "wb") as file:
        file.write(cloudpickle.dumps(model))
    print(model.slow())
"""


def test_results_for_dataclasses_of_a_script_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a worker: as a parameter, and made by the method."""
    monkeypatch.setenv("SENT_OF_TEST", str(tmp_path / "parts"))
    assert start(PARTS, tmp_path) == 6.0
    calls = "assert given.slow() == 6.0; assert given.slow.cache_info().persistent_hits == 1, given.slow.cache_info()"
    hop((tmp_path / "parts").read_bytes(), calls)


def test_texts_of_many_cells_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of one that arrives, however many there are; of earlier ones the latest."""
    monkeypatch.setattr(function_tree, "_sent_sources", {})
    texts = {f"cell {n}": zlib.compress(f"x = {n}\n".encode()) for n in range(100)}
    function_tree.adopt_sources(texts)
    assert len(function_tree._sent_sources) == 100
    function_tree.adopt_sources({"another": zlib.compress(b"y = 1\n")})
    assert len(function_tree._sent_sources) == 64
    assert list(function_tree._sent_sources.values())[-1] == ("another", ["y = 1\n"])
