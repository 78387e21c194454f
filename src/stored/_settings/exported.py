"""Settings for processes that are started meanwhile: they read them from the environment, which they inherit.

What `configure` sets stands in ``os.environ`` for as long as it is in force, and the variables of before are put back
after it. A variable that the program has set itself meanwhile is left as it is. A store, which no variable can name, is
not among them, nor is a shared directory with a colon in its path.
"""

from __future__ import annotations

import os

from stored._settings.environment import NUMBERS
from stored._settings.settings import Settings

__all__ = ["Exported"]


def _variables(now: Settings) -> dict[str, tuple[object, str]]:
    """By variable, a setting and the text from which `settings_from_environment` reads it."""
    shared = os.pathsep.join(path for path in map(str, now.shared_dirs) if os.pathsep not in path)
    return {
        "STORED_CACHE_DIR": (now.cache_dir, str(now.cache_dir)),
        "STORED_KEY_FILE": (now.key_file, str(now.key_file)),
        "STORED_PERSISTENCE": (now.persistence, now.persistence),
        "STORED_DISABLE": (now.disable, str(int(now.disable))),
        "STORED_SHARED_DIRS": (now.shared_dirs, shared),
        "STORED_MAP_SHARED_DIRS": (now.map_shared_dirs, str(int(now.map_shared_dirs))),
        "STORED_GROUP": (now.group, now.group or ""),
        **{
            variable: (getattr(now, name), "" if getattr(now, name) is None else repr(getattr(now, name)))
            for name, variable in NUMBERS.items()
        },
    }


class Exported:
    """What of the environment tells settings, and what of it `configure` has set.

    Parameters
    ----------
    first : Settings
        The settings that the environment gives.
    """

    def __init__(self, first: Settings) -> None:
        self._first = _variables(first)
        self._own = {variable: os.environ.get(variable) for variable in self._first}
        self._set: dict[str, str] = {}

    def export(self, now: Settings) -> None:
        """Let the environment tell these settings."""
        for variable, (value, text) in _variables(now).items():
            before = self._set.get(variable, self._own[variable])
            if os.environ.get(variable) != before:  # by the program itself
                continue
            if value != self._first[variable][0]:
                os.environ[variable] = self._set[variable] = text
            elif variable in self._set:
                del self._set[variable]
                _put_back(variable, self._own[variable])


def _put_back(variable: str, text: str | None) -> None:
    if text is None:
        os.environ.pop(variable, None)
    else:
        os.environ[variable] = text
