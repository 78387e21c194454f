"""Values of pandas come back from entries exactly as they were, and have other keys if they differ."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pytest

pd = pytest.importorskip("pandas")

from hypothesis import given
from hypothesis import strategies as st

from stored import UnstableKeyError
from stored._adapters import adapter_of, pandas_arrays
from stored._adapters.plain_arrays import array_of
from stored._keys import canonical
from stored._methods.same_values import same_values
from stored._storage import copy_for_caller, freeze
from stored._storage.freezing import freeze_for_callers
from stored._storage.native import NotNativeError
from tests.adapters import round_trips
from tests.science.entries import check_that_forms_agree, from_entry, plain_trees, read_forged
from tests.science.pandas_values import frames, indexes, series


@given(frames())
def test_tables_come_back(frame: Any) -> None:
    """With the dtype of each column, labels, names and attributes."""
    found = check_that_forms_agree(frame)
    pd.testing.assert_frame_equal(found, frame, check_freq=True)
    assert found.attrs == frame.attrs


@given(series())
def test_columns_come_back(column: Any) -> None:
    """With dtype, labels, name and attributes."""
    pd.testing.assert_series_equal(check_that_forms_agree(column), column)


@given(st.integers(0, 5).flatmap(indexes))
def test_indexes_come_back(index: Any) -> None:
    """Of every class, with name and frequency."""
    found = check_that_forms_agree(index)
    pd.testing.assert_index_equal(found, index)
    assert getattr(found, "freq", None) == getattr(index, "freq", None)


SCALARS = [
    pd.NaT,
    pd.NA,
    pd.Timestamp("2020-01-01"),
    pd.Timestamp(2**62),
    pd.Timestamp("2020-01-01", tz="Europe/Berlin"),
    pd.Timestamp("2020-10-25 00:30", tz="UTC").tz_convert("Europe/Berlin"),
    pd.Timestamp("2020-10-25 01:30", tz="UTC").tz_convert("Europe/Berlin"),
    pd.Timestamp("2020-01-01", tz=datetime.UTC).as_unit("s"),
    pd.Timestamp(datetime.datetime(2020, 10, 25, 2, 30, fold=1)),
    pd.Timedelta(5, "s"),
    pd.Timedelta(5, "s").as_unit("ms"),
    pd.Period("2020-01", "M"),
    pd.Period("2020-01-01", "3h"),
    pd.Interval(1, 2.5),
    pd.Interval(pd.Timestamp("2020"), pd.Timestamp("2021"), closed="both"),
]


@pytest.mark.parametrize("value", SCALARS, ids=repr)
def test_scalars_come_back(value: Any) -> None:
    """And each has another key."""
    found = check_that_forms_agree(value)
    assert found is value or found == value
    assert [canonical(each) == canonical(value) for each in SCALARS].count(True) == 1


ONE = pd.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]}, index=pd.date_range("2020", periods=2, freq="D"))


def flagged(frame: Any) -> Any:
    return frame.set_flags(allows_duplicate_labels=False)


def attributed(frame: Any) -> Any:
    other = frame.copy()
    other.attrs["unit"] = "K"
    return other


DIFFERENT = {
    "a value": lambda frame: frame.assign(a=[1.0, 3.0]),
    "a text": lambda frame: frame.assign(b=["x", "z"]),
    "a dtype": lambda frame: frame.astype({"a": "float32"}),
    "the dtype of texts": lambda frame: frame.astype({"b": "string"}),
    "categories": lambda frame: frame.astype({"b": "category"}),
    "an order of categories": lambda frame: frame.assign(b=pd.Categorical(["x", "y"], ordered=True)),
    "the order of columns": lambda frame: frame[["b", "a"]],
    "the order of rows": lambda frame: frame[::-1],
    "the name of a column": lambda frame: frame.rename(columns={"a": "c"}),
    "the name of the columns": lambda frame: frame.rename_axis(columns="q"),
    "the name of the index": lambda frame: frame.rename_axis(index="q"),
    "labels": lambda frame: frame.shift(freq="D"),
    "a frequency": lambda frame: frame.set_axis(frame.index[:].copy()._with_freq(None)),
    "a time zone": lambda frame: frame.tz_localize("UTC"),
    "another time zone": lambda frame: frame.tz_localize("Europe/Berlin"),
    "a unit of time": lambda frame: frame.set_axis(frame.index.as_unit("s")),
    "the kind of labels": lambda frame: frame.set_axis([0, 1]),
    "a range of labels": lambda frame: frame.reset_index(drop=True),
    "attributes": attributed,
    "a flag": flagged,
    "its class": lambda frame: frame["a"],
}


def test_keys_tell_everything_apart() -> None:
    """No two of these tables have the same key."""
    texts = {what: canonical(change(ONE)) for what, change in DIFFERENT.items()}
    texts[""] = canonical(ONE)
    assert len({*texts.values()}) == len(texts)
    assert canonical(ONE.copy()) == canonical(ONE)


def test_what_is_hidden_does_not_count() -> None:
    """Neither the layout of a table, nor what stands below a missing value."""
    parts = pd.DataFrame({"a": [1.0, 2.0]})
    parts["b"] = [3.0, 4.0]
    assert canonical(parts) == canonical(pd.DataFrame(np.array([[1.0, 3.0], [2.0, 4.0]]), columns=["a", "b"]))
    mask = np.array([True, False])
    one, other = [pd.arrays.IntegerArray(np.array([below, 1]), mask) for below in (7, 8)]
    assert canonical(one) == canonical(other)


class Text(str):
    """A text of somebody's own class."""

    __slots__ = ()


