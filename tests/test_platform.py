"""A system that cannot be supported is named."""

from __future__ import annotations

import subprocess
import sys

import pytest

WITHOUT = {
    "fcntl": "sys.modules['fcntl'] = None",
    "resource": "sys.modules['resource'] = None",
    "register_at_fork": "del os.register_at_fork",
}


@pytest.mark.parametrize("module", ["stored", "stored.errors", "stored.stores"])
@pytest.mark.parametrize("missing", WITHOUT)
def test_a_system_that_is_not_posix_is_named(missing: str, module: str) -> None:
    """Where something is missing that POSIX systems have, there is one ImportError: found, supported, remedy."""
    program = f"import os, sys; sys.platform = 'win32'; {WITHOUT[missing]}; import {module}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0
    assert done.stderr.count("Traceback") == done.stderr.count("Error: ") == 1
    message = done.stderr.splitlines()[-1]
    assert message.startswith("ImportError: stored cannot be used on this platform, 'win32' (")
    assert missing in message
    assert "needs CPython 3.11 or later on a POSIX system" in message
    assert "Windows Subsystem for Linux (WSL)" in message
