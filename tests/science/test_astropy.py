"""Values of astropy as parameters, arguments and results."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

astropy = pytest.importorskip("astropy")

import astropy.cosmology.units as cosmology_units
import astropy.units as u
from astropy import constants, cosmology
from astropy.coordinates import Angle, Distance, EarthLocation, Latitude, Longitude
from astropy.table import Column, MaskedColumn, QTable, Table
from astropy.time import Time, TimeDelta
from astropy.units import cds, cgs, imperial
from astropy.utils.masked import Masked

from stored import configure, keyed_by, stored
from stored._adapters import BY_PICKLE, adapter_named, adapter_of
from stored._keys import canonical
from stored._methods.same_values import same_values
from stored._storage.format import describe, dump_json, pack, unpack
from stored._storage.freezing import copy_for_caller, freeze, freeze_for_callers
from stored._storage.native import unpack_native
from stored.errors import DamagedEntryError
from tests.storage.entries import entry_of

BLOB = u.def_unit("blob", 3 * u.Msun)

SPECIAL = u.def_unit(["special", "a_special_unit"], u.Msun / u.pc**3, format={"latex": r"\star"})

UNITS = (
    *(u.m, u.km, u.kilometer * 2, u.Unit("1000 m"), u.Unit("999 m"), u.km / u.s, u.km / u.s / u.Mpc, u.Msun, u.percent),
    *(u.dimensionless_unscaled, u.cm**0.5, u.cm ** (1 / 3), u.Unit("0.0025 m(3/2) / s(1/3)"), u.deg_C, u.Angstrom),
    *(u.mag, u.mag(u.Jy), u.mag(u.ct), u.ABmag, u.STmag, u.dex, u.dex(u.cm / u.s**2), u.dB(u.mW), u.Unit("10 mag")),
    *(u.Unit("(m,s)"), u.Unit("((AU,AU/day),yr)"), u.StructuredUnit((u.m, u.s), ("position", "time"))),
    *(cosmology_units.littleh, cosmology_units.redshift, imperial.mile, cds.mmHg, cgs.Fr, u.Jy / u.beam, BLOB, SPECIAL),
    *(BLOB / u.pc**2, u.Unit("m/blah", parse_strict="silent"), u.Unit("blah", parse_strict="silent")),
)

QUANTITIES: dict[str, Callable[[], Any]] = {
    "number": lambda: 70 * u.km / u.s / u.Mpc,
    "the same in another unit": lambda: (70 * u.km / u.s / u.Mpc).to(u.m / u.s / u.Mpc),
    "integer": lambda: u.Quantity(3, u.s, dtype=int),
    "single precision": lambda: u.Quantity(np.float32(3), u.s, dtype=None),
    "not a number": lambda: np.nan * u.m,
    "array": lambda: np.arange(5.0) * u.m,
    "Fortran order": lambda: np.asfortranarray(np.arange(6.0).reshape(2, 3)) * u.m,
    "big-endian": lambda: u.Quantity(np.arange(3.0, dtype=">f8"), u.m, dtype=None),
    "no elements": lambda: u.Quantity([], u.m),
    "complex": lambda: u.Quantity([1 + 2j], u.m),
    "boolean": lambda: u.Quantity([True], dtype=None),
    "structured": lambda: u.Quantity(
        np.array([(1.0, 2.0)], dtype=[("p", "f8"), ("v", "f8")]), u.StructuredUnit((u.km, u.s), ("p", "v"))
    ),
    "magnitude": lambda: 3 * u.mag,
    "logarithmic magnitude": lambda: u.Magnitude([1.0, 2.0] * u.mag(u.Jy)),
    "dex": lambda: 3 * u.dex(u.cm / u.s**2),
    "decibel": lambda: u.Decibel([1.0, 2.0], u.dB(u.mW)),
    "with a name": lambda: named(np.arange(3.0) * u.m),
    "number with a name": lambda: named(3.0 * u.m),
    "masked number with a name": lambda: named(Masked(3.0 * u.m, mask=True)),
    "angle": lambda: Angle("1d2m"),
    "latitude": lambda: Latitude([1.0, 0.2] * u.rad),
    "longitude": lambda: Longitude([1.0, 2.0] * u.deg),
    "longitude wrapped elsewhere": lambda: Longitude([1.0, 2.0] * u.deg, wrap_angle=180 * u.deg),
    "distance": lambda: Distance(3 * u.kpc),
    "distance below zero": lambda: Distance(-3 * u.kpc, allow_negative=True),
    "place": lambda: PLACE,
    "places": lambda: EarthLocation.from_geodetic([10, 20] * u.deg, [20, 30] * u.deg, ellipsoid="GRS80"),
    "masked array": lambda: Masked(np.array([1.0, 2.0]), mask=[False, True]),
    "masked quantity": lambda: Masked([1.0, 2.0] * u.m, mask=[False, True]),
    "masked angle": lambda: Masked(Angle([1.0, 2.0] * u.deg), mask=[False, True]),
}

PLACE = EarthLocation.from_geodetic(10 * u.deg, 20 * u.deg, 30 * u.m)

TIMES: dict[str, Callable[[], Any]] = {
    "time": lambda: Time("2020-01-01T00:00:00", scale="utc"),
    "another format": lambda: Time("2020-01-01 00:00:00", scale="utc"),
    "another scale": lambda: Time("2020-01-01T00:00:00", scale="tdb"),
    "a place": lambda: Time([2450000.5, 2450001], format="jd", precision=5, location=PLACE),
    "a datetime": lambda: Time(datetime(2020, 1, 1)),
    "a year": lambda: Time(2000.25, format="jyear", scale="tdb"),
    "formats of texts": lambda: Time("2020:001", in_subfmt="date", out_subfmt="date"),
    "masked": lambda: with_mask(Time([1.0, 2.0, 3.0], format="mjd")),
    "with a difference of scales": lambda: with_delta(Time("2020-01-01")),
    "one with a name": lambda: named(Time(1.0, format="mjd")),
    "several with a name": lambda: named(Time([1.0, 2.0], format="mjd")),
    "difference": lambda: TimeDelta(3 * u.s),
    "differences": lambda: TimeDelta([1.0, 2.0], format="sec", scale="tai"),
}

TABLES: dict[str, Callable[[], Any]] = {
    "table": lambda: Table({"a": [1, 2], "b": ["x", "y"], "c": [1.0, 2.0] * u.m}, meta={"from": "a survey"}),
    "other order of columns": lambda: Table({"b": ["x", "y"], "a": [1, 2], "c": [1.0, 2.0] * u.m}),
    "described columns": lambda: described(Table({"a": [1, 2], "m": MaskedColumn([1, 2], mask=[0, 1], fill_value=7)})),
    "only masked columns": lambda: Table({"a": [1, 2]}, masked=True),
    "empty": Table,
    "no rows": lambda: QTable({"x": [1.0, 2.0] * u.m})[:0],
    "quantities and times": lambda: QTable(
        {"r": [1.0, 2.0] * u.m, "t": Time([1.0, 2.0], format="mjd"), "m": Masked([1.0, 2.0] * u.m, mask=[0, 1])}
    ),
    "column": lambda: Column([1.0, 2.0], name="r", unit=u.m, description="radius", format="%.1f", meta={"a": 1}),
    "masked column": lambda: MaskedColumn([1.0, 2.0], name="r"),
    "masked texts": lambda: MaskedColumn(["a", "b"], mask=[0, 1]),
    "masked texts in a table": lambda: Table({"a": np.ma.array(["a", "b"], mask=[0, 1])}),
    "other masked texts": lambda: MaskedColumn(["a", "b"], mask=[0, 1], fill_value="c"),
    "a column without a fill value": lambda: without_fill_value(MaskedColumn([1.0, 2.0], name="r")),
    "a table without a fill value": lambda: Table({"a": without_fill_value(MaskedColumn([1.0]))}),
    "a column with an attribute": lambda: marked(Column([1.0], name="r")),
    "a masked column with an attribute": lambda: marked(MaskedColumn([1.0], name="r")),
    "a table of a column with an attribute": lambda: with_mark(Table({"a": [1.0], "b": [1.0]})),
    "not known whether it is masked": lambda: Table({"a": [1]}, masked=None),
    "not masked": lambda: Table({"a": [1]}, masked=False),
}

COSMOLOGIES: dict[str, Callable[[], Any]] = {
    **{name: lambda name=name: getattr(cosmology, name) for name in cosmology.realizations.available},  # type: ignore[misc]
    "flat": lambda: cosmology.FlatLambdaCDM(70, 0.3),
    "flat with a name": lambda: cosmology.FlatLambdaCDM(70, 0.3, name="mine"),
    "flat with metadata": lambda: cosmology.FlatLambdaCDM(70, 0.3, meta=OrderedDict(a=1)),
    "with neutrinos": lambda: cosmology.FlatLambdaCDM(70, 0.3, Tcmb0=2.7, Neff=3, m_nu=[0, 0, 0.06] * u.eV, Ob0=0.05),
    "curved": lambda: cosmology.LambdaCDM(70, 0.3, 0.6),
    "not flat by its class": lambda: cosmology.FlatLambdaCDM(70, 0.3).nonflat,
    "w": lambda: cosmology.wCDM(70, 0.3, 0.7, w0=-0.9),
    "flat w": lambda: cosmology.FlatwCDM(70, 0.3, w0=-0.9),
    "w0 wa": lambda: cosmology.w0waCDM(70, 0.3, 0.7, w0=-0.9, wa=0.1),
    "flat w0 wa": lambda: cosmology.Flatw0waCDM(70, 0.3, w0=-0.9, wa=0.1),
    "w0 wz": lambda: cosmology.w0wzCDM(70, 0.3, 0.7, wz=0.1),
    "wp wa": lambda: cosmology.wpwaCDM(70, 0.3, 0.7, zp=0.5),
}


def named(value: Any) -> Any:
    value.info.name, value.info.description, value.info.meta = "r", "radius", {"a": [1]}
    return value


def without_fill_value(value: Any) -> Any:
    value._fill_value = None
    return value


def with_mark(value: Any) -> Any:
    value["a"].mark = [1]
    return value


def with_mask(value: Any) -> Any:
    value[1] = np.ma.masked
    return value


def with_delta(value: Any) -> Any:
    value.delta_ut1_utc = 0.1
    return value


def described(value: Any) -> Any:
    value["a"].description, value["a"].unit, value["a"].meta, value["a"].format = "number", u.m, {"b": [2]}, "%d"
    return value


SAMPLES = {
    **{f"unit {number}": (lambda unit=unit: unit) for number, unit in enumerate(UNITS)},  # type: ignore[misc]
    **QUANTITIES,
    **TIMES,
    **TABLES,
    **COSMOLOGIES,
    "in containers": lambda: {"q": (3 * u.km, [Time(3, format="mjd")]), "u": u.km, "c": cosmology.Planck18},
}


def round_trip(value: Any) -> Any:
    return unpack_native(unpack(entry_of(value)))


@keyed_by("name")
class Source:
    """Computes each of the samples once."""

    computed: list[str] = []

    def __init__(self, name: str) -> None:
        self.name = name

    @stored(ignore=("self.computed", "SAMPLES"))
    def sample(self) -> Any:
        self.computed.append(self.name)
        return SAMPLES[self.name]()


@pytest.fixture(autouse=True)
def _nothing_computed() -> None:
    Source.computed.clear()


@pytest.mark.parametrize("name", SAMPLES)
def test_what_comes_back_from_an_entry_is_the_same(name: str) -> None:
    """It has the same key, and is one of the same class."""
    value = SAMPLES[name]()
    found = round_trip(value)
    assert type(found) is type(value)
    assert canonical(found) == canonical(value)
    assert same_values(value, found, 0.0)


def test_different_values_have_different_keys() -> None:
    """No method could take one for another."""
    texts = [canonical(make()) for make in SAMPLES.values()]
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize("name", SAMPLES)
def test_another_user_finds_a_result_without_computing(name: str, tmp_path: Path) -> None:
    """Nothing in it is a pickle, which would be loaded for its writer only."""
    first = Source(name).sample()
    with configure(key_file=tmp_path / "another" / "key"):
        second = Source(name).sample()
    assert Source.computed == [name]
    assert type(second) is type(first)
    assert canonical(second) == canonical(first) == canonical(SAMPLES[name]())


@pytest.mark.parametrize("name", SAMPLES)
def test_what_is_handed_out_is_the_same(name: str) -> None:
    """A copy for the caller has the same key."""
    kept = freeze(SAMPLES[name]())
    hand_out = copy_for_caller(kept)
    assert canonical(kept if hand_out is None else hand_out(kept)) == canonical(SAMPLES[name]())


@pytest.mark.parametrize("name", SAMPLES)
def test_private_copies_are_the_same(name: str) -> None:
    """As copy=True hands them out: their arrays lie in memory as those that were computed, and can be written to."""
    value = SAMPLES[name]()
    kept, hand_out = freeze_for_callers(value, copies=True)
    assert hand_out is not None
    found: Any = hand_out(kept)
    assert canonical(found) == canonical(value)
    if isinstance(found, np.ndarray):
        assert found.flags.f_contiguous == value.flags.f_contiguous
        assert found.flags.writeable
        assert not np.shares_memory(found, kept)


CHANGES: dict[str, tuple[Callable[[], Any], Callable[[Any], None]]] = {
    "quantity": (lambda: 3.0 * u.km, lambda value: value.fill(0)),
    "named quantity": (lambda: named(3.0 * u.km), lambda value: value.info.meta["a"].append(2)),
    "array, named": (QUANTITIES["with a name"], lambda value: value.info.meta["a"].append(2)),
    "fields": (QUANTITIES["structured"], lambda value: setattr(value.dtype, "names", ("a", "b"))),
    "objects": (lambda: u.Quantity([1, 2], u.m, dtype=object), lambda value: value.fill(0)),
    "longitude": (lambda: Longitude(3 * u.deg), lambda value: setattr(value, "wrap_angle", 2 * u.deg)),
    "masked": (QUANTITIES["masked quantity"], lambda value: value.mask.fill(True)),
    "time": (TIMES["a place"], lambda value: value.__setitem__(0, value[1])),
    "format": (TIMES["time"], lambda value: setattr(value, "format", "mjd")),
    "table": (TABLES["table"], lambda value: value.remove_column("a")),
    "row": (TABLES["table"], lambda value: value["c"].fill(0)),
    "metadata": (TABLES["table"], lambda value: value.meta.clear()),
    "lists in a table": (
        lambda: Table({"a": np.array([[1], [2, 3]], dtype=object)}),
        lambda value: value["a"][0].clear(),
    ),
    "lists in a column": (lambda: Column(np.array([[1], [2, 3]], dtype=object)), lambda value: value[0].clear()),
    "column": (TABLES["column"], lambda value: value.fill(0)),
    "cosmology": (COSMOLOGIES["flat with metadata"], lambda value: value.meta.clear()),
}


@pytest.mark.parametrize("name", CHANGES)
def test_nobody_changes_what_is_kept(name: str) -> None:
    """Neither who computed it nor whom it was handed out to."""
    make, change = CHANGES[name]
    value = make()
    expected = canonical(make())
    kept = freeze(value)
    change(value)
    assert canonical(kept) == expected
    hand_out = copy_for_caller(kept)
    assert hand_out is not None
    change(hand_out(kept))
    assert canonical(kept) == expected


def test_arrays_with_units_are_views_that_are_read_only() -> None:
    """As arrays without units are, they share the memory of what is kept, and nobody can write to them."""
    kept = freeze(np.arange(5.0) * u.m)
    found: Any = copy_for_caller(kept)(kept)  # type: ignore[misc]
    assert np.shares_memory(found, kept)
    with pytest.raises(ValueError, match="read-only"):
        found[0] = 1 * u.m
    with pytest.raises(ValueError, match="WRITEABLE"):
        found.flags.writeable = True


def test_large_arrays_in_entries_are_not_copied() -> None:
    """What is decoded is on the bytes of the entry."""
    entry = unpack(entry_of({"q": np.arange(1000.0) * u.m, "t": Table({"a": np.arange(1000.0)})}))
    found = unpack_native(entry)
    for each in (found["q"].view(np.ndarray), found["t"]["a"].view(np.ndarray)):
        assert np.shares_memory(each, np.frombuffer(entry.data, np.uint8))


def marked(value: Any) -> Any:
    value.mark = [1]
    return value


def hardened(value: Any) -> Any:
    value.harden_mask()
    return value


def grouped() -> Any:
    return Table({"a": [1, 1, 2], "b": [1, 2, 3]}).group_by("a")


def indexed() -> Any:
    table = Table({"a": [1, 1, 2], "b": [1, 2, 3]})
    table.add_index("a")
    return table


class Halo(cosmology.FlatLambdaCDM):
    pass


PICKLED: dict[str, Callable[[], Any]] = {
    "a unit of no others": lambda: u.def_unit("lone"),
    "a quantity in a unit of no others": lambda: 3 * u.def_unit("lone"),
    "a namesake of one of astropy's": lambda: u.def_unit("littleh"),
    "too many names": lambda: u.def_unit([f"name{number}" for number in range(200)], u.m),
    "a quantity with an attribute": lambda: marked(3 * u.km),
    "a masked one with an attribute": lambda: marked(Masked(3 * u.km, mask=True)),
    "a time with an attribute": lambda: marked(Time(3, format="mjd")),
    "a mask that is hard": lambda: hardened(MaskedColumn([1.0], name="r")),
    "a table with an attribute": lambda: marked(Table({"a": [1]})),
    "groups": grouped,
    "an index": indexed,
    "a constant": lambda: constants.G,
    "a user's cosmology": lambda: Halo(70, 0.3),
    "rounded otherwise": lambda: cosmology.Planck18.nonflat,
}


@pytest.mark.parametrize("name", PICKLED)
def test_what_has_no_plain_form_has_a_key_and_is_copied(name: str) -> None:
    """It is pickled, for its writer alone."""
    value = PICKLED[name]()
    adapter = adapter_of(type(value))
    assert adapter is not None
    assert adapter.encode is None or adapter.encode(value) is BY_PICKLE
    kept = freeze(value)
    hand_out = copy_for_caller(kept)
    assert canonical(kept if hand_out is None else hand_out(kept)) == canonical(value)


def test_what_somebody_adds_is_told() -> None:
    """A method can read it."""
    for make in (lambda: 3 * u.km, lambda: Column([1.0]), lambda: Table({"a": [1]}), lambda: Time(3, format="mjd")):
        assert canonical(marked(make())) != canonical(make())
    assert canonical(hardened(MaskedColumn([1.0]))) != canonical(MaskedColumn([1.0]))


@pytest.mark.parametrize("name", [name for name in TABLES if "mask" in name or "fill" in name])
def test_fill_values_stay_as_they_are(name: str) -> None:
    """Those that are not set are not set, on the object of a caller neither."""
    value = TABLES[name]()
    expected = fill_values(value)
    found = round_trip(value)
    kept: Any = freeze(value)
    hand_out: Any = copy_for_caller(kept)
    given_out = hand_out(kept)
    canonical([value, kept])
    assert [*map(fill_values, (value, found, kept, given_out))] == [expected] * 4


def fill_values(value: Any) -> list[str]:
    columns = value.columns.values() if isinstance(value, Table) else [value]
    return [repr(getattr(each, "_fill_value", None)) for each in columns]


def test_a_fill_value_of_another_kind_is_pickled() -> None:
    """Nothing but somebody's own code makes one."""
    value = MaskedColumn([1.0])
    value._fill_value = np.array("a")
    assert adapter_of(MaskedColumn).encode(value) is BY_PICKLE  # type: ignore[union-attr,misc]


