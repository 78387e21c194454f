"""Random generators of the standard library."""

from __future__ import annotations

import random

from stored._adapters.of_numpy import DRAWS
from stored._adapters.registry import Adapter, add

add(Adapter(random.Random, "random.Random", subclasses=True, refusal=DRAWS))
