"""Where does code make a random generator with a seed that is None only when it runs?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from stored._keys.attributes import instance_dict
from stored._keys.class_functions import find_on_class, is_data
from stored.typing import ABSENT

__all__ = ["GIVE_SEED", "Seed"]

GIVE_SEED = "give it a seed, or let the caller give the generator or what it draws, or name it in ignore=(...)"
"""What to do about draws that differ each time."""


class Seed(NamedTuple):
    """A call that makes a random generator, with a seed that is known only when it runs.

    Attributes
    ----------
    function : FunctionType
        The function that has the call.
    label : str
        What is called.
    names : tuple of str
        The names in the expression of the seed, with their attributes.
    passed : frozenset of str
        Those of them that functions which are reached pass by name when they call something.
    """

    function: Any
    label: str
    names: tuple[str, ...]
    passed: frozenset[str]

    @property
    def reason(self) -> str:
        """Why results are private."""
        return (
            f"{self.function.__qualname__}() makes a generator by {self.label}() with a seed that can be None"
            f" ({', '.join(self.names)}); {GIVE_SEED}"
        )

    def _default(self, name: str) -> Any:
        """That of a parameter of the function; absent if it has none."""
        code, defaults = self.function.__code__, self.function.__defaults__ or ()
        taken = code.co_varnames[: code.co_argcount]
        pairs = {**dict(zip(reversed(taken), reversed(defaults), strict=False)), **(self.function.__kwdefaults__ or {})}
        return pairs.get(name, ABSENT)

    def is_missing(self, method: Any, owner: object, arguments: Mapping[str, Any], others: Iterable[Any]) -> bool:
        """Can the seed be None in a call of a stored method?

        Parameters
        ----------
        method : function
            The plain method.
        owner : object
            The object.
        arguments : mapping
            The arguments of the call, by name.
        others : iterable of object
            Objects that the method may reach, such as the values of parameters.
        """
        holders = [owner, *others, *instance_dict(owner).values(), *arguments.values()]
        is_own = self.function.__code__ is getattr(method, "__code__", None)
        return any(self._is_none(each, holders, arguments if is_own else None) for each in self.names)

    def _is_none(self, name: str, holders: list[Any], arguments: Mapping[str, Any] | None) -> bool:
        attribute = name.rpartition(".")[2]
        if attribute != name:
            found = [_attribute(each, attribute) for each in holders]
            is_known = all(each is ABSENT or is_data(each) for each in found)
            return _has_none(found) or (not is_known and _has_none(holders))
        if arguments is not None and name in arguments:
            return arguments[name] is None
        code = self.function.__code__
        if name in code.co_freevars:
            cells = dict(zip(code.co_freevars, self.function.__closure__ or (), strict=True))
            return _content(cells[name]) is None
        if name not in (*code.co_varnames, *code.co_cellvars):
            return self.function.__globals__.get(name, ABSENT) is None
        # a variable, or a parameter of another function, can be any argument or attribute
        return _has_none(holders) or (self._default(name) is None and name not in self.passed)


def _has_none(values: list[Any]) -> bool:
    return any(each is None for each in values)  # `in` would compare arrays


def _attribute(value: object, name: str) -> Any:
    """An attribute, without running code: of the object, or a plain value of its class."""
    found = instance_dict(value).get(name, ABSENT)
    return find_on_class(type(value), name).value if found is ABSENT else found


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # it is empty
        return ABSENT
