"""The corpus holds what the fuzzer found worth keeping; the decoder stands it, and the fuzzer would see if not."""

from __future__ import annotations

import functools
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stored._adapters import registry
from stored._storage import codecs, listing, native, signing
from tests.fuzz import target
from tests.fuzz.target import check, decoded, entry_of

CORPUS = sorted((Path(__file__).parent / "corpus").iterdir())
REGISTERED = {"masked", "recarray", "record", "seeds", "spline", "fitted", "grid", "rows", "coordinates"}
VALUES = {
    *("plain", "numbers", "texts", "fortran", "times", "records", "scalars", "empty", "nested", "dict"),
    *REGISTERED,
}


@pytest.mark.parametrize("file", CORPUS, ids=lambda file: file.name)
def test_the_decoder_stands_the_corpus(file: Path) -> None:
    """Each file gives an `EntryError` or a native value that can be written again, and nothing else happens."""
    check(file.read_bytes())


@pytest.mark.parametrize("file", [file for file in CORPUS if b"*" in file.read_bytes()], ids=lambda file: file.name)
def test_the_decoder_stands_long_parts(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a unit is repeated, it may be so up to the longest inputs of the fuzzer."""
    monkeypatch.setattr(target, "repeated_bytes", 256_000)
    check(file.read_bytes())


def test_the_corpus_is_small_and_alive() -> None:
    """It has at most 80 files of less than 2 kB, among them values of all kinds that this format still reads."""
    contents = {file.name: file.read_bytes() for file in CORPUS}
    assert len(contents) <= 80
    assert max(map(len, contents.values())) < 2000
    for name in VALUES:
        decoded(entry_of(contents[name]))
    assert type(decoded(contents["entry"])) is list


def test_only_registered_decoders_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each value of a type of another library is made by the function that is registered for the name in its entry."""
    called: list[str] = []
    for adapter in set(registry._by_name.values()):
        monkeypatch.setattr(adapter, "decode", functools.partial(noted, called, adapter.name, adapter.decode))
    for file in CORPUS:
        if file.name in VALUES:
            decoded(entry_of(file.read_bytes()))
            assert bool(called) == (file.name in REGISTERED), file.name
            assert all(f'["registered","{name}",'.encode() in file.read_bytes() for name in called)
            called.clear()


def noted(called: list[str], name: str, decode: Any, plain: Any) -> Any:
    called.append(name)
    return decode(plain)


def raises(*_: object) -> None:
    raise ValueError


FAULTS: dict[str, Callable[[Any], object]] = {
    "raises": raises,
    "no native value": lambda _: object(),
    "a subclass": lambda _: [np.float64(1), type("Text", (str,), {})()],
    "objects": lambda _: np.array([None]),
    "writable": lambda _: np.zeros(3),
    "opens a file": lambda _: open(__file__).close(),
    "loads a pickle": lambda _: pickle.loads(b"N."),
    "takes memory": lambda _: len(bytes(1 << 24)),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_check_can_fail(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A decoder that raises another error, or returns or does what it must not, is found out."""
    check(b"\n1")
    monkeypatch.setattr(codecs, "unpack_native", FAULTS[fault])
    with pytest.raises(ValueError if fault == "raises" else AssertionError):
        check(b"\n1")


def test_the_check_compares_to_the_last_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A value that is written as another one is found out, though they compare equal."""
    zero, negative_zero = (b'\n["complex","00000000000000%s","0000000000000000"]' % sign for sign in (b"00", b"80"))
    check(zero), check(negative_zero)
    monkeypatch.setitem(native._Writer._WRITERS, complex, lambda writer, value: writer._complex(value + 0.0))
    check(zero)
    with pytest.raises(AssertionError):
        check(negative_zero)


def test_the_check_sees_a_pickle_that_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """It does so though the decoder takes whatever loading raises for damage."""
    monkeypatch.setattr(signing, "verify", lambda *_: None)
    (file,) = [file for file in CORPUS if file.name == "pickle"]
    with pytest.raises(AssertionError, match=r"pickle\.loads"):
        check(file.read_bytes())


def test_the_check_sees_an_error_of_the_header(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading headers for a listing must not fail either."""
    monkeypatch.setattr(listing, "_header_in", raises)
    with pytest.raises(ValueError, match=r"^$"):
        check(b"\n1")