def test_a_table_is_masked_as_it_was() -> None:
    """Or not, or nobody has said."""
    for masked in (None, False, True):
        value = Table({"a": [1]}, masked=masked)
        kept: Any = freeze(value)
        assert [each.masked for each in (value, round_trip(value), kept)] == [masked] * 3


def test_attributes_of_the_columns_of_a_table_come_back() -> None:
    """They are the caller's own."""
    value = with_mark(Table({"a": [1.0], "b": [1.0]}))
    assert canonical(value) != canonical(Table({"a": [1.0], "b": [1.0]}))
    assert round_trip(value)["a"].mark == [1]
    kept: Any = freeze(value)
    hand_out: Any = copy_for_caller(kept)
    value["a"].mark.append(2)
    hand_out(kept)["a"].mark.append(3)
    assert kept["a"].mark == [1]


def test_a_column_tells_the_metadata_of_its_table() -> None:
    """A method can read them from there."""
    one, other = [Table({"a": [1.0]}, meta={"epoch": epoch}) for epoch in (2000, 2015)]
    assert len({canonical(each["a"]) for each in (one, other)} | {canonical(Column([1.0], name="a"))}) == 3


def test_the_place_of_a_time_keeps_its_name() -> None:
    """In memory and on disk."""
    value = Time("2020-01-01", location=named(PLACE.copy()))
    kept: Any = freeze(value)
    hand_out: Any = copy_for_caller(kept)
    for each in (kept, hand_out(kept), round_trip(value)):
        assert each.location.info.name == "r"
        assert canonical(each) == canonical(value)
    hand_out(kept).location.info.meta["a"].append(2)
    assert kept.location.info.meta == {"a": [1]}


