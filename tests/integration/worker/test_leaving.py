"""Asked to leave, a worker hands over what it has."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from tests.integration.worker.backend import Backend
    from tests.integration.worker.conftest import Start
    from tests.integration.worker.process import WorkerProcess


@pytest.fixture
def busy(backend: Backend, start: Start) -> WorkerProcess:
    """A worker in the midst of operation 3."""
    worker = start()
    backend.give(3, units=1000, pause=0.1)
    backend.wait_unit(3, 2)
    return worker


@pytest.mark.scenario(14)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_asked_to_leave_it_checkpoints_reports_interrupted_and_goes(
    backend: Backend, busy: WorkerProcess, number: int
) -> None:
    busy.send(number)
    end = backend.wait_end(3)
    assert busy.end() == 0
    assert end.state == "interrupted"
    assert end.checkpoint_unit is not None
    assert f"3/checkpoints/{end.checkpoint_unit}" in backend.stored, "handed over before it is told"
    assert busy.spool_is_empty()
    assert any(call.request.draining for call in backend.calls)


def test_a_repeated_sigterm_does_not_cut_the_hand_over_short(backend: Backend, busy: WorkerProcess) -> None:
    backend.drain = True
    wait_until(lambda: "drain asked for by the backend" in busy.text, what="it is asked from afar")
    busy.send(signal.SIGTERM)
    busy.send(signal.SIGTERM)
    assert backend.wait_end(3).state == "interrupted"
    assert busy.end() == 0


def test_a_second_ctrl_c_leaves_at_once(backend: Backend, start: Start) -> None:
    worker = start()
    backend.give(3, units=9, at=1, do="hang")
    backend.wait_unit(3, 1)
    worker.child()
    worker.send(signal.SIGINT)
    wait_until(lambda: "drain asked for by SIGINT" in worker.text, what="the first is heard")
    worker.send(signal.SIGINT)
    assert worker.end(timeout=3) == 128 + signal.SIGINT


def test_what_does_not_hand_over_in_time_is_interrupted_and_told_by_the_next(backend: Backend, start: Start) -> None:
    worker = start(KTRDR_DRAIN="0.5")
    backend.give(3, units=9, at=1, do="hang")
    backend.wait_unit(3, 1)
    worker.child()
    worker.send(signal.SIGTERM)
    assert worker.end() == 0
    assert "drain time (0.5 s) is up; left in the spool: 3" in worker.text
    start()
    assert backend.wait_end(3).state == "interrupted"


def test_while_the_backend_is_away_it_leaves_with_its_result_in_the_spool(backend: Backend, start: Start) -> None:
    worker = start(KTRDR_DRAIN="0.5")
    backend.give(3, units=8, pause=0.05)
    backend.wait_unit(3, 1)
    backend.stop()
    wait_until(lambda: worker.spooled(3) is not None, what="the result is in the spool")
    worker.send(signal.SIGTERM)
    assert worker.end() == 0
    backend.start()
    again = start()
    assert backend.wait_end(3).state == "completed"
    wait_until(again.spool_is_empty, what="it is acknowledged")


def test_several_slots_are_workers_of_their_own_and_leave_together(backend: Backend, start: Start) -> None:
    worker = start("--slots", "2", "--kinds=training,backtest")
    wait_until(lambda: {call.request.worker for call in backend.calls} == {"w-1", "w-2"}, what="both have called")
    worker.send(signal.SIGTERM)
    assert worker.end() == 0
