"""Files that a method reads while it computes are told, once, unless they are named, ignored or no data."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stored import OwnerWarning, configure, keyed_by, stored
from stored.stores import DirectoryStore


def reading(read: Any, **options: Any) -> Any:
    @keyed_by("p")
    class Reading:
        p = 1.0

        @stored(**{"ignore": ("read",), **options})
        def method(self, x: float = 1.0) -> Any:
            return read()

    return Reading()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "a.txt").write_text("5")
    np.save(tmp_path / "b.npy", np.arange(3.0))
    return tmp_path


def files_read(model: Any) -> list[str]:
    """The names of the files that are told to be read."""
    told = [each for each in model.method.dependencies().unseen if each.startswith("the file ")]
    return [Path(each.split()[2].rstrip(",")).name for each in told]


def test_a_file_that_is_read_is_told_once(data: Path) -> None:
    """With what can be done; it is listed among what results depend on."""
    model = reading(lambda: (data / "a.txt").read_text())
    with pytest.warns(
        OwnerWarning, match=r"method\(\) of .* has read the file .*a.txt .* uses=\(Path\('/.*a.txt'\),\)"
    ) as caught:
        assert model.method() == "5"
    assert [each.filename for each in caught] == [__file__]
    assert model.method(2.0) == "5"
    assert f"the file {data / 'a.txt'}, which was read" in model.method.dependencies().unseen


def test_files_of_numpy_are_told(data: Path) -> None:
    """As whatever Python opens."""
    with pytest.warns(OwnerWarning, match="b.npy"):
        assert reading(lambda: np.load(data / "b.npy")).method()[2] == 2.0


@pytest.mark.parametrize("how", ["used", "ignored by name", "ignored by path"])
def test_files_that_are_named_are_not_told(data: Path, how: str) -> None:
    """By `uses` or `ignore`."""
    path = data / "a.txt"
    options: dict[str, Any] = {
        "used": {"uses": (path,)},
        "ignored by name": {"ignore": ("read", path.name)},
        "ignored by path": {"ignore": ("read", str(path))},
    }[how]
    model = reading(lambda: path.read_text(), **options)
    assert model.method() == "5"
    found = model.method.dependencies()
    assert (f"the file {path}, which was read" in found.unseen) == (how != "used")
    assert [each.name for each in found.uses] == ([str(path)] if how == "used" else [])


def test_what_is_no_data_is_not_told(data: Path) -> None:
    """Files that it writes first, code, what belongs to Python and the system, what is gone, and what others store."""

    def read() -> str:
        (data / "scratch").write_text("1")
        (data / "scratch").read_text()
        (data / "gone").write_text("2")
        (data / "gone").unlink()
        Path(__file__).read_text()
        Path("/proc/self/stat").read_text()
        Path(np.__file__).with_name("version.py").read_text()
        with pytest.raises(OSError, match="none"):
            (data / "none").read_text()
        return str(inner.method())

    inner = reading(lambda: 7)
    with configure(store=DirectoryStore(data / "store")):
        inner.method(1.0)
        reading(lambda: 7)
        inner.method.cache_info()
        model = reading(read)
        assert model.method() == "7"
    assert files_read(model) == []


def test_what_describes_a_package_is_not_told(data: Path) -> None:
    """It is read where adapters of other packages are looked for."""
    for folder in ("a-1.0.dist-info", "a.egg-info"):
        (data / folder).mkdir()
        (data / folder / "entry_points.txt").write_text("")
        model = reading((data / folder / "entry_points.txt").read_text)
        model.method()
        assert not files_read(model)


def test_computations_in_one_another_have_files_of_their_own(data: Path) -> None:
    """Each is told of its method."""
    inner = reading(lambda: (data / "a.txt").read_text(), ignore=("read", "a.txt"), version="1")
    outer = reading(lambda: inner.method() + str(np.load(data / "b.npy")[1]), ignore=("read", "b.npy"), version="2")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert outer.method() == "51.0"
    assert [files_read(each) for each in (inner, outer)] == [["a.txt"], ["b.npy"]]


def test_a_file_that_another_stored_method_has_written(data: Path) -> None:
    """What a computation writes itself is its own; what others write is not."""

    @keyed_by("p")
    class Writing:
        p = 1.0

        @stored
        def written(self) -> str:
            (data / "a.txt").write_text("6")
            return (data / "a.txt").read_text()

        @stored
        def method(self) -> str:
            return (data / "a.txt").read_text()

    with warnings.catch_warnings():
        warnings.simplefilter("error", OwnerWarning)
        assert Writing().written() == "6"
    with pytest.warns(OwnerWarning, match=r"has read the file .*a.txt"):
        assert Writing().method() == "6"


@pytest.mark.parametrize(("mode", "names"), [("r+", ["a.txt"]), ("w+", []), ("a", [])])
def test_a_file_that_is_opened_to_be_changed(data: Path, mode: str, names: list[str]) -> None:
    """It is read unless it is emptied, or only written to."""

    def change() -> str:
        with open(data / "a.txt", mode) as file:
            return file.read() if "+" in mode else ""

    model = reading(change)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OwnerWarning)
        model.method()
    assert files_read(model) == names


def test_files_that_other_processes_have_read_are_told(data: Path) -> None:
    """And those of stored methods that are called."""

    def model() -> Any:
        @keyed_by("p")
        class Model:
            p = 1.0

            @stored(ignore=("data",))
            def inner(self) -> str:
                return (data / "a.txt").read_text()

            @stored(ignore=("data",))
            def method(self) -> str:
                return self.inner()

        return Model()

    first = model()
    with pytest.warns(OwnerWarning, match=r"inner\(\) of .* has read the file"):
        first.method()
    assert files_read(first) == ["a.txt"]
    later = model()  # as of another process, which computes nothing
    assert later.method() == "5"
    assert files_read(later) == ["a.txt"]
