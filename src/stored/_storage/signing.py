r"""Was a pickle written by this user? Pickled results are signed, so that no other pickle is ever loaded.

The key that signs them is in a file of 64 bytes, which no other file of the user can be taken for:

======== ====== =====================================================
offset   bytes  content
======== ====== =====================================================
0        12     magic, ``b"\x89STORED KEY\n"``
12       32     the secret, random bytes
44       20     BLAKE2b (of 20 bytes) of all that precedes
======== ====== =====================================================

Only its owner may read or write the file, and nobody else may own or write the folder that it is in, since whoever can
could put another file in its place. The folder is opened once: what was checked is what is used.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
import time
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path

from stored._private_folder import make_private_folder
from stored.errors import UntrustedEntryError

__all__ = ["KeyFileError", "clear_drafts", "load_secret", "sign", "verify"]

_MAGIC = b"\x89STORED KEY\n"
_SECRET_BYTES = 32
_CHECKSUM_BYTES = 20
_BYTES = len(_MAGIC) + _SECRET_BYTES + _CHECKSUM_BYTES

# the folder may be a link, which its user chose; where there is O_PATH, it need not be listed to use a file in it
_LISTED = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_USED = _LISTED | getattr(os, "O_PATH", 0)
_READ_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK  # a pipe does not block
_NEW_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC

_ABANDONED_AFTER = 3600.0
"""Seconds after which no process can still be making a key."""


class KeyFileError(UntrustedEntryError):
    """The key file cannot be used, so that no pickle can be signed or verified.

    Attributes
    ----------
    file : Path
        The key file.
    """

    def __init__(self, message: str, file: Path) -> None:
        super().__init__(message, file)
        self.file = file

    def __str__(self) -> str:
        return str(self.args[0])


def load_secret(file: Path, *, make: bool = True) -> bytes:
    """Read the key file; make it, readable by its owner only, if there is none and it may be made.

    Raises
    ------
    KeyFileError
        If others could have read or written the file or its folder, or it holds no key.
    UntrustedEntryError
        If it is not there and may not be made: no pickle is of this user then.
    OSError
        If it cannot be read or made.
    """
    if make:
        make_private_folder(file.parent)
    try:
        with _open_folder(file, _USED) as folder:
            _check_folder(folder, file)
            try:
                return _read(folder, file)
            except FileNotFoundError:
                if not make:
                    raise
                _make(folder, file)
            return _read(folder, file)
    except FileNotFoundError:
        if make:
            raise
        raise UntrustedEntryError(
            f"it is a pickle that was not signed with your key: there is no key file {file}; it was not loaded"
        ) from None


@contextlib.contextmanager
def _open_folder(file: Path, flags: int) -> Iterator[int]:
    """A block with the descriptor of a file's folder."""
    descriptor = os.open(file.parent, flags)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _check_folder(folder: int, file: Path) -> None:
    """Refuse a folder in which others can exchange files."""
    state = os.fstat(folder)
    if state.st_mode & 0o022 or state.st_uid not in {os.geteuid(), 0}:
        raise KeyFileError(
            f"{file.parent}, the folder of key file {file}, has mode {stat.S_IMODE(state.st_mode):04o} and belongs to"
            f" user {state.st_uid}; only user {os.geteuid()} or root may own it, or write to it (chmod go-w). If others"
            " could write to it, delete the key file: results it has signed are then computed again",
            file,
        )


def _read(folder: int, file: Path) -> bytes:
    """The secret in a key file."""
    state, content = _contents(folder, file)
    if state.st_mode & 0o077 or state.st_uid != os.geteuid():
        raise KeyFileError(
            f"key file {file} has mode {stat.S_IMODE(state.st_mode):04o} and belongs to user {state.st_uid}; only user"
            f" {os.geteuid()} may be able to read it (chmod 600). If others could read it, delete it: results it has"
            " signed are then computed again",
            file,
        )
    secret = content[len(_MAGIC) : -_CHECKSUM_BYTES]
    if len(content) != _BYTES or content != _form(secret):
        found = f"{state.st_size} bytes" if stat.S_ISREG(state.st_mode) else "what is no regular file"
        raise KeyFileError(
            f"key file {file} is not a key: found {found}, expected {_BYTES} bytes that begin and end as those of a key"
            " do. It may be of an earlier release; delete it, and results it has signed are computed again",
            file,
        )
    return secret


def _contents(folder: int, file: Path) -> tuple[os.stat_result, bytes]:
    """The state of a file in a folder, and its first bytes; none if it is no regular file."""
    try:
        descriptor = os.open(file.name, _READ_FLAGS, dir_fd=folder)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise KeyFileError(
                f"key file {file} is a symbolic link; delete it, or set key_file to the file it points to", file
            ) from None
        raise
    try:
        state = os.fstat(descriptor)
        return state, os.read(descriptor, _BYTES + 1) if stat.S_ISREG(state.st_mode) else b""
    finally:
        os.close(descriptor)


def _form(secret: bytes) -> bytes:
    """The content of the file of a key."""
    begin = _MAGIC + secret
    return begin + blake2b(begin, digest_size=_CHECKSUM_BYTES).digest()


def _make(folder: int, file: Path) -> None:
    """Make a key file, unless another process makes it first."""
    draft = f"{file.name}.{os.getpid()}.{os.urandom(8).hex()}"
    try:
        descriptor = os.open(draft, _NEW_FLAGS, 0o600, dir_fd=folder)
        with open(descriptor, "wb") as stream:
            os.fchmod(descriptor, 0o600)  # whatever the umask
            stream.write(_form(os.urandom(_SECRET_BYTES)))
            stream.flush()
            os.fsync(descriptor)  # a key lost in a power failure would make all that it has signed useless
        # if several processes make a key at once, all use the one that is linked first
        with contextlib.suppress(FileExistsError):
            os.link(draft, file.name, src_dir_fd=folder, dst_dir_fd=folder)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(draft, dir_fd=folder)


def clear_drafts(file: Path) -> None:
    """Remove files of processes that died while they made the key."""
    names = re.compile(rf"{re.escape(file.name)}\.\d+\.[0-9a-f]{{16}}")
    with contextlib.suppress(OSError), _open_folder(file, _LISTED) as folder:  # it need not be there, nor be listed
        for name in filter(names.fullmatch, os.listdir(folder)):
            if _is_abandoned(folder, file.with_name(name)):
                os.unlink(name, dir_fd=folder)


def _is_abandoned(folder: int, draft: Path) -> bool:
    """Was a key, or the beginning of one, written here long ago?"""
    try:
        state, content = _contents(folder, draft)
    except (OSError, KeyFileError):  # no draft: those can be read
        return False
    is_old = time.time() - state.st_mtime > _ABANDONED_AFTER
    return is_old and stat.S_ISREG(state.st_mode) and content[: len(_MAGIC)] == _MAGIC[: len(content)]


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
