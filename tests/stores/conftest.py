"""What can be collected here."""

from __future__ import annotations

from importlib.util import find_spec

collect_ignore = [] if find_spec("redis") else ["redis_store.py"]  # else its import fails where doctests are looked for
