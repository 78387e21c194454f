"""Text files that hold tables."""

from __future__ import annotations

import gzip
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest

from stored import TableError
from stored._engine.text_tables import load_text_table


def test_a_text_file_gives_its_two_columns(tmp_path: Path) -> None:
    """Comments, blank lines and further columns are passed over."""
    file = tmp_path / "table.txt"
    file.write_text("# x y\n\n 1 10 7\n2 20 7 # two\n   # nothing\n3.5 3e1 7\n")
    for path in (file, str(file)):
        assert np.array_equal(load_text_table(path, "t"), [[1.0, 2.0, 3.5], [10.0, 20.0, 30.0]])


def test_one_line_is_a_table(tmp_path: Path) -> None:
    """A file of one line has shape (2, 1)."""
    file = tmp_path / "table.txt"
    file.write_text("1 10\n")
    assert np.array_equal(load_text_table(file, "t"), [[1.0], [10.0]])


def test_a_compressed_file_is_read(tmp_path: Path) -> None:
    """What numpy unpacks by its ending is unpacked here."""
    file = tmp_path / "table.txt.gz"
    file.write_bytes(gzip.compress(b"1 10\n2 20\n"))
    assert np.array_equal(load_text_table(file, "t"), [[1.0, 2.0], [10.0, 20.0]])


@pytest.mark.parametrize("content", [b"", b"# only\n\n", b"1\n2\n", b"1 2\n3\n", b"a b\n", b"\xff\xfe\xff 1\n"])
def test_a_file_that_is_no_table_is_named(tmp_path: Path, content: bytes) -> None:
    """Empty files, missing columns, words and bytes that are no text are one error that names the file."""
    file = tmp_path / "odd.txt"
    file.write_bytes(content)
    with pytest.raises(TableError, match=r"odd\.txt' is not a table of two columns of numbers: ."):
        load_text_table(file, "t")


@pytest.mark.parametrize("name", ["nowhere.txt", "."])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    """The error names file and object, for a directory too."""
    with pytest.raises(FileNotFoundError, match=r"file '.*' for object 'growth' was not found"):
        load_text_table(tmp_path / name, "growth")


def test_reading_in_threads_leaves_the_warning_filters_alone(tmp_path: Path) -> None:
    """Reading empty files at the same time does not turn the program's warnings into errors."""
    file = tmp_path / "empty.txt"
    file.write_text("")
    before = list(warnings.filters)

    def read() -> None:
        for _ in range(50):
            with pytest.raises(TableError):
                load_text_table(file, "t")

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(warnings.filters) == before
