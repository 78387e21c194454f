"""What the tests of the drop-in for Colossus share: an owner, cache files and processes."""

from __future__ import annotations

import os
import pickle
import re
import subprocess
import sys
from dataclasses import dataclass, field
from hashlib import md5
from pathlib import Path
from typing import Any

import numpy as np
from colossus.utils import storage as original

from stored._keys import Key
from stored._storage.format import unpack
from stored.compat import colossus as drop_in

TABLE = np.array([[0.0, 1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 4.0, 8.0, 16.0]])


@dataclass
class Model:
    """An owner whose parameter can be changed."""

    parameter: float = 1.5
    name: str = "model"
    changes: list[float] = field(default_factory=list)

    def string(self) -> str:
        return f"{self.name}_{self.parameter:.4f}"

    def user(self, persistence: str | None = "rw", module: str = "tests") -> drop_in.StorageUser:
        return drop_in.StorageUser(
            module, persistence, lambda: self.name, self.string, lambda: self.changes.append(self.parameter)
        )

    def old_user(self, module: str = "tests") -> Any:
        """The original's, which reads and writes pickles."""
        return original.StorageUser(module, "rw", lambda: self.name, self.string, None)


def entries(directory: Path) -> list[Path]:
    return sorted(directory.rglob("*.stored"))


def key_of(path: Path) -> Key:
    """The key in an entry."""
    return Key.from_bytes(unpack(path.read_bytes()).key)


def writer_of(path: Path) -> dict[str, Any]:
    """The programs that wrote an entry."""
    return dict(unpack(path.read_bytes()).description().writer)


def old_files(directory: Path) -> list[Path]:
    return sorted(path for path in directory.rglob("*") if re.search("_[0-9a-f]{32}$", path.name))


def old_file(cache: Path, content: object, model: Model | None = None, module: str = "tests") -> Path:
    """A cache file as Colossus writes it, or bytes in its place."""
    model = model or Model()
    file = cache / module / f"{model.name}_{md5(model.string().encode()).hexdigest()}"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content if isinstance(content, bytes) else pickle.dumps(content))
    return file


class Bomb:
    """Its pickle leaves a file behind wherever it is loaded."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> Any:
        return Path.touch, (self.file,)


def run(home: Path, code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run code in a process of its own, whose home directory is empty but for what earlier ones left there."""
    home.mkdir(exist_ok=True)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("STORED_", "XDG_"))}
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**inherited, "HOME": str(home), **environment},
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )


INSTALL = """
import warnings
import stored.compat.colossus
warnings.simplefilter("error", stored.StoredWarning)
stored.compat.colossus.install()
"""
