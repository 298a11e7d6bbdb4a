"""While it runs, `manage.py up` keeps everything alive."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from tests.support.processes import alive
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from tests.support.stack import Stack

pytestmark = pytest.mark.acceptance


@pytest.mark.parametrize("role", ["web", "postgres"])
def test_what_is_killed_is_started_again(lasting: Stack, role: str) -> None:
    old = lasting.kill(role)
    lasting.wait_restarted(role, old)
    lasting.wait_up()
    lasting.wait_answers()
    assert lasting.manage("migrate", "--check").returncode == 0
    assert f"{role} ended (killed by SIGKILL): again at once" in " ".join(lasting.terminal.split())


def test_the_web_server_outlives_the_database(lasting: Stack) -> None:
    web = lasting.pid("web")
    lasting.wait_restarted("postgres", lasting.kill("postgres"))
    lasting.wait_up()
    assert lasting.pid("web") == web
    assert alive(web)


def test_a_second_one_is_refused_and_told_who_has_the_folder(lasting: Stack) -> None:
    second = lasting.manage("up", "--port", "1", check=False)
    assert second.returncode == 4
    assert lasting.process is not None
    assert f"already runs in {lasting.data_dir} (pid {lasting.process.pid})" in second.stderr
    assert lasting.get("/healthz") == 200


def test_a_frozen_supervisor_freezes_nobody(lasting: Stack) -> None:
    assert lasting.process is not None
    lasting.process.send_signal(signal.SIGSTOP)
    try:
        assert lasting.get("/healthz") == 200
    finally:
        lasting.process.send_signal(signal.SIGCONT)


def test_its_status_says_what_runs(lasting: Stack) -> None:
    status = lasting.status()
    assert status["url"] == lasting.url
    assert [child["name"] for child in status["children"]] == ["postgres", "migrate", "web"]
    assert [child["state"] for child in status["children"]] == ["up", "done", "up"]
    wait_until(lambda: lasting.terminal.count("is up") >= 3, what="the terminal says what is up")
