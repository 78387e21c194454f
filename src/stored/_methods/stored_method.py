"""What is `Class.method`, and what is a stored function? Both are the plain function, with what the cache adds."""

from __future__ import annotations

import functools
import sys
import weakref
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Self, TypeVar, cast, overload

import wrapt

from stored._engine import function_owner
from stored._fork_safe_lock import ForkSafeLock
from stored._methods.answer import answer
from stored._methods.bound_method import BoundMethod, PlainAttribute, bound_method_class
from stored._methods.call_code import CallCode
from stored._methods.controls import Controls
from stored._methods.decoratable import first_parameter, names_class
from stored._methods.definition import Definition
from stored._methods.results import results_of
from stored._methods.standing import is_method_of, is_static
from stored.errors import OwnerError

if TYPE_CHECKING:
    from stored._methods.sent_method import SentMethod

    Proxy = wrapt.ObjectProxy[Any]
else:
    Proxy = wrapt.ObjectProxy  # before wrapt 2.2 it takes no type in brackets

__all__ = ["StoredMethod"]

S = TypeVar("S")
P = ParamSpec("P")
Q = ParamSpec("Q")
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


def _getter_of_function(self: Any, owner: object | None, of: type | None = None) -> Any:
    """The `__get__` of a function until an object asks for it as its method."""
    if owner is None:
        return self
    self._as_method()
    return self.__get__(owner, of)


def _generate_call(definition: Definition, install: Any, owner: object | None = None) -> None:
    definition.call_code = CallCode(
        definition.arguments.signature,
        definition.shortcut_arguments,
        definition.axis_names if definition.has_shortcuts else None,
        functools.partial(answer, definition),
        install,
        definition.namespace,
        owner,
    )


def _install_call(definition: Definition, bound_class: Any, of_function: Any, call: Any, at_hand: Any) -> None:
    """Make functions the ``__call__`` of all bound methods, and of a stored function, and what finds interpolants."""
    plain = getattr(call, "__func__", call)
    plain.__qualname__ = definition.label
    plain.__module__ = definition.function.__module__
    bound_class.__call__ = call
    bound_class._interpolant_at_hand = at_hand
    if of_function is not None and of_function.__stored_is_function__:
        of_function.__call__ = call


_lock = ForkSafeLock()
"""Held while a stored function becomes a method too, or a method a function."""


