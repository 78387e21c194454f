"""Which types do all parts of the library share? `Store`, and what it takes and gives; `ABSENT`: nothing is stored."""

from __future__ import annotations

import functools
import re
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, Protocol, TypeAlias, runtime_checkable

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = [
    "ABSENT",
    "PATIENCE",
    "Absent",
    "Buffer",
    "HandOut",
    "Holder",
    "Store",
    "SupportsStore",
    "TableInterpolant",
    "Turn",
    "Upkeep",
    "Usage",
    "Waiting",
    "check_name",
    "count_written",
    "is_name",
    "left_out",
]

Buffer: TypeAlias = bytes | bytearray | memoryview
"""An object that gives access to bytes."""


class Absent(Enum):
    """The type of `ABSENT`, by which type checkers distinguish it from a stored None."""

    ABSENT = "absent"


ABSENT: Final[Literal[Absent.ABSENT]] = Absent.ABSENT
"""Nothing is stored; None is a value like any other."""


class Turn(Enum):
    """What waiting for a turn to compute the entry of a name has led to."""

    MINE = "mine"
    """This thread computes: nobody else does, as far as can be known."""
    DONE_ELSEWHERE = "done elsewhere"
    """Another process has computed it meanwhile, or has come to an end without a result that it could store."""
    EXPIRED = "expired"
    """Another process still computes it after the time limit; this thread computes it too."""


class Holder(NamedTuple):
    """Who computes the entry of a name.

    Attributes
    ----------
    host : str
        The name of the computer.
    process : int
        The number of the process there.
    since : float
        When it began, in seconds since 1970.
    """

    host: str
    process: int
    since: float


class Waiting(NamedTuple):
    """What is known while a thread waits for its turn.

    Attributes
    ----------
    seconds : float
        How long it has waited.
    holder : Holder or None
        Who computes, as far as is known.
    """

    seconds: float
    holder: Holder | None = None


PATIENCE = 600.0
"""Seconds for which to wait for who shows no life, if no limit was set."""


class Upkeep(NamedTuple):
    """What upkeep found and did.

    Attributes
    ----------
    entries, bytes : int
        What is in the store now.
    removed_entries, removed_bytes : int
        What was removed because it was beyond the limits.
    leftovers : int
        How many files of processes that died were removed: drafts, and notes of who waited or failed.
    not_done : tuple of str
        What upkeep does not do with this store and these settings, and why.
    """

    entries: int = 0
    bytes: int = 0
    removed_entries: int = 0
    removed_bytes: int = 0
    leftovers: int = 0
    not_done: tuple[str, ...] = ()

    def __str__(self) -> str:
        done = (
            f"{self.entries} results in {self.bytes:,} bytes; removed {self.removed_entries} results in"
            f" {self.removed_bytes:,} bytes, and {self.leftovers} files left by processes that died"
        )
        return "\n".join([done, *(f"not done: {each}" for each in self.not_done)])


class Usage(NamedTuple):
    """What a store takes, as far as is known without looking at all of it.

    Attributes
    ----------
    bytes : int
        What was there after it was trimmed last, and all that was written since.
    trimmed_at : float
        When it was trimmed last, in seconds since 1970; 0 if it never was, and the bytes are not known.
    """

    bytes: int = 0
    trimmed_at: float = 0.0


class HandOut(Protocol):
    """A function that copies a stored value for a caller."""

    def __call__(self, value: Any, /) -> Any:
        """The value that the caller gets."""


class TableInterpolant(Protocol):
    """An interpolant over a table that a method returned: one of scipy's splines."""

    def __call__(self, *coordinates: ArrayLike, **options: Any) -> Any:
        """The interpolated value at one coordinate or two."""


_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")


def is_name(name: str) -> bool:
    """Is this a name that `check_name` accepts?"""
    return _NAME.fullmatch(name) is not None


@functools.lru_cache(maxsize=256)
def check_name(name: str) -> str:
    """The name itself, if it is valid: folders and a last part joined by slashes, none of them hidden, empty or ``..``.

    Raises
    ------
    ValueError
        If it is not valid.
    """
    if not is_name(name):
        raise ValueError(f"{name!r} is not a name in a store; its parts are letters, digits and _ . - joined by /")
    return name


_RENAMED = {"needing": "declare_wait", "turn": "compute_turn", "open_to": "writable_by_others"}


