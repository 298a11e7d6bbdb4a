"""What stands in the way is said before anything is started."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from tests.support.processes import free_port, processes_of
from tests.support.stack import Stack

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.acceptance


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    return Stack(tmp_path / "data", arguments=["--no-research"])


def test_a_port_in_use(stack: Stack) -> None:
    with socket.create_server(("127.0.0.1", stack.port)):
        done = stack.manage("up", check=False)
    assert done.returncode == 5
    assert f"Port {stack.port} on 127.0.0.1 cannot be used (Address already in use)" in done.stderr
    assert not (stack.data_dir / "postgres").exists(), "something was started"


def test_a_database_that_does_not_answer(stack: Stack) -> None:
    stack.environment["DATABASE_URL"] = f"postgresql://someone@127.0.0.1:{free_port()}/ktrdr"
    done = stack.manage("up", check=False)
    assert done.returncode == 3
    assert "The database in DATABASE_URL does not answer" in done.stderr
    assert "Connection refused" in done.stderr
    assert not processes_of(stack.data_dir)


def test_a_database_address_that_cannot_be_read(stack: Stack) -> None:
    stack.environment["DATABASE_URL"] = "mysql://root@localhost/ktrdr"
    done = stack.manage("up", check=False)
    assert done.returncode != 0
    assert "DATABASE_URL must begin with postgresql://" in done.stderr


def test_another_server_in_the_data_folder(stack: Stack) -> None:
    from ktrdr_site.localpg import Server

    server = Server(stack.data_dir, options="fsync=off")
    server.start()
    try:
        done = stack.manage("up", check=False)
        assert done.returncode == 1
        assert "PostgreSQL already runs in" in done.stdout
        assert "postgres cannot be started" in done.stderr
        assert server.running(), "a server that was not ours was stopped"
    finally:
        server.stop()


def test_a_command_that_needs_the_database_where_nothing_runs(stack: Stack) -> None:
    done = stack.manage("bootstrap", check=False)
    assert done.returncode == 3
    assert done.stderr.strip() == "CommandError: nothing runs here: manage.py up"
