"""Masked arrays and records of numpy are values like others, and random generators are refused."""

from __future__ import annotations

import random
import secrets
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stored import UnstableKeyError
from stored._adapters import adapter_of
from stored._keys import canonical
from stored._storage.freezing import copy_for_caller, freeze
from stored._storage.native import NotNativeError
from tests.adapters import round_trips
from tests.adapters.round_trips import by_two_users, comes_back, is_refused_or, plain_trees, read_as
from tests.storage.entries import identical

FIELDS = [("r", "<f8"), ("name", "<U3")]


def masked(*arguments: Any, **options: Any) -> Any:
    return np.ma.MaskedArray(*arguments, **options)


def record_array() -> Any:
    return np.rec.array([(1.0, "a"), (2.0, "bc")], dtype=FIELDS)


def asked_for_fill_value(value: Any) -> Any:
    assert value.fill_value == "N/A"
    return value


def with_attribute(value: Any) -> Any:
    value.scale = [3]
    return value


def with_passed_on(value: Any) -> Any:
    value._optinfo["scale"] = [3]
    return value


ALL: dict[str, Any] = {
    "mask": lambda: masked([1.0, np.nan, 3.0], [0, 1, 0]),
    "no mask": lambda: masked([1.0, 2.0]),
    "full mask": lambda: masked([[1, 2], [3, 4]], [[1, 1], [1, 1]], fill_value=-9),
    "none masked": lambda: masked([1.0, 2.0], [0, 0]),
    "hard mask": lambda: masked([1.0, 2.0], [0, 1], hard_mask=True),
    "fields": lambda: masked(np.array([(1.0, "a"), (2.0, "b")], FIELDS), [(0, 1), (0, 0)]),
    "times": lambda: masked(np.array(["2026-01-01", "NaT"], "M8[D]"), [1, 0]),
    "masked": lambda: np.ma.masked,
    "records": record_array,
    "record": lambda: record_array()[1],
    "fill value of other texts": lambda: asked_for_fill_value(masked(["a", "b"], [0, 1])),
    "fill value of fields": lambda: masked(np.zeros(2, FIELDS), [(0, 1), (0, 0)], fill_value=(5.0, "x")),
    "with an attribute": lambda: with_attribute(masked([1.0])),
    "with what is passed on": lambda: with_passed_on(masked([1.0])),
    "records with an attribute": lambda: with_attribute(record_array()),
    "no dimensions": lambda: masked(3.0, True),
}
round_trips.GOOD |= ALL


def parts(value: Any) -> Any:
    if value is np.ma.masked:
        return (type(value),)
    if isinstance(value, np.ma.MaskedArray):
        fill_value = value._fill_value, repr(getattr(value._fill_value, "dtype", None))
        others = value.hardmask, repr(value.dtype), getattr(value, "scale", None), repr(value._optinfo)
        return type(value), value.data.tobytes(), value.mask, *fill_value, *others
    return type(value), value.tobytes(), repr(value.dtype), getattr(value, "scale", None)


def same(one: Any, other: Any) -> bool:
    return all(
        np.array_equal(*each) if isinstance(each[0], np.ndarray) else identical(*each) for each in pairs(one, other)
    )


def pairs(one: Any, other: Any) -> Any:
    return zip(parts(one), parts(other), strict=True)


@pytest.mark.parametrize("name", ALL)
def test_each_comes_back_as_it_was(name: str, tmp_path: Path) -> None:
    """With what is masked, data under the mask included, and a second user finds it."""
    value = ALL[name]()
    assert same(comes_back(value), value)
    assert same(comes_back([value])[0], value)
    ((first, second),) = by_two_users(tmp_path, [name])
    assert same(first, value)
    assert same(second, value)


def test_each_has_a_key_of_its_own() -> None:
    """Mask, fill value and data under the mask count, and so does that there is no mask."""
    texts = [canonical(make()) for make in ALL.values()]
    assert len(set(texts)) == len(texts)
    assert canonical(masked([1.0, 2.0], [0, 1])) != canonical(masked([1.0, 3.0], [0, 1]))
    assert canonical(masked([1.0, 2.0], [0, 1])) != canonical(masked([1.0, 2.0], [0, 1], fill_value=0))
    assert canonical(record_array()) != canonical(np.asarray(record_array()))


