"""No attribute that a method of a real class reads when it runs is missing from its `dependencies()`.

The classes are those of the demonstration, of Colossus and, where they are installed, of astropy, hmf and galpy.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from stored import keyed_by
from stored._keys import parameter_names
from stored._keys.class_functions import find_on_class, is_data
from stored._keys.library_state import made_by_library
from stored.demo import FlatLambdaCDM
from stored.typing import ABSENT
from tests.keys.source_code import load

ARGUMENTS: list[tuple[Any, ...]] = [(), (0.5,), (0.5, 1.0), (1.0, 2.0, 0.5)]


def recorder(kind: type, owner: object, read: set[str]) -> type:
    """A class like that of an object, which notes the attributes that are read on this one.

    Those that a descriptor reads, other than a property, are not noted: it counts by the value that it gives. So does a
    declared parameter that is a property.
    """
    inside: list[str] = []
    declared = parameter_names(kind) or ()

    def getattribute(self: Any, name: str) -> Any:
        if self is not owner or inside:
            return super(made, self).__getattribute__(name)
        read.add(name)
        found = find_on_class(kind, name).value
        if name not in declared and (not hasattr(type(found), "__set__") or isinstance(found, property)):
            return super(made, self).__getattribute__(name)
        inside.append(name)
        try:
            return super(made, self).__getattribute__(name)
        finally:
            inside.pop()

    made = type(kind.__name__, (kind,), {"__getattribute__": getattribute, "__module__": kind.__module__})
    return made


def public_methods(kind: type) -> list[str]:
    """The public methods and properties of a class."""
    return [each for each in dir(kind) if not each.startswith("_") and hasattr(static(kind, each), "__get__")]


def static(kind: type, name: str) -> object:
    return inspect.getattr_static(kind, name)


def own_class(base: type, parameter: str | None) -> Any:
    """A class of the user's own with a stored method for each public one of a base."""
    lines = [
        f" @stored(persistent=False)\n def stored_{each}(self, *args):"
        f" return self.{each}{'(*args)' if inspect.isroutine(static(base, each)) else ''}\n"
        for each in public_methods(base)
    ]
    decorator = "" if parameter is None else f"@keyed_by({parameter!r})\n"
    source = f"{decorator}class Own(Base):\n pass\n" + "".join(lines)
    return load(source, Base=base, keyed_by=keyed_by)["Own"]


def told(owner: Any, name: str) -> set[str] | None:
    """The attributes that a method depends on; None if all count."""
    found = getattr(owner, f"stored_{name}").dependencies()
    parts = (found.parameters, found.attributes, found.memos)
    return None if found.everything else {each.name.removeprefix("class.") for part in parts for each in part}


def values_read(owner: Any, name: str, arguments: tuple[Any, ...]) -> set[str]:
    """The attributes that have values, of those that a method reads."""
    kind, read, before = type(owner), set[str](), set(vars(owner))
    owner.__class__ = recorder(kind, owner, read)
    try:
        found = getattr(owner, name)
        if inspect.isroutine(static(kind, name)):
            found(*arguments)
    finally:
        owner.__class__ = kind
    on_class = {each: find_on_class(kind, each).value for each in read}
    values = {each for each, value in on_class.items() if value is not ABSENT and is_value(value)}
    return (read & before | values) - {"__dict__", "__class__", "__doc__", "__module__", "__weakref__"}


def is_value(found: object) -> bool:
    return is_data(found) or (hasattr(type(found), "__set__") and not isinstance(found, property))


def check(make: Callable[[], Any], names: Iterable[str]) -> int:
    """Check all methods that can be called with some of the arguments; how many were there?"""
    checked = 0
    for name in names:
        for arguments in ARGUMENTS:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                owner = make()
                expected = told(owner, name)
                if expected is not None and hasattr(owner, "_getHashableString"):
                    expected |= values_read(owner, "_getHashableString", ())  # by which they count
                if expected is not None:
                    expected |= made_by_library(type(owner))  # of the parameters
                try:
                    read = values_read(owner, name, arguments)
                except Exception:  # it takes other arguments
                    continue
            checked += 1
            assert expected is None or read <= expected, (name, arguments)
            break
    return checked


def test_the_demo() -> None:
    """Whose methods are stored already."""
    own = own_class(FlatLambdaCDM, "H0")
    assert check(own, public_methods(FlatLambdaCDM)) >= 4


def test_colossus() -> None:
    """Its cosmology, which has a string of its own, and whose own storage is off."""
    from colossus.cosmology import cosmology

    kind = own_class(cosmology.Cosmology, None)
    parameters = {**cosmology.cosmologies["planck18"], "name": "of test", "persistence": "", "interpolation": False}
    assert check(lambda: kind(**parameters), public_methods(cosmology.Cosmology)) >= 30


def test_astropy() -> None:
    """Its cosmologies, with and without massive neutrinos."""
    astropy = pytest.importorskip("astropy.cosmology")
    for base, options in ((astropy.FlatLambdaCDM, {"m_nu": [0.0, 0.1, 0.2]}), (astropy.w0waCDM, {"Ode0": 0.6})):
        kind = own_class(base, "H0")
        made = lambda kind=kind, options=options: kind(H0=70.0, Om0=0.3, Tcmb0=2.7, **options)  # noqa: E731
        assert check(made, public_methods(base)) >= 30


def test_hmf() -> None:
    """Its mass function, whose quantities are properties."""
    hmf = pytest.importorskip("hmf")
    kind = own_class(hmf.MassFunction, "z")
    assert check(lambda: kind(transfer_model="EH"), public_methods(hmf.MassFunction)) > 20


def test_galpy() -> None:
    """Potentials."""
    potential = pytest.importorskip("galpy.potential")
    for name in ("MiyamotoNagaiPotential", "NFWPotential", "DoubleExponentialDiskPotential"):
        base = getattr(potential, name)
        assert check(own_class(base, "_amp"), public_methods(base)) >= 10
