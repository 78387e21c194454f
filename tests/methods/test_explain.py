"""Why does a call hit or miss?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stored import StorageUser, configure, keyed_by, stored
from tests.methods.models import MODEL_SOURCE, Cosmology, model_from_source
from tests.methods.owners import Described


def test_explain_names_the_difference() -> None:
    """Explanations tell hits from misses and name the parts that differ, with both values."""
    cosmo = Cosmology()
    assert str(cosmo.age.explain(1.0)).endswith("miss, nothing of this method is stored")
    cosmo.age(1.0)
    assert cosmo.age.explain(1.0).where == "memory"
    assert "hit, in memory" in str(cosmo.age.explain(1.0))
    assert Cosmology().age.explain(1.0).where == "store"
    assert "hit, in the store" in repr(Cosmology.age.explain(Cosmology(), 1.0))
    assert cosmo.age.explain(2.0).differences == {"argument z": ("1", "2")}
    cosmo.H0 = 50.0
    explanation = cosmo.age.explain(1.0)
    assert explanation.differences == {"parameter H0": ("70", "50")}
    assert "parameter H0 is 50, stored is 70" in str(explanation)


def test_explain_of_memory_only_results() -> None:
    """What was never written is explained from memory."""
    cosmo = Cosmology()
    cosmo.power(1.0)
    assert cosmo.power.explain(2.0).differences == {"argument k": ("1", "2")}


def test_explain_names_what_memory_has_of_other_parameters() -> None:
    """A result in memory only, of earlier parameters, is named if objects share their results, and else is none."""

    @keyed_by("n")
    class Model:
        n = 1.0

        @stored(persistent=False)
        def value(self) -> float:
            return self.n

    for sets, differences in ((8, {"parameter n": ("1", "2")}), (0, {})):
        with configure(memory_sets=sets):
            model = Model()
            model.value()
            model.n = 2.0
            assert model.value.explain().differences == differences


def test_explain_sees_another_version(tmp_path: Path) -> None:
    """A changed body is named as the reason."""
    model_from_source(MODEL_SOURCE.format(decorator="@stored", body="return 1"), tmp_path, "a")().method()
    other = model_from_source(MODEL_SOURCE.format(decorator="@stored", body="return 2"), tmp_path, "b")()
    assert list(other.method.explain().differences) == ["the method's version"]


def test_explain_of_a_string_owner() -> None:
    """A hashable string without parts is compared whole."""
    Described(1.0).method()
    differences = Described(2.0).method.explain().differences
    assert differences == {"the hashable string": ("Described 1.0", "Described 2.0")}


def test_explain_of_a_string_beside_named_parameters() -> None:
    """Where a StorageUser and the class tell parameters together, both are compared."""

    @keyed_by("y")
    class Both:
        def __init__(self, string: str, y: int) -> None:
            self.y = y
            self.su = StorageUser("explain", "rw", lambda: "both", lambda: string, None)

        @stored
        def method(self) -> int:
            return self.y

    Both("a, y=3", 4).method()
    assert Both("a, y=3", 5).method.explain().differences == {"parameter y": ("4", "5")}
    differences = Both("a", 5).method.explain().differences
    assert differences == {"the hashable string": ("a, y=3", "a"), "parameter y": ("4", "5")}


def test_explain_splits_parameters_that_hold_commas() -> None:
    """Parameters that are containers or text are compared one by one."""

    @keyed_by("t", "s", "y")
    class Several:
        def __init__(self, t: Any, s: str, y: int) -> None:
            self.t, self.s, self.y = t, s, y

        @stored
        def method(self) -> int:
            return self.y

    Several((1, 2), "a, b='", 4).method()
    assert Several((1, 2), "a, b='", 5).method.explain().differences == {"parameter y": ("4", "5")}