def test_units_of_no_others_are_told_by_whose_they_are() -> None:
    """A user's unit of a name that astropy has, too, is another one."""
    assert canonical(u.def_unit("littleh")) != canonical(cosmology_units.littleh)
    assert canonical(u.def_unit("lone")) == canonical(u.def_unit("lone"))


def test_equal_units_do_not_share_what_is_known_of_one() -> None:
    """Each is told by its structure, also after another one has gone."""
    for _ in range(100):
        one, other = u.Unit("1000 m"), u.km * 1.0
        assert one == other
        assert canonical(u.Unit("1000 m")) != canonical(u.km)
    assert canonical(u.Unit("1000 m")) == canonical(one)


def test_all_units_of_astropy_come_back() -> None:
    """Those that its modules define, with all prefixes."""
    for module in (u, cds, cgs, imperial):
        for unit in [each for each in vars(module).values() if isinstance(each, u.UnitBase)]:
            assert canonical(round_trip(unit)) == canonical(unit)


def test_a_quantity_without_a_unit_has_a_key() -> None:
    """A view of an array has none yet."""
    bare = np.arange(3.0).view(u.Quantity)
    assert canonical(bare) != canonical(np.arange(3.0) * u.one)
    assert adapter_of(u.Quantity).encode(bare) is BY_PICKLE  # type: ignore[union-attr,misc]


