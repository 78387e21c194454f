"""What a method imports itself counts once it is imported: before that, nobody knows what is in it."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from stored import keyed_by, stored

MODEL = """
import sys, warnings
from stored import keyed_by, stored

@keyed_by("p")
class Model:
    p = 2.0

    @stored
    def current(self):
        from colossus.cosmology import cosmology

        return cosmology.getCurrent().H0 + self.p

    @stored
    def drawn(self):
        import secrets

        return secrets.token_hex(4)

    @stored
    def special(self):
        import scipy.special

        return float(scipy.special.gamma(self.p))

warnings.simplefilter("ignore")
"""


def run(folder: Path, program: str) -> str:
    """What a script prints."""
    script = folder / "script.py"
    script.write_text(MODEL + textwrap.dedent(program))
    environment = {
        **os.environ,
        "STORED_CACHE_DIR": str(folder / "cache"),
        "STORED_KEY_FILE": str(folder / "key" / "key"),
    }
    done = subprocess.run([sys.executable, script], env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


CURRENT = """
model = Model()
assert not any(each.startswith("colossus") for each in sys.modules)
model.current.explain()
from colossus.cosmology import cosmology
for name in ("planck18", "WMAP5", "planck18"):
    cosmology.setCosmology(name)
    assert model.current() == Model().current() == model.current.__wrapped__(), name
print(model.current())
"""

DRAWN = """
print(Model().drawn())
assert Model().drawn() != Model().drawn()
"""

SPECIAL = """
model = Model()
model.special()
imported = "scipy.special" in sys.modules
if imported:
    sys.modules["scipy.special"].gamma = lambda x: -1.0
    assert model.special() == Model().special() == model.special.__wrapped__() == -1.0
print(imported)
"""


@pytest.mark.parametrize(
    ("program", "same"), [(CURRENT, True), (DRAWN, False), (SPECIAL, None)], ids=["state", "draws", "patch"]
)
def test_what_is_imported_by_the_method_itself(program: str, same: bool | None, tmp_path: Path) -> None:
    """State of a library, draws and patches of it are noticed as if it had been imported before."""
    first, second = run(tmp_path, program), run(tmp_path, program)
    if same is None:
        assert first == "True"  # it computed, and so imported
    else:
        assert (first == second) is same


def test_a_hit_imports_nothing(tmp_path: Path) -> None:
    """In a later process, the result is found without the package."""
    program = """
    print(Model().special(), "scipy.special" in sys.modules)
    """
    assert run(tmp_path, program) == "1.0 True"
    assert run(tmp_path, program) == "1.0 False"


def test_state_of_a_library_that_the_call_itself_imports(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is known of it before; so the first result is not kept, without a warning."""

    @keyed_by("p")
    class Model:
        p = 1.0

        @stored
        def current(self) -> Any:
            from colossus.cosmology import cosmology

            return cosmology.setCosmology("planck18", persistence="").H0 + 0 * cosmology.getCurrent().H0

    for name in ("colossus.cosmology", "colossus.cosmology.cosmology"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    model = Model()
    assert [model.current() for _ in range(3)] == [67.66] * 3
    assert model.current.cache_info().hits >= 1