def named_by_numpy(*names: str) -> list[Any]:
    return list(np.array(names))


@pytest.mark.parametrize("dtype", [None, "str", "string", "object"])
def test_texts_of_numpy_and_of_other_classes_are_told(dtype: Any) -> None:
    """Where texts are kept as they are given, their content and their class count, and come back."""
    lists = [["a", "b"], named_by_numpy("a", "b"), named_by_numpy("b", "a"), [np.str_("a"), None], [Text("a"), "b"]]
    columns = [pd.Series(each, dtype=dtype) for each in lists]
    are_plain = getattr(columns[0].dtype, "storage", "python") == "pyarrow"
    assert len({canonical(each) for each in columns}) == (3 if are_plain else 5)
    for column in columns[:4]:
        found = check_that_forms_agree(column)
        assert [*map(type, found.to_numpy(object))] == [*map(type, column.to_numpy(object))]


@pytest.mark.parametrize(
    "made", [pd.Index, lambda found: pd.DataFrame({"n": found}), lambda found: pd.Series(found, dtype="category")]
)
def test_texts_of_numpy_count_in_labels_and_categories(made: Any) -> None:
    """As those of Python do."""
    found = [made(named_by_numpy(*names)) for names in (("a", "b"), ("b", "a"), ("a", "c"))]
    assert len({canonical(each) for each in found}) == 3
    for each in found:
        check_that_forms_agree(each)


LABELLED = {
    "table": lambda: pd.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]}),
    "wide table": lambda: pd.DataFrame({f"c{at}": pd.array([1], dtype="Int64") for at in range(120)}),
    "column": lambda: pd.Series([1.0, 2.0]),
    "index": lambda: pd.Index([1, 2]),
    "instants": lambda: pd.date_range("2020", periods=2),
    "range": lambda: pd.RangeIndex(2),
    "levels": lambda: pd.MultiIndex.from_product([[1, 2], ["a"]]),
}


