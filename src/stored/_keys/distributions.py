"""Which version has an installed package whose code is reached?"""

from __future__ import annotations

import functools
import importlib.metadata
import os
import sys

from stored._keys.canonical import digest

__all__ = ["distribution_text", "installed_version"]

_NOT_COUNTED = frozenset({"numpy", "scipy", "stored", "__main__", "__mp_main__"})
"""Packages whose results are the same from version to version, as far as anybody can promise."""


@functools.lru_cache(maxsize=1024)
def distribution_text(module: str) -> str:
    """What stands for the distribution that a top-level module comes from; empty for one that does not count.

    Its name and version; of one that was installed from a folder, a repository or a file, also the digests of its
    files, since many states of it can have one version.

    Parameters
    ----------
    module : str
        The name of the module.
    """
    if module in _NOT_COUNTED or module in sys.stdlib_module_names:
        return ""
    found = _distribution(module)
    if found is None:
        return f"{module} {getattr(sys.modules.get(module), '__version__', '')}"
    metadata = found.metadata  # which is read anew each time
    text = f"{metadata['Name']} {metadata['Version']}"
    return f"{text} {_files_digest(found)}" if found.read_text("direct_url.json") else text


def installed_version(name: str) -> str:
    """The version of the installed distribution of this name; empty if there is none."""
    try:
        return importlib.metadata.version(name)
    except (importlib.metadata.PackageNotFoundError, ValueError):
        return ""


def _distribution(module: str) -> importlib.metadata.Distribution | None:
    """The distribution of a module: that of the same name, if the module lies where that is installed."""
    try:
        found = importlib.metadata.distribution(module)
        folder = os.path.realpath(str(found.locate_file("")))
        file = getattr(sys.modules.get(module), "__file__", None)
        if file is None or os.path.realpath(file).startswith(folder + os.sep):
            return found
    except importlib.metadata.PackageNotFoundError:
        pass
    names = importlib.metadata.packages_distributions().get(module)
    return importlib.metadata.distribution(names[0]) if names else None


def _files_digest(found: importlib.metadata.Distribution) -> str:
    """The digest of what RECORD says of the files of a distribution, but for those that differ by installation."""
    lines = (found.read_text("RECORD") or "").splitlines()
    return digest(
        "\n".join(sorted([each for each in lines if "__pycache__" not in each and ".dist-info/" not in each]))
    )
