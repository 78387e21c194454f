"""What a storage space holds in memory, and its shortcuts, which change no result."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from stored import configure
from stored._engine import user as user_module
from stored._engine.space import UserSpace
from stored.stores import MemoryStore
from tests.engine.models import CURVE, FALLING, SURFACE, Model, Odd, X, evaluated, repeat

OBJECT_NAMES: list[Any] = ["t", np.str_("t"), Odd("t"), "u", 5, None, b"t", ("t",), ["t"]]
TABLES: list[Any] = [CURVE, FALLING, SURFACE, [1, 2], None, np.arange(3.0)]
FLAGS: list[Any] = [False, True, 0, 1, 2, None, np.True_, []]
ANY_NAME = st.sampled_from(["t"] * len(OBJECT_NAMES) + OBJECT_NAMES)
OPTIONS = st.fixed_dictionaries(
    {"interpolator": st.sampled_from(FLAGS)},
    optional=dict.fromkeys(["inverse", "linear_interp", "store_interpolator"], st.sampled_from(FLAGS)),
)
OFTEN = st.sampled_from([{}, {"linear_interp": None}, *[{"interpolator": flag} for flag in FLAGS[1:5]]])
READ = st.tuples(st.just("read"), ANY_NAME, st.one_of(OFTEN, OPTIONS), st.sampled_from([False] * 5 + [True]))
STORE = st.tuples(
    st.just("store"), st.sampled_from(OBJECT_NAMES[:4]), st.sampled_from([*TABLES[:3], *TABLES]), st.booleans()
)
REMOVE = st.tuples(st.just("remove"), ANY_NAME)
OTHER = st.sampled_from([("reset",), ("change", 1), ("change", 2), ("restart",)])


def outcome(model: Model, path: Path, step: str, *arguments: Any) -> Any:
    """What a step gives, or raises; of splines, their values, and whether a repeated call gives the same object."""
    user = model.su
    if step == "change":
        model.n = arguments[0]
    elif step == "restart":
        model.__init__(model.n)  # type: ignore[misc]
    elif step == "reset":
        user.resetStorage()
    try:
        if step == "store":
            user.storeObject(*arguments)
        elif step == "remove":
            return user.removeObject(*arguments)
        elif step == "read":
            name, options, has_path = arguments
            results = repeat(lambda: user.getStoredObject(name, **options, path=path if has_path else None))
            return [repr(evaluated(each)) for each in results], has_path or results[0] is results[2]
    except Exception as error:
        return type(error), str(error)
    return len(model.announced)


@pytest.fixture(scope="module")
def shared_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("tables") / "table.txt"
    np.savetxt(file, FALLING.T, header="x y")
    return file


@hypothesis_settings(max_examples=80, deadline=None)
@given(steps=st.lists(st.one_of(READ, READ, READ, STORE, STORE, REMOVE, OTHER), min_size=20, max_size=60))
def test_shortcuts_to_objects_change_nothing(shared_file: Path, steps: list[Any]) -> None:
    """Objects and interpolators, by names and flags of all kinds, are those that are found without shortcuts."""

    def outcomes() -> list[Any]:
        with configure(store=MemoryStore()):
            model = Model()
            return [outcome(model, shared_file, *step) for step in steps]

    short = outcomes()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(UserSpace, "add_shortcut", lambda *_: None)
        assert short == outcomes()


@pytest.mark.parametrize(
    "options", [{}, {"interpolator": 2}, {"interpolator": True, "inverse": 1, "linear_interp": True}]
)
@pytest.mark.parametrize("end", ["store", "remove", "reset", "change", "elsewhere"])
def test_what_ends_an_object_ends_its_shortcut(options: dict[str, Any], end: str) -> None:
    """Storing again, removing, a reset and a change of the string are noticed by the next of many calls."""
    model = Model(persistence="")
    tables = [np.array([X, slope * X]) for slope in (1.0, 2.0)]

    def get() -> Any:
        return model.su.getStoredObject("t", **options)

    def value(found: Any) -> Any:
        return None if found is None else evaluated(found).tolist()

    model.su.storeObject("t", tables[0])
    before, *_ = map(value, repeat(get))
    if end == "store":
        model.su.storeObject("t", tables[1])
    elif end == "remove":
        assert model.su.removeObject("t")
    elif end == "reset":
        model.su.resetStorage()
    elif end == "change":
        model.n = 2.0
    else:
        model.su.storeObject("u", tables[1])
    after = list(map(value, repeat(get)))
    if end == "store":
        assert after[0] not in (None, before)
    assert after == [before if end == "elsewhere" else after[0] if end == "store" else None] * 3
    assert model.announced == ([2.0] if end == "change" else [])


@pytest.mark.parametrize("name", [5, None, b"t", ["t"], {}, ("t", False, False, False)])
def test_a_name_that_is_no_text_is_refused_beside_shortcuts(name: Any) -> None:
    """However often objects are found by name, what is no text is refused as a name, hashable or not."""
    user = Model().su
    user.storeObject("t", CURVE)
    for _ in range(3):
        assert user.getStoredObject("t") is not None
        with pytest.raises(TypeError, match=r"object_name is .* it must be a str"):
            user.getStoredObject(name)


def test_an_interpolator_of_a_table_that_was_replaced_meanwhile_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """If another thread stores a table while an interpolator is made of the one before, the next is made of the new."""
    user, real = Model().su, user_module._interpolator
    tables = [np.array([np.arange(9.0), slope * np.arange(9.0)]) for slope in (1.0, 2.0)]

    def slowly(*arguments: Any) -> Any:
        made = real(*arguments)
        user.storeObject("t", tables[1], persistent=False)
        return made

    user.storeObject("t", tables[0], persistent=False)
    monkeypatch.setattr(user_module, "_interpolator", slowly)
    assert user.getStoredObject("t", interpolator=True)(2.0) == pytest.approx(2.0)
    monkeypatch.undo()
    for _ in range(3):
        assert user.getStoredObject("t", interpolator=True)(2.0) == pytest.approx(4.0)
