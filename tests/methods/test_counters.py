"""How often was a stored method answered, and from where?"""

from __future__ import annotations

from stored import configure
from tests.methods.models import Cosmology, Model


def test_cache_info_counts() -> None:
    """Hits and misses are counted as functools does; hits from disk, stored results and saved time are counted too."""
    cosmo = Cosmology()
    cosmo.power(1.0), cosmo.power(1.0), cosmo.power(2.0), cosmo.power(3.0)
    info = cosmo.power.cache_info()
    assert (info.hits, info.misses, info.maxsize, info.currsize) == (1, 3, 2, 2)
    assert (info.persistent_hits, info.stores) == (0, 0)
    cosmo.age(1.0)
    other = Cosmology()
    other.age(1.0), other.age(1.0)
    info = other.age.cache_info()
    assert (info.hits, info.misses, info.persistent_hits, info.stores) == (2, 0, 1, 0)
    assert info.seconds_saved > 0.0
    assert Cosmology.age.cache_info(cosmo).stores == 1


def test_counts_survive_what_ends_a_shortcut() -> None:
    """Hits are counted one by one, whatever happens to the shortcut between them."""
    model = Model()
    for number in range(1, 6):
        for _ in range(4):
            model.value(1.0)
        with configure(persistence="r"):
            model.value(1.0)
        model.value(float(number + 10))
        assert model.value.cache_info().hits == 5 * number - 1
    assert model.value.cache_info().misses == 6
