"""Chaos finds whom it strikes, wakes whom it froze, and sees what outlives the process above it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.chaos.falls import Falls
from tests.chaos.frozen import Frozen
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.acceptance

_CAREFUL = """
import subprocess, sys
from ktrdr_site.processes import dies_with_parent
subprocess.run(["sleep", "600"], preexec_fn=dies_with_parent())
"""
_CARELESS = """
import subprocess
subprocess.run(["sleep", "600"])
"""


@contextmanager
def _parent(text: str) -> Iterator[tuple[int, int]]:
    """Ids of a process that runs the text, and of the one it started."""
    with subprocess.Popen([sys.executable, "-c", text], start_new_session=True) as process:
        try:
            parent = psutil.Process(process.pid)
            [child] = wait_until(lambda: [one for one in parent.children() if one.name() == "sleep"], what="a child")
            yield process.pid, child.pid
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def _fallen(falls: Falls, pid: int, child: int) -> Falls:
    falls.expect("parent", [child])
    os.kill(pid, signal.SIGKILL)

    def settled() -> bool:
        falls.look()
        return bool(falls.seconds or falls.broken)

    wait_until(settled, timeout=20, what="the child is gone, or has outlived its time")
    return falls


def test_what_dies_with_its_parent_has_fallen_in_time() -> None:
    with _parent(_CAREFUL) as (pid, child):
        falls = _fallen(Falls(longest=15.0), pid, child)
    assert not falls.broken
    assert list(falls.seconds) == ["parent"]


def test_what_outlives_its_parent_is_named() -> None:
    with _parent(_CARELESS) as (pid, child):
        falls = _fallen(Falls(longest=0.2), pid, child)
    assert falls.broken == [f"process {child} (sleep 600) outlived the parent above it"]


def test_the_frozen_wake_when_their_time_is_over_whoever_waits_for_them() -> None:
    with _parent(_CAREFUL) as (pid, child):
        frozen = Frozen()
        frozen.freeze((pid, child), 0.3)
        assert frozen.any_of([child])
        wait_until(lambda: not frozen.any_of([pid, child]), timeout=20, what="both are awake")
        assert psutil.Process(child).status() != psutil.STATUS_STOPPED
        assert psutil.Process(pid).status() != psutil.STATUS_STOPPED


def test_all_the_frozen_can_be_woken_at_once() -> None:
    with _parent(_CAREFUL) as (pid, child):
        frozen = Frozen()
        frozen.freeze((pid,), 600.0)
        frozen.freeze((child,), 600.0)
        wait_until(lambda: psutil.Process(child).status() == psutil.STATUS_STOPPED, what="the child is frozen")
        frozen.thaw()
        wait_until(lambda: psutil.Process(child).status() != psutil.STATUS_STOPPED, what="the child is awake")
        assert not frozen.any_of([pid, child])
