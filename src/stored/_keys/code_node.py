"""What does one function, class or module of the user's own say, and which others does it refer to?

Its text has what its code says, and the values of the names that it uses. What the standard library and installed
packages have stands in it by name, and other functions, classes and modules of the user's own by a number.
"""

from __future__ import annotations

import builtins
import collections
import sys
import types
from collections.abc import Callable, Mapping
from operator import attrgetter
from pathlib import PurePath
from typing import Any
from uuid import uuid4

import numpy as np

from stored._keys import ambient
from stored._keys.attributes import instance_dict
from stored._keys.canonical import Walk, digest, nested_too_deeply, text_without_form
from stored._keys.canonical_code import is_library_function
from stored._keys.class_content import WITHOUT_MEANING
from stored._keys.class_functions import CACHED_FUNCTION
from stored._keys.class_names import is_library_class
from stored._keys.code_facts import code_facts
from stored._keys.compiled_modules import compiled_text, name_in_compiled
from stored._keys.draws import may_draw
from stored._keys.exempt import is_exempt
from stored._keys.function_watches import function_watches
from stored._keys.identity import number_text
from stored._keys.ignored_names import Ignored, ignored_by
from stored._keys.libraries import is_library_module
from stored._keys.library_values import has_text_of_its_own, is_foreign, name_in_library
from stored._keys.node import Node, is_node
from stored._keys.project_paths import without_folder
from stored._keys.reached_names import ReachedName, reached_name
from stored._keys.seeds import GIVE_SEED
from stored._keys.special_names import (
    FILLED_BY_PYTHON,
    LOOKING_EVERYWHERE,
    NAMES_OF_MODULES,
    NOT_OF_MODULES,
    is_builtin,
)
from stored._keys.unchanged import ATOMIC_SET
from stored._keys.unstable_values import UnstableValueError
from stored._keys.used_names import MEMBER, OWN_MODULE, OWN_NAME, SEEDED_BY, Origin, UsedName
from stored._keys.uses import uses_of
from stored._keys.watched import (
    NEVER_SAME,
    EnvironmentWatch,
    Holder,
    MemoWatch,
    ModuleWatch,
    NamespaceWatch,
    NameWatch,
    StateWatch,
    Watch,
    hold,
)
from stored.errors import StoredError
from stored.typing import ABSENT

__all__ = ["read_node"]

_LEAVE_OUT = "or name it in ignore=(...) if it does not matter, or say version='1', which stands for the code"

_PROCESS = uuid4().hex
"""Stands beside the numbers of objects of this process."""


def read_node(value: Any, ignored: Ignored | None = None, choosing: Mapping[str, Any] | None = None) -> Node:
    """Read a function, a class or a module, or any other value.

    Parameters
    ----------
    value : object
        What is read.
    ignored : Ignored, optional
        The names that do not count.
    choosing : mapping, optional
        Attributes of the first argument of a function by which items of tables are chosen, with their values.
    """
    return _NodeWalk(value, ignored or Ignored(frozenset(), set()), choosing or {}).node()


