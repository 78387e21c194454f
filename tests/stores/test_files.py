"""Files are opened so that nothing leads elsewhere and nothing blocks."""

from __future__ import annotations

import contextlib
import errno
import itertools
import math
import os
import resource
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stored.stores._files import _is_network, identity, is_on_network, open_file


@contextlib.contextmanager
def without_handles() -> Iterator[None]:
    """A block in which this process can open no file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def fail(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, number: int, times: float = math.inf) -> None:
    """Let the first calls of a function be an OSError, where no system at hand gives it."""
    real, calls = getattr(module, name), itertools.count()

    def failing(*arguments: Any, **options: Any) -> Any:
        if next(calls) < times:
            raise OSError(number, os.strerror(number))
        return real(*arguments, **options)

    monkeypatch.setattr(module, name, failing)


def test_a_file_is_opened_for_this_process_alone(tmp_path: Path) -> None:
    """An open file can be read, not written, and is closed in programs that this process starts."""
    (tmp_path / "file").write_bytes(b"content")
    descriptor = open_file(tmp_path / "file")
    try:
        assert os.read(descriptor, 100) == b"content"
        assert not os.get_inheritable(descriptor)
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.write(descriptor, b"x")
    finally:
        os.close(descriptor)


def test_a_file_that_cannot_be_told_from_others_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the server of the file is gone, its handle is not lost."""
    descriptor = os.open(tmp_path, os.O_RDONLY)
    fail(monkeypatch, os, "fstat", errno.EIO)
    with pytest.raises(OSError, match="Input/output"):
        identity(descriptor)
    monkeypatch.undo()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


def test_a_link_is_not_opened(tmp_path: Path) -> None:
    """A symbolic link is an error, wherever it leads."""
    (tmp_path / "file").touch()
    for target in ("file", "nowhere", "link"):
        link = tmp_path / "link"
        link.symlink_to(tmp_path / target)
        with pytest.raises(OSError, match="symbolic links"):
            open_file(link)
        link.unlink()


def test_a_pipe_does_not_block(tmp_path: Path) -> None:
    """A pipe that nobody writes to is opened at once, and a socket is an error."""
    os.mkfifo(tmp_path / "pipe")
    os.close(open_file(tmp_path / "pipe"))
    with socket.socket(socket.AF_UNIX) as server, contextlib.chdir(tmp_path):
        server.bind("socket")
        with pytest.raises(OSError, match="No such device"):
            open_file("socket")


MOUNTS = """\
22 28 0:21 / /sys rw,relatime shared:7 - sysfs sysfs rw
28 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
90 28 0:45 / /home rw,relatime shared:50 - nfs4 server:/home rw,vers=4.2,addr=10.0.0.1
91 28 0:46 / /old rw,relatime - nfs server:/old rw,vers=3
92 28 0:47 / /share rw shared:2 master:1 - cifs //server/share rw
93 28 0:48 / /mnt/ssh rw - fuse.sshfs me@server:/ rw
94 28 0:49 / /mnt/windows rw - 9p C:\\134 rw
95 28 0:50 / /mnt/zip rw - fuse.archivemount archive rw
96 28 0:4 / /mnt/nfs rw - ext4 nfs rw
"""


@pytest.mark.parametrize(
    ("device", "expected"),
    [
        *((each, True) for each in ("0:45", "0:46", "0:47", "0:48", "0:49")),
        *((each, False) for each in ("8:1", "0:21", "0:50", "0:4", "0:5", "9:9", "28", "")),
    ],
)
def test_network_file_systems_are_known(device: str, expected: bool) -> None:
    """Of the mounts that proc(5) describes those from other computers are found, by device and type alone."""
    assert _is_network(MOUNTS, device) is expected


def test_this_computer_is_no_network(tmp_path: Path) -> None:
    """A directory that is surely local is not on the network, and neither is what cannot be determined."""
    device = os.stat("/proc").st_dev
    assert not is_on_network(device)
    with without_handles():
        assert not is_on_network(device)
