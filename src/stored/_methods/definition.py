"""What is known of a stored method when it is defined? Data only: its names, its code and its options."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Collection, Iterable, Mapping
from types import FunctionType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast
from uuid import uuid4

from stored._keys import (
    VARIADIC,
    Arguments,
    Ignored,
    MethodReads,
    OwnerParts,
    StoredCode,
    Uses,
    canonical,
    code_facts,
    code_of_method,
    module_name,
    names_token,
    note_ignored,
    note_uses,
    parameter_names,
    qualified_name,
)
from stored._methods.call_code import CallCode
from stored._methods.decoratable import first_parameter, names_class, plain_function
from stored._methods.warned import Warned, warned_of
from stored._settings import this_process
from stored.errors import OwnerError, OwnerWarning, warn_caller

if TYPE_CHECKING:  # imported where it is used, since most of the start-up time would be its
    from stored._tables import Axis

__all__ = ["Axes", "Definition", "checked_names", "define"]

Axes: TypeAlias = "Axis | tuple[Axis, Axis]"


class Definition:
    """A stored method: the plain function, its names, and the options of the decorator.

    Attributes
    ----------
    options : dict
        The options of the decorator.
    label : str
        The method's name in messages and representations.
    returns_table : bool
        Does the method return a table, and a call a spline over it?
    is_interpolated : bool
        Are results evaluated by a spline or an interpolant?
    axes : tuple of Axis
        The axes along which the method is interpolated, if it is.
    has_shortcuts : bool
        Can calls be answered by shortcuts, which see neither how arguments are rounded nor when results are used?
    shortcut_arguments : sequence of str
        The arguments by which shortcuts find results.
    files_read : set of str
        The files that were read while results were computed.
    listed : set of (Store, str, str)
        The versions whose listings are known to be kept, by store, and the modules of owners.
    call_code : CallCode
        The code of its calls. The stored method sets it, and results add shortcuts to it.
    """

    call_code: CallCode

    def __init__(
        self,
        function: Any,
        name: str | None,
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
        is_function: bool = False,
    ) -> None:
        if is_function and depends is not None:
            raise TypeError(
                f"depends={depends!r} chooses from parameters of an object, and {function.__qualname__}() is a plain"
                " function, which depends on its arguments and code; leave depends out, or name arguments that do not"
                " matter in ignore=(...)"
            )
        self.options: dict[str, Any] = {
            "persistent": persistent,
            "interpolate": interpolate,
            "version": version,
            "uses": tuple(uses) if isinstance(uses, Iterable) and not isinstance(uses, str) else uses,
            "maxsize": maxsize,
            "ignore": ignore,
            "round": round,
            "copy": copy,
            "depends": depends,
            "single_flight": single_flight,
        }
        plain = plain_function(function, version)
        self.function = function
        self.is_function = is_function
        self.on_class = staticmethod(function) if is_function else function
        self.run: Callable[..., Any] = _without_owner(function) if is_function else function
        self.method_error: TypeError | None = None
        self.label = function.__qualname__
        self.name = function.__name__ if name is None else name
        self.attribute = function.__name__
        self.qualname = function.__qualname__
        self._class_name: str | None = None
        self._owner_class: weakref.ref[type] | None = None
        self.persistent = persistent
        self.single_flight = single_flight
        self.returns_table = interpolate is True
        self.axes = _axes(interpolate)
        self.is_interpolated = self.returns_table or bool(self.axes)
        self.maxsize = maxsize
        self.copy = copy
        self.depends = depends if depends is None or depends == "auto" else tuple(depends)
        self.arguments = Arguments(
            function, self.label, ignore, {} if round is None else round, takes_owner=not is_function
        )
        self.axis_names = tuple(axis.name for axis in self.axes)
        self.arguments.check_names("interpolate", self.axis_names)
        for axis in self.axes:
            if axis.unit is not None and axis.name in (round or {}):
                raise TypeError(
                    f"round of {self.label}() names {axis.name!r}, which is a quantity: what is rounded would depend on"
                    " the unit in which it is given; leave it out"
                )
        kinds = [each.kind for each in self.arguments.signature.parameters.values()]
        self.has_shortcuts = maxsize is None and not self.arguments.has_rounding and not set(kinds) & set(VARIADIC)
        keyed = self.arguments.keyed_names
        self.shortcut_arguments = tuple([name for name in keyed if name not in self.axis_names])
        self.namespace: dict[str, Any] = getattr(plain, "__globals__", {})
        self.has_own_version = version is not None
        axes = canonical(tuple([axis.definition() for axis in self.axes]))
        self.spacings = tuple([each for axis in self.axes for each in axis.spacing if isinstance(each, FunctionType)])
        self.options_text = f"stored({version!a}, {axes}, {self.returns_table}, {self.arguments.options_text})"
        self.ignored = Ignored(self.arguments.ignored_code, set())
        if self.ignored.names:
            note_ignored(plain, self.ignored)
        if version is None:
            code_facts(plain.__code__)  # now: if the file is edited later, its text is no longer that of this code
        self.uses = Uses(self.label, self.options["uses"])
        note_uses(plain, self.uses)
        self.files_read: set[str] = set()
        self.listed: set[tuple[object, str, str]] = set()
        self.warned: Warned = warned_of(plain) if is_function else set()
        self.calls: dict[Any, None] = {}  # those under way, whose results can be forgotten before they are kept
        self.named_function: Any = None  # as pickle finds it
        self.number = uuid4().hex  # by which it is known in other processes, too
        self.origin = this_process()
        self.latest_sent: Any = None  # the code as it was when the method was sent last, and what was sent
        self.sent: Any = None  # as it has come from another process, until a class gets it
        self.acceptance: Any = None  # what `cache_accept` of the class was asked for

    def set_owner_class(self, owner: type, attribute: str) -> None:
        """Take the name of the method in its class: functions made by one wrapper have the same names of their own."""
        if self._class_name is None:
            self.attribute = attribute
            self.qualname = f"{owner.__qualname__}.{attribute}"
            self._class_name = qualified_name(owner)
            self._owner_class = weakref.ref(owner)

    def set_function_owner(self, owner_class: type) -> None:
        """Take the class of the internal owner of a plain function."""
        self._owner_class = weakref.ref(owner_class)

    def set_sent_class(self, owner: type, attribute: str) -> None:
        """Take the class that was made of one which was sent, in place of an earlier one that was."""
        self.sent = None
        self._class_name = None
        self.set_owner_class(owner, attribute)

    @property
    def has_class(self) -> bool:
        """Has a class got the method, as an attribute?"""
        return self._class_name is not None

    def owner_class_or_none(self) -> type | None:
        """The class that defines the method; None if none does."""
        return None if self._owner_class is None else self._owner_class()

    def owner_class(self) -> type:
        """The class that defines the method; an `OwnerError` if none does."""
        found = self.owner_class_or_none()
        if found is None:
            raise OwnerError(f"{self.label}() is no method of a class, or that is gone; ask it of an object")
        return found

    def code_of(self, kind: type, parts: OwnerParts = OwnerParts()) -> StoredCode:  # noqa: B008
        """What results of the method of a class depend on, beside parameters and arguments; see `code_of_method`."""
        return code_of_method(kind, self, parts)

    def warn_once(self, about: tuple[str, str], message: str) -> None:
        """Warn of something, by the class, unless that was done."""
        if about not in self.warned:
            self.warned.add(about)
            warn_caller(message, OwnerWarning)

    def warn_of_changing(self, kind: type, code: StoredCode) -> None:
        """Warn once that results are not kept because the method changes what its own code uses."""
        names = ", ".join(code.changed())
        self.warn_once(
            ("changing", names),
            f"a result of {self.label_of(kind)} was not kept: {names or 'the code'}, which it uses,"
            " has changed while it was computed; if that does not matter, name it in ignore=(...) of @stored",
        )

    def warn_of_draws(self, kind: type, reason: str) -> None:
        """Warn once that results are not kept because the next computation would draw other numbers."""
        self.warn_once(
            (kind.__qualname__, reason),
            f"results of {self.label_of(kind)} are not kept, so that each call computes: while it was"
            f" computed, {reason}; give it a seed, or let the caller give the generator, or, if the first result is"
            " wanted ever after, name what draws in ignore=(...), as ignore=('default_rng',) or ignore=('rvs',)",
        )

    def warn_of_outdated(self, kind: type, reason: str) -> None:
        """Warn once of a reason why a result was computed from what functions have kept, and no longer holds."""
        name = kind.__qualname__
        self.warn_once((name, reason), f"a result of {self.label_of(kind)} is not kept: {reason}")

    def warn_of_unknown(self, kind: type) -> None:
        """Warn once of each name to be ignored that is neither an argument nor in the code."""
        for name in sorted(self.ignored.names - self.ignored.found) if self.ignored.names else ():
            self.warn_once(
                ("ignore", name),
                f"ignore of {self.label}() names {name!r}, which is none of its arguments"
                f" ({', '.join(self.arguments.names) or 'none'}), and no name that the code of"
                f" {self.name_on(kind)} uses, so that it leaves out nothing; give it as it stands in"
                " the code, with its module before it, or as 'self.name'",
            )

    def name_on(self, kind: type) -> str:
        """The method as an attribute of a class, or the function."""
        return self.label if self.is_function else f"{kind.__qualname__}.{self.attribute}"

    def label_of(self, kind: type) -> str:
        """The method of a class, or the function, in messages."""
        return f"{self.label}()" if self.is_function else f"{self.label}() of {kind.__qualname__}"

    def method_of(self, kind: type, code: StoredCode) -> tuple[str, str, str]:
        """The method of a class as keys contain it: the name of its results, its qualified name and its version."""
        told_by = names_token(), kind.__module__, kind.__qualname__, self._class_name, self.attribute
        if code.known_names is None or code.known_names[0] != told_by:
            code.known_names = told_by, (self.name, self._identity_for(kind), code.version)
        found: tuple[str, str, str] = code.known_names[1]
        return found

    def reads(self, kind: type) -> MethodReads:
        """What counts for the method of a class, beside the parameters that are declared."""
        return self.code_of(kind).reads

    def complete_reads(self, kind: type) -> MethodReads:
        """What `reads` gives; an `OwnerError` if the code cannot be followed everywhere."""
        found = self.reads(kind)
        if not found.everything:
            return found
        reason = found.everything[0]
        what = f"{reason.text}, at {reason.place}, so that it may read anything"
        raise self._incomplete(kind, what, "read attributes by their names there")

    def refuse_formless(self, kind: type, name: str) -> None:
        """Raise an `OwnerError` if only what the method reads counts, and an attribute hides what it reads."""
        if self.depends != "auto":
            return
        place = self.reads(kind).places.get(name)
        read = "" if place is None else f", read at {place},"
        ignore = "" if place is None else f", say ignore=('self.{name}',) if it does not change results"
        raise self._incomplete(
            kind,
            f"the attribute {name!r}{read} has a value with no form that is the same in every process",
            f"give it a value that has one{ignore}",
        )

    def _incomplete(self, kind: type, reason: str, remedy: str) -> OwnerError:
        return OwnerError(
            f"depends='auto' of {self.label}() takes what the method reads of {kind.__qualname__}, but {reason};"
            f" {remedy}, or name the parameters on which results depend: depends=('H0', ...)"
        )

    def ignored_in_vain(self, kind: type) -> list[str]:
        """The names in `ignore` that are declared parameters, which count all the same."""
        if self.depends == "auto":  # those that are left out are not read
            return []
        counted = self.declared_by(kind) if self.depends is None else self.depends
        return sorted(self.ignored.names & {f"self.{name}" for name in counted})

    def warn_of_more(self, kind: type, code: StoredCode) -> None:
        """Warn once of what the method reads beside the parameters that `depends` names."""
        if self.depends is None or self.depends == "auto" or ("depends", kind.__qualname__) in self.warned:
            return
        self.warned.add(("depends", kind.__qualname__))
        found = code.reads.beyond(self.depends)
        if found:
            names = ", ".join([f"{name!r} ({place})" for name, place in found])
            warn_caller(
                f"depends={self.depends!r} of {self.label}() leaves out what the method reads of {kind.__qualname__}:"
                f" {names}. If it changes, results stay; add parameters to depends, say depends='auto', which takes"
                f" what is read, or name 'self.{found[0][0]}' in ignore=(...) if it does not change results",
                OwnerWarning,
            )

    def declared_by(self, kind: type) -> Collection[str]:
        """The parameters that a class declares."""
        return parameter_names(kind) or ()

    def modules(self) -> set[str]:
        """The modules of the class that defines the method and of its subclasses, as keys have them."""
        defining = None if self._owner_class is None else self._owner_class()
        found, pending = set[str](), [] if defining is None else [defining]
        while pending:
            kind = pending.pop()
            found.add(module_name(kind.__module__, kind))
            pending += type.__subclasses__(kind)
        return found

    @property
    def stored_name(self) -> tuple[str, str]:
        """The name of its results, and its qualified name."""
        if self._class_name is None:
            return self.name, qualified_name(self.function)
        return self.name, f"{self._class_name}.{self.attribute}"

    def _identity_for(self, kind: type) -> str:
        """The qualified name of the method, and that of the class if it has the method by inheritance."""
        _, own = self.stored_name
        if self.is_function:
            return own
        if self._class_name is None:
            return f"{own} of {qualified_name(kind)}"
        return own if qualified_name(kind) == self._class_name else f"{own} of {qualified_name(kind)}"


def define(function: Any, name: str | None, options: Mapping[str, Any]) -> Definition:
    """The definition of what is decorated: of a method if its name says that it stands in a class, else of a function.

    What fits no method may be a function below ``@staticmethod``. What is given `depends` may be a method that is
    attached to a class later.

    Raises
    ------
    TypeError
        If it can be neither.
    """
    if not names_class(function) and (options.get("depends") is None or first_parameter(function) != "self"):
        return Definition(function, name, **options, is_function=True)
    try:
        return Definition(function, name, **options)
    except TypeError as error:
        try:
            found = Definition(function, name, **options, is_function=True)
        except TypeError:
            raise error from None
        found.method_error = error
        return found


def _without_owner(function: Callable[..., Any]) -> Callable[..., Any]:
    """A plain function as one that takes an owner before its own arguments."""
    return lambda _, /, *args, **kwargs: function(*args, **kwargs)


def checked_names(option: str, names: Collection[str], hint: str = "") -> Collection[str]:
    """The names of an option; a `TypeError` if they are one string, or no strings."""
    if isinstance(names, str):
        raise TypeError(f"{option} is the string {names!r}; give {hint}a tuple of names: ({names!r},)")
    if not isinstance(names, Collection) or not all(isinstance(each, str) for each in names):
        raise TypeError(f"{option} is {names!r}; give {hint}a tuple of names, which are strings")
    return names


def _axes(interpolate: object) -> tuple[Axis, ...]:
    if interpolate is None or interpolate is True:
        return ()
    from stored._tables import Axis

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
