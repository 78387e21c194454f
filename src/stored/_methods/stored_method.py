"""What is `Class.method`? A stored method as an attribute of its class."""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, Self, TypeVar, cast, overload

import wrapt

from stored._methods.answer import answer
from stored._methods.bound_method import BoundMethod, PlainAttribute, bound_method_class
from stored._methods.call_code import CallCode
from stored._methods.counters import CacheInfo
from stored._methods.definition import Definition
from stored._methods.results import results_of

if TYPE_CHECKING:
    from stored._methods.dependencies import Dependencies
    from stored._methods.explain import Explanation
    from stored._methods.sent_method import SentMethod

    Proxy = wrapt.ObjectProxy[Any]
else:
    Proxy = wrapt.ObjectProxy  # before wrapt 2.2 it takes no type in brackets

__all__ = ["StoredMethod"]

S = TypeVar("S")
P = ParamSpec("P")
R = TypeVar("R")


def _getter(bound_class: Any, qualname: object) -> Any:
    """The `__get__` of a stored method: a closure, since it would take longer to look up what it needs."""

    def __get__(self: Any, owner: object | None, of: type | None = None) -> Any:  # noqa: N807
        """The method of an object, or itself for the class."""
        if owner is None:
            return self
        bound = bound_class()
        bound._owner = owner
        bound.__qualname__ = qualname
        return bound

    return __get__


def _install_call(bound_class: Any, definition: Definition, call: Any) -> None:
    """Make a function the ``__call__`` of all bound methods."""
    call.__qualname__ = definition.label
    call.__module__ = definition.function.__module__
    bound_class.__call__ = call


class StoredMethod(Proxy, Generic[S, P, R]):
    """A stored method as an attribute of its class; in all other ways it is the plain function."""

    def __new__(cls, definition: Definition) -> Self:
        """An object of a class of its own, to which `__init__` gives a `__get__` of its own."""
        own = type(cls.__name__, (cls,), {"__doc__": cls.__doc__, "__module__": cls.__module__})
        return cast("Self", super().__new__(own))

    def __init__(self, definition: Definition) -> None:
        super().__init__(definition.function)
        self._self_definition = definition
        self._self_bound_class = bound_method_class(definition)
        type(self).__get__ = _getter(self._self_bound_class, definition.label)  # type: ignore[method-assign]
        definition.call_code = CallCode(
            definition.arguments.signature,
            definition.shortcut_arguments,
            definition.is_scalar,
            functools.partial(answer, definition),
            functools.partial(_install_call, self._self_bound_class, definition),
            definition.namespace,
        )

    def __setattr__(self, name: str, value: object) -> None:
        """Set an attribute of the plain function, which objects' methods show too, as they do a function's."""
        super().__setattr__(name, value)
        if not name.startswith("_self_"):
            bound_class = self._self_bound_class
            if name in {"__annotations__", "__doc__", "__module__"}:  # which older versions of wrapt keep to themselves
                setattr(self.__wrapped__, name, value)
            if name == "__qualname__":
                type(self).__get__ = _getter(bound_class, value)  # type: ignore[method-assign]
            elif name in {"__doc__", "__module__"}:
                setattr(bound_class, name, value)
            elif name not in vars(bound_class) and name not in vars(BoundMethod):
                setattr(bound_class, name, PlainAttribute(name))

    def __set_name__(self, owner: type, name: str) -> None:
        self._self_definition.set_owner_class(owner, name)

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
            results_of(self._self_definition, args[0])  # an OwnerError if this is no owner
            return self.__get__(args[0])(*args[1:], **kwargs)

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """That of the plain function; its own for picklers that send functions by value: they would send that one."""
        is_asked_by_pickler = sys._getframe(1).f_code.co_name == "reducer_override"
        return StoredMethod if is_asked_by_pickler else self.__wrapped__.__class__

    @property
    def __stored_depends__(self) -> tuple[str, ...] | None:
        """The parameters that the method says it depends on, for `keyed_by` to check."""
        depends = self._self_definition.depends
        return None if depends == "auto" else depends

    @property
    def __stored_method__(self) -> Definition:
        """What counts for the method."""
        return self._self_definition

    def __repr__(self) -> str:
        return f"<stored method {self._self_definition.label}>"

    def __reduce__(self) -> Any:
        """Pickle by name, as functions do; or with all that counts, for a class that may be pickled by value."""
        from stored._methods.sent_method import has_importable_name, sent_method

        definition = self._self_definition
        owner = definition.owner_class_or_none()
        if has_importable_name(owner):
            return str(definition.qualname)
        return _arrived, (sent_method(self, owner),)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self.__reduce__()

    @property
    def __stored_function__(self) -> Any:
        """The plain function, under the name by which pickle finds it."""
        from stored._methods.sent_method import named_function

        definition = self._self_definition
        if definition.named_function is None:
            definition.named_function = named_function(definition)
        return definition.named_function

    def __copy__(self) -> StoredMethod[S, P, R]:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> StoredMethod[S, P, R]:
        return self

    def _bound(self, owner: S) -> BoundMethod[P, R]:
        return self.__get__(owner)

    def cache_clear(self, owner: S | None = None, *args: Any, **kwargs: Any) -> None:
        """Forget all results of the method, of every owner that ever used it, in memory and on disk.

        Those of earlier code go too. With an owner, those of this one, as its own method does it.
        """
        if owner is not None:
            self._bound(owner).cache_clear(*args, **kwargs)
            return
        from stored._methods.forget import clear_method

        clear_method(self._self_definition)

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
        from stored._methods.accept import Acceptance

        definition = self._self_definition
        definition.acceptance = Acceptance(sample, rtol, definition.code_of(definition.owner_class()))

    def cache_info(self, owner: S) -> CacheInfo:
        """The same for an owner, as its own method does it."""
        return self._bound(owner).cache_info()

    def cached(self, owner: S, *args: P.args, **kwargs: P.kwargs) -> bool:
        """The same for an owner, as its own method does it."""
        return self._bound(owner).cached(*args, **kwargs)

    def refresh(self, owner: S, *args: P.args, **kwargs: P.kwargs) -> R:
        """The same for an owner, as its own method does it."""
        return self._bound(owner).refresh(*args, **kwargs)

    def explain(self, owner: S, *args: P.args, **kwargs: P.kwargs) -> Explanation:
        """The same for an owner, as its own method does it."""
        return self._bound(owner).explain(*args, **kwargs)

    def dependencies(self) -> Dependencies:
        """What results of the class that defines the method depend on, with file and line.

        Raises
        ------
        OwnerError
            If no class does.
        """
        from stored._methods.dependencies import dependencies_of

        definition = self._self_definition
        return dependencies_of(definition, definition.owner_class())


