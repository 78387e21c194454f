"""Of what were the last versions of a method made? Kept once for each method, beside its results.

By it, `explain()` says which function or constant has changed, and a constant that is another one in every process is
told. It is for people: a result never depends on it.
"""

from __future__ import annotations

import contextlib
import itertools
import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from stored._engine import Method, StorageSpace
from stored._keys import Key, Listing, Space, code_listing
from stored._methods.call import Call
from stored._methods.definition import Definition
from stored._settings import settings
from stored._storage import PersistentTier, Slot
from stored.errors import StoredError, VolatileKeyWarning, shortened, warn_caller
from stored.typing import ABSENT, Store

__all__ = [
    "code_of_values",
    "code_slot",
    "digests_in",
    "earlier_versions",
    "files_known",
    "listing_of",
    "modules_with_results",
    "note_code_of_values",
    "note_version",
]

_ENDING = ".code"
"""In place of that of entries, so that it is no result."""

_MOST_VERSIONS = 8


def code_slot(tier: PersistentTier, key: Key) -> Slot:
    """The place of something that is known of code."""
    slot = tier.slot(key, None, settings())
    slot.name = slot.name.rpartition(".")[0] + _ENDING
    return slot


def _slot(call: Call, key: Key, kind: str = "code") -> Slot:
    return code_slot(call.space.tier, Key(Space(key.space.module, kind, ""), key.object, key.definition))


def _slot_of_values(call: Call, key: Key) -> Slot:
    return _slot(call, key, "code of values")


class _Version(Listing):
    """A listing, which process has kept it, and which files the method was seen to read."""

    process: str
    files: list[str]


_PROCESS = uuid4().hex


def _history(slot: Slot) -> list[_Version]:
    """The listings of the last versions, the latest last; what is damaged is none."""
    found = slot.load_quietly()
    return found.value if found is not ABSENT and isinstance(found.value, list) else []


def note_version(call: Call, store: Store, list_now: Callable[[], Listing]) -> None:
    """Keep the listing of the version of a call whose result is in a store now, unless it is known."""
    known = call.definition.listed
    version, module = call.method[2], call.space.address.module
    files = sorted(call.definition.files_read)
    mark = store, f"{version} {len(files)}", module
    if mark in known:
        return
    known.add(mark)
    _note_module(call, module)
    slot = _slot(call, call.key())
    history = _history(slot)
    same = next((each for each in history if each.get("version") == version), None)
    if same is not None and set(files) <= set(same.get("files", ())):
        return
    others = [each for each in history if each is not same]
    now = _Version(**list_now(), process=_PROCESS, files=files)
    history = [*others, now][-_MOST_VERSIONS:]
    with contextlib.suppress(OSError, StoredError):  # the result is stored all the same
        slot.write(history)
    _warn_of_volatile(call, history)


def note_code_of_values(call: Call, store: Store) -> None:
    """Keep the listings of the code that parameters and arguments of a call reach, unless they are known.

    Parameters
    ----------
    call : Call
        A call whose result is in a store now.
    store : Store
        The store.
    """
    known, module = call.definition.listed, call.space.address.module
    states = [each for each in call.states if (store, each.digest, module) not in known]
    if not states:
        return
    known.update([(store, each.digest, module) for each in states])
    slot = _slot_of_values(call, call.key())
    history = _history(slot)
    kept = {each.get("version") for each in history}
    listings = [code_listing(each.digest, each, {}) for each in states if each.digest not in kept]
    new = [_Version(**each, process=_PROCESS, files=[]) for each in listings]
    if new:
        with contextlib.suppress(OSError, StoredError):
            slot.write([*history, *new][-_MOST_OF_VALUES:])


_MOST_OF_VALUES = 32


def digests_in(key: Key) -> list[str]:
    """The digests of code in the texts of parameters and arguments, in their order."""
    texts = [text for _, text in (*key.space.pairs(), *key.arguments)]
    return list(dict.fromkeys(_DIGEST.findall(" ".join(texts))))


_DIGEST = re.compile(r":([0-9a-f]{32})")


def _modules_slot(tier: PersistentTier, definition: Definition) -> Slot:
    return code_slot(tier, Key(Space("stored", "methods", ""), *definition.stored_name))


def modules_with_results(tier: PersistentTier, definition: Definition) -> list[str]:
    """The modules of the owners of which a store has results of a method."""
    found = _modules_slot(tier, definition).load_quietly()
    if found is ABSENT or not isinstance(found.value, list):
        return []
    return [each for each in found.value if isinstance(each, str)]


def _note_module(call: Call, module: str) -> None:
    """Keep that the owners of a module have results of a method, so that all of them can be forgotten."""
    tier = call.space.tier
    if module in modules_with_results(tier, call.definition):
        return
    slot = _modules_slot(tier, call.definition)
    with contextlib.suppress(OSError, StoredError), slot.wait_for_turn():  # those of this process are known anyway
        slot.write([*modules_with_results(tier, call.definition), module])


def earlier_versions(call: Call) -> list[str]:
    """The last versions of the method of a call but that of now, the latest first."""
    versions = [each.get("version") for each in _history(_slot(call, call.key()))]
    return [each for each in reversed(versions) if isinstance(each, str) and each != call.method[2]]


def listing_of(call: Call, key: Key) -> Listing | None:
    """The listing of the version in a key of the method of a call; None if it is not known."""
    return next((each for each in _history(_slot(call, key)) if each.get("version") == key.version), None)


def code_of_values(call: Call, key: Key) -> dict[str, Listing]:
    """The listings that are known of code which values reach, by their digests, for keys of the method of a call."""
    return {each["version"]: each for each in _history(_slot_of_values(call, key))}


def files_known(space: StorageSpace, method: Method) -> set[str]:
    """The files that a method was seen to read, in this process or in others, for one version of it."""
    name, identity, version = method
    slot = code_slot(space.tier, Key(Space(space.address.module, "code", ""), name, identity))
    found = [each.get("files", []) for each in _history(slot) if each.get("version") == version]
    return {each for files in found for each in files if isinstance(each, str)}


_SO_OFTEN = 3
"""After so many recomputations in a row for the sake of one constant, it is told."""


def _warn_of_volatile(call: Call, history: list[_Version]) -> None:
    """Warn of constants that alone were others in each of the last versions, which were of as many processes."""
    last = history[-_SO_OFTEN - 1 :]
    if len({each.get("process") for each in last}) <= _SO_OFTEN:
        return
    changed = [_changed_constants(*pair) for pair in itertools.pairwise(last)]
    for name in sorted(set.intersection(*changed)):
        values = ", ".join([shortened(each["constants"][name], 40) for each in last])
        warn_caller(
            f"results of {call.definition.label}() were computed anew {_SO_OFTEN} times because {name} was another one"
            f" each time ({values}), while the code was the"
            f" same; if it does not matter, say ignore=({name.rpartition('.')[2]!r},) in @stored",
            VolatileKeyWarning,
        )


def _changed_constants(one: Listing, other: Listing) -> set[str]:
    """The constants that differ between two versions whose code is the same."""
    digests: Any = [{name: text for name, (text, _) in each["code"].items()} for each in (one, other)]
    if digests[0] != digests[1]:
        return set()
    names = one["constants"].keys() & other["constants"].keys()
    return {name for name in names if one["constants"][name] != other["constants"][name]}