@pytest.mark.parametrize("what", LABELLED)
def test_what_somebody_sets_on_an_object_is_told_and_comes_back(what: str) -> None:
    """A method can read it."""
    values = [LABELLED[what]() for _ in range(3)]
    object.__setattr__(values[1], "note", [5])
    object.__setattr__(values[2], "note", [6])
    assert len({canonical(each) for each in values}) == 3
    assert check_that_forms_agree(values[1]).note == [5]
    kept: Any = freeze(values[1])
    hand_out: Any = copy_for_caller(kept)
    hand_out(kept).note.append(7)
    values[1].note.append(8)
    assert kept.note == [5]


def test_time_zones_are_told_by_their_names_too() -> None:
    """A method can read them."""
    found = {canonical(pd.Timestamp("2020").tz_localize(each)) for each in (NAMED_ZONE, datetime.UTC)}
    assert len(found) == 2


def test_what_pandas_keeps_for_itself_is_not_told() -> None:
    """Accessors, and what it has found out of labels."""
    values = [pd.Series(["a", "b"], index=pd.date_range("2020", periods=2)) for _ in range(2)]
    used = values[1]
    assert used.str.len().loc["2020-01-01"] == 1
    assert used.index.is_unique
    assert canonical(used) == canonical(values[0])


@pytest.mark.parametrize("what", LABELLED)
def test_private_copies_keep_what_somebody_has_set(what: str) -> None:
    """As copy=True hands them out."""
    value = LABELLED[what]()
    object.__setattr__(value, "note", [5])
    kept, hand_out = freeze_for_callers([value], copies=True)
    assert hand_out is not None
    found: Any = hand_out(kept)
    found[0].note.append(6)
    assert canonical(kept) == canonical([value])
    assert found[0].note == [5, 6]


@pytest.mark.parametrize("stop", [10, 12, 4])
def test_ranges_end_where_they_did(stop: int) -> None:
    """Although other ends would give the same labels."""
    labels = pd.RangeIndex(0, stop, 3, name="n")
    assert check_that_forms_agree(labels).stop == stop
    for value in (labels, pd.Series(range(len(labels)), index=labels)):
        kept: Any = freeze(value)
        hand_out: Any = copy_for_caller(kept)
        assert getattr(hand_out(kept), "index", hand_out(kept)).stop == stop


def test_levels_that_are_long_ranges_are_not_written_down() -> None:
    """An entry of some hundred bytes takes little memory."""
    level = pd.RangeIndex(10**11)
    found = read_forged("pandas.MultiIndex", ([level], [np.zeros(1, np.int64)], (None,), None))
    assert found.levels[0].equals(level)
    assert found.codes[0].tolist() == [0]
    assert read_forged("pandas.Index", level) is None
    assert read_forged("pandas.Series", level) is None
    assert read_forged("pandas.DataFrame", level) is None


class Odd:
    """Neither for keys nor for entries."""

    __slots__ = ()


ODD_ZONE = type("Zone", (datetime.tzinfo,), {"utcoffset": lambda self, at: datetime.timedelta(hours=1)})()

NAMED_ZONE = datetime.timezone(datetime.timedelta(0), "utc")

WITHOUT_FORM = {
    "objects": pd.Series([object()], dtype=object),
    "sparse": pd.Series(pd.arrays.SparseArray([0.0, 1.0])),
    "a time zone of somebody": pd.Series([pd.Timestamp("2020").tz_localize(ODD_ZONE)]),
    "a frequency with more to it": pd.date_range(
        "2020", periods=2, freq=pd.offsets.CustomBusinessDay(holidays=["2020-01-01"])
    ),
    "a frequency without a name": pd.date_range("2020-01-06", periods=2, freq=pd.DateOffset(days=1)),
}


@pytest.mark.parametrize("what", WITHOUT_FORM)
def test_what_has_no_plain_form_is_pickled(what: str) -> None:
    """It is written as before."""
    with pytest.raises(NotNativeError):
        from_entry(WITHOUT_FORM[what])


