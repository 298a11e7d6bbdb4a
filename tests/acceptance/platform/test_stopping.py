"""`manage.py up` leaves nothing behind, however it ends."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from ktrdr_site.localpg import Place
from ktrdr_site.localpg.connection import connect
from tests.support.processes import alive, assert_no_process_left, processes_of
from tests.support.stack import Stack
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.acceptance


def test_asked_to_stop_it_ends_everything_cleanly_and_starts_again_with_all_its_data(platform: Stack) -> None:
    with connect(Place(platform.data_dir)) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    for times, sig in enumerate((signal.SIGTERM, signal.SIGINT, signal.SIGHUP), start=1):
        assert platform.get("/healthz") == 200
        assert platform.stop(sig) == 0
        assert platform.status()["state"] == "stopped"
        log = (platform.data_dir / "logs" / "postgres.log").read_text()
        assert log.count("database system is shut down") == times
        platform.start()
        platform.wait_answers()
    with connect(Place(platform.data_dir)) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_no_process_of_the_whole_product_is_left_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    stack = Stack(tmp_path / "data of mine")
    stack.start()
    assert {child["role"] for child in stack.status()["children"]} == {
        "postgres",
        "migrate",
        "web",
        "cluster",
        "worker",
    }
    wait_until(lambda: len(processes_of(stack.data_dir)) > 15, what="every process has its children")
    assert stack.process is not None
    stack.process.kill()
    stack.process.wait()
    assert_no_process_left(stack.data_dir)
    stack.arguments = ["--training-workers", "0", "--backtest-workers", "0"]
    stack.start()
    assert stack.pids("cluster")
    assert not stack.pids("worker"), "others may serve from other hosts"
    cluster = stack.kill("cluster")
    stack.wait_restarted("cluster", cluster)
    assert stack.stop() == 0
    said = stack.terminal
    assert f"KTRDR is up: {stack.url} (Ctrl-C stops it; logs in {stack.data_dir / 'logs'})" in said
    assert "Traceback" not in said
    assert "FATAL" not in said, "that a server starts or stops is no alarm"


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
