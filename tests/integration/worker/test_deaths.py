"""Whatever dies, what was finished is reported, and no process outlives its agent."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from tests.support.processes import alive
from tests.support.waiting import wait_until
from workers.agent import children
from workers.agent.children import Child
from workers.agent.messages import Start as Order
from workers.protocol import Assignment

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.worker.backend import Backend
    from tests.integration.worker.conftest import Start


def test_a_finished_result_survives_the_agent_and_is_reported_until_it_is_acknowledged(
    backend: Backend, start: Start
) -> None:
    backend.acknowledges = False
    first = start()
    backend.give(12)
    backend.wait_end(12)
    first.kill()
    assert first.spooled(12) is not None

    backend.stored.clear()  # the backend lost it: it is sent again
    before = len(backend.calls)
    second = start()
    backend.wait_calls(4)
    hello = backend.calls[before].of(12)
    assert hello is not None
    assert (hello.state, hello.result is not None) == ("completed", True), "the first call tells it already"
    backend.acknowledges = True
    wait_until(second.spool_is_empty, what="acknowledged, it leaves the spool")
    assert "12/artifacts/model" in backend.stored
    backend.wait_calls(2)
    assert backend.calls[-1].of(12) is None


def test_an_agent_killed_before_the_end_reports_nothing_of_the_operation(backend: Backend, start: Start) -> None:
    worker = start()
    backend.give(3, units=1000, pause=0.05)
    backend.wait_unit(3, 2)
    child = worker.child()
    child.suspend()  # it reads nothing more, so only the kernel can end it
    worker.kill()
    wait_until(lambda: not alive(child.pid), timeout=2, what="the child dies with its agent", interval=0.01)
    before = len(backend.calls)
    again = start()
    backend.wait_calls(3)
    assert all(call.of(3) is None for call in backend.calls[before:])
    assert again.spool_is_empty()


@pytest.mark.parametrize("name", ["SIGKILL", "SIGSEGV"])
def test_a_child_that_dies_is_reported_with_its_signal_and_last_words(
    backend: Backend, start: Start, name: str
) -> None:
    start()
    backend.give(4, units=9, at=2, do=name)
    error = backend.wait_end(4).error
    assert error is not None
    assert (error.reason, error.exit_code) == ("crashed", -signal.Signals[name])
    assert f"was ended by {name}" in error.message
    assert "last words" in error.log_tail
    assert "4/checkpoints/1" in backend.stored, "its last checkpoint is saved before its end is told"
    backend.give(5)
    assert backend.wait_end(5).state == "completed", "the worker goes on"


def test_a_cancelled_child_that_will_not_stop_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "KILL_AFTER", 0.3)
    monkeypatch.setenv("KTRDR_TESTING", "1")
    monkeypatch.setenv("KTRDR_TEST_TASKS", "tests.integration.worker.engine:run")
    told, ended = [], []
    child = Child(["training"], told.append, lambda one, code: ended.append(code))
    spec = {"at": 1, "do": "hang"}
    (tmp_path / "checkpoints").mkdir()
    child.begin(Order(Assignment(id=1, kind="training", spec=spec, seed=1, attempt=1, deadline_s=60)), tmp_path)
    wait_until(lambda: any(one.checkpoint == 0 for one in told), what="it works")
    wait_until(lambda: "SigIgn" in _ignores_term(child.pid), what="it ignores SIGTERM")
    child.terminate()
    wait_until(lambda: ended, timeout=5, what="it is dead")
    assert ended == [-signal.SIGKILL]


def _ignores_term(pid: int) -> str:
    """The line SigIgn of its status when SIGTERM is among the ignored; empty otherwise."""
    with open(f"/proc/{pid}/status") as status:  # noqa: PTH123
        line = next(line for line in status if line.startswith("SigIgn"))
    return line if int(line.split()[1], 16) & (1 << (signal.SIGTERM - 1)) else ""
