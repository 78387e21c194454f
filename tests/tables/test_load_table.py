"""Tables that were found in a store, perhaps damaged, and their interpolants."""

from __future__ import annotations

import copy
import math
import sys
import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stored import Axis, DamagedEntryError, StorageUser
from stored._tables import make_interpolant, tabulate

LINE = (Axis("x", 1, 3, spacing="log", atol=1e-9),)
KINKED = (Axis("x", 1.0, 3.0, rtol=1e-4),)
POINTS = (Axis("x", 1, 3, points=6),)
PLANE = (Axis("x", 1, 3), Axis("y", 0.0, 1.0, values="log"))
LOGS = (Axis("x", 1, 3, values="log", rtol=1e-4),)
GRID = (Axis("x", 1, 3, points=5), Axis("y", 0.0, 1.0, points=6))
TABLES: dict[str, tuple[tuple[Axis, ...], dict[str, Any]]] = {
    "line": (LINE, tabulate(lambda x: np.sin(9 * x), LINE, "f")),
    "kinked": (KINKED, tabulate(lambda x: np.abs(x - 1.7) + 1, KINKED, "f")),
    "points": (POINTS, tabulate(lambda x: np.sin(x), POINTS, "f")),
    "plane": (PLANE, tabulate(lambda x, y: np.exp(np.sin(4 * x) * y), PLANE, "f")),
    "logs": (LOGS, tabulate(lambda x: np.exp(-70.0 * x * x), LOGS, "f")),
    "grid": (GRID, tabulate(lambda x, y: np.sin(x * y), GRID, "f")),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_from_a_store_gives_identical_values(name: str) -> None:
    """A table that was written and read gives the same bits in values, derivatives, integral and inverse."""
    axes, table = TABLES[name]
    writer, reader = (StorageUser("tables", mode, lambda: "tables", lambda: "tables", None) for mode in ("w", "r"))
    writer.storeObject("table", table)
    found = reader.getStoredObject("table")  # the two share nothing but the disk
    before, after = (make_interpolant(axes, each, "f") for each in (table, found))
    at = [np.linspace(axis.low, axis.high, 301) for axis in axes]
    assert before(*at).tobytes() == after(*at).tobytes()  # type: ignore[operator]
    assert before.derivative(*at).tobytes() == after.derivative(*at).tobytes()  # type: ignore[attr-defined]
    point = [each[100].item() for each in at]
    assert before(*point) == after(*point)  # type: ignore[operator]
    assert repr(before) == repr(after)
    if len(axes) == 1:
        assert before.integral(1.0, 2.5) == after.integral(1.0, 2.5)  # type: ignore[attr-defined]
        assert before.roots(0.1).tobytes() == after.roots(0.1).tobytes()  # type: ignore[attr-defined]


def test_there_is_a_divided_table_among_these() -> None:
    """What is checked of divided cells is checked of a table that has them."""
    assert TABLES["kinked"][1]["depths"].max() > 0


CASES: list[tuple[str, Any, Any, str]] = []
"""The table's name, the field, what it becomes (or a function from what it is), and the message."""


def with_bump(coefficients: Any, height: float) -> Any:
    """Coefficients of which a piece has the same values at its ends, and large ones between."""
    changed = coefficients.copy()
    first = changed[(0,) * (changed.ndim // 2)].ravel()  # of powers, in the first piece
    first[1] += height
    first[2] -= height
    changed[(0,) * (changed.ndim // 2)] = first.reshape(changed[(0,) * (changed.ndim // 2)].shape)
    return changed


def forged(message: str, name: str, field: str, *changes: Any) -> None:
    CASES.extend((name, field, change, message) for change in changes)


NODES = "nodes are not those of the axis x"
for _name in ("line", "points"):
    forged(
        NODES,
        _name,
        "nodes",
        None,
        tuple,
        [],
        lambda nodes: nodes[0],
        lambda nodes: nodes * 2,
        lambda nodes: [nodes[0].tolist()],
        lambda nodes: [nodes[0].astype("f4")],
        lambda nodes: [nodes[0][1:]],
        lambda nodes: [nodes[0][:-1]],
        lambda nodes: [nodes[0][:, None]],
        lambda nodes: [nodes[0][::-1]],
        lambda nodes: [np.where(nodes[0] == nodes[0][2], np.nan, nodes[0])],
        lambda nodes: [np.where(nodes[0] == nodes[0][2], nodes[0][1], nodes[0])],
        lambda nodes: [np.ma.masked_array(nodes[0], nodes[0] == nodes[0][1])],
        [np.empty(0)],
    )
forged(NODES, "points", "nodes", [np.linspace(1, 3, 5)], [np.linspace(1, 3, 7)])
forged("nodes are not those of the axis x and y", "plane", "nodes", lambda nodes: nodes[::-1], lambda nodes: nodes[:1])
for _name in ("line", "points", "plane", "grid"):
    forged(
        "values are not one finite number for each node",
        _name,
        "values",
        None,
        lambda values: values.tolist(),
        lambda values: values[:-1],
        lambda values: values[None],
        lambda values: values.astype(int),
        lambda values: values + 0j,
        lambda values: values.astype(object),
        lambda values: values * np.nan,
        lambda values: values + np.inf,
    )
forged("values are not positive, and their logarithm", "plane", "values", lambda values: values - 5.0)
for _name in TABLES:
    _axis = "x and y" if len(TABLES[_name][0]) > 1 else "x"
    forged(
        f"limits are not those of the axis {_axis}",
        _name,
        "limits",
        None,
        tuple,
        [],
        lambda limits: limits * 2,
        lambda limits: [each.tolist() for each in limits],
        lambda limits: [each[::-1] for each in limits],
        lambda limits: [each + 1e-9 for each in limits],
        lambda limits: [each * np.nan for each in limits],
        lambda limits: [np.append(each, 4.0) for each in limits],
    )
    forged(
        "held-out values are not one finite number for each point",
        _name,
        "held_out",
        None,
        tuple,
        lambda held_out: held_out[1:],
        lambda held_out: [*held_out, held_out[0]],
        lambda held_out: [each.tolist() for each in held_out],
        lambda held_out: [each[:0] for each in held_out],
        lambda held_out: [each * np.inf for each in held_out],
        lambda held_out: [*held_out[:-1], held_out[-1][1:]],
        lambda held_out: [each[None] for each in held_out],
    )
    forged(
        "coefficients do not make pieces of the axis",
        _name,
        "coefficients",
        None,
        lambda found: found.tolist(),
        lambda found: found[..., :-1],
        lambda found: found[:0],
        lambda found: found.astype("f4"),
        lambda found: found * np.nan,
        lambda found: found.ravel(),
        lambda found: found + 1e305,
        lambda found: with_bump(found, 1e305),
        lambda found: with_bump(found, sys.float_info.max),
    )
    forged("error and evaluations", _name, "error", None, 1, -1.0, math.nan, np.float64(1e-7), True)
    forged("error and evaluations", _name, "evaluations", None, 0, -3, 5.0, True, np.int64(7))
forged("coefficients do not make pieces", "logs", "coefficients", lambda found: with_bump(found, 1e4))
PIECES = "coefficients do not make pieces of the axis"
forged(PIECES, "points", "coefficients", lambda found: found[1:], lambda found: np.append(found, found[:1], axis=0))
forged(PIECES, "grid", "coefficients", lambda found: found[1:], lambda found: found.swapaxes(0, 1).copy())
for _name in ("line", "kinked", "points"):
    forged(
        PIECES,
        _name,
        "depths",
        None,
        lambda depths: depths.tolist(),
        lambda depths: depths.astype(int),
        lambda depths: depths[1:],
        lambda depths: depths[None],
        lambda depths: depths + np.uint8(17),
        lambda depths: np.append(depths[:-1], np.uint8(1)) if depths[-1] == 0 else depths,
    )
forged(PIECES, "kinked", "depths", lambda depths: depths[::-1] * 0 + np.arange(depths.size).astype("u1") % 3)


def test_an_integral_takes_no_more_memory_than_allowed() -> None:
    """However steep a table may be that is accepted, and however many pieces it has."""
    axes, table = TABLES["logs"]
    table = copy.deepcopy(table)
    table["coefficients"] = np.repeat(with_bump(table["coefficients"], 1e3)[:1], 3000, axis=0)
    table["depths"] = np.zeros(3000, "u1")
    table["error"] = 1e-4
    f = make_interpolant(axes, table, "f")
    tracemalloc.start()
    try:
        assert math.isfinite(f.integral(1.1, 2.9))
        assert tracemalloc.get_traced_memory()[1] < 100 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(("name", "field", "change", "message"), CASES)
def test_what_is_no_table_of_these_axes_is_damaged(name: str, field: str, change: Any, message: str) -> None:
    """Anything that tabulate would not have returned for these axes is refused, and the error says what is wrong."""
    axes, table = TABLES[name]
    changed = copy.deepcopy(table)
    changed[field] = change(changed[field]) if callable(change) else change
    with pytest.raises(DamagedEntryError, match=message):
        make_interpolant(axes, changed, "f")


@pytest.mark.parametrize("name", TABLES)
def test_what_has_not_the_fields_of_a_table_is_damaged(name: str) -> None:
    """Every field must be there, and no other; of two axes there are no depths."""
    axes, table = TABLES[name]
    wrong: list[Any] = [None, 1, [], {}, list(table.items()), {**table, "more": 1}, table["coefficients"]]
    wrong += [{key: each for key, each in table.items() if key != missing} for missing in table]
    if len(axes) == 2:
        wrong.append({**table, "depths": np.zeros(4, np.uint8)})
    for each in wrong:
        with pytest.raises(DamagedEntryError, match="it holds no table of nodes, values and coefficients"):
            make_interpolant(axes, each, "f")


def test_a_table_of_another_kind_of_axis_is_damaged() -> None:
    """A table of given points is not one of a tolerance, nor the other way round, nor of other limits."""
    pairs = [("line", "points"), ("points", "line"), ("plane", "grid"), ("grid", "plane"), ("line", "grid")]
    for axes, table in pairs:
        with pytest.raises(DamagedEntryError):
            make_interpolant(TABLES[axes][0], TABLES[table][1], "f")
    for other in (Axis("x", 1, 3.5), Axis("x", 0.5, 3.0), Axis("x", 1, 3, spacing="log1p")):
        with pytest.raises(DamagedEntryError, match=r"not those of the axis x$"):
            make_interpolant((other,), TABLES["line"][1], "f")


def test_another_machines_rounding_is_no_damage() -> None:
    """Nodes between the limits, and the coordinates of the limits, may differ in their last bits."""
    axes, table = TABLES["line"]
    nodes, limits = table["nodes"][0].copy(), np.nextafter(table["limits"][0], 0.5)
    nodes[1:-1] = np.nextafter(nodes[1:-1], 2.0)
    found: Any = make_interpolant(axes, {**table, "nodes": [nodes], "limits": [limits]}, "f")
    assert found([1.0, 2.0, 3.0]).tolist() == pytest.approx(np.sin([9.0, 18.0, 27.0]).tolist(), abs=1e-6)


@given(st.data())
@settings(max_examples=50, deadline=None)
def test_pieces_that_make_no_whole_cells_are_damaged(data: Any) -> None:
    """Any depths but those of whole cells are refused; those that pass can be evaluated everywhere."""
    axes, table = TABLES["kinked"]
    depths = table["depths"].copy()
    place = data.draw(st.integers(0, depths.size - 1))
    depths[place] = data.draw(st.integers(0, 255))
    try:
        found: Any = make_interpolant(axes, {**table, "depths": depths}, "f")
    except DamagedEntryError:
        assert not np.array_equal(depths, table["depths"])
    else:
        assert np.all(np.isfinite(found(np.linspace(1.0, 3.0, 1000))))
