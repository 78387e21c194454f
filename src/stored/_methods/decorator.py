"""`stored`: the decorator that makes a method or a function remember its results."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, TypeVar, overload

if TYPE_CHECKING:  # imported with the first method that is decorated, since most of the start-up time is theirs
    from stored._methods.definition import Axes
    from stored._methods.stored_method import StoredMethod
    from stored.typing import TableInterpolant

__all__ = ["stored"]

Q = ParamSpec("Q")
R = TypeVar("R")


@overload
def stored(method: Callable[Q, R], /) -> StoredMethod[Q, R]: ...


@overload
def stored(
    name: str | None = None,
    *,
    persistent: bool = True,
    interpolate: Axes | None = None,
    version: str | None = None,
    uses: Iterable[object] = (),
    maxsize: int | None = None,
    ignore: Collection[str] = (),
    round: Mapping[str, int] | None = None,
    copy: bool | None = None,
    depends: Collection[str] | Literal["auto"] | None = None,
    single_flight: bool = True,
) -> Callable[[Callable[Q, R]], StoredMethod[Q, R]]: ...


@overload
def stored(
    name: str | None = None,
    *,
    persistent: bool = True,
    interpolate: Literal[True],
    version: str | None = None,
    uses: Iterable[object] = (),
    maxsize: int | None = None,
    ignore: Collection[str] = (),
    round: Mapping[str, int] | None = None,
    depends: Collection[str] | Literal["auto"] | None = None,
    single_flight: bool = True,
) -> Callable[[Callable[Q, Any]], StoredMethod[Q, TableInterpolant]]: ...


def stored(
    name: Any = None,
    *,
    persistent: bool = True,
    interpolate: Literal[True] | Axes | None = None,
    version: str | None = None,
    uses: Iterable[object] = (),
    maxsize: int | None = None,
    ignore: Collection[str] = (),
    round: Mapping[str, int] | None = None,  # noqa: A002
    copy: bool | None = None,
    depends: Collection[str] | Literal["auto"] | None = None,
    single_flight: bool = True,
) -> Any:
    """Remember the results of a method for as long as its owner's parameters stay the same, or those of a function.

    Use it bare (``@stored``), with a name (``@stored("spectrum")``) or with options. Results of a plain function depend
    on its arguments and its code, with all that this reaches and closes over; so do those of a static method, of which
    ``@stored`` stands below ``@staticmethod``. What the bound method has as attributes, a function has itself:
    ``growth.cache_clear()``, ``growth.inverse(y)``.

    Parameters
    ----------
    name : str, optional
        The name of the object in the owner's space, by default that of the method or function.
    persistent : bool
        Keep results on disk too.
    interpolate : True or Axis or (Axis, Axis), optional
        With True, the method returns a table (an array of shape (2, n), or a tuple (x, y, z)), and the decorated call
        a spline over it. With an axis, the method is a function of that argument: it is sampled once for each set of
        the other arguments, and evaluated from the table from then on.
    version : str, optional
        The version of the method, in place of all that its code can reach. Change it when the method changes.
    uses : iterable, optional
        What the method uses that its code does not show: functions, classes and modules, which count by their code;
        functions without arguments, which count by what they return too; files, as `pathlib.Path`, by their content,
        which is looked at with each call; names of installed distributions, by version; other strings, as they are.
    maxsize : int, optional
        How many results of each owner memory holds; the least recently used goes first. Any number by default.
    ignore : collection of str
        Arguments that do not change the result, and are left out of the key; and names in code that do not count, as
        they stand there (``"tqdm"``), with their module (``"lib.report"``), or as attributes (``"self.log"``).
    round : mapping of str to int, optional
        Arguments that are rounded to so many decimals, both for the key and for the computation.
    copy : bool, optional
        By default, callers get arrays that are read-only and copies of what can change: containers, and values of types
        that are known, as data frames, or registered; of other objects, the one that is kept. True hands out a deep
        copy each time, with arrays that can be written to. False hands out the very object that is kept: who changes
        it, changes it for all.
    depends : "auto" or collection of str, optional
        The parameters that the result depends on, if not all: a change of the others keeps it. With ``"auto"``, those
        that the code of the method is found to read, and the attributes: also for owners with a hashable string of
        their own, and where the method calls other stored ones. Names are for owners described by `keyed_by`, frozen
        dataclasses and frozen attrs classes; what is read beside them is told by an `OwnerWarning`. Functions have no
        parameters to choose from.
    single_flight : bool
        Let one thread or process compute a missing result while the others wait for it. Say False for a method that
        all ranks of a parallel program must enter together, since it communicates (``comm.allreduce``): if one of them
        computed while the others waited for its result, it would wait for them, too, for ever. Each rank looks for the
        result itself: let all of them ask with owners that have nothing in memory, or all with the same.

    Returns
    -------
    StoredMethod
        The decorated method, or a decorator.

    Raises
    ------
    TypeError
        If this cannot be decorated, or an option names an argument or a parameter that is not there.
    ValueError
        If an option has a value that it cannot have.

    Examples
    --------
    >>> from stored import keyed_by, stored
    >>> @keyed_by("n")
    ... class Model:
    ...     def __init__(self, n):
    ...         self.n = n
    ...
    ...     @stored(persistent=False)
    ...     def total(self, k=1):
    ...         return sum(range(self.n)) * k
    >>> Model(10).total(2)
    90
    >>> @stored(persistent=False)
    ... def growth(z, Om0=0.3):
    ...     return (1 + z) ** -Om0
    >>> growth(0.0), growth.cached(0.0, Om0=0.3)
    (1.0, True)
    """
    from stored._methods.definition import checked_names, define
    from stored._methods.stored_method import StoredMethod

    if not isinstance(persistent, bool):
        raise TypeError(f"persistent is {persistent!r}; it must be True or False")
    if not isinstance(single_flight, bool):
        raise TypeError(f"single_flight is {single_flight!r}; it must be True or False")
    if maxsize is not None and (not isinstance(maxsize, int) or maxsize < 1):
        raise ValueError(f"maxsize is {maxsize!r}; it must be a positive integer, or None for any number")
    if name is not None and not isinstance(name, str):
        return StoredMethod(define(name, None, {}))
    options: dict[str, Any] = {
        "persistent": persistent,
        "interpolate": interpolate,
        "version": version,
        "uses": uses,
        "maxsize": maxsize,
        "ignore": ignore,
        "round": round,
        "copy": copy,
        "depends": depends
        if depends is None or depends == "auto"
        else checked_names("depends", depends, "'auto', or "),
        "single_flight": single_flight,
    }
    return lambda method: StoredMethod(define(method, name, options))
