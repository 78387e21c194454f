"""The mass function of hmf with its cached quantities replaced by stored ones, which track parameters as hmf does."""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from stored import configure, keyed_by, stored

UPDATES: tuple[dict[str, Any], ...] = (
    {},
    {"z": 0.5},
    {"sigma_8": 0.8},
    {"z": 1.0, "n": 0.97},
    {"Mmin": 11},
    {"hmf_model": "PS"},
    {"filter_model": "Gaussian"},
    {"z": 0.0},
    {"cosmo_params": {"Om0": 0.28}},
    {"dlnk": 0.02},
    {"hmf_model": "Tinker08", "delta_c": 1.68},
    {"takahashi": False},
    {"transfer_params": {}, "growth_params": {}},
)

NAMES = (
    *("power", "sigma", "nu", "fsigma", "dndm", "ngtm", "n_eff", "mass_nonlinear", "growth_factor"),
    *("nonlinear_power", "transfer_function", "lnsigma"),
)

COPIED = {"dndm", "dndlnm", "dndlog10m", "ngtm", "rho_gtm", "rho_ltm", "how_big"}
"""These copy the object, so that what they read cannot be told."""


def properties_of(kind: type, maker: str, part: str) -> Iterator[tuple[str, Any]]:
    """The properties that a decorator of hmf has made, with their functions."""
    for base in kind.__mro__[::-1]:
        for name, value in vars(base).items():
            function = getattr(value, part, None)
            if isinstance(value, property) and function is not None and function.__code__.co_qualname.startswith(maker):
                yield name, function


def plain_cosmology(cosmology: Any) -> Any:
    values = [(name, getattr(each, "value", each)) for name, each in cosmology.parameters.items()]
    return type(cosmology).__name__, [(name, np.asarray(each).tolist()) for name, each in values]


def stored_class(kind: type) -> Any:
    """A subclass whose quantities are stored."""
    quantities = {name: each.__wrapped__ for name, each in properties_of(kind, "cached_quantity.", "fget")}
    made = {
        name: property(stored(depends=None if name in COPIED else "auto")(each)) for name, each in quantities.items()
    }
    for name, each in made.items():
        each.fget.__set_name__(kind, name)
    parameters = [name for name, _ in properties_of(kind, "parameter.", "fset")]
    return keyed_by(*parameters, convert={"cosmo_model": plain_cosmology})(type("Stored", (kind,), made))


def test_updates_compute_what_they_change(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bit-identical results over twelve updates, with no more calls of the transfer function than hmf makes."""
    hmf = pytest.importorskip("hmf")
    from hmf.density_field.transfer_models import EH_BAO

    calls = []
    monkeypatch.setattr(EH_BAO, "lnt", _noting(EH_BAO.lnt, calls))
    kind = stored_class(hmf.MassFunction)
    found = []
    with warnings.catch_warnings(), configure(memory_sets=8):
        warnings.simplefilter("ignore")
        for each in (hmf.MassFunction, kind, kind):
            calls.clear()
            model, values = each(transfer_model="EH"), []
            for update in UPDATES:
                model.update(**update)
                values += [np.asarray(getattr(model, name)) for name in NAMES]
            found.append((len(calls), values))
    (plain, expected), (first, own), (again, later) = found
    assert first <= plain
    assert again == 0
    for values in (own, later):
        assert all(one.tobytes() == other.tobytes() for one, other in zip(values, expected, strict=True))
    told = {
        name: set(inspect.getattr_static(kind, name).fget.__stored_method__.reads(kind).parameters)
        for name in ("transfer", "growth_factor", "k")
    }
    cosmology = {"cosmo_model", "cosmo_params"}
    assert told["k"] == {"lnk_min", "lnk_max", "dlnk"}
    assert told["transfer"] == cosmology | {"transfer_model", "transfer_params"}
    assert told["growth_factor"] == cosmology | {"growth_model", "growth_params", "z"}


def _noting(function: Any, calls: list[None]) -> Any:
    @functools.wraps(function)
    def noting(*args: Any) -> Any:
        calls.append(None)
        return function(*args)

    return noting
