"""`stored`: the decorator that makes a method remember its results."""

from __future__ import annotations

import copy as copying
import functools
import inspect
from collections.abc import Callable, Collection, Mapping
from types import FunctionType, MethodType
from typing import (
    TYPE_CHECKING,
    Any,
    Concatenate,
    Generic,
    Literal,
    NamedTuple,
    NoReturn,
    ParamSpec,
    Self,
    TypeAlias,
    TypeVar,
    cast,
    overload,
)
from weakref import WeakKeyDictionary

import numpy as np
import wrapt

from stored._arguments import Arguments
from stored._codecs import frozen, hand_out_for
from stored._config import settings
from stored._keys import Key, canonical, digest, static_closure
from stored._memory import Record
from stored._owners import ATOMIC
from stored._results import CacheInfo, Results, clear_everywhere, results_of
from stored._shortcuts import Entrance
from stored._source import code_text, qualified_name
from stored._tables import spline
from stored.errors import OwnerError
from stored.typing import TableInterpolant

if TYPE_CHECKING:  # imported where they are used, since most of the start-up time would be theirs
    from numpy.typing import NDArray

    from stored._axes import Axis
    from stored._explanations import Explanation
    from stored._interpolants import CurveInterpolant, Interpolant

    Proxy = wrapt.ObjectProxy[Any]
else:
    Proxy = wrapt.ObjectProxy  # before wrapt 2.2 it takes no type in brackets

__all__ = ["BoundMethod", "StoredMethod", "stored"]

S = TypeVar("S")
P = ParamSpec("P")
R = TypeVar("R")
Axes: TypeAlias = "Axis | tuple[Axis, Axis]"


# --------------------------------------------------------------------------------------------------------------------
# Definitions and calls
# --------------------------------------------------------------------------------------------------------------------