def test_groups_and_indices_are_told() -> None:
    """A method can use them."""
    plain = Table({"a": [1, 1, 2], "b": [1, 2, 3]})
    assert len({canonical(plain), canonical(grouped()), canonical(indexed())}) == 3
    plain.groups  # noqa: B018  # which makes an object for them
    assert canonical(plain) == canonical(Table({"a": [1, 1, 2], "b": [1, 2, 3]}))


def test_times_are_made_of_the_very_days_or_pickled() -> None:
    """The two parts of a date can be others than astropy would make of them."""
    value = Time(2450000.0, 0.25, format="jd")
    value._time._jd1, value._time._jd2 = np.array(2450001.0), np.array(-0.75)
    assert adapter_of(Time).encode(value) is BY_PICKLE  # type: ignore[union-attr,misc]
    value._time._jd1 = np.array(np.inf)
    assert adapter_of(Time).encode(value) is BY_PICKLE  # type: ignore[union-attr,misc]


def test_angles_that_their_class_would_refuse_are_pickled() -> None:
    """They can be out of range by what was done to them."""
    value = Latitude([1.0, 0.2] * u.rad)
    value.view(np.ndarray)[0] = 5.0
    assert adapter_of(Latitude).encode(value) is BY_PICKLE  # type: ignore[union-attr,misc]


