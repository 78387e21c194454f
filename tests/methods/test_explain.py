"""Why does a call hit or miss?"""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stored import StorageUser, configure, keyed_by, stored
from stored._keys import Key, Space
from stored._methods.explain import explain
from stored._storage.format import unpack
from stored.stores import DirectoryStore
from tests.methods.models import MODEL_SOURCE, Cosmology, model_from_source
from tests.methods.owners import Described
from tests.storage.entries import Parts


def test_explain_names_the_difference() -> None:
    """Explanations tell hits from misses and name the parts that differ, with both values."""
    cosmo = Cosmology()
    assert str(cosmo.age.explain(1.0)).endswith("miss, nothing of this method is stored")
    cosmo.age(1.0)
    assert cosmo.age.explain(1.0).where == "memory"
    assert "hit, in memory" in str(cosmo.age.explain(1.0))
    assert Cosmology().age.explain(1.0).where == "store"
    assert "hit, in the store" in repr(Cosmology.age.explain(Cosmology(), 1.0))
    assert cosmo.age.explain(2.0).differences == {"argument z": ("1.0", "2.0")}
    cosmo.H0 = 50.0
    explanation = cosmo.age.explain(1.0)
    assert explanation.differences == {"parameter H0": ("70.0", "50.0")}
    assert "parameter H0 is 50.0, stored is 70.0" in str(explanation)


@keyed_by("H0")
class Constant:
    def __init__(self, H0: Any) -> None:
        self.H0 = H0

    @stored
    def age(self) -> float:
        return 1.0


@pytest.mark.parametrize(
    ("known", "asked", "is_one"),
    [
        (70, 70.0, True),
        (np.int32(70), 70.0, True),
        (True, 1, True),
        (Decimal("70.0"), np.float32(70), True),
        (70, 71.0, False),
        ("70", 70, False),
        ([70], [70.0], False),
        ("x", 70, False),
    ],
)
def test_explain_says_what_is_equal_but_for_the_type(known: Any, asked: Any, is_one: bool) -> None:
    """With the remedy for parameters."""
    Constant(known).age()
    text = str(Constant(asked).age.explain())
    remedy = "(equal but for the type: convert={'H0': float} of keyed_by makes them one)"
    assert (remedy in text) is is_one
    assert ("equal but" in text) is is_one


def test_explain_says_what_arguments_are_equal_but_for_the_type() -> None:
    """They have no remedy but to be given alike."""
    cosmo = Cosmology()
    cosmo.age(1.0)
    assert str(cosmo.age.explain(1)).endswith("argument z is 1, stored is 1.0 (equal but for the type)")


def test_explain_of_memory_only_results() -> None:
    """What was never written is explained from memory."""
    cosmo = Cosmology()
    cosmo.power(1.0)
    assert cosmo.power.explain(2.0).differences == {"argument k": ("1.0", "2.0")}


def test_explain_names_what_memory_has_of_other_parameters() -> None:
    """A result in memory only, of earlier parameters, is named if objects share their results, and else is none."""

    @keyed_by("n")
    class Model:
        n = 1.0

        @stored(persistent=False)
        def value(self) -> float:
            return self.n

    for sets, differences in ((8, {"parameter n": ("1.0", "2.0")}), (0, {})):
        with configure(memory_sets=sets):
            model = Model()
            model.value()
            model.n = 2.0
            assert model.value.explain().differences == differences


def no_changes(_: Key) -> dict[str, tuple[str, str]]:
    return {}


def test_explain_sees_another_version(tmp_path: Path) -> None:
    """A changed body is named as the reason."""
    model_from_source(MODEL_SOURCE.format(decorator="@stored", body="return 1"), tmp_path, "a")().method()
    other = model_from_source(MODEL_SOURCE.format(decorator="@stored", body="return 2"), tmp_path, "b")()
    explanation = other.method.explain()
    (version, code) = explanation.differences
    assert version == "the method's version"
    assert code.startswith("code ")
    old, new = explanation.differences[code]
    assert ("return 1" in old, "return 2" in new) == (True, True)
    assert str(explanation).endswith("has changed:\n    -     return 1\n    +     return 2")


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


def test_the_text_of_an_explanation_is_short() -> None:
    """Of a long hashable string its beginning is shown, and of many differences the first; all are in the attribute."""
    stored_key = Key(Space("m", "owner", '"' * 500_000), "f", "m.C.f", "1")
    asked = Key(Space("m", "owner", "x"), "f", "m.C.f", "1", tuple((f"a{n}", "1") for n in range(30)))
    explanation = explain(asked, None, lambda: [stored_key], no_changes)
    assert explanation.differences["the hashable string"] == ('"' * 500_000, "x")
    assert len(explanation.differences) == 31
    text = str(explanation)
    assert "stored is " + '"' * 2000 + "...; argument a0 is 1, stored is absent" in text
    assert text.endswith("argument a18 is 1, stored is absent; and 11 more")


def test_the_nearest_key_is_found_one_by_one() -> None:
    """Of the keys that are given no more than the nearest is kept: the first of those with the fewest differences."""
    asked = Key(Space("m", "owner", (("p", "1"),)), "f", "m.C.f", "1", (("x", "1"), ("y", "2")))

    def candidates() -> Iterator[Key]:
        for x, y in (("5", "6"), ("1", "7"), ("8", "2"), ("9", "9")):
            yield Key(asked.space, "f", "m.C.f", "1", (("x", x), ("y", y)))

    assert explain(asked, None, candidates, no_changes).differences == {"argument y": ("7", "2")}


def test_explaining_beside_hostile_entries_is_bounded(cache_dir: Path) -> None:
    """Of entries of the method whose keys are half a million quotes, few are read, and one is kept at a time."""
    cosmo = Cosmology()
    key = stored_key_of(cosmo, cache_dir)
    for number in range(24):
        space = Space(key.space.module, key.space.name, '"' * 500_000)
        other = Key(space, key.object, key.definition, key.version, (("z", str(number)),))
        DirectoryStore(cache_dir).write(other.entry_name, [Parts(b"1", key=other.data).joined()])
    tracemalloc.start()
    try:
        explanation = Cosmology().age.explain(2.0)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert explanation.differences
    assert peak < 40 << 20
    assert len(str(explanation)) < 10_000


def stored_key_of(cosmo: Cosmology, cache_dir: Path) -> Key:
    """The key of a result that is stored for this."""
    cosmo.age(1.0)
    (file,) = cache_dir.rglob("*.stored")
    return Key.from_bytes(unpack(file.read_bytes()).key)
