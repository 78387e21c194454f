"""The README's example with units and cosmologies runs as it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import test_readme

pytest.importorskip("astropy")


@pytest.mark.parametrize("code", [each for each in test_readme.BLOCKS if "import astropy" in each])
def test_the_example_runs(code: str, tmp_path: Path) -> None:
    """With warnings as errors."""
    test_readme.test_examples_run(code, tmp_path)