@given(
    npst.arrays(
        st.sampled_from(["f8", "f4", "i8", "c16", ">f8", "?"]), npst.array_shapes(min_dims=0, max_dims=3, min_side=0)
    ),
    st.sampled_from([unit for unit in UNITS if type(unit) is not u.StructuredUnit and isinstance(unit, u.UnitBase)]),
)
def test_any_quantity_comes_back(numbers: Any, unit: Any) -> None:
    """With all its numbers, its dtype and its unit."""
    value = u.Quantity(numbers, unit, dtype=None)
    found = round_trip(value)
    assert canonical(found) == canonical(value)
    assert found.dtype == value.dtype
    assert found.unit == unit or isinstance(unit, u.UnrecognizedUnit)


bases = st.sampled_from([u.m, u.km, u.Msun, u.s, u.mag, imperial.mile, cosmology_units.littleh, BLOB])
powers = st.one_of(
    st.integers(-4, 4).filter(bool),
    st.floats(-4, 4).filter(bool),
    st.fractions(-3, 3, max_denominator=9).filter(bool),
)


@given(st.floats(1e-30, 1e30), st.lists(st.tuples(bases, powers), max_size=4))
def test_any_product_of_units_comes_back(scale: float, parts: list[tuple[Any, Any]]) -> None:
    """Its scale and its powers are the same to the last bit."""
    unit = u.CompositeUnit(scale, [base for base, _ in parts], [power for _, power in parts])
    found = round_trip(unit)
    assert canonical(found) == canonical(unit)
    assert (found.scale, found.bases, found.powers) == (unit.scale, unit.bases, unit.powers)