class _NodeWalk(Walk):
    """The text of one function, class or module."""

    __slots__ = (
        "_caches",
        "_choosing",
        "_compiled",
        "_constants",
        "_draws",
        "_formless",
        "_ignored",
        "_libraries",
        "_node",
        "_references",
        "_seeds",
        "_watches",
    )

    has_names = False

    def __init__(self, node: Any, ignored: Ignored, choosing: Mapping[str, Any]) -> None:
        super().__init__(is_of_code=True)
        self._node = node
        self._choosing = choosing
        self._ignored = [each for each in (ignored, *ignored_by(node)) if each.names]
        self._references: dict[int, tuple[int, Any]] = {}
        self._watches: list[Watch] = []
        self._formless: list[str] = []
        self._libraries: set[str] = set()
        self._compiled: set[str] = set()
        self._constants: list[tuple[str, str]] = []
        self._caches: list[tuple[Holder, str]] = []
        self._seeds: list[tuple[Holder, str, str]] = []
        self._draws = type(node) is types.FunctionType and may_draw(node.__code__)

    def node(self) -> Node:
        """The node."""
        value = self._node
        if not is_node(value):
            return self._finished(self.code_part(value, ""))
        if isinstance(value, type):
            self._watches.append(NamespaceWatch(value, WITHOUT_MEANING | FILLED_BY_PYTHON))
        elif type(value) is types.ModuleType:
            self._watches.append(NamespaceWatch(value, NOT_OF_MODULES))
        else:
            self._note_library(value)
            self._watches += function_watches(value)
        try:
            text = self._module_text(value) if type(value) is types.ModuleType else super().text(value)
        except (UnstableValueError, RecursionError) as error:
            text = self._number(value, error)
        return self._finished(text + self._uses_text(value))

    def _uses_text(self, value: Any) -> str:
        """What the function of a stored method uses that its code does not show."""
        uses = uses_of(value)
        if uses is None:
            return ""
        watches = uses.watches()
        self._watches += watches
        return f"; uses {[*uses.texts(), *[each.text for each in watches], *map(self._reference, uses.roots())]!a}"

    def _finished(self, text: str) -> Node:
        return Node(
            digest("\n".join([text, *sorted(filter(None, self._compiled))])),
            tuple([hold(each) for _, each in self._references.values()]),
            tuple(self._watches),
            tuple(self._formless),
            frozenset(self._libraries),
            tuple(self._constants),
            tuple(self._caches),
            tuple(self._seeds),
            self._draws,
        )

    def text(self, value: Any) -> str:
        if is_node(value):
            return self._reference(value)
        if ambient.is_environment(value):
            return self._environment_text(None, type(value).__name__)
        if isinstance(value, str | PurePath):
            value = without_folder(value, self._node)
        if type(value) is CACHED_FUNCTION:
            self._caches.append((hold(value), ""))
        self._note_library(value)
        return super().text(value)

    def _reference(self, value: Any) -> str:
        number, _ = self._references.setdefault(id(value), (len(self._references), value))
        return f"<{number}>"

    def _note_library(self, value: Any) -> None:
        name = value.__name__ if type(value) is types.ModuleType else getattr(value, "__module__", None)
        if type(value) is types.FunctionType:  # wrappers take the module of what they wrap
            name = value.__globals__.get("__name__")
        if isinstance(name, str) and is_library_module(name):
            self._libraries.add(name.partition(".")[0])
        elif isinstance(name, str) and type(value) is not types.FunctionType:
            self._compiled.add(compiled_text(name))

    def code_part(self, value: object, step: str) -> str:
        if is_exempt(value):
            return text_without_form(value) or type(value).__qualname__
        position, lowest = len(self._open), self._lowest
        try:
            return super().code_part(value, step)
        except (UnstableValueError, RecursionError) as error:
            self._close(position)
            self._lowest = lowest
            return self._number(value, error)

    def _number(self, value: Any, error: Exception, place: str = "") -> str:
        """What stands for a value without a form; it is noted."""
        name = self._where().removesuffix("()")
        label = f"the code of {self._where()}: "
        remedy = f"{_LEAVE_OUT}; a change inside it is not seen: give what can change as an argument"
        found: StoredError = (
            error.as_key_error(place or name.rpartition(".")[2], label, remedy)
            if isinstance(error, UnstableValueError)
            else nested_too_deeply(value, label)
        )
        self._formless.append(str(found))
        return f"{_PROCESS}{number_text(value)}"

    # -- names --------------------------------------------------------------------------------------------------------

    def reached_text(self, value: Any) -> str:
        if type(value) is not types.FunctionType or value is not self._node or is_library_function(value):
            return ""
        facts = code_facts(value.__code__)
        texts = [self._used_text(each, value) for each in sorted(facts.reads, key=attrgetter("order"))]
        texts += [self._change_text(each, value) for each in sorted(facts.changes, key=attrgetter("order"))]
        return "; ".join(filter(None, texts))

    def _change_text(self, used: UsedName, function: types.FunctionType) -> str:
        """An object that is changed: what it contains does not count, unless somebody's own code changes it."""
        found = reached_name(used, function)
        if self._is_ignored(used, found, function):
            return ""
        value, kind = found.value, type(found.value)
        is_function = kind is types.FunctionType and is_node(value)  # of a module, with the name of such a method
        is_of_user = not is_library_class(kind) or not set(used.path[-1:]).isdisjoint(instance_dict(value))
        if found.namespace is not None and (is_function or is_of_user or kind in _CONTAINERS):
            self._watches.append(NameWatch(found.namespace, found.path, value, has_content=False))
        if is_function:
            return f"{used.dotted}()={self._reference(value)}"
        if not is_of_user or isinstance(value, types.ModuleType | type):
            return ""
        return f"changed {self._used_text(used, function)}"

    def _is_ignored(self, used: UsedName, found: ReachedName, function: types.FunctionType) -> bool:
        """Is a name one of those that do not count?"""
        if not self._ignored:
            return False
        labels = used.dotted, f"{function.__module__}.{used.dotted}", found.label
        return any([each.has(*labels, value=found.value) for each in self._ignored])  # noqa: C419  (each notes what it has found)

    def leaves_out(self, name: str) -> bool:
        """Variables that functions close over are looked up as all other names, but for those of libraries."""
        return not is_library_function(self._node)

    def _used_text(self, used: UsedName, function: types.FunctionType) -> str:
        if used.root in NAMES_OF_MODULES:
            return f"{used.root}={function.__globals__.get(used.root)!a}"
        if used.root in NOT_OF_MODULES or self._is_memo(used, function):
            return ""
        if used.item == OWN_NAME:
            used = used._replace(item=str(function.__globals__.get("__name__")))
        if used.root == "__debug__":
            return f"{__debug__}"
        found = reached_name(used, function)
        if self._is_ignored(used, found, function):
            return ""
        if found.namespace is not None and not (found.namespace is found.value and not found.path):
            self._watches.append(NameWatch(found.namespace, found.path, found.value))
        if found.imported and (not found.is_of_library or found.value is ABSENT):  # until the method imports it
            self._watches.append(ModuleWatch(found.imported))
        if type(found.value) in ATOMIC_SET:
            return self._value_text(used, found, function)
        if found.module and type(found.value) is not types.FunctionType:
            self._compiled.add(compiled_text(found.module))
        if "__globals__" in used.path or any(found.value is each for each in LOOKING_EVERYWHERE):
            return self._whole_module(found.value if type(found.value) is types.FunctionType else function)
        if found.namespace is function and is_builtin(found) and not ambient.gives_modules(found.value):
            return ""
        text = self._ambient_text(used, found, function)
        return self._value_text(used, found, function) if text is None else text

    def _value_text(self, used: UsedName, found: ReachedName, function: types.FunctionType) -> str:
        """A value, or the only item of a table that is used."""
        item = None
        if type(found.value) is dict and not (used.item or "").startswith("\0"):
            item = used.item if used.item is not None else self._chosen_item(used, function)
        if item is not None:
            found = found._replace(value=found.value.get(item, ABSENT), path=(*found.path, str(item)))
        text = self._name_text(found)
        if not is_node(found.value) and not found.is_of_library:
            home = function.__qualname__ if used.root in function.__code__.co_freevars else found.home
            self._constants.append((f"{home}.{'.'.join(found.path)}", text))
        return f"{used.dotted}{'' if item is None else f'[{item!a}]'}={text}"

    def _ambient_text(self, used: UsedName, found: ReachedName, function: types.FunctionType) -> str | None:
        """What is asked of the process, and not of the code; None for all else."""
        if ambient.is_environment(found.value):
            return self._environment_text(ambient.variable_named(used.item, function), found.label)
        ask = ambient.ambient_state(found.value, used.path[-1] if used.path else "", used.item or "")
        if ask is not None:
            label = f"{used.item.removeprefix(MEMBER)} in {found.label}" if used.item else found.label
            return self._state_text(ask, found._replace(label=label))
        if ambient.gives_modules(found.value):
            return self._given_module_text(used, found, function)
        if used.is_bare and ambient.makes_generator(found.value):
            self._formless.append(f"{self._where()} makes a generator by {found.label}() without a seed; {GIVE_SEED}")
        elif used.item is not None and used.item.startswith(SEEDED_BY) and ambient.makes_generator(found.value):
            self._seeds.append((hold(function), found.label, used.item.removeprefix(SEEDED_BY)))
        self._draws |= ambient.makes_generator(found.value)
        if ambient.draws_from_global(found.value):
            self._formless.append(
                f"{self._where()} draws from the random generator of a module by {found.label}(); {GIVE_SEED}"
            )
        return None

    def _chosen_item(self, used: UsedName, function: types.FunctionType) -> Any:
        """The key of the only item that is used of a table, by the first argument; None if all of it is used."""
        choices = dict(code_facts(function.__code__).choices)
        return self._choosing.get(choices.get(used.dotted, ""))

    def _is_memo(self, used: UsedName, function: types.FunctionType) -> bool:
        """Is a name a memo that the function fills, and that is empty so far?

        One that was filled before may be made of what is no longer there: it counts by what it contains.
        """
        if used.origin not in {None, OWN_MODULE} or used.root not in code_facts(function.__code__).memos:
            return False
        watch = MemoWatch(function, used.root)
        if watch.is_empty():
            self._watches.append(watch)
            self._caches.append((hold(function), used.root))
        return watch.is_empty()

    def _environment_text(self, item: str | None, label: str) -> str:
        """An environment variable; all of them if its name is computed."""
        watch = EnvironmentWatch(item)
        self._watches.append(watch)
        if item is None:
            self._formless.append(
                f"{self._where()} asks for environment variables by computed names; ask by constant ones, or name"
                f" {label!r} in ignore=(...) if they do not matter"
            )
            return f"environment {digest(repr(watch.value))}"
        self._constants.append((f"os.environ[{item!r}]", repr(watch.value)))
        return f"{item}={watch.value!a}"

    def _given_module_text(self, used: UsedName, found: ReachedName, function: types.FunctionType) -> str:
        """A module that is asked for by its name; one whose name is computed can be any."""
        if used.item is None:
            self._watches.append(NEVER_SAME)
            self._formless.append(
                f"{self._where()} asks for a module by a computed name, with {found.label}, so that each call computes;"
                f" ask by a constant one, or name {found.label!r} in ignore=(...) and what it uses in uses=(...)"
            )
            return "any module"
        level = len(used.item) - len(used.item.lstrip("."))
        names = [used.item]
        if found.value is builtins.__import__:  # which gives the package that the module is in
            names.append(used.item.partition(".")[0])
        modules = [UsedName(each, (), Origin(each[level:], level)) for each in names]
        return ", ".join([self._used_text(each, function) for each in modules])

    def _state_text(self, ask: Callable[[], Any], found: ReachedName) -> str:
        """What is set for the whole process; its class may ask for it too."""
        self._watches.append(StateWatch(ask))
        text = self._name_text(ReachedName(found.label, ask(), None, found.path))
        self._constants.append((found.label, text))
        return f"{found.label}={text}"

    def _where(self) -> str:
        name = getattr(self._node, "__qualname__", getattr(self._node, "__name__", "it"))
        return f"{name}{'' if isinstance(self._node, type) else '()'}"

    def _whole_module(self, function: types.FunctionType) -> str:
        module = sys.modules.get(function.__globals__.get("__name__", ""))
        return "everything" if module is None or not is_node(module) else f"everything={self._reference(module)}"

    def _name_text(self, found: ReachedName) -> str:
        value = found.value
        if value is ABSENT and not (found.imported and found.is_of_library):
            return f"absent {found.label}" if found.is_of_library else "absent"
        if found.is_of_library and (found.imported or not has_text_of_its_own(value)) and not is_foreign(value):
            self._libraries.add((found.imported or found.module).partition(".")[0])
            self._note_library(value)
            return found.label  # it counts by name, imported or not
        position, lowest = len(self._open), self._lowest
        try:
            return text_without_form(value) or self.part(value, "")
        except (UnstableValueError, RecursionError) as error:
            self._close(position)
            self._lowest = lowest
            name = found.path[-1] if found.path else ""
            in_compiled = name_in_compiled(value, name)
            if in_compiled is not None:
                self._compiled.add(compiled_text(in_compiled[0]))
                return ".".join(in_compiled)
            return name_in_library(value, name) or self._number(value, error, found.label)

    def _module_text(self, module: types.ModuleType) -> str:
        values = [(name, each) for name, each in list(vars(module).items()) if name not in NOT_OF_MODULES]
        return ", ".join([f"{name!a}={self.code_part(each, f'.{name}')}" for name, each in values])


_CONTAINERS = frozenset({list, dict, set, collections.deque, np.ndarray})