def test_a_fill_value_that_is_not_set_stays_so() -> None:
    """To ask for it would set it, for the caller, too, and for all that is made of the array."""
    value = masked([1.5, 2.0], [1, 0])
    kept: Any = freeze(value)
    hand_out: Any = copy_for_caller(kept)
    for each in (value, kept, hand_out(kept), comes_back(value)):
        assert canonical(each) == canonical(value)
        assert each._fill_value is None
        assert each.astype(int).filled().tolist() == [999999, 2]
    assert comes_back(masked(["a", "b"], [0, 1])).astype("U5").filled().tolist() == ["a", "N/A"]


def test_a_fill_value_of_another_kind_is_pickled() -> None:
    """Nothing but somebody's own code makes one."""
    value = masked([1.0])
    value._fill_value = np.array("a")
    assert canonical(value) != canonical(masked([1.0]))
    with pytest.raises(NotNativeError):
        comes_back(value)


@pytest.mark.parametrize("name", ["with an attribute", "with what is passed on", "records with an attribute"])
def test_attributes_are_copied(name: str) -> None:
    """What a caller does with them, others do not see."""
    value = ALL[name]()
    kept: Any = freeze(value)
    hand_out: Any = copy_for_caller(kept)
    for each in (value, hand_out(kept)):
        (each.scale if hasattr(each, "scale") else each._optinfo["scale"]).append(4)
    assert canonical(kept) == canonical(ALL[name]())


def test_records_without_fields_are_pickled() -> None:
    """An array of numbers can be seen as one of records."""
    value = np.arange(3.0).view(np.recarray)
    assert canonical(value) != canonical(np.arange(3.0))
    with pytest.raises(NotNativeError):
        comes_back(value)


@pytest.mark.parametrize("name", ["mask", "fields", "records", "full mask"])
def test_each_is_the_callers_own(name: str) -> None:
    """What he gets can be changed, its mask and the names of its fields too, and what is kept stays."""
    value = ALL[name]()
    for kept in (freeze(value), freeze(comes_back(value))):
        hand_out = copy_for_caller(kept)
        assert hand_out is not None
        before = canonical(kept)
        given_out = hand_out(kept)
        given_out[0] = given_out[1]
        if given_out.dtype.names:
            given_out.dtype.names = ("x", "y")
        if isinstance(given_out, np.ma.MaskedArray):
            given_out[1] = np.ma.masked
            given_out.fill_value = given_out[0] if given_out.dtype.names is None and given_out.ndim == 1 else None
        assert canonical(kept) == before == canonical(ALL[name]())


def test_records_are_copied_with_their_dtype() -> None:
    """Nobody can rename the fields of what others get."""
    kept = freeze(record_array()[0])
    hand_out = copy_for_caller(kept)
    assert hand_out is not None
    given_out = hand_out(kept)
    given_out.dtype.names = ("x", "y")
    assert kept.dtype.names == ("r", "name")
    objects = np.rec.array([(1, [2])], dtype=[("a", int), ("b", object)])[0]
    copied = freeze(objects)
    objects.b.append(3)
    assert copied.b == [2]


def test_the_arrays_of_an_entry_are_not_copied() -> None:
    """A large masked array is a view of its bytes."""
    found = comes_back(masked(np.arange(1000.0), np.arange(1000) % 2 == 0))
    assert not found.data.flags.owndata
    with pytest.raises(ValueError, match="read-only"):
        found[1] = 3.0


def test_masks_over_other_arrays_are_pickled() -> None:
    """Over records, or objects."""
    for value in (masked(record_array()), masked(np.array([None, 1]), [0, 1])):
        with pytest.raises(NotNativeError):
            comes_back(value)


