"""Where does the time of the common paths go? Each path is divided, and its parts are timed one by one."""

from __future__ import annotations

import timeit
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import stored
from benchmarks import peers
from benchmarks.timing import Action
from stored._keys import Key, find_describer
from stored._methods.answer import bound_call
from stored._methods.results import results_of
from stored._storage import current_store
from stored._storage.codecs import decode, encode
from stored._storage.freezing import freeze

__all__ = ["profiles"]

Rows = list[tuple[str, float]]

REPEATS = 5


def _seconds(statement: str, runs: int, **names: Any) -> float:
    return min(timeit.repeat(statement, globals=names, number=runs, repeat=REPEATS)) / runs


def _hit(runs: int) -> Rows:
    model, floor = peers.Keyed(), peers.Floor()
    for _ in range(3):
        model.one(1.0)
    method = model.one
    access, empty, called = (
        _seconds(statement, runs, model=model, floor=floor, method=method)
        for statement in ("model.one", "floor.one(1.0)", "method(1.0)")
    )
    whole = _seconds("model.one(1.0)", runs, model=model)
    return [
        ("the attribute: an object that knows its owner and the method's name", access),
        ("a call of an object like it that only returns its argument", empty - access),
        ("the check (same object, class and five parameters), the result's look-up, its count", whole - empty),
        ("of this, called on a bound method that is kept", called),
        ("in all", whole),
    ]


def _object(runs: int) -> Rows:
    model = peers.Parameters()
    user = stored.StorageUser("bench", "", lambda: "bench", model.getHashableString, None)
    user.storeObject("table", peers.TABLE)
    user.getStoredObject("table", interpolator=True)
    string = _seconds("model.getHashableString()", runs, model=model)
    whole = _seconds('user.getStoredObject("table", interpolator=True)', runs, user=user)
    return [
        ("the owner's string", string),
        ("its comparison, the call with a keyword, and the look-up by name and form", whole - string),
        ("in all", whole),
    ]


def _parts(model: peers.Keyed, place: Path) -> Mapping[str, Any]:
    """The names that the timed parts of a load and of a store use."""
    stored.configure(cache_dir=place / "cache", key_file=place / "key")
    model.table(1.0)
    definition = type(model).table._self_definition
    results = results_of(definition, model)
    key, store = bound_call(results, model, (1.0,), {}).key(), current_store()
    data: Any = store.read(key.entry_name)
    values = results.present.quick_values(model)
    return {
        "Keyed": peers.Keyed,
        "bound_call": bound_call,
        "data": data,
        "decode": decode,
        "definition": definition,
        "describe": lambda: find_describer(type(model)).described.space(type(model), values),
        "encode": encode,
        "freeze": freeze,
        "key": key,
        "key_again": lambda: Key(key.space, key.object, key.definition, key.version, key.arguments),
        "model": model,
        "name": key.entry_name,
        "parts": encode(key, peers.TABLE, {}, _unsigned)[0],
        "results": results,
        "results_of": results_of,
        "store": store,
        "table": peers.TABLE,
        "unsigned": _unsigned,
    }


def _unsigned(key: bytes, body: bytes) -> str:
    return ""


def _load(runs: int, place: Path) -> Rows:
    names = _parts(peers.Keyed(), place)
    rows = [
        ("the results of a new object, found to be empty", "results_of(definition, Keyed())"),
        ("its parameters as text, and their digest", "describe()"),
        ("the call, bound and keyed", "bound_call(results, model, (1.0,), {})"),
        ("the key, and the name of the entry", "key_again().entry_name"),
        ("the file: open, read, close", "store.read(name)"),
        ("checksum and parts, the key compared in full, the array made", "decode(key, data, None, None)"),
    ]
    times = [(label, _seconds(statement, runs, **names)) for label, statement in rows]
    loads: Action = peers.ours(place)[peers.LOAD]
    whole = min(timeit.repeat(loads.statement, globals={**loads.names}, number=1, repeat=4 * REPEATS)) / loads.calls
    spent = sum(seconds for _, seconds in times)
    return [
        *times,
        ("the rest: memory, locks, counts, the object's end, and another file each time", whole - spent),
        ("in all", whole),
    ]


def _store(runs: int, place: Path) -> Rows:
    model = peers.Keyed()
    names = {**_parts(model, place), "arguments": iter(float(number) for number in range(2, 10**9))}
    rows = [
        ("the value frozen: a copy, read-only", "freeze(table)"),
        ("the entry's bytes, with checksum", "encode(key, table, {}, unsigned)"),
        ("the look for the file that is not there", "store.read(name + 'x')"),
        (
            "the lock that lets one process compute: a byte locked, its file looked at, unlocked",
            "\nwith store.compute_turn(name, 1.0): pass",
        ),
        ("the draft made, locked, written and renamed", "store.write(name, parts)"),
    ]
    times = [(label, _seconds(statement, runs, **names)) for label, statement in rows]
    whole = _seconds("model.table(next(arguments))", runs, **names)
    spent = sum(seconds for _, seconds in times)
    return [*times, ("the rest: key, look-ups, counts", whole - spent), ("in all", whole)]


def profiles(place: Path, quick: bool) -> dict[str, Rows]:
    """The parts of each path, with their seconds; the last row of each is the whole.

    To be called in a process of its own, whose settings it changes.
    """
    stored.configure(cache_dir=place / "cache", key_file=place / "key")
    many, few = (2000, 20) if quick else (200_000, 1000)
    return {
        "A hit, five parameters verified": _hit(many),
        "getStoredObject, interpolator": _object(many),
        "A cold load of a (2, 200) table": _load(few, place / "load"),
        "A store of a (2, 200) table": _store(few, place / "store"),
    }
