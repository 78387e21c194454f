"""CONTRIBUTING.md names files and names that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import stored

REPOSITORY = Path(__file__).parent.parent
SOURCES = Path(stored.__file__).parent
SPANS = re.findall(
    r"`([^`\n]+)`", re.sub(r"```.*?```", "", (REPOSITORY / "CONTRIBUTING.md").read_text(), flags=re.DOTALL)
)
FILES = sorted({span for span in SPANS if re.fullmatch(r"[\w./*]+(\.py|/)", span)})
NAMES = sorted({span for span in SPANS if re.fullmatch(r"[A-Za-z_]\w*", span)})
CALLS = sorted({span for span in SPANS if re.fullmatch(r"[A-Za-z_]\w*\([a-z_]\w*\)", span)})
TEXTS = "\n".join(file.read_text() for file in SOURCES.rglob("*.py"))


@pytest.mark.parametrize("name", FILES)
def test_every_file_is_there(name: str) -> None:
    """A file or folder that is named stands below the repository, the sources or one of their packages."""
    assert any(list(root.glob(name)) for root in (REPOSITORY, SOURCES, *SOURCES.iterdir()) if root.is_dir())


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_there(name: str) -> None:
    """A function, class or constant that is named stands in the sources."""
    assert re.search(rf"\b{name}\b", TEXTS)


@pytest.mark.parametrize("call", CALLS)
def test_every_parameter_is_there(call: str) -> None:
    """A function that is named with its parameter has one of this name."""
    name, parameter = call.rstrip(")").split("(")
    assert re.search(rf"\bdef {name}\((self, )?{parameter}\b", TEXTS)


def test_there_are_files_and_names() -> None:
    """The text is read as it should be."""
    assert len(FILES) > 40
    assert len(NAMES) > 10
    assert len(CALLS) > 2
