"""The embedded PostgreSQL comes back from every death, and goes when its starter goes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import psycopg
import pytest

from ktrdr_site.environment import PROJECT
from ktrdr_site.localpg import AlreadyRunning, NotRunning, Server
from ktrdr_site.localpg.connection import connect
from ktrdr_site.processes import dies_with_parent
from tests.support.processes import alive, assert_no_process_left, processes_of
from tests.support.stack import MANAGE, clean_environment
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_a_pid_file_that_names_another_living_process_does_not_stop_it(server_in: Callable[[str], Server]) -> None:
    server = server_in("data")
    server.start()
    server.stop()
    (server.place.data / "postmaster.pid").write_text(f"{os.getpid()}\n{server.place.data}\n0\n5432\n\n\n")
    assert server.stop() is False, "the pid file was believed"
    server.start()
    assert server.running()
    assert server.pid() != os.getpid()


def test_a_killed_server_comes_back_with_all_that_was_committed(server_in: Callable[[str], Server]) -> None:
    server = server_in("data")
    server.start()
    idle, busy = connect(server.place), connect(server.place)
    idle.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    with ThreadPoolExecutor() as pool, idle, busy:
        query = pool.submit(busy.execute, "SELECT pg_sleep(60)")
        wait_until(lambda: _sleeps(idle), what="the long query runs")
        os.kill(_pid(server), signal.SIGKILL)
        assert isinstance(query.exception(timeout=30), psycopg.OperationalError)
    again = Server(server.place.data_dir, options="fsync=off")
    again.start()
    with connect(again.place) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)
    again.stop()


def test_of_two_starts_at_once_one_wins_and_the_other_is_told(tmp_path: Path) -> None:
    environment = clean_environment(tmp_path)
    starts = [_localpg(environment) for _ in range(2)]
    loser = wait_until(
        lambda: next((start for start in starts if start.poll() is not None), None), timeout=60, what="one gives up"
    )
    winner = next(start for start in starts if start is not loser)
    assert loser.returncode == AlreadyRunning.exit_code
    assert "already runs" in loser.communicate()[0]
    assert Server(tmp_path).running()
    winner.terminate()
    winner.communicate(timeout=30)
    assert_no_process_left(tmp_path)


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_the_server_ends_with_its_starter(tmp_path: Path, sig: signal.Signals) -> None:
    starter = _localpg(clean_environment(tmp_path))
    server = Server(tmp_path)
    wait_until(server.running, what="the server answers")
    with connect(server.place):  # a client does not hold it up
        starter.send_signal(sig)
        starter.communicate(timeout=30)
        assert_no_process_left(tmp_path)
    assert "database system is shut down" in server.log_tail(), "it did not end cleanly"


def test_a_start_that_is_killed_half_way_leaves_nothing_that_disturbs_the_next(tmp_path: Path) -> None:
    starter = _localpg(clean_environment(tmp_path))
    wait_until(lambda: list(tmp_path.glob("postgres.new-*")), what="initdb has begun", interval=0.005)
    starter.kill()
    starter.communicate(timeout=30)
    server = Server(tmp_path, options="fsync=off")
    server.start()
    assert server.running()
    assert not list(tmp_path.glob("postgres.new-*"))
    server.stop()
    assert not processes_of(tmp_path)


def test_stopping_and_asking_where_nothing_runs_says_so(tmp_path: Path) -> None:
    environment = clean_environment(tmp_path)
    assert Server(tmp_path).stop() is False
    status = subprocess.run(
        [*MANAGE, "localpg", "status"], env=environment, capture_output=True, text=True, check=False
    )
    assert status.returncode == NotRunning.exit_code
    assert "does not run" in status.stderr


def _localpg(environment: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(PROJECT / "manage.py"), "localpg", "start"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=dies_with_parent(signal.SIGTERM),
    )


def _pid(server: Server) -> int:
    pid = server.pid()
    assert pid is not None
    assert alive(pid)
    return pid


def _sleeps(connection: psycopg.Connection) -> bool:
    row = connection.execute("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%'").fetchone()
    return row is not None and row[0] > 1
