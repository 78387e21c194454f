"""What do the results of a stored method depend on? To read, and as data."""

from __future__ import annotations

import contextlib
import operator
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from stored._keys import (
    CodeState,
    MethodReads,
    StoredCode,
    code_places,
    collected_states,
    constants_of,
    installed_version,
    parameter_names,
    tells_by_get_params,
    text_or_none,
)
from stored._methods.code_history import files_known
from stored._methods.definition import Definition
from stored._methods.memo_state import reasons_of_private
from stored._methods.results import Results, results_of
from stored.errors import StoredError, shortened
from stored.typing import ABSENT

__all__ = ["Dependencies", "Dependency", "dependencies_of"]


class Dependency(NamedTuple):
    """Something that results depend on.

    Attributes
    ----------
    name : str
        Its name.
    detail : str
        Its value, its version, or why it counts.
    place : str
        File, line and function where it is read or defined; empty if it has none.
    """

    name: str
    detail: str = ""
    place: str = ""

    def __str__(self) -> str:
        detail = f" = {self.detail}" if self.detail else ""
        return f"{self.name}{detail}{f'  ({self.place})' if self.place else ''}"


@dataclass(frozen=True)
class Dependencies:
    """What results of a method depend on, beside its arguments.

    Attributes
    ----------
    method : str
        The method.
    version : str
        The digest of its code, and of all that this reaches.
    parameters : tuple of Dependency
        The parameters that the class declares; for owners with a string of their own, that.
    attributes : tuple of Dependency
        The attributes that join them, with their values if it was asked of an object.
    memos : tuple of Dependency
        The attributes that the method fills: the code that does so counts, not their values.
    code : tuple of Dependency
        The functions, classes and modules that its code reaches.
    constants : tuple of Dependency
        The values that these use, by module and name.
    packages : tuple of Dependency
        The installed packages that they use, by version.
    uses : tuple of Dependency
        What `uses` names: files by their content, functions, classes, modules, distributions, and other values.
    private : tuple of str
        Why results are kept for one object only; empty if they are not.
    everything : tuple of str
        Where the code cannot be followed, so that all attributes of the object count.
    unseen : tuple of str
        What can change a result and does not count: what options of the decorator leave out, and files that were read
        while results were computed.
    """

    method: str
    version: str
    parameters: tuple[Dependency, ...]
    attributes: tuple[Dependency, ...]
    memos: tuple[Dependency, ...]
    code: tuple[Dependency, ...]
    constants: tuple[Dependency, ...]
    packages: tuple[Dependency, ...]
    uses: tuple[Dependency, ...]
    private: tuple[str, ...]
    everything: tuple[str, ...]
    unseen: tuple[str, ...]

    def __str__(self) -> str:
        is_string = _STRING in [each.name for each in self.parameters]
        sections = {
            "parameters": self.parameters,
            f"attributes that {'the string must tell' if is_string else 'join them'}": self.attributes,
            "attributes that it fills, whose values do not count": self.memos,
            "code": self.code,
            "constants": self.constants,
            "packages": self.packages,
            "what uses=(...) names": self.uses,
            "kept for one object only, since": self.private,
            "all attributes count, since": self.everything,
            "not on": self.unseen,
        }
        lines = [f"results of {self.method}(), version {self.version[:8]}, depend on"]
        for title, found in sections.items():
            lines += [f"  {title}:", *[f"    {each}" for each in found]] if found else []
        return "\n".join(lines)

    __repr__ = __str__


def dependencies_of(definition: Definition, kind: type, owner: object = None) -> Dependencies:
    """What results of a method of a class depend on.

    Parameters
    ----------
    definition : Definition
        The method.
    kind : type
        The class.
    owner : object, optional
        An object of it, whose values are told too.
    """
    results = None if owner is None else results_of(definition, owner)
    code = definition.code_of(kind) if results is None else results.code
    states = [code.state, *_states_of_values(definition, kind, owner, code)]
    places = dict.fromkeys([each for state in states for each in code_places(state)])
    constants = sorted({each for state in states for each in constants_of(state)})
    reads = code.reads
    joined = reads.selection.joined if definition.depends in {None, "auto"} else ()
    return Dependencies(
        definition.name_on(kind),
        code.version,
        tuple(_parameters(definition, kind, reads, owner)),
        tuple([_attribute(each.label, each.value, reads.places.get(each.name), owner) for each in joined]),
        tuple([Dependency(each.name, "", f"filled at {each.place}") for each in reads.memos]),
        tuple([Dependency(each.name, "", each.place) for each in places]),
        tuple([Dependency(*each) for each in constants]),
        tuple([Dependency(*each) for each in code.packages.items()]),
        tuple(_uses(definition, code)),
        tuple(_private(code, results, owner)),
        tuple([f"{each.text}, at {each.place}" for each in reads.everything]),
        (
            *_unseen(definition, kind, code, None if results is None else results.acceptance),
            *_files_read(definition, code, owner),
        ),
    )