@pytest.mark.parametrize("what", ["objects", "sparse"])
def test_what_has_no_form_is_in_no_key(what: str) -> None:
    """The error names its type."""
    with pytest.raises(UnstableKeyError, match=r"builtins\.object|SparseArray"):
        canonical(WITHOUT_FORM[what])


def test_texts_that_pyarrow_has_written_are_read_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """As pandas itself does without it."""
    real = pd.StringDtype

    def without_pyarrow(storage: str, **options: Any) -> Any:
        if storage == "pyarrow":
            raise ImportError
        return real(storage, **options)

    monkeypatch.setattr(pandas_arrays.pd, "StringDtype", without_pyarrow)
    texts = np.array([1, 2], np.int64), np.frombuffer(b"abc", np.uint8)
    found = read_forged("pandas.StringArray", ("pyarrow", False, texts))
    assert found.tolist() == ["a", "bc"]
    assert found.dtype.storage == "python"


NAMES = [
    *(
        "DataFrame",
        "Series",
        "Index",
        "RangeIndex",
        "DatetimeIndex",
        "TimedeltaIndex",
        "PeriodIndex",
        "CategoricalIndex",
    ),
    *("IntervalIndex", "MultiIndex", "Timestamp", "Timedelta", "Period", "Interval", "NaT", "NA", "Categorical"),
    *(
        "DatetimeArray",
        "TimedeltaArray",
        "PeriodArray",
        "IntegerArray",
        "FloatingArray",
        "BooleanArray",
        "IntervalArray",
    ),
    "StringArray",
]


def expected(name: str) -> Any:
    return getattr(pd, name, None) or getattr(pd.arrays, name, None)


@given(st.sampled_from(NAMES), plain_trees)
def test_forged_entries_are_damaged_or_hold_such_a_value(name: str, plain: Any) -> None:
    """Whatever plain values stand in the place of its own."""
    found = read_forged(f"pandas.{name}", plain)
    if found is not None and name not in ("NaT", "NA"):
        assert isinstance(found, expected(name))
        canonical(found)


def parts_of(value: Any) -> Any:
    adapter = adapter_of(type(value))
    assert adapter is not None
    assert adapter.encode is not None
    return adapter.encode(value)


@st.composite
def changed(draw: Any, plain: Any) -> Any:
    """Plain values with something else in one place."""
    if type(plain) in (tuple, list) and plain and draw(st.integers(0, 3)):
        at = draw(st.integers(0, len(plain) - 1))
        return type(plain)([*plain[:at], draw(changed(plain[at])), *plain[at + 1 :]])
    return draw(plain_trees)


@given(st.data(), frames() | series() | st.integers(0, 4).flatmap(indexes))
def test_entries_forged_in_one_place_are_damaged_or_hold_such_a_value(data: Any, value: Any) -> None:
    """Whatever stands in this place."""
    found = read_forged(f"pandas.{type(value).__name__}", data.draw(changed(parts_of(value))))
    assert found is None or type(found) is type(value)


SHORT = np.arange(2)

