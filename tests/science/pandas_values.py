"""Tables, columns and indexes of pandas of every kind."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

texts = st.text(max_size=8)  # pyarrow takes no halves of surrogates
units = st.sampled_from(["s", "ms", "us", "ns"])
numbers = st.integers(-(2**40), 2**40)
zones = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "+05:30", datetime.UTC])


def in_rows(n: int, elements: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(elements, min_size=n, max_size=n)


def objects(items: list[Any]) -> np.ndarray:
    return np.fromiter(items, object, len(items))


def times(n: int, kind: str) -> st.SearchStrategy[np.ndarray]:
    """Rows of instants or durations, as numpy has them."""
    rows = in_rows(n, numbers | st.just(np.iinfo(np.int64).min))
    return st.builds(lambda items, unit: np.array(items, np.int64).view(f"{kind}8[{unit}]"), rows, units)


plain_objects = (
    st.none()
    | texts
    | st.booleans()
    | st.floats()
    | st.integers()
    | st.sampled_from([pd.NA, pd.NaT, pd.Timestamp("2020-01-01", tz="UTC"), (1, 2), pd.Timedelta(5)])
)

label_dtypes = npst.integer_dtypes(endianness="=") | npst.unsigned_integer_dtypes(endianness="=")
number_dtypes = label_dtypes | npst.boolean_dtypes() | npst.floating_dtypes(endianness="=", sizes=(32, 64))


def numeric(n: int) -> st.SearchStrategy[np.ndarray]:
    return npst.arrays(number_dtypes | npst.complex_number_dtypes(endianness="=", sizes=128), n)


def masked(n: int) -> st.SearchStrategy[Any]:
    dtypes = st.sampled_from(["Int8", "UInt64", "Int64", "Float32", "Float64", "boolean"])
    return st.builds(
        lambda dtype, items: pd.array([None if each is None else each % 2 for each in items], dtype=dtype),
        dtypes,
        in_rows(n, st.none() | st.integers(0, 200)),
    )


def arrays(n: int) -> st.SearchStrategy[Any]:
    """The values of a column, of numpy or pandas."""
    strings = st.sampled_from(["str", "string"])
    codes = npst.arrays(np.int8, n, elements=st.integers(-1, 2))
    kinds = st.sampled_from([["a", "b", "c"], [1.5, 2.5, 3.5], pd.period_range("2020", periods=3, freq="D")])
    return st.one_of(
        numeric(n),
        in_rows(n, plain_objects).map(objects),
        times(n, "M"),
        times(n, "m"),
        st.builds(
            lambda row, zone: pd.DatetimeIndex(row).tz_localize("UTC").tz_convert(zone).array, times(n, "M"), zones
        ),
        masked(n),
        st.builds(lambda items, dtype: pd.array(items, dtype=dtype), in_rows(n, texts | st.none()), strings),
        st.builds(
            lambda row, labels, is_ordered: pd.Categorical.from_codes(row, labels, ordered=is_ordered),
            codes,
            kinds,
            st.booleans(),
        ),
        st.builds(
            lambda row, name: pd.PeriodIndex.from_ordinals(row, freq=name).array,
            in_rows(n, st.integers(-1000, 1000)),
            st.sampled_from(["D", "M", "3h", "W-WED", "Q-MAR"]),
        ),
        st.builds(
            lambda row, closed: pd.arrays.IntervalArray.from_arrays(row, row + 1, closed),
            npst.arrays(np.int64, n, elements=st.integers(-100, 100)),
            st.sampled_from(["left", "right", "both", "neither"]),
        ),
    )


names = st.none() | texts | st.integers() | st.just(("a", 1))


def indexes(n: int) -> st.SearchStrategy[Any]:
    """Labels of rows or columns."""
    flat = st.builds(lambda row, name: pd.Index(row, name=name, tupleize_cols=False), arrays(n), names)
    dates = st.builds(
        lambda start, freq, zone, name: pd.date_range(start, periods=n, freq=freq, tz=zone, name=name),
        st.sampled_from(["2020-01-01", "1999-12-31 12:00"]),
        st.sampled_from(["D", "2h", "MS", "B", "W-TUE", "QS-FEB"]),
        st.none() | zones,
        names,
    )
    levels = st.builds(
        lambda one, two, given: pd.MultiIndex.from_arrays([one, two], names=given),
        st.builds(pd.Index, npst.arrays(np.int64, n, elements=st.integers(0, 3))),
        st.builds(pd.Index, in_rows(n, texts).map(objects)),
        st.tuples(names, names),
    )
    return st.one_of(
        st.builds(
            lambda start, step, name: pd.RangeIndex(start, start + n * step, step, name=name),
            numbers,
            numbers.filter(bool),
            names,
        ),
        flat,
        dates,
        levels,
    )


attributes = st.dictionaries(texts, st.integers() | texts | st.lists(st.integers(), max_size=2), max_size=2)


@st.composite
def series(draw: Any) -> Any:
    n = draw(st.integers(0, 5))
    values = draw(arrays(n))
    found = pd.Series(values, index=draw(indexes(n)), name=draw(names), dtype=values.dtype)
    found.attrs = draw(attributes)
    return found


@st.composite
def frames(draw: Any) -> Any:
    """Tables with columns of one dtype or of many, also of the same name."""
    n, k = draw(st.integers(0, 5)), draw(st.integers(0, 5))
    index = draw(indexes(n))
    if draw(st.booleans()):
        found = pd.DataFrame(draw(npst.arrays(number_dtypes, (n, k))), index=index)
    else:
        columns = [draw(arrays(n)) for _ in range(k)]
        found = pd.DataFrame(
            {at: pd.Series(each, index=index, dtype=each.dtype) for at, each in enumerate(columns)}, index=index
        )
    found.columns = draw(indexes(k))
    found.attrs = draw(attributes)
    return found
