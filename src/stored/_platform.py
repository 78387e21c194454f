"""Does this system have what stored needs? Imported before all else: other modules would fail, each in its own way."""

import sys

__all__ = ["fcntl", "register_at_fork", "resource"]

try:
    import fcntl
    import resource
    from os import register_at_fork
except ImportError as error:
    raise ImportError(
        f"stored cannot be used on this platform, {sys.platform!r} ({error}); it needs CPython 3.11 or later on a POSIX"
        " system, such as Linux, where it is tested, or macOS; on Windows, use the Windows Subsystem for Linux (WSL)"
    ) from None
