"""Values of classes that were sent by value are pickled by their names; all others as ever."""

from __future__ import annotations

import pickle

import pytest

from stored._keys import Key, Space, sent_main
from stored._keys.sent_main import MainModule, note_sent_function
from stored._storage.pickles import dump_pickle, load_pickle

KEY = Key(Space("__main__:a.py", "M", "a=1"), "m", "__main__:a.py.M.m")


def test_others_are_pickled_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything was sent, and of what was sent those that no function knows, which is an error."""
    monkeypatch.setattr(sent_main, "_functions", [])
    value = {"x": [1, 2], "kind": Key}
    assert dump_pickle(value) == pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    assert load_pickle(KEY, dump_pickle(value)) == value
    names = {"__name__": "__main__"}
    exec("class Known: pass\ndef f(): return Known", names)
    note_sent_function(names["f"], MainModule("__main__:a.py", None))  # type: ignore[arg-type]
    assert load_pickle(KEY, dump_pickle(value)) == value
    known, other = names["Known"], Key(Space("__main__:b.py", "M", "a=1"), "m", "__main__:b.py.M.m")
    assert load_pickle(KEY, dump_pickle(known)) is known
    assert load_pickle(Key(Space("any", "M", "a=1"), "stored by name"), dump_pickle(known)) is known
    with pytest.raises(AttributeError, match="Known"):
        load_pickle(other, dump_pickle(known))
    unknown = type("Unknown", (), {"__module__": "__main__"})
    with pytest.raises(pickle.PicklingError, match="Unknown"):
        dump_pickle(unknown)
