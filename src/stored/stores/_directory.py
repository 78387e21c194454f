"""Entries as files in a directory."""

from __future__ import annotations

import contextlib
import errno
import mmap
import os
import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path

from stored.stores._base import Store, check_name, is_name
from stored.typing import Buffer

__all__ = ["DirectoryStore"]

_MAPPED_FROM = 1 << 20
_TEMPORARY = ".tmp-"
_ATTEMPTS = 200


class DirectoryStore(Store):
    """A directory on a local or shared file system.

    Each name is one file. A file is written under a temporary name in its own folder and then renamed, so readers see
    the old bytes or the new ones and never a part; a reader that has a file mapped keeps its bytes when it is
    replaced. Folders are made when they are first written to, for their owner only (mode 0700, files 0600).

    Parameters
    ----------
    root : path-like
        The directory; it need not exist.
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = Path(root).expanduser().absolute()

    def __repr__(self) -> str:
        return f"DirectoryStore({str(self.root)!r})"

    def _path(self, name: str) -> Path:
        return self.root / check_name(name)

    def read(self, name: str) -> Buffer | None:
        """All bytes of a file, memory-mapped from 1 MiB on; None if it does not exist."""
        try:
            with open(self._path(name), "rb", buffering=0) as file:
                size = os.fstat(file.fileno()).st_size
                if size < _MAPPED_FROM:
                    return file.read()
                return memoryview(mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ))
        except FileNotFoundError:
            return None

    def read_start(self, name: str, length: int) -> Buffer | None:
        """The first bytes of a file."""
        try:
            with open(self._path(name), "rb", buffering=0) as file:
                return file.read(length)
        except FileNotFoundError:
            return None

    def write(self, name: str, parts: Sequence[Buffer]) -> None:
        """Replace a file in one step."""
        path = self._path(name)
        draft = path.with_name(f"{_TEMPORARY}{os.getpid()}-{secrets.token_hex(8)}")
        try:
            with open(self._opened(draft), "wb") as file:
                for part in parts:
                    file.write(part)
            os.replace(draft, path)
        except BaseException:  # Ctrl-C too leaves nothing behind
            with contextlib.suppress(OSError):
                draft.unlink()
            raise

    def _opened(self, draft: Path) -> int:
        # whoever deletes the last entry of a folder removes it, and may do so before the draft stands in it
        for _ in range(_ATTEMPTS):
            with contextlib.suppress(FileNotFoundError, FileExistsError):
                _make_folder(draft.parent)
                return os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        raise FileNotFoundError(errno.ENOENT, "the folder cannot be made", str(draft.parent))

    def delete(self, name: str) -> bool:
        """Remove a file, and its folder if that was the last; was it there?"""
        path = self._path(name)
        try:
            path.unlink()
        except FileNotFoundError:
            return False
        if path.parent != self.root:
            with contextlib.suppress(OSError):  # not empty, or not ours to remove
                path.parent.rmdir()
        return True

    def names(self, folder: str = "") -> Iterator[str]:
        """The names of the files in a folder and below it; drafts and files of others are passed over."""
        start = self.root / check_name(folder) if folder else self.root
        for place, folders, files in os.walk(start):
            folders[:] = [each for each in folders if not each.startswith(".")]
            relative = Path(place).relative_to(self.root)
            yield from filter(is_name, ((relative / each).as_posix() for each in files))

    def location(self, name: str = "") -> str:
        """The path of a file."""
        return str(self._path(name) if name else self.root)


def _make_folder(folder: Path) -> None:
    if not folder.is_dir():
        _make_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
