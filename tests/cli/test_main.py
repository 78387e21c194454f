"""The command line: upkeep of the cache directory."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from stored import StorageUser, configure
from stored.cli import main


def fill(count: int) -> None:
    user = StorageUser("m", "rw", lambda: "owner", lambda: "owner", None)
    for number in range(count):
        user.storeObject(f"object {number}", number)


def test_upkeep_tells_what_it_did(cache_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where the results are, what is there and what was removed is printed, and the exit status is 0."""
    fill(3)
    (cache_dir / ".work" / f"1-{'0' * 16}.draft").touch()
    total = sum(each.stat().st_size for each in cache_dir.rglob("*.stored"))
    assert main(["upkeep"]) == 0
    printed = capsys.readouterr()
    assert printed.out == (
        f"{cache_dir}: 3 results in {total:,} bytes; removed 0 results in 0 bytes, and 1 files left by processes that"
        " died\nnot done: no result is removed for its size or its age, since neither max_bytes nor max_age is set\n"
    )
    assert printed.err == ""


def test_upkeep_keeps_the_limits_of_the_environment(cache_dir: Path) -> None:
    """In a process of its own the directory and the limits are those of the variables."""
    fill(3)
    environment = {**os.environ, "STORED_CACHE_DIR": str(cache_dir), "STORED_MAX_BYTES": "0"}
    command = [sys.executable, "-m", "stored", "upkeep"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{cache_dir}: 0 results in 0 bytes; removed 3 results in ")
    assert list(cache_dir.rglob("*.stored")) == []


def loop(cache_dir: Path) -> None:
    cache_dir.symlink_to(cache_dir)


@pytest.mark.parametrize(
    ("spoil", "settings", "message"),
    [
        (loop, {}, "symbolic links"),
        (Path.mkdir, {"persistence": "r"}, "stored.configure() allows no writing"),
        (Path.mkdir, {"disable": True}, "stored.configure() allows no writing"),
    ],
)
def test_upkeep_that_fails_says_why(
    cache_dir: Path, capsys: pytest.CaptureFixture[str], spoil: Any, settings: dict[str, Any], message: str
) -> None:
    """Trouble is told in one line of the error output, and by the exit status."""
    spoil(cache_dir)
    with configure(**settings):
        assert main(["upkeep"]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("upkeep failed: ")
    assert message in printed.err
    assert printed.err.count("\n") == 1


def test_a_command_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    """What is no command ends with the usage, which names those that are."""
    for arguments in ([], ["tidy"], ["upkeep", "all"]):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 2
        assert "usage: python -m stored" in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    assert "STORED_MAX_BYTES" in capsys.readouterr().out
