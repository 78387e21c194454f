"""The key file is private, made once, and refused when it may be known to others."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from stored._storage.signing import load_secret, sign, verify
from stored.errors import UntrustedEntryError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "home" / "stored" / "key"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("umask", [0, 0o022, 0o077])
def test_the_key_is_made_on_first_need(file: Path, umask: int) -> None:
    """The first use makes a file of 32 random bytes that only the user can read, in a directory only for the user."""
    before = os.umask(umask)
    try:
        secret = load_secret(file)
    finally:
        os.umask(before)
    assert len(secret) == 32
    assert file.read_bytes() == secret
    assert (mode(file), mode(file.parent)) == (0o600, 0o700)
    assert os.listdir(file.parent) == ["key"]


def test_the_key_stays(file: Path) -> None:
    """Later uses read the same key, and leave the file alone."""
    secret = load_secret(file)
    state = file.stat()
    assert load_secret(file) == secret
    assert file.stat().st_mtime_ns == state.st_mtime_ns


def test_keys_differ(tmp_path: Path) -> None:
    """Two key files hold different keys."""
    assert load_secret(tmp_path / "one") != load_secret(tmp_path / "two")


def test_a_read_only_key_is_accepted(file: Path) -> None:
    """A key that not even its owner can write is as good."""
    secret = load_secret(file)
    file.chmod(0o400)
    assert load_secret(file) == secret


@pytest.mark.parametrize("open_mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o644, 0o666, 0o777])
def test_a_key_open_to_others_is_refused(file: Path, open_mode: int) -> None:
    """If group or others have any permission, the message names the file, its mode and the remedy."""
    load_secret(file)
    file.chmod(open_mode)
    with pytest.raises(UntrustedEntryError, match=rf"{file} has mode {open_mode:04o}.*chmod 600.*delete it"):
        load_secret(file)
    file.chmod(0o600)
    load_secret(file)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_key_of_another_user_is_refused(file: Path) -> None:
    """A private file of somebody else is not our key, though we may be able to read it."""
    load_secret(file)
    os.chown(file, 12345, -1)
    with pytest.raises(UntrustedEntryError, match="belongs to user 12345"):
        load_secret(file)


@pytest.mark.parametrize("size", [0, 31, 33, 1000])
def test_a_key_of_another_length_is_refused(file: Path, size: int) -> None:
    """A file that holds more or fewer than 32 bytes is no key; the message says to delete it, and that helps."""
    load_secret(file)
    file.write_bytes(b"x" * size)
    with pytest.raises(UntrustedEntryError, match=rf"{file} is not a key of 32 bytes; delete it"):
        load_secret(file)
    file.unlink()
    assert len(load_secret(file)) == 32


@pytest.mark.parametrize("target", ["other", "missing", "key"])
def test_a_link_is_refused(file: Path, target: str) -> None:
    """A symbolic link is not followed, to a good key, to nothing or to itself; nothing is made where it points."""
    load_secret(file.with_name("other"))
    file.symlink_to(file.with_name(target))
    with pytest.raises(UntrustedEntryError, match=rf"{file} is a symbolic link; delete it, or set key_file"):
        load_secret(file)
    assert not file.with_name("missing").exists()


@pytest.mark.parametrize("kind", ["pipe", "directory"])
def test_what_is_no_file_is_refused(file: Path, kind: str) -> None:
    """A pipe is not waited for, and a directory is no key."""
    file.parent.mkdir(parents=True)
    if kind == "pipe":
        os.mkfifo(file, 0o600)
    else:
        file.mkdir(mode=0o700)
    with pytest.raises(UntrustedEntryError, match="is not a key"):
        load_secret(file)


def test_a_place_where_no_key_can_be_made(tmp_path: Path) -> None:
    """If the directory cannot be made (a file is in its place, so that root fails too) that is an OSError."""
    (tmp_path / "config").write_bytes(b"")
    with pytest.raises(OSError, match="config"):
        load_secret(tmp_path / "config" / "stored" / "key")
    with pytest.raises(OSError, match="config"):
        load_secret(tmp_path / "config" / "key")


def test_processes_agree_on_one_key(file: Path) -> None:
    """Of processes that make the key at the same time all end with the same one, and nothing else is left."""
    program = (
        "import sys; from pathlib import Path; from stored._storage.signing import load_secret\n"
        "print('ready', flush=True); sys.stdin.readline(); print(load_secret(Path(sys.argv[1])).hex())"
    )
    command = [sys.executable, "-c", program, str(file)]
    workers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(5)
    ]
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    results = [worker.communicate(timeout=60) for worker in workers]
    assert {error for _, error in results} == {""}
    assert {output.strip() for output, _ in results} == {file.read_bytes().hex()}
    assert os.listdir(file.parent) == ["key"]


SECRET, KEY, BODY = b"s" * 32, b"key", b"body"


def test_a_signature_verifies() -> None:
    """What was signed is accepted."""
    for key in (KEY, b"", b"\xed\xa0\x80"):
        verify(SECRET, key, BODY, sign(SECRET, key, BODY))


CHANGED = {
    "secret": (b"t" * 32, KEY, BODY),
    "key": (SECRET, b"kez", BODY),
    "body": (SECRET, KEY, b"bodz"),
    "shifted": (SECRET, b"keyb", b"ody"),
    "joined": (SECRET, b"", b"keybody"),
}


@pytest.mark.parametrize(("secret", "key", "body"), CHANGED.values(), ids=CHANGED)
def test_a_signature_is_for_one_secret_key_and_body(secret: bytes, key: bytes, body: bytes) -> None:
    """A signature does not verify with any part changed, nor with bytes moved between key and body."""
    with pytest.raises(UntrustedEntryError, match="not loaded"):
        verify(secret, key, body, sign(SECRET, KEY, BODY))


@pytest.mark.parametrize(
    "signature", [None, "", 0, b"", sign(SECRET, KEY, BODY).encode(), sign(SECRET, KEY, BODY).upper()]
)
def test_only_the_very_text_is_a_signature(signature: object) -> None:
    """Anything but the signature as text is refused without another error."""
    with pytest.raises(UntrustedEntryError):
        verify(SECRET, KEY, BODY, signature)