@given(
    st.sampled_from(["numpy.ma.MaskedArray", "numpy.ma.masked", "numpy.recarray", "numpy.record"])
    | st.just("numpy.random.SeedSequence"),
    plain_trees,
)
def test_forged_entries_are_damaged_or_such_values(name: str, plain: Any) -> None:
    """Whatever stands in them."""
    assert is_refused_or(name, plain)


def test_parts_that_do_not_fit_are_damage() -> None:
    """A mask of another shape, data that are no array, records without fields."""
    data = np.arange(3.0)
    assert read_as("numpy.ma.MaskedArray", (data, None, np.array(1.0), False)) is not None
    assert read_as("numpy.ma.MaskedArray", (data, np.zeros(2, bool), np.array(1.0), False)) is None
    assert read_as("numpy.ma.MaskedArray", ([1.0], None, np.array(1.0), False)) is None
    for fill_value in (1.0, np.ones(2), np.array(1), np.array("1")):
        assert read_as("numpy.ma.MaskedArray", (data, None, fill_value, False)) is None
    for rest in ({"_mask": 3}, {"_optinfo": 3}, [1]):
        assert read_as("numpy.ma.MaskedArray", (data, None, None, False, rest)) is None
    assert read_as("numpy.ma.MaskedArray", [data, None, None, False]) is None
    assert read_as("numpy.recarray", data) is None
    assert read_as("numpy.record", data) is None


# -- random generators ------------------------------------------------------------------------------------------------


class OwnRandom(random.Random):
    pass


GENERATORS: list[Any] = [
    np.random.default_rng(1),
    np.random.RandomState(1),
    np.random.PCG64(1),
    random.Random(1),
    OwnRandom(1),
    secrets.SystemRandom(),
]


@pytest.mark.parametrize("generator", GENERATORS, ids=lambda each: type(each).__name__)
def test_random_generators_are_refused_with_the_reason(generator: Any) -> None:
    """As parameters, as arguments and as results, wherever they stand."""
    owner: Any = round_trips.Maker()
    with pytest.raises(UnstableKeyError, match=r"argument 'name' of .*a random generator, whose state changes"):
        owner.made(generator)
    with pytest.raises(UnstableKeyError, match=r"name\['rng'\]\[0\] is a value of type .*give a seed"):
        owner.made({"rng": [generator]})
    owner.number = generator
    with pytest.raises(UnstableKeyError, match=r"number.* is .*a random generator"):
        owner.made("mask")
    with pytest.raises(TypeError, match=r"was to be kept, a random generator"):
        freeze([generator])


def test_seeds_are_values() -> None:
    """A `SeedSequence` draws nothing by itself; what it has spawned counts."""
    seeds = np.random.SeedSequence(5)
    text = canonical(seeds)
    assert text == canonical(np.random.SeedSequence(5)) != canonical(np.random.SeedSequence(6))
    seeds.spawn(1)
    assert canonical(seeds) != text
    assert canonical(np.random.SeedSequence(5, spawn_key=(1,))) != text
    assert canonical(np.random.SeedSequence(5, pool_size=8)) != text
    found = comes_back(seeds)
    assert found.n_children_spawned == 1
    np.testing.assert_array_equal(found.generate_state(4), seeds.generate_state(4))
    kept = freeze(seeds)
    seeds.spawn(1)
    assert kept.n_children_spawned == 1
    large = np.random.SeedSequence([2**100, 3])
    assert comes_back(large).entropy == [2**100, 3]
    for each in (np.random.SeedSequence(range(100)), np.random.SeedSequence(np.arange(3, dtype=np.uint32))):
        assert canonical(each) != text
        with pytest.raises(NotNativeError):
            comes_back(each)
    assert read_as("numpy.random.SeedSequence", (5, (), 10**6, 0)) is None


def test_threads_that_meet_a_type_at_once_find_it() -> None:
    """The module that knows it is loaded once."""
    found: list[Any] = []
    threads = [threading.Thread(target=lambda: found.append(adapter_of(np.recarray))) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(set(map(id, found))) == 1