class StoredMethod(Proxy, Controls[Q, R]):
    """A stored method as an attribute of its class, or a stored function; in all other ways it is the plain function.

    Which of both it is, its name tells, and where that says a class, the first call: of a static method. A function
    stays one when a class gets it; what objects of that class have is a method.
    """

    __slots__ = ()

    __stored_is_function__ = False
    """Is it known to be a function? Then calls go to the code of the function at once."""

    def __new__(cls, definition: Definition) -> Self:
        """An object of a class of its own, to which `__init__` gives a `__get__` of its own."""
        own = type(cls.__name__, (cls,), {"__doc__": cls.__doc__, "__module__": cls.__module__})
        return cast("Self", super().__new__(own))

    def __init__(self, definition: Definition) -> None:
        super().__init__(definition.function)
        self._self_definition = definition
        self._self_method: Definition | None = None
        self._self_function: Any = None
        self._self_names_class = names_class(definition.function)
        self._self_may_be_method = self._self_names_class or definition.depends is not None
        self._self_owner_classes: weakref.WeakSet[type] = weakref.WeakSet()
        if definition.is_function:
            self._self_bound_class = self._take_function(definition)
            type(self).__get__ = _getter_of_function  # type: ignore[method-assign, assignment]
            self._be_function()
        else:
            self._take_method(definition)

    def _take_method(self, definition: Definition) -> None:
        self._self_method = definition
        self._self_bound_class = bound_method_class(definition)
        type(self).__get__ = _getter(self._self_bound_class, definition.label)  # type: ignore[method-assign]
        _generate_call(definition, functools.partial(_install_call, definition, self._self_bound_class, None))

    def _take_function(self, definition: Definition) -> Any:
        """Let results of the function belong to an owner of its own; the class of its bound method."""
        outside = [axis.outside for axis in definition.axes]
        limits = definition.name, definition.maxsize, definition.copy, definition.persistent, *outside
        owner = function_owner(definition.function, *limits)
        definition.set_function_owner(type(owner))
        bound_class = bound_method_class(definition)
        _generate_call(definition, functools.partial(_install_call, definition, bound_class, type(self)), owner)
        bound = bound_class()
        bound._owner, bound.__qualname__ = owner, definition.label
        self._self_function = bound
        return bound_class

    def _be_function(self) -> None:
        own = type(self)
        own.__stored_is_function__ = True
        own.__call__ = vars(type(self._self_function))["__call__"]  # type: ignore[method-assign]

    def _be_method(self) -> None:
        own = type(self)
        if own.__stored_is_function__:
            own.__stored_is_function__ = False
            del own.__call__  # that of all stored methods takes its place

    def _as_method(self) -> Definition:
        """The definition as a method; a `TypeError` if it can be none."""
        with _lock:
            if self._self_method is None:
                known = self._self_definition
                if known.method_error is not None:
                    raise known.method_error
                self._take_method(Definition(known.function, known.name, **known.options))
        return cast(Definition, self._self_method)

    def _as_function(self, is_known: bool = False) -> BoundMethod[Any, R]:
        """The function, in the form of a bound method of its owner; is it known to be one, and no method?"""
        with _lock:
            is_new, known = self._self_function is None, self._self_definition
            if is_new:
                self._take_function(Definition(known.function, known.name, **known.options, is_function=True))
            if is_known or (is_new and is_static(self, known.function)):
                self._be_function()
        return cast("BoundMethod[Any, R]", self._self_function)

    def __setattr__(self, name: str, value: object) -> None:
        """Set an attribute of the plain function, which objects' methods show too, as they do a function's."""
        super().__setattr__(name, value)
        if not name.startswith("_self_"):
            bound_class = self._self_bound_class
            if name in {"__annotations__", "__doc__", "__module__"}:  # which older versions of wrapt keep to themselves
                setattr(self.__wrapped__, name, value)
            if name == "__qualname__" and self._self_method is not None:
                type(self).__get__ = _getter(bound_class, value)  # type: ignore[method-assign]
            elif name in {"__doc__", "__module__"}:
                setattr(bound_class, name, value)
            elif name not in vars(bound_class) and name not in vars(BoundMethod):
                setattr(bound_class, name, PlainAttribute(name))

    def __set_name__(self, owner: type, name: str) -> None:
        if self._self_names_class and is_static(self, self._self_definition.function):
            return  # of another class
        try:
            definition = self._as_method()
        except TypeError:
            if self._self_names_class:
                raise
            return  # a function that the class shows only
        if self._self_names_class:
            self._be_method()  # it may have been called in the body of its class
        definition.set_owner_class(owner, name)

    if TYPE_CHECKING:

        @overload
        def __get__(self, owner: None, kind: type | None = None) -> Self: ...
        @overload
        def __get__(
            self: StoredMethod[Concatenate[S, P], R], owner: S, kind: type | None = None
        ) -> BoundMethod[P, R]: ...
        def __get__(self, owner: Any, kind: type | None = None) -> Any: ...

    if TYPE_CHECKING:

        def __call__(self, *args: Q.args, **kwargs: Q.kwargs) -> R: ...

    else:

        def __call__(self, *args, **kwargs):
            bound, rest = self._bound_for(args)
            return bound(*rest, **kwargs)

    def _bound_for(self, args: tuple[Any, ...]) -> tuple[BoundMethod[Any, R], tuple[Any, ...]]:
        if type(self).__stored_is_function__:
            return self._self_function, args
        if self._self_names_class and self._has_class():
            if not args:
                label = self._self_definition.label
                raise TypeError(f"{label}() was called without its object; call it on one, or give one first")
        elif not args or not self._is_method_of(args[0]):
            is_known = not self._self_may_be_method or (bool(args) and _is_built_in(type(args[0])))
            return self._as_function(is_known), args
        results_of(self._as_method(), args[0])  # an OwnerError if this is no owner
        return self.__get__(args[0]), args[1:]

    def _has_class(self) -> bool:
        return self._self_method is not None and self._self_method.has_class

    def _is_method_of(self, first: object) -> bool:
        kind = type(first)
        if not self._self_may_be_method:  # it was sent as that of a class
            return False
        if kind in self._self_owner_classes:
            return True
        is_method = is_method_of(self, self._self_definition.function, first)
        if is_method and kind is not type:
            self._self_owner_classes.add(kind)
        return is_method

    def _whole(self) -> tuple[Definition | None, BoundMethod[Any, R] | None]:
        method: Definition | None = self._self_method
        if type(self).__stored_is_function__:
            return method, self._self_function
        if method is not None and (method.has_class or first_parameter(method.function) == "self"):
            return method, None
        return None, self._as_function()

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
        """What counts for the method, if a class was made with it, or else for the function."""
        if type(self).__stored_is_function__ and not self._has_class():
            found: Definition = self._self_function._definition
            return found
        return self._self_method or self._self_definition

    @property
    def __stored_bound__(self) -> BoundMethod[Any, R]:
        """The function, in the form of a bound method of its owner, for what takes such.

        Raises
        ------
        OwnerError
            If it is a method.
        """
        if self._self_names_class and self._has_class():
            raise OwnerError(f"{self!r} is a method, whose results belong to objects")
        return self._as_function(is_known=True)

    @property
    def __stored_in_class__(self) -> Definition | None:
        """What counts for the method, of an attribute of a class; None if it can be none."""
        try:
            return self._as_method()
        except TypeError:
            return None

    def __repr__(self) -> str:
        kind = "function" if self._self_definition.is_function else "method"
        return f"<stored {kind} {self._self_definition.label}>"

    def __reduce__(self) -> Any:
        """Pickle by name, as functions do; or with all that counts, for a class that may be pickled by value."""
        from stored._methods.sent_method import has_importable_name, is_importable, sent_method

        if not self._has_class() and is_static(self, self._self_definition.function):
            self._as_function()
        if type(self).__stored_is_function__ and is_importable(self, self._self_function._definition):
            return str(self._self_function._definition.qualname)
        definition = self.__stored_method__
        owner = definition.owner_class_or_none()
        if not definition.is_function and has_importable_name(owner):
            return str(definition.qualname)
        return _arrived, (sent_method(self, owner),)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self.__reduce__()

    @property
    def __stored_function__(self) -> Any:
        """The plain function, under the name by which pickle finds it."""
        from stored._methods.sent_method import named_function

        definition = self.__stored_method__
        if definition.named_function is None:
            definition.named_function = named_function(definition)
        return definition.named_function

    def __copy__(self) -> StoredMethod[Q, R]:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> StoredMethod[Q, R]:
        return self


_IMMUTABLE_TYPE = 1 << 8
"""The flag of types that C defines: nobody can have given them a method."""


def _is_built_in(kind: type) -> bool:
    return bool(kind.__flags__ & _IMMUTABLE_TYPE)


def _arrived(sent: SentMethod) -> StoredMethod[Any, Any]:
    """A method that was sent: one that this process has, if its code is the same."""
    from stored._methods.sent_method import known_here, note_method

    sent.adopt()
    method: Any = known_here(sent)
    if method is None:
        method = StoredMethod(sent.definition())
        method.__stored_method__.sent = None if sent.is_function else sent
        note_method(method, sent)
    if not sent.is_function and method.__stored_method__.owner_class_or_none() is None:
        _take_class_when_asked(method, sent)
    return cast("StoredMethod[Any, Any]", method)


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
