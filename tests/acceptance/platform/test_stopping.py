"""`manage.py up` leaves nothing behind, however it ends."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from tests.support.processes import alive, assert_no_process_left, processes_of

if TYPE_CHECKING:
    from tests.support.stack import Stack

pytestmark = pytest.mark.acceptance


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_asked_to_stop_it_ends_everything_cleanly_and_starts_again(platform: Stack, sig: signal.Signals) -> None:
    assert platform.get("/healthz") == 200
    assert platform.stop(sig) == 0
    assert platform.status()["state"] == "stopped"
    assert "database system is shut down" in (platform.data_dir / "logs" / "postgres.log").read_text()
    platform.start()
    platform.wait_answers()


def test_no_process_is_left_when_the_supervisor_is_killed_and_all_can_start_again(platform: Stack) -> None:
    assert len(processes_of(platform.data_dir)) > 5
    assert platform.process is not None
    platform.process.kill()
    platform.process.wait()
    assert_no_process_left(platform.data_dir)
    platform.start()
    platform.wait_answers()


def test_the_next_supervisor_can_start_at_once_after_the_last_was_killed(platform: Stack) -> None:
    assert platform.process is not None
    platform.process.kill()
    platform.process.wait()
    platform.start()
    platform.wait_answers()


def test_a_child_that_does_not_stop_is_killed_when_its_grace_is_over(platform: Stack) -> None:
    platform.stop()
    platform.environment["KTRDR_DRAIN"] = "0"
    platform.start()
    frozen = platform.pid("web")
    os.kill(frozen, signal.SIGSTOP)
    assert platform.stop() == 0
    assert not alive(frozen)


def test_the_processes_are_in_sessions_of_their_own_so_a_signal_to_the_group_stops_in_order(platform: Stack) -> None:
    assert platform.process is not None
    supervisor = platform.process.pid
    assert {os.getsid(pid) for pid in platform.pids("web") + platform.pids("postgres")}.isdisjoint({supervisor})
    os.killpg(supervisor, signal.SIGTERM)
    assert platform.process.wait(60) == 0
    assert_no_process_left(platform.data_dir)
