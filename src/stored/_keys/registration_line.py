"""Which line should a user write, so that values of a type have a form?"""

from __future__ import annotations

__all__ = ["registration_line"]

_WITHOUT_CONTENT = frozenset({"builtins", "_io", "_thread", "types", "threading"})
"""The modules of types, such as generators, of whose values nothing plain says all."""


def registration_line(kind: type) -> str:
    """What a message says of the registration of a type; empty for a type of which no key could tell all."""
    if kind.__module__ in _WITHOUT_CONTENT:
        return ""
    return f"give the type a form with stored.register({kind.__name__}, key=...); "
