"""Two Unix users of one group share a cache directory, whatever their umask, with no chmod and no wrong value."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import stat
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import stored
from tests.faults.processes import in_processes, started, until, until_waiting

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser can become two other users")

ONE, OTHER, GROUP = 54001, 54002, 54000
CALLS: list[str] = []
DURING: list[Callable[[], object]] = []
"""Called once in the next computation."""


class Custom:
    def __init__(self, value: float) -> None:
        self.value = value


@stored.keyed_by("H0")
class Model:
    """A model whose results are an array, a plain value, and objects that must be pickled."""

    def __init__(self, H0: float) -> None:
        self.H0 = H0

    @stored.stored(ignore=("CALLS", "DURING"))
    def array(self, z: float) -> Any:
        note("array")
        return np.full(200_000, self.H0 * z)

    @stored.stored(ignore=("CALLS", "DURING"))
    def plain(self, z: float) -> Any:
        note("plain")
        return {"product": (self.H0 * z, "text")}

    @stored.stored(ignore=("CALLS", "DURING"))
    def custom(self, z: float) -> Any:
        note("custom")
        return Custom(self.H0 * z)


def note(kind: str) -> None:
    CALLS.append(kind)
    if DURING:
        DURING.pop()()


@pytest.fixture(params=["group", "setgid"])
def place(request: pytest.FixtureRequest) -> Iterator[Path]:
    """A folder in which all can make others, and a directory there that is shared by its mode, or is to be."""
    found = Path(tempfile.mkdtemp())
    found.chmod(0o1777)
    for user in (ONE, OTHER):
        (found / f"home{user}").mkdir(mode=0o700)
        os.chown(found / f"home{user}", user, user)
    if request.param == "setgid":
        (found / "new" / "cache").mkdir(parents=True)
        (found / "new").chmod(0o755)
        os.chown(found / "new" / "cache", -1, GROUP)
        (found / "new" / "cache").chmod(0o2770)
    use(Model(0.5))  # what is imported, or read of code, when it is first needed: these users may not reach it
    CALLS.clear()
    yield found
    shutil.rmtree(found)


def use(model: Model) -> None:
    """Call everything, and check what it gives."""
    for z in (2.0, 3.0):
        assert np.array_equal(model.array(z), np.full(200_000, model.H0 * z))
        assert model.plain(z) == {"product": (model.H0 * z, "text")}
        assert model.custom(z).value == model.H0 * z
    stored.upkeep()


def become(user: int, place: Path) -> None:
    """Be another user, who is in the group, lets nobody read new files, and has a key of their own."""
    import grp  # noqa: F401  # where this process may no longer read
    import hmac  # noqa: F401

    from stored._storage import waiting  # noqa: F401

    os.setgroups([GROUP])
    os.setgid(user)
    os.setuid(user)
    os.umask(0o077)
    home = place / f"home{user}"
    os.environ["HOME"] = str(home)
    group = GROUP if not (place / "new").exists() or (place / "new").stat().st_gid == GROUP else None
    stored.configure(cache_dir=place / "new" / "cache", group=group, key_file=home / "key folder" / "key")


def use_as(user: int, place: Path) -> tuple[list[str], list[str]]:
    """What was computed, and which warnings there were."""
    become(user, place)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        use(Model(70.0))
    return sorted(set(CALLS)), [f"{each.category.__name__}: {each.message}" for each in caught]


def run(function: Callable[..., Any], *arguments: Any) -> Any:
    (result,) = in_processes((function, *arguments))
    return result


def test_what_one_computes_the_other_finds(place: Path) -> None:
    """Arrays and plain values are found; pickles are computed by each, in turn, with one warning for all of them."""
    assert run(use_as, ONE, place) == (["array", "custom", "plain"], [])
    for user in (OTHER, ONE, OTHER):
        computed, troubles = run(use_as, user, place)
        assert computed == ["custom"]
        assert len(troubles) == 1
        assert "EntryWarning" in troubles[0]
        assert "return these" in troubles[0]
    assert run(use_as, OTHER, place) == ([], [])
    check_modes(place / "new" / "cache")


def check_modes(root: Path) -> None:
    for path in (root, *root.rglob("*")):
        state = path.stat()
        assert state.st_gid == GROUP, path
        assert stat.S_IMODE(state.st_mode) == (0o2770 if path.is_dir() else 0o660), path
    assert {path.stat().st_uid for path in root.rglob("*.stored")} == {ONE, OTHER}


def compute_slowly(user: int, place: Path, began: Any, may_end: Any, fails: bool) -> list[str]:
    become(user, place)

    def during() -> None:
        began.set()
        assert may_end.wait(300)
        if fails:
            raise ValueError("no convergence")

    DURING.append(during)
    try:
        Model(70.0).array(2.0)
    except ValueError:
        assert fails
    return CALLS


def compute_as(user: int, place: Path) -> list[str]:
    become(user, place)
    assert Model(70.0).array(2.0)[0] == 140.0
    return CALLS


@pytest.mark.parametrize("fails", [False, True])
def test_one_waits_for_the_other(place: Path, fails: bool) -> None:
    """Who needs what another user computes waits for it, and goes on at once when that fails."""
    context = multiprocessing.get_context("fork")
    began, may_end = context.Event(), context.Event()
    with started((compute_slowly, ONE, place, began, may_end, fails)) as (one,):
        assert began.wait(300)
        with started((compute_as, OTHER, place)) as (other,):
            until_waiting(other)
            if not fails:
                until(lambda: list((place / "new" / "cache" / ".work").glob("*.holder")))
            may_end.set()
            assert one.result() == ["array"]
            assert other.result() == (["array"] if fails else [])


def die_as(user: int, place: Path) -> None:
    become(user, place)
    compute_and_write(70.0)
    work = place / "new" / "cache" / ".work"

    def during() -> None:
        until(lambda: list(work.glob("*.holder")))
        os.kill(os.getpid(), signal.SIGKILL)

    DURING.append(during)
    Model(70.0).array(5.0)


def compute_and_write(H0: float) -> None:
    for z in (2.0, 3.0):
        Model(H0).array(z)


def tidy_as(user: int, place: Path) -> tuple[int, int, int]:
    """How many leftovers and entries went, and how many entries are there."""
    become(user, place)
    first = stored.upkeep()
    Model(70.0).array.cache_clear(2.0)
    with stored.configure(max_bytes=0):
        done = stored.upkeep()
    return first.leftovers, done.removed_entries, done.entries


def test_one_tidies_up_after_the_other(place: Path) -> None:
    """Leftovers of another user's process that died are cleared, and results removed, by name and by limits."""
    with started((die_as, ONE, place)) as (one,):
        assert one.ended() == -signal.SIGKILL
    leftovers, removed, left = run(tidy_as, OTHER, place)
    assert leftovers >= 1
    assert (removed, left) == (1, 0)
    assert run(compute_as, ONE, place) == ["array"]