def _states_of_values(definition: Definition, kind: type, owner: object, code: StoredCode) -> list[CodeState]:
    """What the functions and classes reach that are in values of parameters and attributes."""
    if owner is None:
        return []
    names = _parameter_names(definition, kind, code.reads) or ()
    getters: list[Callable[[object], Any]] = [
        *map(operator.attrgetter, names),
        *[each.value for each in code.reads.selection.joined],
    ]
    with collected_states() as found:
        for value_of in getters:
            with contextlib.suppress(Exception):  # of the object's own code, or of a value without a form
                text_or_none(value_of(owner))
    return found


def _uses(definition: Definition, code: StoredCode) -> Iterable[Dependency]:
    names: list[str] = []
    for each in definition.uses.things:
        if isinstance(each, Path):
            names.append(os.path.abspath(each))
            yield Dependency(names[-1])
        else:
            names.append(getattr(each, "__qualname__", None) or getattr(each, "__name__", None) or repr(each))
            yield Dependency(names[-1], installed_version(each) if isinstance(each, str) else "")
    for name in code.names_of_uses():  # also those of stored methods that are reached
        if name.removesuffix("()") not in names:
            yield Dependency(name)


_STRING = "the hashable string of the object"

_PARAMS = "what get_params() of the object tells"


def _private(code: StoredCode, results: Results | None, owner: object) -> list[str]:
    """Why results are for one object only; attributes without a form are seen on an object alone."""
    names: tuple[str, ...] = ()
    with contextlib.suppress(StoredError):  # its parameters are not told, or have no form
        names = () if results is None else results.present.of(owner).private
    reasons = reasons_of_private(code.reads._replace(private=()), names, ())
    return [*[f"{each.text}, at {each.place}" for each in code.reads.private], *reasons, *code.formless]


def _unseen(definition: Definition, kind: type, code: StoredCode, acceptance: object) -> Iterable[str]:
    for each in filter(None, [acceptance, definition.acceptance]):
        yield f"changes of code: {each}"
    if definition.has_own_version:
        yield f"the code of the {'function' if definition.is_function else 'method'}, for which its version stands"
    if definition.depends not in {None, "auto"}:
        yield "attributes other than the parameters in depends"
        for name, place in code.reads.beyond(definition.depends):
            yield f"the attribute {name}, read at {place}, which depends leaves out"
    elif definition.depends is None and parameter_names(kind) is None and not tells_by_get_params(kind):
        for each in code.reads.selection.joined:
            yield f"the attribute {each.label}, unless the hashable string tells it"
    left_out = {*definition.ignored.names, *definition.arguments.ignored}.difference(definition.ignored_in_vain(kind))
    for each in sorted(left_out):
        yield f"{each}, which ignore leaves out"


def _files_read(definition: Definition, code: StoredCode, owner: object) -> Iterable[str]:
    """The files that the method, and the stored methods that it calls, were seen to read, in this process or others."""
    inner: list[Any] = code.inner
    found = definition.files_read.union(*[each.files_read for each in inner])
    if owner is not None:
        for each in (definition, *inner):
            with contextlib.suppress(StoredError):  # its parameters are not told, or have no form
                results = results_of(each, owner)
                found |= files_known(results.present.of(owner), results.method)
    for each in sorted(found - code.files()):
        yield f"the file {each}, which was read"


def _parameter_names(definition: Definition, kind: type, reads: MethodReads) -> Iterable[str] | None:
    """The parameters on which results depend; None for a string of the owner's own."""
    if definition.depends == "auto":
        return reads.parameters
    return parameter_names(kind) if definition.depends is None else definition.depends


def _parameters(definition: Definition, kind: type, reads: MethodReads, owner: object) -> Iterable[Dependency]:
    names = _parameter_names(definition, kind, reads)
    if names is None:
        yield Dependency(_PARAMS if tells_by_get_params(kind) else _STRING)
    for name in names or ():
        yield _attribute(name, lambda _, name=name: getattr(owner, name), None, owner)


def _attribute(name: str, value_of: Any, place: object, owner: object) -> Dependency:
    if owner is None:
        return Dependency(name, "", str(place or ""))
    try:
        value = value_of(owner)
        return Dependency(name, "absent" if value is ABSENT else _shortened(repr(value)), str(place or ""))
    except Exception as error:  # of the object's own code
        return Dependency(name, f"raises {type(error).__qualname__}", str(place or ""))


_LONGEST = 200


def _shortened(text: str) -> str:
    return shortened(" ".join(text.split()), _LONGEST)
