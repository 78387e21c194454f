"""Fresh processes and the settings that they have."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

SHOW = """
import json, stored
with stored.configure() as now:
    pass
print(json.dumps([str(now.cache_dir), now.persistence, now.disable, str(now.key_file), now.store]))
"""

SHOW_LIMITS = """
import json, stored
with stored.configure() as now:
    pass
numbers = [now.max_bytes, now.max_age, now.min_compute_seconds, now.lock_timeout]
print(json.dumps([[str(each) for each in now.shared_dirs], *map(repr, numbers)]))
"""


def start(program: str = SHOW, cwd: str = "/", **environment: str) -> subprocess.CompletedProcess[str]:
    """A fresh process that has these variables and a home, and nothing else that matters."""
    kept = {
        name: os.environ[name]
        for name in ("PATH", "LD_LIBRARY_PATH", "COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG")
        if name in os.environ
    }
    command = [sys.executable, "-c", program]
    full = {"HOME": "/home/nobody", **kept, **environment}
    return subprocess.run(command, cwd=cwd, env=full, capture_output=True, text=True, timeout=60, check=False)


def shown(program: str = SHOW, **environment: str) -> list[Any]:
    done = start(program, **environment)
    assert done.returncode == 0, done.stderr
    found: list[Any] = json.loads(done.stdout)
    return found
