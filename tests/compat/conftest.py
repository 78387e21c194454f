"""Each test has a directory of its own for Colossus."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from colossus import settings as colossus_settings

from stored.compat import colossus as drop_in


@pytest.fixture(autouse=True)
def base_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory of the test's own for Colossus, which is itself again when the test ends."""
    directory = tmp_path / "base"
    directory.mkdir()
    monkeypatch.setattr(colossus_settings, "BASE_DIR", str(directory))
    yield directory
    drop_in.uninstall()
