"""Why does a call of a stored method hit or miss, and what has changed in the code since the nearest stored result?"""

from __future__ import annotations

from collections.abc import Iterator

from stored._keys import Key, code_listing
from stored._methods.call import Call
from stored._methods.code_history import (
    code_of_values,
    digests_in,
    earlier_versions,
    listing_of,
)
from stored._methods.explain import Explanation, code_changes, explain
from stored._methods.results import Results
from stored._settings import settings
from stored._storage import ADOPTED, keys_of_same_method, read_header

__all__ = ["changes_since", "explain_call"]


def explain_call(results: Results, call: Call) -> Explanation:
    """Why a call hits or misses."""
    key = call.key()

    def candidates() -> Iterator[Key]:
        yield from results.keys_in_memory(call)
        slot = call.open_slot(settings())
        if slot is not None:
            yield from keys_of_same_method(slot.store, key)

    where = results.tier_holding(call)
    note = _note(call, results, where)
    return explain(
        key, where, candidates, lambda stored: changes_since(results, call, stored), earlier_versions(call), note
    )


def changes_since(results: Results, call: Call, before: Key) -> dict[str, tuple[str, str]]:
    """What has changed in the code since a result was stored, as far as it is known.

    Parameters
    ----------
    results : Results
        The results of the method.
    call : Call
        The call.
    before : Key
        The key of the stored result.
    """
    found: dict[str, tuple[str, str]] = {}
    key = call.key()
    listing = listing_of(call, before) if before.version != key.version else None
    if listing is not None:
        found |= code_changes(listing, results.code.listing())
    one, other = digests_in(before), digests_in(key)
    old, new = [each for each in one if each not in other], [each for each in other if each not in one]
    if len(old) == len(new) and old:  # else it is not known what has become what
        known = code_of_values(call, before)
        now = {each.digest: code_listing(each.digest, each, {}) for each in call.states}
        for digest_before, digest_now in zip(old, new, strict=True):
            if digest_before in known and digest_now in now:
                found |= code_changes(known[digest_before], now[digest_now])
    return found


def _note(call: Call, results: Results, where: str | None) -> str:
    """What there is to say beside: why it is not stored, or that one of earlier code was, or may be, taken over."""
    if call.private:
        whose = "this process" if call.definition.is_function else "this object"
        return f"its result is for {whose} only, and not stored: {'; '.join(call.private)}"
    if where is not None:
        slot = call.open_slot(settings())
        header = None if slot is None else read_header(slot.store, slot.name)
        version = None if header is None else header.writer.get(ADOPTED)
        return (
            "" if version is None else f"computed by earlier code, version {version}, and taken over by cache_accept()"
        )
    found = results.acceptance or call.definition.acceptance
    return "" if found is None else str(found)
