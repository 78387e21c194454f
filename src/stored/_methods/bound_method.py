"""What is `owner.method`? A stored method of one owner, which is called and has the cache's controls."""

from __future__ import annotations

import copy as copying
from collections.abc import Callable
from types import MethodType
from typing import TYPE_CHECKING, Any, Generic, NoReturn, ParamSpec, Self, TypeVar, cast

from stored._methods.answer import bound_call, exact, interpolant, refresh
from stored._methods.counters import CacheInfo
from stored._methods.definition import Definition
from stored._methods.results import Results, results_of
from stored._settings import SentSettings, adopt_settings, sent_settings

if TYPE_CHECKING:  # imported where they are used, since most of the start-up time would be theirs
    import numpy as np
    from numpy.typing import NDArray

    from stored._methods.dependencies import Dependencies
    from stored._methods.explain import Explanation
    from stored._tables import CurveInterpolant, Interpolant

__all__ = ["BoundMethod", "PlainAttribute", "bound_method_class"]

P = ParamSpec("P")
R = TypeVar("R")


class BoundMethod(Generic[P, R]):
    """A stored method of one owner: called like the plain method, with the cache's controls as attributes.

    Each stored method has a subclass of its own, whose ``__call__`` is the function that is generated for the method.
    """

    # objects of a class can have a __qualname__ only if each has one of its own
    __slots__ = ("__qualname__", "__weakref__", "_owner")

    if TYPE_CHECKING:
        _owner: Any
        _definition: Definition

        def _interpolant_at_hand(self, **others: Any) -> Interpolant | None: ...

        def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R: ...

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """That of methods, for `isinstance`."""
        return MethodType

    def __get__(self, owner: object, kind: type | None = None) -> Self:
        """Itself, as for a bound method that is an attribute of a class."""
        return self

    def _results(self) -> Results:
        return results_of(self._definition, self._owner)

    @property
    def __wrapped__(self) -> Callable[P, R]:
        """The plain method, which looks nothing up and stores nothing."""
        return MethodType(self._definition.function, self._owner)

    def __repr__(self) -> str:
        return f"<stored method {self._definition.label} of {self._owner!r}>"

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self._owner is cast(Any, other)._owner

    def __hash__(self) -> int:
        return hash((id(self._owner), id(self._definition)))

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as the plain method would: the owner, and the name to find on it; and the settings."""
        return _arrived, (self._owner, self._definition.attribute, sent_settings())

    def __copy__(self) -> BoundMethod[P, R]:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return getattr(copying.deepcopy(self._owner, memo), self._definition.attribute)

    def cache_clear(self, *args: Any, **kwargs: Any) -> None:
        """Forget this owner's results of this method, in memory and on disk.

        Parameters
        ----------
        *args, **kwargs
            The arguments of one call, to forget that alone. Without any, all results for the owner's present
            parameters are forgotten, of earlier code too, those for its earlier ones in memory, and the counts of
            `cache_info` start from zero.
        """
        results = self._results()
        if args or kwargs:
            results.clear_call(bound_call(results, self._owner, args, kwargs))
        else:
            results.clear(self._owner)

    def cache_info(self) -> CacheInfo:
        """How often this owner's calls were answered, and from where."""
        return self._results().info(self._owner)

    def cached(self, *args: P.args, **kwargs: P.kwargs) -> bool:
        """Is the result of such a call at hand, in memory or on disk? Nothing is computed."""
        results = self._results()
        return results.tier_holding(bound_call(results, self._owner, args, kwargs)) is not None

    def refresh(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Compute the result of such a call again, and replace the stored one."""
        results = self._results()
        return cast(R, refresh(results, self._owner, args, kwargs))

    def explain(self, *args: P.args, **kwargs: P.kwargs) -> Explanation:
        """Say why such a call would hit or miss: what differs from the nearest stored result."""
        from stored._methods.explain_call import explain_call

        results = self._results()
        return explain_call(results, bound_call(results, self._owner, args, kwargs))

    def cache_accept(self, sample: int = 3, rtol: float = 1e-12) -> None:
        """Take over this owner's results of earlier code for the code of now: see `StoredMethod.cache_accept`."""
        from stored._methods.accept import Acceptance

        results = self._results()
        results.acceptance = Acceptance(sample, rtol, results.code)

    def dependencies(self) -> Dependencies:
        """What results depend on: parameters, attributes, code, constants and packages, with file and line."""
        from stored._methods.dependencies import dependencies_of

        return dependencies_of(self._definition, type(self._owner), self._owner)

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
        return interpolant(self._definition, self._owner, args, kwargs)

    def exact(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the plain method, for each point if arrays are given for the axes; nothing is stored.

        Parameters
        ----------
        *args, **kwargs
            The method's arguments.

        Returns
        -------
        object
            What the method returns; for arrays, one of their broadcast shape, with its unit.
        """
        return cast(R, exact(self._definition, self._owner, args, kwargs))

    def inverse(self, y: Any, branch: tuple[Any, Any] | None = None, **others: Any) -> Any:
        """The argument at which the method has a value: see `CurveInterpolant.inverse`.

        Parameters
        ----------
        y : array_like, Quantity, masked array, Series, DataFrame or DataArray
            Values, with a unit if the method's values have one.
        branch : tuple of (float or Quantity, float or Quantity), optional
            The range of the argument in which to look; there the function must rise, or fall, throughout.
        **others
            The method's other arguments.

        Returns
        -------
        float or ndarray, or like `y`
            A float for a number, otherwise an array of the shape of `y`, with the unit of the axis if it has one.

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
        *x : array_like, Quantity, masked array, Series, DataFrame or DataArray
            The arguments along the axes; the order `nu` may follow.
        nu : int or tuple of (int, int)
            The order, 1 to 3; for two axes the order along each, together 1 to 3.
        **others
            The method's other arguments.

        Returns
        -------
        float or ndarray, or like the arguments
            A float for numbers, otherwise an array of their shape, in the unit of the method's values over those of the
            axes to the powers `nu`.

        Raises
        ------
        OutsideAxisError
            If a value lies outside its axis, and that does not say otherwise.
        ValueError
            If there is no such order.
        """
        interpolated: Any = self._interpolant_for("derivative", ("nu",), others)
        return interpolated.derivative(*x) if nu is None else interpolated.derivative(*x, nu=nu)

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
        float or ndarray, or like the limits
            In the method's unit times the argument's.

        Raises
        ------
        OutsideAxisError
            If a limit lies outside the axis.
        """
        return self._curve("integral", ("a", "b"), others).integral(a, b)

    def roots(self, value: Any = 0.0, **others: Any) -> NDArray[np.float64]:
        """All arguments at which the interpolant has a value: see `CurveInterpolant.roots`.

        Parameters
        ----------
        value : float or Quantity
            The value, with a unit if the method's values have one.
        **others
            The method's other arguments.

        Returns
        -------
        ndarray or Quantity, shape (n,)
            Increasing.
        """
        return self._curve("roots", ("value",), others).roots(value)

    def _interpolant_for(self, method: str, options: tuple[str, ...], others: dict[str, Any]) -> Interpolant:
        try:
            found = self._interpolant_at_hand(**others)
        except TypeError:  # some are missing, or are none of the method's
            found = None
        if found is not None:
            return found
        definition = self._definition
        for name in options:
            if name in definition.arguments.names and name not in definition.axis_names:
                raise TypeError(
                    f"{definition.label}() has an argument {name!r} of its own, which {method}() cannot tell from its"
                    f" option; use {definition.attribute}.interpolant({name}=...).{method}(...)"
                )
        return self.interpolant(**others)

    def _curve(self, method: str, options: tuple[str, ...], others: dict[str, Any]) -> CurveInterpolant:
        curve = self._interpolant_for(method, options, others)
        if len(self._definition.axes) > 1:
            names = " and ".join(self._definition.axis_names)
            raise TypeError(f"{self._definition.label}() is interpolated along {names}; {method} is for one axis only")
        return cast("CurveInterpolant", curve)


_INTERPOLATED_ONLY = frozenset({"interpolant", "exact", "inverse", "derivative", "integral", "roots"})


def bound_method_class(definition: Definition) -> Any:
    """The class of a method's bound methods: all that the cache does not need is as on the plain bound method."""
    function = definition.function
    shown: dict[str, Any] = {"__doc__": function.__doc__, "__module__": function.__module__}
    # descriptors, since with a __getattr__ every attribute that a call reads would take three times as long
    own = {"__slots__": (), "_definition": definition}
    names = {*dir(MethodType), *dir(function)} - {*dir(object), *vars(BoundMethod)} | {"__annotations__"}
    plain = {name: PlainAttribute(name) for name in names}
    refused = {} if definition.axes else {name: RefusedAttribute(name) for name in _INTERPOLATED_ONLY}
    return type("BoundMethod", (BoundMethod,), {**plain, **refused, **shown, **own})


def _arrived(owner: object, attribute: str, sent: SentSettings) -> Any:
    """A method that was sent, maybe from another process, which keeps results where that one does."""
    adopt_settings(sent)
    return getattr(owner, attribute)


class PlainAttribute:
    """An attribute of the plain bound method."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, bound: Any, kind: type) -> Any:
        return getattr(bound.__wrapped__, self._name)


class RefusedAttribute:
    """An attribute that only interpolated methods have; on others, reading it raises an `AttributeError`."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, bound: Any, kind: type) -> NoReturn:
        definition: Definition = kind._definition  # type: ignore[attr-defined]
        how = (
            "the call itself gives the spline of its table"
            if definition.returns_table
            else "say @stored(interpolate=Axis(...))"
        )
        raise AttributeError(
            f"{definition.label}() is not interpolated along an axis, so it has no {self._name}; {how}"
        )
