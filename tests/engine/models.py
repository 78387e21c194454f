"""What the tests of `StorageUser` share: an owner, tables, and helpers."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy.interpolate import RectBivariateSpline

from stored import StorageUser, configure

X = np.linspace(0.0, 4.0, 9)
CURVE = np.array([X, X**3])
FALLING = np.array([X, 100 - X**3])
SURFACE = (X, X[:6], X[:, None] ** 2 + X[None, :6])
AT = np.linspace(0.0, 4.0, 33)
for each in (CURVE, FALLING, *SURFACE):
    each.flags.writeable = False  # shared by tests


class Model:
    """An owner as the storage module of Colossus asks for it."""

    def __init__(self, n: float = 1.0, persistence: str = "rw", user_class: Any = StorageUser, name: str = "m") -> None:
        self.n = n
        self.name = name
        self.announced: list[float] = []
        self.on_change: Callable[[], object] = lambda: None
        self.su = user_class("engine", persistence, self.getName, self.getHashableString, self.reportChanges)

    def getName(self) -> str:
        return self.name

    def getHashableString(self) -> str:
        return f"model {self.n!r}"

    def reportChanges(self) -> None:
        self.announced.append(self.n)
        self.on_change()


def found(name: str, n: float = 1.0) -> Any:
    """What another user of the same directory finds."""
    return Model(n).su.getStoredObject(name)


def repeat(function: Callable[[], Any]) -> list[Any]:
    return [function(), function(), function()]


def entries(directory: Path) -> list[Path]:
    return sorted(each for each in directory.rglob("*") if each.is_file() and each.name != "CACHEDIR.TAG")


def entry_of(directory: Path, name: str) -> Path:
    (entry,) = directory.rglob(f"*-{name}-*.stored")
    return entry


Odd = type("Odd", (str,), {"__str__": lambda _: "other", "__repr__": lambda _: "another"})


Maker = Callable[..., Model]
"""Makes a model, on this StorageUser or on the original."""


def in_another_process(make: Maker, code: str, place: Path) -> str:
    """Run code on a model of the same kind in a process of its own, and return what it printed."""
    original = getattr(make, "keywords", {}).get("user_class") is not None
    choose = (
        f"from colossus import settings; settings.BASE_DIR = {str(place)!r}\n"
        "from colossus.utils.storage import StorageUser"
        if original
        else "from stored import StorageUser"
    )
    script = f"""
from tests.engine.models import Model
{choose}
import numpy as np
model = Model(user_class=StorageUser)
{textwrap.dedent(code)}
"""
    with configure() as now:
        cache_dir, key_file = now.cache_dir, now.key_file
    environment = {
        **os.environ,
        "STORED_CACHE_DIR": str(cache_dir),
        "STORED_KEY_FILE": str(key_file),
        "PYTHONHASHSEED": "17",
    }
    repository = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=repository, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def evaluated(found: Any) -> Any:
    """A spline by its values, anything else as it is."""
    return found(X, X) if isinstance(found, RectBivariateSpline) else found(X) if callable(found) else found


def count_interpolators(monkeypatch: Any) -> list[Any]:
    """A list to which each interpolator is added that a StorageUser makes from now on."""
    from stored._engine import user

    made: list[Any] = []
    real = user.spline
    monkeypatch.setattr(user, "spline", lambda *args, **options: made.append(real(*args, **options)) or made[-1])
    return made
