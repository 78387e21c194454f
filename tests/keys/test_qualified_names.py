"""Modules and classes have names that last."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import zipfile
from collections import OrderedDict
from pathlib import Path

from stored._keys import qualified_name
from stored._keys.qualified_names import module_name

SCRIPT = "from stored._keys import qualified_name\nclass Model: pass\nprint(qualified_name(Model))\n"


def run(*command: object, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, *map(str, command)],
        env={**os.environ, **environment},
        cwd=environment.get("PWD"),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_names_of_imported_things() -> None:
    """Module and qualified name, as they are imported."""
    assert module_name("stored._keys.canonical") == "stored._keys.canonical"
    assert qualified_name(OrderedDict) == "collections.OrderedDict"
    assert qualified_name(textwrap.TextWrapper.fill) == "textwrap.TextWrapper.fill"


def test_where_a_script_lies_does_not_count(tmp_path: Path) -> None:
    """Its name does: a class of the same name in another script is another class."""
    for name in ("one.py", "other.py", "folder/one.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(SCRIPT)
    one, other, moved = (run(tmp_path / name) for name in ("one.py", "other.py", "folder/one.py"))
    assert one == moved == "__main__:one.py.Model"
    assert other == "__main__:other.py.Model"


def test_a_module_run_as_a_script_keeps_its_name(tmp_path: Path) -> None:
    """Python -m finds what importing the module has stored."""
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "part.py").write_text(SCRIPT)
    assert run("-m", "package.part", PWD=str(tmp_path)) == "package.part.Model"


def test_an_application_in_a_folder_or_a_zip_file_has_no_name_of_its_own(tmp_path: Path) -> None:
    """It is called __main__, wherever it lies."""
    found = []
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__main__.py").write_text(SCRIPT)
        with zipfile.ZipFile(tmp_path / f"{name}.zip", "w") as archive:
            archive.writestr("__main__.py", SCRIPT)
        found += [run(tmp_path / name), run(tmp_path / f"{name}.zip")]
    assert set(found) == {"__main__:__main__.py.Model"}


def test_sessions_are_named_by_notebook(tmp_path: Path) -> None:
    """Without the folder; other sessions have no name."""
    assert run("-c", SCRIPT, PWD=str(tmp_path), JPY_SESSION_NAME="") == "__main__.Model"
    assert run("-c", SCRIPT, JPY_SESSION_NAME="/n/a.ipynb") == "__main__:a.ipynb.Model"
    assert run("-c", f"__vsc_ipynb_file__ = '/n/b.ipynb'\n{SCRIPT}") == "__main__:b.ipynb.Model"


def test_worker_processes_agree_with_their_script(tmp_path: Path) -> None:
    """A worker started afresh runs the script under another name, and must find the same results."""
    script = tmp_path / "spawning.py"
    script.write_text(
        "import multiprocessing\nfrom stored._keys import qualified_name\n\nclass Model: pass\n\n"
        "def name(_): return qualified_name(Model)\n\nif __name__ == '__main__':\n"
        "    with multiprocessing.get_context('spawn').Pool(1) as pool:\n"
        "        print(len({name(0), *pool.map(name, [0])}), name(0))\n"
    )
    assert run(script) == "1 __main__:spawning.py.Model"
