"""Fuzz the decoder of entries, with atheris (``pip install atheris``).

``python -m tests.fuzz`` makes a bounded number of runs; arguments are those of libFuzzer, such as ``-runs=-1
-max_total_time=600`` for a long one, directories that take new inputs, or the file of one input to run again. The
corpus of the repository is read, and new inputs go to a temporary directory. An input has up to 256 kB, and the process
1 GiB of memory; what takes longer than 10 s is a finding too.
"""

from __future__ import annotations

import sys
import tempfile
import tracemalloc
from pathlib import Path

import atheris

HERE = Path(__file__).parent
INSTRUMENTED = ["stored._bounded_json", "stored._storage", "stored._keys", "numpy.lib._format_impl"]

with atheris.instrument_imports(include=INSTRUMENTED):
    from tests.fuzz.target import check


def main() -> None:
    """Run libFuzzer; this does not return."""
    given = sys.argv[1:]
    places = [each for each in given if not each.startswith("-")]
    options: list[str] = []
    if not any(map(Path.is_file, map(Path, places))):
        findings = places or [tempfile.mkdtemp(prefix="stored-fuzz-")]
        options = ["-runs=20000", "-max_len=256000", "-len_control=0", "-rss_limit_mb=1024", "-timeout=10"]
        options += [f"-dict={HERE / 'tokens.dict'}", f"-artifact_prefix={findings[0]}/"]
        given = [each for each in given if each not in places] + [*findings, str(HERE / "corpus")]
    tracemalloc.start()  # once: to start and stop it with each input leaks memory
    atheris.Setup([f"{sys.executable} -m tests.fuzz", *options, *given], check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
