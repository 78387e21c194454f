"""What can be asked of `Class.method`, and of a stored function? The cache's controls, and those of interpolants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar, cast

from stored._methods.bound_method import BoundMethod
from stored._methods.counters import CacheInfo
from stored._methods.definition import Definition

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from stored._methods.dependencies import Dependencies
    from stored._methods.explain import Explanation
    from stored._tables import Interpolant

__all__ = ["Controls"]

Q = ParamSpec("Q")
R = TypeVar("R")


class Controls(Generic[Q, R]):
    """The controls of a stored method as an attribute of its class, and of a stored function.

    Those of a function are its own. Those of a method take the object first, and do what the method of the object does;
    without an object, `cache_clear`, `cache_accept` and `dependencies` are of the method as a whole.
    """

    __slots__ = ()

    def _bound_for(self, args: tuple[Any, ...]) -> tuple[BoundMethod[Any, R], tuple[Any, ...]]:
        """The method of the object that stands first in a call, or the function, and the other arguments."""
        raise NotImplementedError

    def _whole(self) -> tuple[Definition | None, BoundMethod[Any, R] | None]:
        """The method as a whole, and the function: a function that classes have got is both."""
        raise NotImplementedError

    def cache_clear(self, *args: Any, **kwargs: Any) -> None:
        """Forget all results, in memory and on disk: of a method, those of every owner that ever used it.

        Those of earlier code go too. With an owner, those of this one, as its own method does it; with arguments, that
        of one call.
        """
        method, function = self._whole()
        is_whole = not (args or kwargs) if function is not None else not args or args[0] is None
        if method is not None and is_whole:
            from stored._methods.forget import clear_method

            clear_method(method)
        if function is not None or not is_whole:
            bound, rest = self._bound_for(args)
            bound.cache_clear(*rest, **kwargs)

    def cache_accept(self, sample: int = 3, rtol: float = 1e-12) -> None:
        """Take over results of earlier code for the code of now, in this process, once a few agree.

        After an edit that changes no result, the first results of earlier code that are asked for are computed anew,
        and compared; if all agree, later ones are taken over as they are asked for, and their entries say so. One that
        differs ends it, with a `StaleResultWarning`. After another edit, nothing is taken over until this is called
        again. Results of the last eight versions are looked for, the latest first.

        Parameters
        ----------
        sample : int
            How many results are compared.
        rtol : float
            By how much numbers in them may differ, relative to the larger. Tables are compared at their nodes, at twice
            their tolerance.

        Raises
        ------
        ValueError
            If `sample` is no positive integer, or `rtol` negative or not finite.
        OwnerError
            If no class defines the method.
        """
        method, function = self._whole()
        if function is not None:
            function.cache_accept(sample, rtol)
        if method is not None and (function is None or method.owner_class_or_none() is not None):
            from stored._methods.accept import Acceptance

            method.acceptance = Acceptance(sample, rtol, method.code_of(method.owner_class()))

    def dependencies(self) -> Dependencies:
        """What results depend on, with file and line: those of the function, or of the class that defines the method.

        Raises
        ------
        OwnerError
            If no class does.
        """
        method, function = self._whole()
        if function is not None or method is None:
            return cast("BoundMethod[Any, R]", function).dependencies()
        from stored._methods.dependencies import dependencies_of

        return dependencies_of(method, method.owner_class())

    def cache_info(self, *owner: Any) -> CacheInfo:
        """How often calls were answered, and from where: those of the function, or of the owner."""
        return self._bound_for(owner)[0].cache_info()

    def cached(self, *args: Q.args, **kwargs: Q.kwargs) -> bool:
        """Is the result of such a call at hand, in memory or on disk? Nothing is computed."""
        bound, rest = self._bound_for(args)
        return bound.cached(*rest, **kwargs)

    def refresh(self, *args: Q.args, **kwargs: Q.kwargs) -> R:
        """Compute the result of such a call again, and replace the stored one."""
        bound, rest = self._bound_for(args)
        return bound.refresh(*rest, **kwargs)

    def explain(self, *args: Q.args, **kwargs: Q.kwargs) -> Explanation:
        """Say why such a call would hit or miss: what differs from the nearest stored result."""
        bound, rest = self._bound_for(args)
        return bound.explain(*rest, **kwargs)

    # -- of functions and methods that are interpolated along an axis --------------------------------------------------

    def exact(self, *args: Q.args, **kwargs: Q.kwargs) -> R:
        """Call the plain function, for each point if arrays are given for the axes: see `BoundMethod.exact`."""
        bound, rest = self._bound_for(args)
        return bound.exact(*rest, **kwargs)

    def interpolant(self, *args: Any, **kwargs: Any) -> Interpolant:
        """The interpolant that answers the calls: see `BoundMethod.interpolant`."""
        bound, rest = self._bound_for(args)
        return bound.interpolant(*rest, **kwargs)

    def inverse(self, *args: Any, **kwargs: Any) -> Any:
        """The argument at which there is a value: see `BoundMethod.inverse`."""
        bound, rest = self._bound_for(args)
        return bound.inverse(*rest, **kwargs)

    def derivative(self, *args: Any, **kwargs: Any) -> Any:
        """A derivative of the interpolant: see `BoundMethod.derivative`."""
        bound, rest = self._bound_for(args)
        return bound.derivative(*rest, **kwargs)

    def integral(self, *args: Any, **kwargs: Any) -> Any:
        """The integral of the interpolant between two limits: see `BoundMethod.integral`."""
        bound, rest = self._bound_for(args)
        return bound.integral(*rest, **kwargs)

    def roots(self, *args: Any, **kwargs: Any) -> NDArray[np.float64]:
        """All arguments at which the interpolant has a value: see `BoundMethod.roots`."""
        bound, rest = self._bound_for(args)
        return bound.roots(*rest, **kwargs)