REFUSED = {
    "DataFrame": [
        (np.zeros(2), pd.Index(["a"]), pd.Index([1, 2]), {}, True),
        (np.zeros((2, 1)), ["a"], pd.Index([1, 2]), {}, True),
        ([SHORT], pd.Index(["a"]), pd.Index([1]), {}, True),
        ([np.zeros((2, 2))], pd.Index(["a"]), pd.Index([1, 2]), {}, True),
        ([SHORT], pd.Index(["a"]), pd.Index([1, 2]), None, True),
    ],
    "Series": [(SHORT, pd.Index([1]), None, {}, True), (SHORT, pd.Index([1, 1]), None, {}, False)],
    "Index": [
        ("added", (SHORT, None, None), {"_cache": {}}),
        ("added", (SHORT, None, None), [1]),
        (pd.array([1], dtype="category"), None, None),
        (SHORT, ["name"], None),
    ],
    "DatetimeIndex": [(SHORT, None, None), (pd.date_range("2020", periods=3).array, None, "W-MON")],
    "Categorical": [(SHORT.astype(np.int8), [1, 2], False), (SHORT.astype(np.int8), pd.Index([1]), False)],
    "MultiIndex": [
        ([[1, 2]], [SHORT], (None,), None),
        ([pd.Index([1])], [SHORT], (None,), None),
        ([pd.Index([1, 1])], [SHORT], (None,), None),
        ([pd.Index([1])], [SHORT - 2], (None,), None),
        ([pd.Index([1, 2])], [SHORT], pd.RangeIndex(1), None),
        ([pd.Index([1, 2])], [SHORT], (None,), "1"),
        ([pd.Index([1, 2])] * 2, [SHORT, SHORT[:1]], (None, None), None),
    ],
    "DatetimeArray": [
        ("D", SHORT, None),
        ("ns", SHORT.astype(np.int8), None),
        ("ns", SHORT, "dateutil//etc/passwd"),
        ("ns", SHORT, "tzlocal()"),
    ],
    "PeriodArray": [(SHORT, "no frequency"), (SHORT, "XYZ")],
    "Timestamp": [("D", 1, None, 0), ("ns", -(2**63), None, 0)],
    "Period": [("1", "M"), (1, "no frequency")],
    "IntervalArray": [(pd.RangeIndex(10**9), pd.RangeIndex(10**9), "left"), ([1], [2], "left")],
    "StringArray": [
        ("a file", True, (SHORT, SHORT)),
        ("python", True, [1]),
        ("python", True, (SHORT, SHORT)),
        ("python", True, (SHORT, SHORT.astype(np.uint8))),
        ("python", True, (np.array([-9]), np.zeros(0, np.uint8))),
    ],
    "IntegerArray": [(SHORT, SHORT), (SHORT.astype(float), np.zeros(2, bool))],
}


@pytest.mark.parametrize(("name", "plain"), [(name, each) for name, found in REFUSED.items() for each in found])
def test_what_makes_no_value_is_a_damaged_entry(name: str, plain: Any) -> None:
    """It is read as if it were not there."""
    assert read_forged(f"pandas.{name}", plain) is None


def test_tables_are_compared_within_a_tolerance() -> None:
    """As verifying does; all but numbers has to be equal."""
    rounded = ONE.assign(a=ONE["a"] * (1 + 1e-14))
    assert same_values(ONE, rounded, 1e-12)
    assert not same_values(ONE, rounded, 0.0)
    assert same_values([ONE.shift()], [ONE.shift()], 0.0)  # with missing values
    assert not any(same_values(ONE, change(ONE), 1e-12) for change in DIFFERENT.values())


def test_a_subclass_is_refused_as_a_whole() -> None:
    """Not by a part of pandas' own that has no form."""

    class Catalog(pd.DataFrame):
        pass

    with pytest.raises(UnstableKeyError, match=r"Catalog, which has no form .*register\(Catalog, key="):
        canonical(Catalog({"a": [1]}))


def test_texts_that_are_listed() -> None:
    """Those of numpy or of a subclass, whatever pandas stores them by here; what is no text is refused."""
    found = round_trips.read_as("pandas.StringArray", ("python", False, ["a", np.str_("b"), None]))
    assert found.to_numpy(object).tolist()[:2] == ["a", "b"]
    assert pd.isna(found[2])
    assert round_trips.read_as("pandas.StringArray", ("python", False, ["a", 1.5])) is None


def test_plain_forms_of_arrays_are_tuples() -> None:
    """Anything else is no array."""
    with pytest.raises(TypeError, match="this stands for no array"):
        array_of(["times"])
    assert array_of(("times", "<M8[s]", np.array([1], "<i8"))).tolist() == [datetime.datetime(1970, 1, 1, 0, 0, 1)]
    with pytest.raises(ValueError, match="these are no times"):
        array_of(("times", "<M8[s]", np.array([1.0])))