@runtime_checkable
class Store(Protocol):
    """A place for bytes under names; it knows nothing of values.

    It is the base class of all stores, and a class with the same methods is a store too, whatever it inherits. A write
    is atomic: a reader sees all bytes of one write, or nothing. Every method may raise `OSError`; results are then
    computed and kept in memory. The methods that are not abstract are for what some stores cannot do: by default nobody
    waits, nothing is counted or tidied, and nobody else can write to the store.
    """

    def __init_subclass__(cls, **options: Any) -> None:
        """Refuse a method by a name of before, which nothing would call."""
        super().__init_subclass__(**options)
        for before, now in _RENAMED.items():
            if before in vars(cls):
                raise TypeError(f"{cls.__qualname__} defines {before}(), which is called {now}() now; rename it")

    @abstractmethod
    def read(self, name: str) -> Buffer | None:
        """All bytes under a name, or None if there are none; a later write does not change them."""

    def read_start(self, name: str, length: int) -> Buffer | None:
        """The first bytes under a name, as many as there are up to `length`."""
        data = self.read(name)
        return None if data is None else memoryview(data)[:length]

    @abstractmethod
    def write(self, name: str, parts: Sequence[Buffer]) -> None:
        """Replace what is under a name by the parts, one after another."""

    @abstractmethod
    def delete(self, name: str) -> bool:
        """Remove a name; was it there?"""

    @abstractmethod
    def names(self, folder: str = "") -> Iterator[str]:
        """The names in a folder and the folders below it, in any order."""

    @abstractmethod
    def location(self, name: str = "") -> str:
        """Where a name is, as messages show it."""

    def touch(self, name: str) -> None:
        """Note that a name is in use, so that `trim` removes others first."""
        check_name(name)

    def declare_wait(self, name: str) -> AbstractContextManager[None]:
        """Within the block, this thread waits until another thread of its process has the entry of a name.

        If that one waits in `compute_turn`, it waits for what both need, and others can see that this thread does.
        """
        check_name(name)
        return nullcontext()

    def compute_turn(
        self, name: str, limit: float | None, tell: Callable[[Waiting], object] | None = None
    ) -> AbstractContextManager[Turn]:
        """Wait before the block while another computes the entry of a name; within the block, let others wait.

        It never waits for a process that has died, and never for one that itself waits, directly or through others,
        for this thread. Where that cannot be known, as in a store without locks, the block gets `Turn.MINE`.

        Parameters
        ----------
        name : str
            The name.
        limit : float or None
            Seconds to wait; then one of those who wait gets `Turn.EXPIRED`, and the others go on waiting: after twice
            that time another one gets it, and so on, so that nobody waits for ever. With 0, nobody waits. None is for
            as long as the one who computes shows life, and `PATIENCE` seconds more.
        tell : callable, optional
            Called now and then by a thread that waits, with what is known.
        """
        check_name(name)
        return nullcontext(Turn.MINE)

    def clear_leftovers(self) -> int:
        """Remove what processes that died have left, and nothing of others; how many files were removed?"""
        return 0

    def count_written(self, size: int) -> Usage | None:
        """Count that so many bytes were written; how many are there now, of all processes?

        None if the store keeps no count; then each process counts what it writes itself. `trim` corrects the count.
        """
        return None

    def trim(self, ending: str, max_bytes: int | None, max_age: float | None) -> Upkeep:
        """Remove names that were unused for too long, and the least recently used ones if there are too many bytes.

        Parameters
        ----------
        ending : str
            Only names with this ending count, and only they are removed.
        max_bytes : int, optional
            The size of all together; if they are larger, names are removed until they take nine tenths of it.
        max_age : float, optional
            Seconds since a name was written or touched.
        """
        return Upkeep()

    def writable_by_others(self) -> str:
        """Where other users can write, and who they are, as messages show it; empty if nobody can."""
        return ""

    def left_out(self) -> frozenset[str]:
        """The names of the methods by which it does nothing: of those for what some stores cannot do.

        By default, those that its class does not override. A store over another one gives those of that.
        """
        return frozenset(name for name in _MAY_BE_LEFT_OUT if getattr(type(self), name) is getattr(Store, name))


_MAY_BE_LEFT_OUT = ("touch", "declare_wait", "compute_turn", "clear_leftovers", "count_written", "trim")


def left_out(store: Store) -> frozenset[str]:
    """`Store.left_out`, also of a store that does not inherit from `Store`: the methods that it does not have."""
    tell = getattr(store, "left_out", None)
    return frozenset(name for name in _MAY_BE_LEFT_OUT if not hasattr(store, name)) if tell is None else tell()


def count_written(store: Store, size: int) -> Usage | None:
    """`Store.count_written`, also of a store without that method, as stores are that do not inherit from `Store`."""
    count = getattr(store, "count_written", None)
    return None if count is None else count(size)


SupportsStore = Store
"""The name of before."""
