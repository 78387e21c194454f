"""Was a pickle written by this user? Pickled results are signed, so that no other pickle is ever loaded."""

from __future__ import annotations

import contextlib
import os
import re
import stat
import time
from pathlib import Path

from stored.errors import UntrustedEntryError

__all__ = ["clear_drafts", "load_secret", "sign", "verify"]

_LENGTH = 32

_ABANDONED_AFTER = 3600.0
"""Seconds after which no process can still be making a key."""


def load_secret(file: Path, *, make: bool = True) -> bytes:
    """Read the key file; make it, readable by its owner only, if there is none and it may be made.

    Raises
    ------
    UntrustedEntryError
        If others could have read or written the file, or it holds no key, or is not there and may not be made.
    OSError
        If it cannot be read or made.
    """
    if file.is_symlink():
        raise UntrustedEntryError(
            f"key file {file} is a symbolic link; delete it, or set key_file to the file it points to"
        )
    try:
        return _read(file)
    except FileNotFoundError:
        if not make:
            raise UntrustedEntryError(
                f"it is a pickle that was not signed with your key: there is no key file {file}; it was not loaded"
            ) from None
        _make(file)
    return _read(file)


def _read(file: Path) -> bytes:
    # a symbolic link fails, and a pipe does not block
    descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        state = os.fstat(descriptor)
        secret = os.read(descriptor, _LENGTH + 1) if stat.S_ISREG(state.st_mode) else b""
    finally:
        os.close(descriptor)
    if state.st_mode & 0o077 or state.st_uid != os.geteuid():
        raise UntrustedEntryError(
            f"key file {file} has mode {stat.S_IMODE(state.st_mode):04o} and belongs to user {state.st_uid}; only user"
            f" {os.geteuid()} may be able to read it (chmod 600). If others could read it, delete it: results it has"
            " signed are then computed again"
        )
    if len(secret) != _LENGTH:
        raise UntrustedEntryError(
            f"key file {file} is not a key of {_LENGTH} bytes; delete it, and results it has signed are computed again"
        )
    return secret


def _make(file: Path) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = file.with_name(f"{file.name}.{os.getpid()}.{os.urandom(8).hex()}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(descriptor, "wb") as stream:
            stream.write(os.urandom(_LENGTH))
            stream.flush()
            os.fsync(descriptor)  # a key lost in a power failure would make all that it has signed useless
        # if several processes make a key at once, all use the one that is linked first
        with contextlib.suppress(FileExistsError):
            os.link(draft, file)
    finally:
        draft.unlink(missing_ok=True)


def clear_drafts(file: Path) -> None:
    """Remove files of processes that died while they made the key."""
    names = re.compile(rf"{re.escape(file.name)}\.\d+\.[0-9a-f]{{16}}")
    with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(file.parent) as found:
        for entry in found:
            if (
                names.fullmatch(entry.name)
                and time.time() - entry.stat(follow_symlinks=False).st_mtime > _ABANDONED_AFTER
            ):
                os.unlink(entry.path)


def sign(secret: bytes, key: bytes, body: bytes) -> str:
    """HMAC-SHA-256 of a pickle and of the bytes of the full key that it belongs to, in hex."""
    import hmac  # imported here, to keep the start-up short

    return hmac.digest(secret, len(key).to_bytes(8, "little") + key + body, "sha256").hex()


def verify(secret: bytes, key: bytes, body: bytes, signature: object) -> None:
    """Refuse a pickle that was not signed with this secret for this key.

    Raises
    ------
    UntrustedEntryError
        If the signature does not match.
    """
    import hmac

    expected = sign(secret, key, body)
    if not (
        isinstance(signature, str) and hmac.compare_digest(signature.encode("utf-8", "replace"), expected.encode())
    ):
        raise UntrustedEntryError("it is a pickle that was not signed with your key for this result; it was not loaded")