class Definition:
    """A stored method: the plain function, and all that was said of it."""

    def __init__(
        self,
        function: Any,
        name: str | None,
        *,
        persistent: bool = True,
        interpolate: Literal[True] | Axes | None = None,
        version: str | None = None,
        maxsize: int | None = None,
        ignore: Collection[str] = (),
        round: Mapping[str, int] | None = None,  # noqa: A002
        copy: bool = False,
        depends: Collection[str] | None = None,
    ) -> None:
        plain = _plain_function(function, version)
        self.function = function
        self.label = function.__qualname__
        self.name = function.__name__ if name is None else name
        self.attribute = function.__name__
        self.qualname = function.__qualname__
        self._class: str | None = None
        self._identities: WeakKeyDictionary[type, str] = WeakKeyDictionary()
        self.persistent = persistent
        self.table = interpolate is True
        self.axes = _axes(interpolate)
        self.maxsize = maxsize
        self.copy = copy
        self.depends = None if depends is None else tuple(depends)
        self.arguments = Arguments(function, self.label, ignore, {} if round is None else round)
        self.axis_names = tuple(axis.name for axis in self.axes)
        self.arguments.check_names("interpolate", self.axis_names)
        self.is_scalar = len(self.axes) == 1 and maxsize is None and self.arguments.is_alone(self.axis_names[0])
        self.has_table = not self.axes and not self.arguments.are_rounded
        self.looked_at = self.axis_names if self.is_scalar else self.arguments.keyed  # by shortcuts
        self.bound_kind = _kind_of_bound(self)
        self.entrance = Entrance(
            self.arguments.signature, self.looked_at, self.is_scalar, self.answered, self._let_through
        )
        # taken now: a file edited later would lend this code the version of another
        self._said = f"version {version}" if version is not None else code_text(plain)
        self._closure_of = function if version is None else None

    def _let_through(self, call: Any) -> None:
        """Let all calls go through a function from now on."""
        call.__qualname__ = self.label
        call.__module__ = self.function.__module__
        self.bound_kind.__call__ = call

    def place(self, owner: type, attribute: str) -> None:
        """Take the name by which a class has the method: functions made by one wrapper share their own names."""
        if self._class is None:
            self.attribute = attribute
            self.qualname = f"{owner.__qualname__}.{attribute}"
            self._class = qualified_name(owner)
            self._identities.clear()

    def identity_for(self, kind: type) -> str:
        """The method's name and place, and the class that has it by inheritance."""
        known = self._identities.get(kind)
        if known is None:
            known = self._identities[kind] = self._identity_for(kind)
        return known

    def _identity_for(self, kind: type) -> str:
        if self._class is None:
            return f"{qualified_name(self.function)} of {qualified_name(kind)}"
        own = f"{self._class}.{self.attribute}"
        return own if qualified_name(kind) == self._class else f"{own} of {qualified_name(kind)}"

    @functools.cached_property
    def version(self) -> str:
        """The digest of all that decides what the method computes, beside owner and arguments."""
        closure = {} if self._closure_of is None else static_closure(self._closure_of)
        axes = tuple(axis.definition() for axis in self.axes)
        return digest(f"{self._said}\n{canonical(closure)}\n{canonical(axes)}")

    def call(self, owner: object, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Call:
        """A call, bound and keyed."""
        bound = self.arguments.bind(owner, args, kwargs)
        return Call(self, bound, self.arguments.key(bound, self.axis_names))

    def answered(self, owner: object, values: tuple[Any, ...]) -> Any:
        """Answer a call of the decorated method, of which the values of all arguments are given."""
        bound = self.arguments.bound(owner, values)
        if settings().disable:
            return self._undecorated(bound)
        results = self.results(owner)
        bound = self.arguments.rounded(bound)
        call = Call(self, bound, self.arguments.key(bound, self.axis_names))
        record = results.answer(owner, call)
        return self.finished(call, record, results)

    def results(self, owner: object) -> Results:
        """The results for an owner."""
        try:
            return results_of(owner, self)
        except OwnerError as error:
            if hasattr(type(owner), self.attribute):
                raise
            raise OwnerError(
                f"{self.label}() was called on {owner!r}. @stored is for methods of objects that tell their parameters,"
                f" below @property, and without @staticmethod or @classmethod. {error}"
            ) from None

    def finished(self, call: Call, record: Record, results: Results) -> Any:
        """What the caller gets: the result, or the interpolant's value at the call's arguments."""
        if not self.axes:
            return record.handed_out()
        exact = functools.partial(self._counted_exact, call, results)
        return record.value(*call.axis_values(), exact=exact)

    def _counted_exact(self, call: Call, results: Results, *point: float) -> Any:
        results.count_exact(1)
        return call.evaluate(**dict(zip(self.axis_names, point, strict=True)))

    def interpolant(self, owner: object, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Interpolant:
        """The interpolant for a call of which all but the values along the axes is given."""
        anywhere = {axis.name: axis.low for axis in self.axes}
        bound = self.arguments.bind_without(anywhere, owner, args, kwargs)
        call = Call(self, bound, self.arguments.key(bound, self.axis_names))
        if settings().disable:
            return cast("Interpolant", call.record(call.compute(), 0.0).value)
        return cast("Interpolant", self.results(owner).answer(owner, call).value)

    def exact(self, owner: object, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """The plain method's own values."""
        call = self.call(owner, args, kwargs)
        given = call.axis_values()
        points = np.broadcast_arrays(*given)
        if not any(isinstance(each, np.ndarray) or np.ndim(each) for each in given):
            return call.evaluate()
        columns = zip(*(each.ravel().tolist() for each in points), strict=True)
        values = [call.evaluate(**dict(zip(self.axis_names, point, strict=True))) for point in columns]
        return np.array(values, dtype=float).reshape(points[0].shape)

    def refuse_attribute(self, name: str) -> NoReturn:
        """Say why there is no such attribute."""
        how = "the call itself gives the spline of its table" if self.table else "say @stored(interpolate=Axis(...))"
        raise AttributeError(f"{self.label}() is not interpolated along an axis, so it has no {name}; {how}")

    def _undecorated(self, bound: inspect.BoundArguments) -> Any:
        value = self.function(*bound.args, **bound.kwargs)
        return spline(frozen(value), self.label) if self.table else value


def _is_plain(value: Any) -> bool:
    """Does an argument stand for itself in a dictionary: has all that compares equal to it the same key?"""
    return type(value) in ATOMIC and value == value  # NaN does not find itself


def _widened(value: Any) -> Any:
    """The Python number for a numpy integer, or for a numpy number of less than double precision."""
    if type(value) is tuple:
        return tuple([_widened(each) for each in value])
    if isinstance(value, np.bool | np.integer | np.float16 | np.float32 | np.complex64):
        return value.item()
    return value


def _plain_function(function: Any, version: str | None) -> Any:
    """The function whose source counts, if this can be decorated at all."""
    if isinstance(function, staticmethod | classmethod | property | type) or not callable(function):
        raise TypeError(
            f"@stored decorates plain methods, and got {function!r}; put @stored below @property, and do without"
            " @staticmethod and @classmethod: results belong to an object and its parameters"
        )
    for part in ("__name__", "__qualname__"):
        if not isinstance(getattr(function, part, None), str):
            raise TypeError(f"{function!r} has no {part}, so its results have no name; wrap it in a def")
    if any(kind(function) for kind in _USED_ONCE):
        raise TypeError(
            f"{function.__qualname__}() is a generator or a coroutine, whose result can be used only once; return a"
            " list or an array to have it stored"
        )
    plain = inspect.unwrap(function)
    if version is None and not isinstance(plain, FunctionType):
        raise TypeError(f"{function!r} has no Python source to tell its version by; give one: @stored(version='1')")
    return plain


_USED_ONCE = (inspect.isgeneratorfunction, inspect.iscoroutinefunction, inspect.isasyncgenfunction)


def _names(option: str, names: Collection[str]) -> Collection[str]:
    if isinstance(names, str):
        raise TypeError(f"{option} is the string {names!r}; give a tuple of names: ({names!r},)")
    return names


def _axes(interpolate: object) -> tuple[Axis, ...]:
    if interpolate is None or interpolate is True:
        return ()
    from stored._axes import Axis

    axes = interpolate if isinstance(interpolate, tuple) else (interpolate,)
    if not all(isinstance(axis, Axis) for axis in axes) or len(axes) not in {1, 2}:
        raise TypeError(f"interpolate is {interpolate!r}; give True, an Axis, or a pair of them")
    if len({axis.name for axis in axes}) < len(axes):
        raise TypeError(f"interpolate has two axes of one name, {axes[0].name!r}; each takes an argument of its own")
    if len({axis.points is None for axis in axes}) > 1:
        raise TypeError(
            f"interpolate has axes with points={[axis.points for axis in axes]!r}; give points for both, or a tolerance"
            " for both"
        )
    return cast("tuple[Axis, ...]", axes)


class Call(NamedTuple):
    """One call of a stored method."""

    definition: Definition
    bound: inspect.BoundArguments
    arguments: tuple[tuple[str, str], ...]

    def compute(self) -> Any:
        """Call the plain method, or sample it along its axes."""
        definition = self.definition
        if definition.axes:
            from stored._tabulation import tabulate

            return frozen(tabulate(self.evaluate, definition.axes, definition.label))
        value = self._copied(self.evaluate()) if definition.copy else self.evaluate()
        try:
            return frozen(value)
        except TypeError as error:
            raise TypeError(f"the result of {definition.label}() cannot be stored: {error}") from None

    def _copied(self, value: Any) -> Any:
        try:
            return copying.deepcopy(value)
        except Exception as error:  # whatever the value's own class raises
            raise TypeError(
                f"{self.definition.label}() returned a {type(value).__qualname__} that cannot be copied ({error}), as"
                " copy=True asks; return something that can, or leave copy out"
            ) from error

    def record(self, value: Any, seconds: float) -> Record:
        """What memory keeps: the value, the interpolant over a table, or the one along the axes."""
        definition = self.definition
        if definition.table:
            return Record(spline(value, definition.label), None, seconds)
        if definition.axes:
            from stored._tabulation import interpolant

            return Record(interpolant(definition.axes, value, definition.label), None, seconds)
        return Record(value, hand_out_for(value, definition.copy), seconds)

    def plain(self, record: Record) -> Any:
        """The arguments as a shortcut's table has them, or the function that answers such calls; None if neither."""
        definition = self.definition
        values = [self.bound.arguments[name] for name in definition.looked_at]
        if definition.is_scalar:
            return record.value.scalar if type(values[0]) is float else None
        if not definition.has_table or record.hand_out is not None or not all(map(_is_plain, values)):
            return None
        return values[0] if len(values) == 1 else tuple(values)

    def evaluate(self, **point: float) -> Any:
        """Call the plain method, with other values along the axes if a point is given."""
        bound = copying.copy(self.bound)
        # equal numbers share a result, so none may be computed in the narrow type that one caller happened to use
        bound.arguments = {name: _widened(value) for name, value in {**self.bound.arguments, **point}.items()}
        return self.definition.function(*bound.args, **bound.kwargs)

    def axis_values(self) -> list[Any]:
        """The values along the axes that were asked for."""
        return [self.bound.arguments[name] for name in self.definition.axis_names]


def _explained(definition: Definition, owner: object, call: Call) -> Explanation:
    from stored._explanations import explained

    results = definition.results(owner)
    key = results.key(owner, call)

    def candidates() -> list[Key]:
        return results.kept_keys(owner) + (results.persistent.keys_like(key) if definition.persistent else [])

    return explained(key, results.where(owner, call), candidates)


# --------------------------------------------------------------------------------------------------------------------
# What stands in the class, and what an object gives
# --------------------------------------------------------------------------------------------------------------------


class BoundMethod(Generic[P, R]):
    """A stored method of one owner: called like the plain method, with the cache's controls as attributes.

    Each stored method has a class of its own, made from this one, into which the function is put that calls go through.
    """

    # a class has no other way to show a __qualname__ for its objects than one for each
    __slots__ = ("__qualname__", "__weakref__", "_owner")

    if TYPE_CHECKING:
        _owner: Any
        _definition: Definition

        def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R: ...

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """As `isinstance` has it, a method."""
        return MethodType

    def __get__(self, owner: object, kind: type | None = None) -> Self:
        """Itself, as a bound method that stands in a class."""
        return self

    def _results(self) -> Results:
        return self._definition.results(self._owner)

    def _call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call:
        return self._definition.call(self._owner, args, kwargs)

    @property
    def __wrapped__(self) -> Callable[P, R]:
        """The plain method: nothing is looked up, nothing stored."""
        return MethodType(self._definition.function, self._owner)

    def __repr__(self) -> str:
        return f"<stored method {self._definition.label} of {self._owner!r}>"

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self._owner is cast(Any, other)._owner

    def __hash__(self) -> int:
        return hash((id(self._owner), id(self._definition)))

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as the plain method would: the owner, and the name to find on it."""
        return getattr, (self._owner, self._definition.attribute)

    def __copy__(self) -> BoundMethod[P, R]:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return getattr(copying.deepcopy(self._owner, memo), self._definition.attribute)

    def cache_clear(self, *args: Any, **kwargs: Any) -> None:
        """Forget this owner's results of this method, in memory and on disk.

        Parameters
        ----------
        *args, **kwargs
            The arguments of one call, to forget that alone. Without any, all results for the owner's parameters of
            now go, and the counts of `cache_info` begin anew.
        """
        call = self._call(args, kwargs) if args or kwargs else None
        self._results().clear(self._owner, call)

    def cache_info(self) -> CacheInfo:
        """How often this owner's calls were answered, and from where."""
        return self._results().info(self._owner)

    def cached(self, *args: P.args, **kwargs: P.kwargs) -> bool:
        """Is the result of such a call at hand, in memory or on disk? Nothing is computed."""
        return self._results().where(self._owner, self._call(args, kwargs)) is not None

    def refresh(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Compute anew, and replace what is stored."""
        call, results = self._call(args, kwargs), self._results()
        return cast(R, self._definition.finished(call, results.refresh(self._owner, call), results))

    def explain(self, *args: P.args, **kwargs: P.kwargs) -> Explanation:
        """Say why such a call would hit or miss: what differs from the nearest stored result."""
        return _explained(self._definition, self._owner, self._call(args, kwargs))

    # -- of methods that are interpolated along an axis ----------------------------------------------------------------

    def interpolant(self, *args: Any, **kwargs: Any) -> Interpolant:
        """The interpolant that answers the method's calls, sampled now if it is not at hand.

        Parameters
        ----------
        *args, **kwargs
            The method's other arguments, without those of the axes.

        Returns
        -------
        Interpolant

        Raises
        ------
        TableError, ToleranceError
            If the method cannot be sampled as its axes ask.
        """
        return self._definition.interpolant(self._owner, args, kwargs)

    def exact(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the plain method, for each point if arrays are given for the axes; nothing is stored.

        Parameters
        ----------
        *args, **kwargs
            The method's arguments.

        Returns
        -------
        float or ndarray
            What the method returns; for arrays, of their broadcast shape.
        """
        return cast(R, self._definition.exact(self._owner, args, kwargs))

    def inverse(self, y: Any, branch: tuple[float, float] | None = None, **others: Any) -> Any:
        """The argument at which the method has a value: see `CurveInterpolant.inverse`.

        Parameters
        ----------
        y : array_like
            Values.
        branch : tuple of (float, float), optional
            The range of the argument in which to look; there the function must rise, or fall, throughout.
        **others
            The method's other arguments.

        Returns
        -------
        float or ndarray
            A float for a number, otherwise an array of the shape of `y`.

        Raises
        ------
        TableError
            If the interpolant is not monotonic there.
        OutsideValuesError
            If it does not take a value there.
        """
        return self._curve("inverse", ("y", "branch"), others).inverse(y, branch)

    def derivative(self, *x: Any, nu: Any = None, **others: Any) -> Any:
        """A derivative of the interpolant, ``derivative(x, nu=1)``, of two arguments ``derivative(x, y, nu=(1, 0))``.

        Parameters
        ----------
        *x : array_like
            The arguments along the axes; the order `nu` may follow.
        nu : int or tuple of (int, int)
            The order, 1 to 3; for two axes the order along each, together 1 to 3.
        **others
            The method's other arguments.

        Returns
        -------
        float or ndarray
            A float for numbers, otherwise an array of their shape.

        Raises
        ------
        OutsideAxisError
            If a value lies outside its axis, and that does not say otherwise.
        ValueError
            If there is no such order.
        """
        made: Any = self._made("derivative", ("nu",), others)
        return made.derivative(*x) if nu is None else made.derivative(*x, nu=nu)

    def integral(self, a: Any, b: Any, **others: Any) -> Any:
        """The integral of the interpolant from `a` to `b`: see `CurveInterpolant.integral`.

        Parameters
        ----------
        a, b : array_like
            The limits, within the axis.
        **others
            The method's other arguments.

        Returns
        -------
        float or ndarray
            In the method's unit times the argument's.

        Raises
        ------
        OutsideAxisError
            If a limit lies outside the axis.
        """
        return self._curve("integral", ("a", "b"), others).integral(a, b)

    def roots(self, value: float = 0.0, **others: Any) -> NDArray[np.float64]:
        """All arguments at which the interpolant has a value: see `CurveInterpolant.roots`.

        Parameters
        ----------
        value : float
            The value.
        **others
            The method's other arguments.

        Returns
        -------
        ndarray, shape (n,)
            Increasing.
        """
        return self._curve("roots", ("value",), others).roots(value)

    def _made(self, wanted: str, options: tuple[str, ...], others: dict[str, Any]) -> Interpolant:
        definition = self._definition
        for name in options:
            if name in definition.arguments.names and name not in definition.axis_names:
                raise TypeError(
                    f"{definition.label}() has an argument {name!r} of its own, which {wanted}() cannot tell from its"
                    f" option; use {definition.attribute}.interpolant({name}=...).{wanted}(...)"
                )
        return self.interpolant(**others)

    def _curve(self, wanted: str, options: tuple[str, ...], others: dict[str, Any]) -> CurveInterpolant:
        made = self._made(wanted, options, others)
        if len(self._definition.axes) > 1:
            names = " and ".join(self._definition.axis_names)
            raise TypeError(f"{self._definition.label}() is interpolated along {names}; {wanted} is for one axis only")
        return cast("CurveInterpolant", made)


_OF_INTERPOLATED = frozenset({"interpolant", "exact", "inverse", "derivative", "integral", "roots"})


def _kind_of_bound(definition: Definition) -> Any:
    """The class of a definition's bound methods: it looks like the plain method in all that is not the cache's."""
    function = definition.function
    shown: dict[str, Any] = {"__doc__": function.__doc__, "__module__": function.__module__}
    # descriptors, since with a __getattr__ every attribute that a call reads would take three times as long
    own = {"__slots__": (), "_definition": definition}
    names = {*dir(MethodType), *dir(function)} - {*dir(object), *vars(BoundMethod)} | {"__annotations__"}
    plain = {name: _OfPlain(name) for name in names}
    refused = {} if definition.axes else {name: _Refused(name) for name in _OF_INTERPOLATED}
    return type("BoundMethod", (BoundMethod,), {**plain, **refused, **shown, **own})


class _OfPlain:
    """An attribute of the plain bound method."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, bound: Any, kind: type) -> Any:
        return getattr(bound.__wrapped__, self._name)


class _Refused:
    """In the place of an attribute that only interpolated methods have."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, bound: Any, kind: type) -> NoReturn:
        definition: Definition = kind._definition  # type: ignore[attr-defined]
        definition.refuse_attribute(self._name)


def _getter(kind: Any, qualname: object) -> Any:
    """The `__get__` of a stored method: what it needs stands around it, for looking it up would take longer."""

    def __get__(self: Any, owner: object | None, of: type | None = None) -> Any:  # noqa: N807
        """The method of an object, or itself for the class."""
        if owner is None:
            return self
        bound = kind()
        bound._owner = owner
        bound.__qualname__ = qualname
        return bound

    return __get__


class StoredMethod(Proxy, Generic[S, P, R]):
    """A stored method as its class has it; in all else it is the plain function."""

    def __new__(cls, definition: Definition) -> Self:
        """An object of a class of its own, whose `__get__` need not look anything up."""
        get = _getter(definition.bound_kind, definition.function.__qualname__)
        own = type(cls.__name__, (cls,), {"__get__": get, "__doc__": cls.__doc__, "__module__": cls.__module__})
        return cast("Self", super().__new__(own))

    def __init__(self, definition: Definition) -> None:
        super().__init__(definition.function)
        self._self_definition = definition

    def __setattr__(self, name: str, value: object) -> None:
        """Set an attribute of the plain function, which objects' methods show too, as they do a function's."""
        super().__setattr__(name, value)
        if not name.startswith("_self_"):
            kind = self._self_definition.bound_kind
            if name in {"__annotations__", "__doc__", "__module__"}:  # which older versions of wrapt keep to themselves
                setattr(self.__wrapped__, name, value)
            if name == "__qualname__":
                type(self).__get__ = _getter(kind, value)  # type: ignore[method-assign]
            elif name in {"__doc__", "__module__"}:
                setattr(kind, name, value)
            elif name not in vars(kind) and name not in vars(BoundMethod):
                setattr(kind, name, _OfPlain(name))

    def __set_name__(self, owner: type, name: str) -> None:
        self._self_definition.place(owner, name)

    if TYPE_CHECKING:

        @overload
        def __get__(self, owner: None, kind: type | None = None) -> StoredMethod[S, P, R]: ...
        @overload
        def __get__(self, owner: object, kind: type | None = None) -> BoundMethod[P, R]: ...
        def __get__(self, owner: object | None, kind: type | None = None) -> Any: ...

    if TYPE_CHECKING:

        def __call__(self, owner: S, /, *args: P.args, **kwargs: P.kwargs) -> R: ...

    else:

        def __call__(self, *args, **kwargs):
            if not args:
                label = self._self_definition.label
                raise TypeError(f"{label}() was called without its object; call it on one, or give one first")
            self._self_definition.results(args[0])  # is this an owner at all?
            return self.__get__(args[0])(*args[1:], **kwargs)

    @property
    def __stored_depends__(self) -> tuple[str, ...] | None:
        """The parameters that the method says it depends on, for `keyed_by` to check."""
        return self._self_definition.depends

    def __repr__(self) -> str:
        return f"<stored method {self._self_definition.label}>"

    def __reduce__(self) -> str:
        """Pickle as a function is, by name."""
        return str(self._self_definition.qualname)

    def __reduce_ex__(self, protocol: Any) -> str:
        return self.__reduce__()

    def __copy__(self) -> StoredMethod[S, P, R]:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> StoredMethod[S, P, R]:
        return self

    def _bound(self, owner: S) -> BoundMethod[P, R]:
        return self.__get__(owner)

    def cache_clear(self, owner: S | None = None, *args: Any, **kwargs: Any) -> None:
        """Forget the results of one owner, as its own method does, or of every live owner that has used the method."""
        if owner is not None:
            self._bound(owner).cache_clear(*args, **kwargs)
            return
        clear_everywhere(self._self_definition)

    def cache_info(self, owner: S) -> CacheInfo:
        """As the owner's method has it."""
        return self._bound(owner).cache_info()

    def cached(self, owner: S, *args: P.args, **kwargs: P.kwargs) -> bool:
        """As the owner's method has it."""
        return self._bound(owner).cached(*args, **kwargs)

    def refresh(self, owner: S, *args: P.args, **kwargs: P.kwargs) -> R:
        """As the owner's method has it."""
        return self._bound(owner).refresh(*args, **kwargs)

    def explain(self, owner: S, *args: P.args, **kwargs: P.kwargs) -> Explanation:
        """As the owner's method has it."""
        return self._bound(owner).explain(*args, **kwargs)


@overload
def stored(method: Callable[Concatenate[S, P], R], /) -> StoredMethod[S, P, R]: ...
@overload
def stored(
    name: str | None = None,
    *,
    persistent: bool = True,
    interpolate: Axes | None = None,
    version: str | None = None,
    maxsize: int | None = None,
    ignore: Collection[str] = (),
    round: Mapping[str, int] | None = None,
    copy: bool = False,
    depends: Collection[str] | None = None,
) -> Callable[[Callable[Concatenate[S, P], R]], StoredMethod[S, P, R]]: ...
@overload
def stored(
    name: str | None = None,
    *,
    persistent: bool = True,
    interpolate: Literal[True],
    version: str | None = None,
    maxsize: int | None = None,
    ignore: Collection[str] = (),
    round: Mapping[str, int] | None = None,
    depends: Collection[str] | None = None,
) -> Callable[[Callable[Concatenate[S, P], Any]], StoredMethod[S, P, TableInterpolant]]: ...
def stored(
    name: Any = None,
    *,
    persistent: bool = True,
    interpolate: Literal[True] | Axes | None = None,
    version: str | None = None,
    maxsize: int | None = None,
    ignore: Collection[str] = (),
    round: Mapping[str, int] | None = None,  # noqa: A002
    copy: bool = False,
    depends: Collection[str] | None = None,
) -> Any:
    """Remember the results of a method for as long as its owner's parameters stay the same.

    Use it bare (``@stored``), with a name (``@stored("spectrum")``) or with options.

    Parameters
    ----------
    name : str, optional
        The name of the object in the owner's space, by default the method's.
    persistent : bool
        Keep results on disk too.
    interpolate : True or Axis or (Axis, Axis), optional
        With True, the method returns a table (an array of shape (2, n), or a tuple (x, y, z)), and the decorated call
        a spline over it. With an axis, the method is a function of that argument: it is sampled once for each set of
        the other arguments, and evaluated from the table ever after.
    version : str, optional
        What tells one version of the method from another, in place of its source. Change it when something changes
        that the method uses and its source does not show, such as a function that it calls.
    maxsize : int, optional
        How many results of each owner memory holds; the least recently used goes first. Any number by default.
    ignore : collection of str
        Arguments that do not change the result, and are left out of the key.
    round : mapping of str to int, optional
        Arguments that are rounded to so many decimals, both for the key and for the computation.
    copy : bool
        Hand out a private deep copy each time, rather than read-only arrays and shared objects.
    depends : collection of str, optional
        The parameters that the result depends on, if not all: a change of the others keeps it. For owners described
        by `keyed_by`, frozen dataclasses and frozen attrs classes.

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
    """
    if not isinstance(persistent, bool):
        raise TypeError(f"persistent is {persistent!r}; it must be True or False")
    if maxsize is not None and (not isinstance(maxsize, int) or maxsize < 1):
        raise ValueError(f"maxsize is {maxsize!r}; it must be a positive integer, or None for any number")
    if name is not None and not isinstance(name, str):
        return StoredMethod(Definition(name, None))
    options: dict[str, Any] = {
        "persistent": persistent,
        "interpolate": interpolate,
        "version": version,
        "maxsize": maxsize,
        "ignore": ignore,
        "round": round,
        "copy": copy,
        "depends": None if depends is None else _names("depends", depends),
    }
    return lambda method: StoredMethod(Definition(method, name, **options))
