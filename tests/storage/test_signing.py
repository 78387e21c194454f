"""The key file is private, made once, and refused when it may be known to others, or made by them."""

from __future__ import annotations

import hashlib
import os
import pickle
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stored import StorageUser, configure
from stored._private_folder import make_private_folder
from stored._storage.signing import KeyFileError, clear_drafts, load_secret, sign, verify
from stored.errors import UntrustedEntryError
from stored.stores import DirectoryStore
from tests.faults.processes import in_processes
from tests.faults.test_places import NOBODY, drop_privileges, reachable_folder


@pytest.fixture
def common() -> Iterator[Path]:
    """A folder of this user that a process without privileges can reach."""
    with reachable_folder(0o755) as found:
        yield found


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "home" / "stored" / "key"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def key_of(secret: bytes) -> bytes:
    """The bytes of a key file, as the docstring of `signing` says."""
    begin = b"\x89STORED KEY\n" + secret
    return begin + hashlib.blake2b(begin, digest_size=20).digest()


@pytest.mark.parametrize("umask", [0, 0o002, 0o022, 0o077, 0o777])
def test_the_key_is_made_on_first_need(file: Path, umask: int) -> None:
    """The first use makes a file with 32 random bytes that only the user can read, in folders only for the user."""
    before = os.umask(umask)
    try:
        secret = load_secret(file)
    finally:
        os.umask(before)
    assert len(secret) == 32
    assert file.read_bytes() == key_of(secret)
    assert [mode(each) for each in (file, file.parent, file.parent.parent)] == [0o600, 0o700, 0o700]
    assert os.listdir(file.parent) == ["key"]


def test_the_key_stays(file: Path) -> None:
    """Later uses read the same key, and leave the file alone."""
    secret = load_secret(file)
    state = file.stat()
    assert load_secret(file) == secret
    assert file.stat().st_mtime_ns == state.st_mtime_ns


def test_the_folder_may_be_a_link(file: Path, tmp_path: Path) -> None:
    """That is its user's choice; what counts is the folder that it leads to."""
    secret = load_secret(file)
    (tmp_path / "link").symlink_to(file.parent)
    assert load_secret(tmp_path / "link" / "key") == secret
    file.parent.chmod(0o770)
    with pytest.raises(UntrustedEntryError, match="chmod go-w"):
        load_secret(tmp_path / "link" / "key")


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


def altered(key: bytes, at: int) -> bytes:
    return key[:at] + bytes([key[at] ^ 1]) + key[at + 1 :]


OTHERS: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda key: b"",
    "of an earlier release": lambda key: key[12:44],
    "known": lambda key: b"x" * 32,
    "as long as a key": lambda key: b"x" * 64,
    "cut": lambda key: key[:-1],
    "extended": lambda key: key + b"x",
    "a short secret": lambda key: key_of(b""),
    "a long secret": lambda key: key_of(b"x" * 33),
    "a lock file": lambda key: b"\0" * 32,
    "large": lambda key: key * 1000,
    **{f"byte {at}": lambda key, at=at: altered(key, at) for at in (0, 11, 12, 43, 44, 63)},  # type: ignore[misc]
}


@pytest.mark.parametrize("other", OTHERS)
def test_what_has_not_the_form_of_a_key_is_refused(file: Path, other: str) -> None:
    """A private file of the user is no key by that; the message says what was found, and to delete it, which helps."""
    load_secret(file)
    content = OTHERS[other](file.read_bytes())
    file.write_bytes(content)
    found = rf"{file} is not a key: found {len(content)} bytes, expected 64 .* earlier release; delete it"
    with pytest.raises(UntrustedEntryError, match=found):
        load_secret(file)
    assert file.read_bytes() == content
    file.unlink()
    assert len(load_secret(file)) == 32


def test_a_file_of_the_store_is_no_key(file: Path, cache_dir: Path) -> None:
    """None of the files that stored itself makes can be put in the place of the key."""
    user = StorageUser("module", "rw", lambda: "name", lambda: "string", None)
    with configure(max_bytes=10**6):
        user.storeObject("x", print)
    with DirectoryStore(cache_dir).compute_turn("a/b", 1.0):
        made = [path for path in cache_dir.rglob("*") if path.is_file()]
    assert {path.name for path in made} >= {"locks", "size"}
    make_private_folder(file.parent)
    for path in made:
        path.rename(file)
        with pytest.raises(UntrustedEntryError, match="is not a key"):
            load_secret(file)


# -- the folder of the key --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [True, False])
@pytest.mark.parametrize("is_there", [True, False])
@pytest.mark.parametrize("open_mode", [0o720, 0o702, 0o770, 0o777, 0o1777, 0o2775])
def test_a_folder_that_others_can_write_to_is_refused(file: Path, open_mode: int, is_there: bool, make: bool) -> None:
    """No key in it is used, and none is made; the message names the folder, its mode, its owner and the remedy."""
    make_private_folder(file.parent)
    if is_there:
        load_secret(file)
    file.parent.chmod(open_mode)
    user = os.geteuid()
    message = rf"{file.parent}, .* {file}, has mode {open_mode:04o} and belongs to user {user}; .* \(chmod go-w\)"
    with pytest.raises(UntrustedEntryError, match=message):
        load_secret(file, make=make)
    assert os.listdir(file.parent) == ["key"] * is_there
    file.parent.chmod(open_mode & 0o755)
    assert len(load_secret(file)) == 32


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give folders away")
def test_a_folder_of_another_user_is_refused(file: Path) -> None:
    """Its owner could exchange the key."""
    load_secret(file)
    os.chown(file.parent, 12345, -1)
    with pytest.raises(UntrustedEntryError, match=f"{file.parent}, .* belongs to user 12345"):
        load_secret(file)


