"""Faults that are really injected: kills, damage, full and vanished places, and processes in each other's way.

In the ordinary suite these tests run in a bounded form. At length (1,000 kills, 10,000 entries, every byte in every
way, more processes, threads and examples) they are run by::

    STORED_FAULTS=long python -m pytest tests/faults -rP
"""
