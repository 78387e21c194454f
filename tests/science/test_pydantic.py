"""Models of pydantic as parameters and results."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stored import keyed_by, register, stored
from stored._adapters import adapter_of
from stored._keys import canonical
from stored._storage.freezing import copy_for_caller, freeze
from stored._storage.registered import Codes
from tests.adapters import round_trips
from tests.adapters.round_trips import by_two_users, comes_back, user
from tests.faults.processes import in_processes

pydantic = pytest.importorskip("pydantic", minversion="2.0")


@register
class Survey(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")

    area: float
    bands: list[str] = []
    _note: str = pydantic.PrivateAttr(default="none")


@register
class Frozen(pydantic.BaseModel, frozen=True):
    survey: Survey
    depth: float = 25.0


class Unregistered(pydantic.BaseModel):
    area: float


def survey(**more: Any) -> Survey:
    made = Survey(area=100.0, bands=["g", "r"], **more)
    made._note = "mine"
    return made


ALL: dict[str, Any] = {
    "pydantic": survey,
    "pydantic extra": lambda: survey(seeing=0.7),
    "pydantic nested": lambda: Frozen(survey=survey(), depth=26),
}
round_trips.GOOD |= ALL
round_trips.GOOD["unregistered pydantic"] = lambda: Unregistered(area=1.0)


@pytest.mark.parametrize("name", ALL)
def test_models_come_back(name: str, tmp_path: Path) -> None:
    """With extra fields, private attributes and which fields were set; a second user finds each."""
    value = ALL[name]()
    found = comes_back(value)
    assert found == value
    assert found.model_fields_set == value.model_fields_set
    assert found.model_dump() == value.model_dump()
    ((first, second),) = by_two_users(tmp_path, [name])
    assert first == second == value


def test_private_attributes_and_extra_fields_count() -> None:
    """In keys."""
    other = survey()
    other._note = "other"
    assert len({canonical(each) for each in (survey(), other, survey(seeing=0.7), Survey(area=100.0))}) == 4


def texts() -> list[str]:
    """What stands for values in keys, and for the code of their classes in entries."""
    adapters: list[Any] = [adapter_of(Survey), adapter_of(Frozen)]
    return [canonical(make()) for make in ALL.values()] + [Codes()[each] for each in adapters]


def test_texts_are_the_same_in_other_processes() -> None:
    """Though pydantic makes names of the numbers of objects."""
    assert in_processes((texts,), method="spawn") == [texts()]


def test_results_are_copies() -> None:
    """A caller can change his."""
    kept = freeze(survey())
    hand_out = copy_for_caller(kept)
    assert hand_out is not None
    hand_out(kept).bands.append("i")
    assert kept.bands == ["g", "r"]


def test_unregistered_models_are_pickled(tmp_path: Path) -> None:
    """For their user."""
    for _ in range(2):
        with user(tmp_path, "first"):
            assert round_trips.Maker().made("unregistered pydantic") == Unregistered(area=1.0)
    assert round_trips.Maker.computed.count("unregistered pydantic") == 1


@keyed_by("survey")
class Forecast:
    """A model of a user, who keeps his settings in pydantic."""

    computed: list[int] = []

    def __init__(self, survey: Survey) -> None:
        self.survey = survey

    @stored(ignore=("self.computed",))
    def volume(self) -> float:
        self.computed.append(1)
        return self.survey.area * len(self.survey.bands)


def test_a_model_with_settings_of_pydantic() -> None:
    """A field that is changed in place is noticed."""
    forecast = Forecast(survey())
    assert [forecast.volume() for _ in range(3)] == [200.0] * 3
    assert len(Forecast.computed) == 1
    forecast.survey.bands.append("i")
    assert forecast.volume() == 300.0
    forecast.survey.area = 10.0
    assert forecast.volume() == 30.0
    assert Forecast(survey()).volume() == 200.0
