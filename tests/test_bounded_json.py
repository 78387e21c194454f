"""JSON of others is parsed in bounded stack, and in time in proportion to its length."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stored._bounded_json import MAX_DIGITS, MAX_NESTING, parse_json

trees = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text('[]{}"\\ a\n', max_size=8),
    lambda inside: st.lists(inside) | st.dictionaries(st.text('[]{}"\\', max_size=3), inside),
)


@given(trees, st.booleans())
def test_json_is_parsed(tree: object, is_compact: bool) -> None:
    """What is JSON gives what the standard library gives, with as many brackets as there are, in texts too."""
    tree = [tree, [[]] * MAX_NESTING, "[" * MAX_NESTING]
    text = json.dumps(tree, ensure_ascii=is_compact, separators=(",", ":") if is_compact else None)
    assert parse_json(text.encode("utf-8")) == tree


OPENINGS = {"[": "]", '{"":': "}", '[0,{"[]\\\\\\"":': "}]", '["\\\\",': "]", '["a\\"[",': "]"}


@pytest.mark.parametrize("opening", OPENINGS)
def test_nesting_has_a_limit(opening: str) -> None:
    """JSON is parsed up to the limit, and refused beyond it before it is parsed."""
    closing = OPENINGS[opening]
    depth = MAX_NESTING // len(closing)
    assert parse_json((opening * depth + "null" + closing * depth).encode())
    for text in (opening * (depth + 1) + "null" + closing * (depth + 1), opening * 100_000):
        with pytest.raises(ValueError, match=f"nested more than {MAX_NESTING} deep"):
            parse_json(text.encode())


IN_A_SMALL_STACK = """
import sys, threading
from stored._bounded_json import MAX_NESTING, parse_json
sys.setrecursionlimit(10**9)
def parse():
    parse_json(b"[" * MAX_NESTING + b"]" * MAX_NESTING)
    for text in (b"[" * 500_000, b'{"":' * 250_000, b"[" * 250_000 + b"]" * 250_000):
        try:
            parse_json(text)
        except ValueError as error:
            found.append(str(error)[:14])
found = []
threading.stack_size(64 << 10)
thread = threading.Thread(target=parse)
thread.start()
thread.join()
print(found)
"""


def test_deep_nesting_does_not_overflow_a_small_stack() -> None:
    """In a thread with little stack, and without a limit of recursion, deep JSON is refused and the process lives."""
    done = subprocess.run([sys.executable, "-c", IN_A_SMALL_STACK], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == (f"{['it is nested m'] * 3}\n", "")


@pytest.mark.parametrize("limit", [sys.int_info.default_max_str_digits, 0, 10**9])
def test_digits_have_a_limit(limit: int) -> None:
    """An integer may be as long as Python has it by default, whatever limit the program has set; a float is parsed."""
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(limit)
    try:
        assert parse_json(b"-" + b"1" * (MAX_DIGITS - 1)) == -int("1" * (MAX_DIGITS - 1))
        assert parse_json(b"1." + b"1" * 10**6) == pytest.approx(10 / 9)
        with pytest.raises(ValueError, match=str(MAX_DIGITS)):
            parse_json(b"[" + b"1" * 10**6 + b"]")
    finally:
        sys.set_int_max_str_digits(before)


@pytest.mark.parametrize("data", [b"", b" 1", b"1 ", b"[1", b"]", b"\xff", b"[]" * 200, b'"[' * 200, b"\\" * 300])
def test_what_is_not_one_json_text_is_refused(data: bytes) -> None:
    """Nothing, too much, and other bytes than UTF-8 are a ValueError."""
    with pytest.raises(ValueError, match=r"."):
        parse_json(data)


def test_half_a_surrogate_pair_is_a_character() -> None:
    """Texts of Python can hold one, and so can entries."""
    assert parse_json('"\ud800"'.encode("utf-8", "surrogatepass")) == "\ud800"