names = st.text("abcdefghij", min_size=1, max_size=4)
lengths = st.shared(st.integers(0, 4), key="length")
floats = lengths.flatmap(lambda length: npst.arrays("f8", length))
columns = st.one_of(
    floats,
    floats.map(lambda numbers: numbers * u.kpc),
    lengths.flatmap(lambda length: npst.arrays("i4", length)),
    lengths.flatmap(lambda length: npst.arrays("U3", length)),
    lengths.flatmap(lambda length: npst.arrays("f8", length, elements=st.floats(0, 1e5))).map(
        lambda days: Time(days, format="mjd")
    ),
    st.tuples(floats, lengths.flatmap(lambda length: npst.arrays("?", length))).map(
        lambda parts: MaskedColumn(parts[0], mask=parts[1])
    ),
)


@given(
    st.dictionaries(names, columns, max_size=4), st.dictionaries(names, st.integers()), st.sampled_from([Table, QTable])
)
def test_any_table_comes_back(parts: dict[str, Any], meta: dict[str, int], kind: Any) -> None:
    """With its columns, in their order, and its metadata."""
    value = kind(parts, meta=meta)
    found = round_trip(value)
    assert canonical(found) == canonical(value)
    assert found.colnames == value.colnames
    assert found.meta == value.meta


