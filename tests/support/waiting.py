"""Waiting for something to become true, with a deadline and never a bare sleep."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def wait_until(condition: Callable[[], T], *, timeout: float = 30.0, what: str, interval: float = 0.05) -> T:
    """Call `condition` until what it returns is true, and return that.

    Raises `AssertionError` saying `what` did not happen within `timeout` seconds, and what was seen last.
    """
    deadline = time.monotonic() + timeout
    while True:
        seen = condition()
        if seen:
            return seen
        if time.monotonic() > deadline:
            raise AssertionError(f"Waited {timeout:g} s for this, in vain: {what}. Seen last: {seen!r}")
        time.sleep(interval)
