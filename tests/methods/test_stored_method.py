"""A stored method as an attribute of its class behaves as a function does."""

from __future__ import annotations

import inspect
import pickle

import pytest

from stored import keyed_by, stored
from tests.methods.models import Cosmology, alike_classes, repeated


def test_the_method_looks_like_the_original() -> None:
    """Name, docstring, signature, annotations and kind are those of the plain function."""
    plain, method, bound = Cosmology.age.__wrapped__, Cosmology.age, Cosmology().age
    for each in (method, bound):
        assert each.__name__ == "age"
        assert each.__qualname__ == "Cosmology.age"
        assert each.__doc__ == "Age at a redshift."
        assert each.__module__ == Cosmology.__module__
        assert each.__annotations__ == plain.__annotations__
    assert inspect.signature(method) == inspect.signature(plain)
    assert list(inspect.signature(bound).parameters) == ["z", "unit"]
    assert inspect.isfunction(method)
    assert inspect.ismethod(bound)
    assert bound.__self__.H0 == 70.0
    assert "stored method Cosmology.age" in repr(bound)
    assert repr(method) == "<stored method Cosmology.age>"
    assert (Cosmology.H0 if hasattr(Cosmology, "H0") else None) is None


def test_a_method_under_another_name_pickles() -> None:
    """The attribute of the class counts, not the name of the function."""
    assert pickle.loads(pickle.dumps(Renamed(2.0).other))() == 2.0


@keyed_by("n")
class Renamed:
    def __init__(self, n: float) -> None:
        self.n = n

    def _method(self) -> float:
        return self.n

    other = stored(_method)


@pytest.mark.parametrize("called_before", [False, True])
def test_attributes_given_to_a_method_later_are_seen_on_objects(called_before: bool) -> None:
    """What is set on a stored method after its decoration is there for bound methods too, and calls go on."""
    kind, _ = alike_classes()
    model = kind()
    if called_before:
        repeated(model.value, 1.0)
    kind.value.note, kind.value.other = 5, 6
    kind.value.__doc__, kind.value.__module__ = "Told later.", "elsewhere"
    kind.value.__annotations__ = {"x": int}
    kind.value.__name__, kind.value.__qualname__ = "named", "Later.named"
    kind.value.note += 1
    for bound in (model.value, kind().value):
        assert (bound.note, bound.other, bound.__doc__, bound.__module__) == (6, 6, "Told later.", "elsewhere")
        assert (bound.__annotations__, bound.__name__, bound.__qualname__) == ({"x": int}, "named", "Later.named")
        assert repeated(bound, 1.0) == (2.0, 1.0)
    del kind.value.other
    assert not hasattr(model.value, "other")
    with pytest.raises(AttributeError):
        model.value.note = 7


def test_a_method_needs_its_object() -> None:
    """Called on the class without an object, the method is named."""
    with pytest.raises(TypeError, match=r"Cosmology\.age\(\) was called without its object"):
        Cosmology.age()  # type: ignore[call-arg]
