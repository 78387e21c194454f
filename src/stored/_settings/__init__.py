"""What is in force in this process: `configure` changes it, the environment begins it, `settings` tells it.

`validity` tells for how long shortcuts may be taken; every change of the settings ends it.
"""

from stored._settings.checks import check_persistence
from stored._settings.configure import configure
from stored._settings.layers import settings
from stored._settings.sent import SentSettings, adopt_settings, can_travel, sent_settings, this_process
from stored._settings.settings import Settings
from stored._settings.validity import validity

__all__ = [
    "SentSettings",
    "Settings",
    "adopt_settings",
    "can_travel",
    "check_persistence",
    "configure",
    "sent_settings",
    "settings",
    "this_process",
    "validity",
]