@given(npst.arrays("f8", npst.array_shapes(max_dims=2), elements=st.floats(-1e7, 1e7)), st.sampled_from(Time.SCALES))
def test_any_time_comes_back(days: Any, scale: str) -> None:
    """To the last bit of its days."""
    value = Time(days, 0.1, format="jd", scale=scale)
    assert canonical(round_trip(value)) == canonical(value)


NAMES = sorted(
    {adapter.name for make in SAMPLES.values() if (adapter := adapter_of(type(make()))) is not None and adapter.decode}
)

PLAIN = [
    each
    for make in SAMPLES.values()
    if (adapter := adapter_of(type(make()))) is not None and adapter.encode and (each := adapter.encode(make()))
]

leaves = st.one_of(
    *(st.none(), st.booleans(), st.integers(-3, 3), st.integers(), st.floats(), st.text(max_size=3)),
    st.sampled_from(
        ["", "known", "product", "function", "structure", "derived", "unrecognized", "m", "MagUnit", "Unit"]
    ),
    st.sampled_from(["jd", "mjd", "utc", "*", "FlatLambdaCDM", "Cosmology", "name", "meta", "WGS84"]),
    st.sampled_from([u.m, 3 * u.m, Angle(3 * u.deg), Time(3, format="mjd"), Column([1, 2]), PLACE]),
    npst.arrays(
        st.sampled_from(["f8", "i2", "?", "U1", "M8[s]"]), npst.array_shapes(max_dims=2, min_side=0, max_side=3)
    ),
)
plain_values = st.recursive(
    leaves,
    lambda inside: st.one_of(
        st.lists(inside, max_size=8).map(tuple),
        st.lists(inside, max_size=3),
        st.dictionaries(names, inside, max_size=3),
    ),
    max_leaves=12,
)


@st.composite
def forgeries(draw: st.DrawFn) -> Any:
    """Something random, or what a value is encoded as, with one of its parts replaced."""
    if draw(st.booleans()):
        return draw(plain_values)
    return replaced(draw(st.sampled_from(PLAIN)), draw)


def replaced(plain: Any, draw: st.DrawFn) -> Any:
    if type(plain) not in {tuple, list} or not plain or draw(st.integers(0, 3)) == 0:
        return draw(plain_values)
    place = draw(st.integers(0, len(plain) - 1))
    return type(plain)([replaced(each, draw) if number == place else each for number, each in enumerate(plain)])


@given(st.sampled_from(NAMES), forgeries())
def test_forged_entries_are_damaged_or_give_a_value_of_the_type(name: str, plain: Any) -> None:
    """Nothing else is raised, and nobody is warned."""
    adapter = adapter_named(name)
    assert adapter is not None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (content,) = unpack_native(unpack(entry_of((plain,))))
        assert adapter.decode is not None
        try:
            found = adapter.decode(content)
        except Warning:
            raise
        except Exception:  # which makes the entry a damaged one
            return
    assert found is not None
    canonical(found)
    repr(type(found))


def test_an_entry_that_is_forged_is_a_damaged_one() -> None:
    """What a decoder raises is told as such."""
    body = dump_json(["registered", "astropy.units.Quantity", "", ["tuple", "3", "km"]])
    parts, _ = pack(b"{}", describe("native", {}), b"{}", body, [])
    with pytest.raises(DamagedEntryError, match="holds no value of type astropy"):
        unpack_native(unpack(b"".join(map(bytes, parts))))