def load_unprivileged(file: Path) -> str:
    drop_privileges()
    return load_secret(file).hex()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_the_folder_may_be_that_of_root(common: Path) -> None:
    """Root can do anything anyway; the key itself must be the user's own, and the folder need not be listed."""
    key = common / "key"
    key.write_bytes(key_of(b"s" * 32))
    key.chmod(0o600)
    os.chown(key, NOBODY, NOBODY)
    common.chmod(0o711)
    assert in_processes((load_unprivileged, key)) == [(b"s" * 32).hex()]


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


def test_what_is_checked_is_what_is_used(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that is exchanged after it was checked gives no key, and gets none."""
    secret, real = load_secret(file), os.fstat
    other = tmp_path / "other"

    def fstat(descriptor: int) -> os.stat_result:
        state = real(descriptor)
        if stat.S_ISDIR(state.st_mode) and not other.exists():
            file.parent.rename(other)
            replacement.rename(file.parent)
        return state

    replacement = tmp_path / "elsewhere"
    load_secret(replacement / "key")
    monkeypatch.setattr(os, "fstat", fstat)
    assert load_secret(file) == secret
    assert other.exists()


def test_the_error_tells_the_file(file: Path) -> None:
    """It is an attribute, and survives pickling."""
    make_private_folder(file.parent)
    file.write_bytes(b"")
    file.chmod(0o600)
    with pytest.raises(KeyFileError, match="is not a key") as caught:
        load_secret(file)
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (copy.file, str(copy)) == (file, str(caught.value))


def test_no_handle_stays_open(file: Path) -> None:
    """Whether there is a key or not."""
    before = os.listdir("/proc/self/fd")
    load_secret(file)
    file.write_bytes(b"")
    with pytest.raises(UntrustedEntryError, match="is not a key"):
        load_secret(file)
    file.parent.chmod(0o777)
    with pytest.raises(UntrustedEntryError, match="chmod go-w"):
        load_secret(file)
    clear_drafts(file)
    assert os.listdir("/proc/self/fd") == before


def test_a_folder_that_is_removed_at_once(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If others remove the folder as soon as it is made, that is an OSError."""
    monkeypatch.setattr("stored._storage.signing.make_private_folder", lambda folder: None)
    with pytest.raises(FileNotFoundError):
        load_secret(file)


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
    assert {output.strip() for output, _ in results} == {file.read_bytes()[12:44].hex()}
    assert os.listdir(file.parent) == ["key"]


# -- what is left of keys ---------------------------------------------------------------------------------------------


DRAFTS: dict[str, Callable[[Path, bytes], object]] = {
    "complete": lambda draft, key: draft.write_bytes(key),
    "empty": lambda draft, key: draft.touch(),
    "begun": lambda draft, key: draft.write_bytes(key[:5]),
    "half written": lambda draft, key: draft.write_bytes(key[:40]),
    "of another kind": lambda draft, key: draft.write_bytes(b"x" * 64),
    "of an earlier release": lambda draft, key: draft.write_bytes(b"x" * 32),
    "pipe": lambda draft, key: os.mkfifo(draft),
    "folder": lambda draft, key: draft.mkdir(),
    "link": lambda draft, key: draft.symlink_to("key"),
    "link to nothing": lambda draft, key: draft.symlink_to("nothing"),
}


@pytest.mark.parametrize("kind", DRAFTS)
@pytest.mark.parametrize("name", [f"key.1.{'0' * 16}", f"key.1.{'0' * 15}", f"key.1.{'0' * 16}x", "key.old", "key"])
def test_only_drafts_of_keys_are_removed(file: Path, kind: str, name: str) -> None:
    """A file goes if its name is that of a draft, and it begins as a key does, or is empty."""
    load_secret(file)
    key = file.read_bytes()
    file.unlink()
    DRAFTS[kind](file.with_name(name), key)
    os.utime(file.with_name(name), (1.0, 1.0), follow_symlinks=False)
    clear_drafts(file)
    is_draft = kind in {"complete", "empty", "begun", "half written"} and name == f"key.1.{'0' * 16}"
    assert os.listdir(file.parent) == [name] * (not is_draft)


def test_a_draft_may_be_in_use(file: Path) -> None:
    """It stays for an hour."""
    load_secret(file)
    draft = file.with_name(f"key.1.{'0' * 16}")
    draft.touch()
    clear_drafts(file)
    assert draft.exists()


def test_where_no_draft_can_be(tmp_path: Path) -> None:
    """Where there is no folder there is nothing to remove."""
    (tmp_path / "file").touch()
    for folder in ("missing", "file"):
        clear_drafts(tmp_path / folder / "key")


# -- signatures -------------------------------------------------------------------------------------------------------

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
