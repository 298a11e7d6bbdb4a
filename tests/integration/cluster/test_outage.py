"""PostgreSQL is killed, stays away for longer than a cluster may be silent, and comes back: nothing is concluded."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone
from django_q.signing import SignedPackage

from ktrdr_site.localpg import Server
from ktrdr_site.localpg.connection import connect
from tests.integration.cluster.process import ClusterProcess
from tests.support.stack import FAST, Stack, forget_socket_folder
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A PostgreSQL that may be killed, with KTRDR's tables."""
    server = Server(tmp_path / "data", options=FAST)
    server.start()
    Stack(tmp_path / "data").manage("migrate", "-v0")
    yield server
    server.stop()
    forget_socket_folder(server.place.data_dir)


def test_every_process_outlives_the_database_and_works_when_it_is_back(server: Server, tmp_path: Path) -> None:
    address = f"postgresql://ktrdr@/ktrdr?host={server.place.socket_dir}"
    with ClusterProcess(tmp_path, url=address) as cluster:
        _ring(server, "os.getpid")
        wait_until(lambda: _waiting(server) == 0, timeout=60, what="a task is worked off")
        before = {process.pid for process in cluster.tree()}

        pid = server.pid()
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        down = time.monotonic()
        wait_until(lambda: time.monotonic() - down > 11, timeout=60, what="it was away for more than 10 s")
        assert cluster.main.poll() is None, cluster.text
        server.start()

        _ring(server, "os.getpid")
        wait_until(lambda: _waiting(server) == 0, timeout=30, what=f"a task is worked off again:\n{cluster.text}")
        assert {process.pid for process in cluster.tree()} == before, cluster.text
        cluster.kill(cluster.main.pid, signal.SIGTERM)
        code, _ = cluster.wait()
    assert code == 0, cluster.text
    assert "Traceback" not in cluster.text


def _ring(server: Server, func: str) -> None:
    """What `async_task` does, in a database that is not the tests' own."""
    now = timezone.now()
    task = {"id": f"{now.timestamp():.6f}", "name": "ring", "func": func, "args": (), "kwargs": {}, "started": now}
    with connect(server.place) as connection:
        connection.execute(
            "INSERT INTO django_q_ormq (key, payload, lock) VALUES ('ktrdr', %s, %s)", [SignedPackage.dumps(task), now]
        )


def _waiting(server: Server) -> int:
    """Tasks in the queue; those taken count until they are done."""
    with connect(server.place) as connection:
        row = connection.execute("SELECT count(*) FROM django_q_ormq").fetchone()
    assert row is not None
    return int(row[0])
