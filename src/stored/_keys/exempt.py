"""Which objects never count, wherever they are in a value?"""

from __future__ import annotations

__all__ = ["exempt_text", "is_exempt"]


def is_exempt(value: object) -> bool:
    """Is it a logger, a lock, a figure or a progress bar, which no result depends on?"""
    kind = type(value)
    return f"{kind.__module__}.{kind.__qualname__}" in _EXEMPT or f"{kind.__module__}.".startswith(_EXEMPT_MODULES)


_EXEMPT_MODULES = (
    "logging.",
    "multiprocessing.synchronize.",
    "matplotlib.figure.",
    "matplotlib.axes.",
    "matplotlib.backend",
    "tqdm.",
    "rich.progress.",
    "rich.console.",
)

_EXEMPT = frozenset({"_thread.lock", "_thread.RLock", "__future__._Feature"})


def exempt_text(value: object, _: object) -> str:
    """What stands for such an object: its class."""
    return f"<{type(value).__module__}.{type(value).__qualname__}>"
