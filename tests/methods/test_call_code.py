"""The code generated for a method's calls takes arguments as the method does, and finds nothing old."""

from __future__ import annotations

import gc
import inspect
import os
import subprocess
import sys
import weakref
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytest

from stored import Axis, PersistenceWarning, StorageUser, configure, keyed_by, stored
from stored._methods.call_code import CallCode
from tests.methods.models import CALLS, Colour, Model, alike_classes, repeated, with_and_without_storage_users

# -- profilers --


@keyed_by("a")
class Profiled:
    """Calls of all kinds of generated code."""

    def __init__(self, a: float) -> None:
        self.a = a

    @stored(persistent=False)
    def value(self, x: object) -> str:
        return f"{self.a} {x}"

    @stored(persistent=False, interpolate=Axis("z", 0.0, 1.0))
    def curve(self, z: float) -> float:
        return self.a * z

    @stored(persistent=False, interpolate=(Axis("z", 0.0, 1.0), Axis("k", 0.0, 1.0)))
    def surface(self, z: float, k: float) -> float:
        return self.a * z * k


def test_generated_code_has_a_module_by_name() -> None:
    """Profilers and tracers ask for it in each frame; one that fails there is switched off by Python."""
    nameless: list[str] = []

    def look(frame: FrameType, event: str, argument: object) -> None:
        if "__name__" not in frame.f_globals:
            nameless.append(frame.f_code.co_qualname)

    sys.setprofile(look)
    try:
        with configure(memory_sets=2):
            for number in range(40):
                model = Profiled(float(number // 2))
                repeated(model.value, Colour.RED)
                repeated(model.curve, 0.5)
                repeated(model.surface, 0.5, 0.5)
                model.a += number % 2
                repeated(model.value, number)
    finally:
        sys.setprofile(None)
    assert not nameless


# -- signatures and names --


SPELLINGS: dict[str, list[tuple[tuple[Any, ...], dict[str, Any]]]] = {
    "several": [((3.0,), {}), ((3.0, 1.0), {}), ((3.0,), {"y": 1.0}), ((3.0,), {"z": 2.0, "y": 1.0})],
    "only_positional": [((3.0,), {}), ((3.0, 1.0), {}), ((np.float64(3.0), 1.0), {})],
    "any_number": [((1.0, 2.0), {"_stored_self": 1.0}), ((1.0, 2.0), {"z": 2.0, "_stored_self": 1.0})],
    "value": [((1.0,), {}), ((), {"x": 1.0}), ((np.float64(1),), {}), ((-1.0 + 2.0,), {})],
    "nothing": [((), {})],
}


@with_and_without_storage_users
@pytest.mark.parametrize("name", SPELLINGS)
def test_all_spellings_of_a_call_are_one(name: str) -> None:
    """However a call is spelled, and however often it is made, it is computed once, and every hit is counted."""
    model = Model()
    method = getattr(model, name)
    expected = method.__wrapped__(*SPELLINGS[name][0][0], **SPELLINGS[name][0][1])
    CALLS.clear()
    for _ in range(3):
        for args, kwargs in SPELLINGS[name]:
            assert getattr(model, name)(*args, **kwargs) == expected
            assert method(*args, **kwargs) == expected
    assert len(CALLS) == 1
    info = method.cache_info()
    assert (info.hits, info.misses) == (6 * len(SPELLINGS[name]) - 1, 1)
    assert info.seconds_saved > 0


@keyed_by("scale", "type", "getattr", "known", "owner")
class Named:
    """Its arguments and parameters have the names of what a compiled call uses."""

    scale = type = getattr = known = owner = 1.0

    @stored(persistent=False)
    def value(
        this,
        KeyError: float,  # noqa: A002
        TypeError: float = 1.0,  # noqa: A002
        /,
        AttributeError: float = 2.0,  # noqa: A002
        self: float = 3.0,
        *,
        type: float = 4.0,  # noqa: A002
        getattr: float = 5.0,  # noqa: A002
        self2: float = 6.0,
        known: float = 7.0,
        hit: float = 8.0,
        owner: float = 9.0,
        make: float = 10.0,
    ) -> tuple[float, ...]:
        CALLS.append(this.scale)
        return (KeyError, TypeError, AttributeError, self, type, getattr, self2, known, hit, owner, make)


@with_and_without_storage_users
def test_arguments_may_have_any_names() -> None:
    """Names that the compiled call could use itself are arguments like others, and so are names of parameters."""
    model = Named()
    assert repeated(model.value, 0.0) == tuple(map(float, range(11)))
    for _ in range(3):
        assert model.value(0.0, type=0.5, make=0.5)[4:] == (0.5, 5.0, 6.0, 7.0, 8.0, 9.0, 0.5)
        with pytest.raises(TypeError, match="missing 1 required positional argument: 'KeyError'"):
            Named.value(model)
    model.known = 2.0
    assert repeated(model.value, 0.0, 1.0, 2.0, 3.0) == tuple(map(float, range(11)))
    assert len(CALLS) == 3


def test_reserved_names_are_refused() -> None:
    """An argument whose name the compiled call uses itself is a TypeError at once."""
    with pytest.raises(TypeError, match="'_stored_x' has a name that begins with _stored"):

        @stored
        def method(self: object, _stored_x: float) -> float:
            return _stored_x


MICRO, MU = "\u00b5", "\u03bc"  # the sign of the unit, and the letter that Python takes it for


@with_and_without_storage_users
def test_names_are_those_that_python_makes_of_them() -> None:
    """Parameters may have names that Python writes in another way, and a change of them is noticed."""
    source = f"""
@keyed_by("{MICRO}", "b")
class Owner:
    {MICRO} = b = 1.0

    @stored(persistent=False, depends=("{MICRO}",))
    def value(self):
        return self.{MU}
"""
    scope: dict[str, Any] = {"keyed_by": keyed_by, "stored": stored}
    exec(source, scope)
    owner = scope["Owner"]()
    for value in (1.0, 2.0, 1.0):
        setattr(owner, MU, value)
        assert repeated(owner.value) == value


# -- code that is replaced --


ENDS = pytest.mark.parametrize(
    "end",
    [
        lambda owner, name: getattr(owner, name).cache_clear(),
        lambda owner, name: getattr(owner, name).cache_clear(1.0),
        lambda owner, name: getattr(type(owner), name).cache_clear(),
        lambda *_: configure(disable=True),
        lambda owner, _: setattr(owner, "scale", 3.0),
    ],
    ids=["clear", "clear call", "clear class", "disable", "change"],
)


NAMES = pytest.mark.parametrize("name", ["value", "curve"])


@with_and_without_storage_users
@ENDS
@NAMES
@pytest.mark.parametrize("used_again", [False, True])
def test_a_function_that_was_replaced_finds_nothing_old(
    end: Callable[[Any, str], object], name: str, used_again: bool
) -> None:
    """A call that began before another class took over the method's calls computes what has been forgotten since."""
    first, second = alike_classes()
    owner, other = first(), second()
    replaced = []
    for _ in range(1 + used_again):
        repeated(getattr(owner, name), 1.0)
        replaced.append(type(getattr(owner, name)).__call__)
        repeated(getattr(other, name), 1.0)
    assert type(getattr(owner, name)).__call__ is not replaced[0]
    end(owner, name)
    for call in replaced:
        CALLS.clear()
        assert call(getattr(owner, name), 1.0) == getattr(owner, name).__wrapped__(1.0)
        assert len(CALLS) > 1 or call is not replaced[0]


@with_and_without_storage_users
@ENDS
@NAMES
def test_a_shortcut_that_ends_while_it_is_looked_up_answers_nothing(
    end: Callable[[Any, str], object], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If another thread forgets what a call has just found the shortcut to, the call computes."""
    real, ends = shortcuts_class().find, [False]

    def find(self: Any, owner: Any) -> Any:
        found = real(self, owner)
        if ends[0]:
            end(owner, name)
        return found

    monkeypatch.setattr(shortcuts_class(), "find", find)
    kind, _ = alike_classes()
    owner, other = kind(), kind(5.0)
    for each in (owner, other, owner, other):
        repeated(getattr(each, name), 1.0)
    CALLS.clear()
    ends[0] = True
    result = getattr(owner, name)(1.0)
    assert len(CALLS) > 0
    assert result == getattr(owner, name).__wrapped__(1.0)


def shortcuts_class() -> Any:
    """The class in which a compiled function looks its shortcuts up."""
    return type(Model.value._self_definition.call_code._shortcuts)


@pytest.mark.parametrize("has_storage_users", [False], indirect=True)
@pytest.mark.parametrize("of_user", [False, True])
def test_a_change_of_settings_while_a_shortcut_is_made_ends_it(of_user: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """If all shortcuts are invalidated before one that was prepared is added, it is not added."""
    model: Any = Model()
    model.value(1.0)
    real = CallCode.add

    def add(self: CallCode, *arguments: Any) -> None:
        if of_user:
            model.user = StorageUser("m", "", lambda: "Model", lambda: "another", None)
        else:
            configure(disable=True)
        real(self, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(CallCode, "add", add)
        model.value(1.0)
    if of_user:
        model.su = model.user
    model.value(1.0)
    assert len(CALLS) == 2


@with_and_without_storage_users
def test_classes_that_follow_each_other_share_a_function() -> None:
    """Many classes that use a method by turns have their own results, and compile nothing more in the end."""
    first, second = alike_classes()
    owners = first(), second()
    calls = [type(owner.value).__call__ for _ in range(5) for owner in owners if repeated(owner.value, 1.0)]
    assert len(set(calls)) == 2
    CALLS.clear()
    base = alike_classes()[0].__mro__[1]
    functions = set()
    for number in range(20):
        kind = keyed_by("scale", f"other{number}")(type("Kind", (base,), {f"other{number}": 1.0}))
        owner = kind(float(number))
        assert repeated(owner.value, 1.0) == (number, 1.0)
        functions.add(type(owner.value).__call__)
        setattr(owner, f"other{number}", 2.0)
        repeated(owner.value, 1.0)
        del owner
    assert len(CALLS) == 40
    assert len(functions) < 12


# -- its surroundings --


FORK = """
import os, signal, threading
from stored import UnstableKeyError, keyed_by, stored

@keyed_by("scale")
class Model:
    scale = 2.0

    @stored(persistent=False)
    def value(self, x):
        return self.scale * x

model, held, over = Model(), threading.Event(), threading.Event()
model.value(1.0)

def hold():
    with Model.value._self_definition.call_code._lock:
        held.set()
        over.wait(60)

def fork():
    child = os.fork()
    if not child:
        signal.alarm(20)  # a deadlock ends too
        good = [model.value(1.0) for _ in range(3)] == [2.0] * 3
        model.value.cache_clear()
        os._exit(not good or model.value(3.0) != 6.0)
    codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))

codes = []
holder, forker = threading.Thread(target=hold), threading.Thread(target=fork)
holder.start()
held.wait(60)
forker.start()
forker.join()
over.set()
holder.join()
raise SystemExit(codes != [0])
"""


def test_a_forked_process_takes_shortcuts_though_another_thread_held_the_lock() -> None:
    """Forked by a thread while another makes or ends a shortcut, the child calls, and takes shortcuts of its own."""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", FORK], timeout=120, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


COVERED = """
from stored import keyed_by, stored

@keyed_by("a")
class Model:
    a = 1.0

    @stored(persistent=False)
    def value(self):
        return self.a

assert [Model().value() for _ in range(3)] == [1.0] * 3
"""


def test_coverage_is_not_disturbed(tmp_path: Path) -> None:
    """A user can measure the coverage of a program, and is not asked for sources that there are not."""
    (tmp_path / "program.py").write_text(COVERED)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    for command in (["run", "program.py"], ["report"]):
        done = subprocess.run(
            [sys.executable, "-m", "coverage", *command],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_a_warning_tells_the_line_of_the_call(tmp_path: Path) -> None:
    """Warnings from within a call of a stored method, the first and others, name the line where it was called."""
    (tmp_path / "blocked").write_text("a file where a directory is needed")

    @keyed_by("scale")
    class Owner:
        scale = 2.0

        @stored
        def value(self, x: float = 1.0) -> float:
            return self.scale * x

    owner = Owner()
    with configure(persistence=""):
        repeated(owner.value)
    for number in range(3):
        with configure(cache_dir=tmp_path / "blocked" / str(number)), pytest.warns(PersistenceWarning) as caught:
            frame: Any = inspect.currentframe()
            line, _ = frame.f_lineno, owner.value(float(number + 2))
        assert {(each.filename, each.lineno) for each in caught} == {(__file__, line)}


# -- what the code compares with --


@keyed_by("x")
class Base:
    def __init__(self, x: float) -> None:
        self.x = x

    @stored(persistent=False)
    def value(self) -> float:
        return self.x + self.offset()

    def offset(self) -> float:
        return 1.0


def test_a_class_is_freed_whose_objects_have_called_a_method_of_its_base() -> None:
    """And the method goes on to notice what changes, for other objects."""

    def use() -> weakref.ref[type]:
        class Sub(Base):
            def offset(self) -> float:
                return 2.0

        for x in (1.0, 2.0, 1.0):
            owner = Sub(x)
            assert [owner.value() for _ in range(3)] == [x + 2.0] * 3
        return weakref.ref(Sub)

    found = [use() for _ in range(3)]
    gc.collect()
    assert [each() for each in found] == [None] * 3
    for x in (1.0, 2.0):
        for offset in (1.0, 5.0):
            Base.offset = lambda self, offset=offset: offset  # type: ignore[method-assign,misc]
            owner = Base(x)
            assert [owner.value() for _ in range(3)] == [x + offset] * 3
            del owner
            gc.collect()
