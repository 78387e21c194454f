"""Functions in threads, which end in time or fail the test."""

from __future__ import annotations

import threading
from collections.abc import Callable

PATIENCE = 30.0
"""For how many seconds to wait for what must come."""


def run(*functions: Callable[[], object]) -> None:
    """Run functions in threads; one that does not end fails the test rather than hanging it, and so does an error."""
    errors: list[BaseException] = []

    def guarded(function: Callable[[], object]) -> None:
        try:
            function()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(each,), daemon=True) for each in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert not any(thread.is_alive() for thread in threads), "a thread waits for ever"
    if errors:
        raise errors[0]