FORGED: dict[str, tuple[str, Any]] = {
    "no numbers": ("astropy.units.Quantity", ("3 km", ("known", "", "m"), None)),
    "no extras": ("astropy.coordinates.Longitude", (3.0, ("known", "", "deg"), None)),
    "no unit": ("astropy.units.Unit", ()),
    "wrapped at no angle": ("astropy.coordinates.Longitude", (3.0, ("known", "", "deg"), None, 3.0)),
    "not a place": ("astropy.coordinates.EarthLocation", (np.arange(3.0), ("known", "", "m"), None, "WGS84")),
    "a product of products": ("astropy.units.Unit", ("product", 1.0, ("product", 1.0), 1)),
    "a power missing": ("astropy.units.Unit", ("product", 1.0, ("known", "", "m"))),
    "a huge power": ("astropy.units.Unit", ("product", 1.0, ("known", "", "m"), 10**30)),
    "names that are none": ("astropy.units.Unit", ("unrecognized", 3)),
    "of another class": ("astropy.units.Quantity", (np.array([True]), ("known", "", "m"), {"other": 1})),
    "other numbers": ("astropy.units.Magnitude", (np.array([1]), ("known", "", "m"), None)),
    "of no numbers": ("astropy.units.Quantity", (np.array(["1"]), ("known", "", "m"), None)),
    "no text": ("astropy.units.Quantity", (1.0, ("known", "", "m"), {"name": 3})),
    "no metadata": ("astropy.units.Quantity", (1.0, ("known", "", "m"), {"meta": (False, 3)})),
    "no mask": ("astropy.utils.masked.Masked", (np.arange(2.0), np.arange(2.0), None)),
    "other parts of a column": ("astropy.table.Column", (np.arange(2.0), "a", None, None, None)),
    "a column with more": ("astropy.table.Column", (np.arange(2.0), "a", None, None, None, (False, {}), {"_name": 3})),
    "no fill value": (
        "astropy.table.MaskedColumn",
        (np.arange(2.0), None, np.array([1.0]), "a", None, None, None, (False, {})),
    ),
    "masked by a number": ("astropy.table.Table", ([], (False, {}), 1)),
    "other times": (
        "astropy.time.Time",
        (1.0, np.arange(2.0), None, "utc", ("jd", 3, "*", "*"), None, None, None, None),
    ),
    "no place": ("astropy.time.TimeDelta", (1.0, 0.0, None, "tai", ("jd", 3, "*", "*"), PLACE, None, None, None)),
    "no mask of these": (
        "astropy.time.Time",
        (1.0, 0.0, np.array([True]), "utc", ("jd", 3, "*", "*"), None, None, None, None),
    ),
    "a unit as text": ("astropy.table.Column", (np.arange(2.0), "a", "m", None, None, (False, {}))),
    "no array": ("astropy.table.Column", ([1], "a", None, None, None, (False, {}))),
    "another mask": (
        "astropy.table.MaskedColumn",
        (np.arange(2.0), np.array([True]), np.array(1.0), "a", None, None, None, (False, {})),
    ),
    "other lengths": ("astropy.table.Table", ([("a", Column([1])), ("b", Column([1, 2]))], (False, {}), False)),
    "not columns": ("astropy.table.Table", ([("a", np.arange(2))], (False, {}), False)),
    "other columns": ("astropy.table.Table", ([("a", Column([1]))], (False, {}), True)),
    "other parameters": ("astropy.cosmology.Cosmology", ("FlatLambdaCDM", None, {"H1": 3}, (False, {}))),
    "an abstract class": ("astropy.cosmology.Cosmology", ("FLRW", None, {}, (False, {}))),
}


@pytest.mark.parametrize("name", FORGED)
def test_what_no_value_is_encoded_as_is_refused(name: str) -> None:
    """Whatever the classes of astropy would make of it."""
    kind, plain = FORGED[name]
    with pytest.raises(Exception) as caught:  # noqa: PT011
        adapter_named(kind).decode(plain)  # type: ignore[union-attr,misc]
    assert not isinstance(caught.value, Warning)


SIMILAR: list[tuple[Any, Any, bool]] = [
    (3 * u.km, (3 + 1e-12) * u.km, True),
    (3 * u.km, 3 * u.m, False),
    (3 * u.km, 3000 * u.m, False),
    (Time(3, format="mjd"), Time(3 + 1e-12, format="mjd"), True),
    (Time(3, format="mjd"), Time(4, format="mjd"), False),
    (Table({"a": [1.0]}), Table({"a": [1.0 + 1e-12]}), True),
    (Table({"a": [1.0]}), Table({"b": [1.0]}), False),
    (grouped(), grouped()[:2], False),
    (cosmology.FlatLambdaCDM(70, 0.3), cosmology.FlatLambdaCDM(70 + 1e-9, 0.3), True),
    (cosmology.FlatLambdaCDM(70, 0.3), cosmology.FlatLambdaCDM(71, 0.3), False),
]


@pytest.mark.parametrize(("one", "other", "are_same"), SIMILAR)
def test_results_are_compared_within_a_tolerance(one: Any, other: Any, are_same: bool) -> None:
    """As configure(verify=...) does, with the numbers that are in them."""
    assert same_values([one], [other], 1e-9) is are_same