def _arrived(sent: SentMethod) -> StoredMethod[Any, Any, Any]:
    """A method that was sent: one that this process has, if its code is the same."""
    from stored._methods.sent_method import known_here, note_method

    sent.adopt()
    method: Any = known_here(sent)
    if method is None:
        method = StoredMethod(sent.definition())
        method.__stored_method__.sent = sent
        note_method(method, sent)
    if method.__stored_method__.owner_class_or_none() is None:
        _take_class_when_asked(method, sent)
    return cast("StoredMethod[Any, Any, Any]", method)


def _take_class_when_asked(method: Any, sent: SentMethod) -> None:
    """Let a method take the class that gets it: picklers make a class with its attributes, or set these later."""
    own = type(method)
    get = _getter(method._self_bound_class, method.__stored_method__.label)

    def __get__(self: Any, owner: object | None, of: type | None = None) -> Any:  # noqa: N807
        for base in (type(owner) if of is None else of).__mro__:
            for name, each in list(vars(base).items()):  # the others too: they tell what their class is called
                if issubclass(type(each), StoredMethod) and each.__stored_method__.sent:
                    type(each).__set_name__(each, base, name)
        return get(self, owner, of)

    def __set_name__(self: Any, owner: type, name: str) -> None:  # noqa: N807
        own.__get__ = get
        if sent.class_qualname is not None and sent.class_qualname.rpartition(".")[2] == owner.__name__:
            owner.__qualname__ = sent.class_qualname
        self.__stored_method__.set_sent_class(owner, name)
        type.__setattr__(owner, "__stored_sent__", True)

    own.__get__, own.__set_name__ = __get__, __set_name__