def fill_as(user: int, place: Path, start: Any) -> int:
    become(user, place)
    start.wait(300)
    for number in range(30):
        assert Model(float(number)).plain(2.0) == {"product": (number * 2.0, "text")}
    return len(CALLS)


def test_both_begin_at_once(place: Path) -> None:
    """In a directory that is only being made, both find folders that the other has just made; there is no warning."""
    start = multiprocessing.get_context("fork").Event()
    with started((fill_as, ONE, place, start), (fill_as, OTHER, place, start)) as both:
        start.set()
        counts = [each.result() for each in both]
    assert sum(counts) >= 30
    assert len(list((place / "new" / "cache").rglob("*.stored"))) == 30


def use_privately_as(user: int, place: Path) -> None:
    become(user, place)
    stored.configure(group=None)
    Model(70.0).plain(2.0)
    assert stat.S_IMODE((place / "new" / "cache").stat().st_mode) == 0o700


def found_as(user: int, place: Path) -> list[str]:
    become(user, place)
    Model(70.0).plain(2.0)
    return CALLS


@pytest.mark.parametrize("place", ["group"], indirect=True)
def test_what_was_private_is_shared_later(place: Path) -> None:
    """When the owner of a private directory sets the group, the results in it are open to the group."""
    (place / "new").mkdir(mode=0o755)
    os.chown(place / "new", ONE, GROUP)
    run(use_privately_as, ONE, place)
    assert run(use_as, ONE, place)[1] == []
    assert run(found_as, OTHER, place) == []
