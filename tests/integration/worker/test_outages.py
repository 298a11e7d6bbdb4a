"""Calls are lost, late, refused or garbled; the work goes on and is told when it can be."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tests.integration.worker.backend import HEARTBEAT, LEASE
from tests.support.processes import alive
from tests.support.waiting import wait_until
from workers.protocol import OperationAnswer

if TYPE_CHECKING:
    from tests.integration.worker.backend import Backend
    from tests.integration.worker.conftest import Start


def test_an_outage_of_two_leases_stops_no_work_and_the_result_is_told_afterwards(
    backend: Backend, start: Start
) -> None:
    worker = start()
    backend.give(7, units=20, pause=0.05)
    backend.wait_unit(7, 3)
    child = worker.child()
    backend.stop()
    gone = time.monotonic()
    wait_until(lambda: worker.spooled(7) is not None, what="it works on to its end")
    assert not child.is_running() or not alive(child.pid)
    wait_until(lambda: time.monotonic() - gone > 2 * LEASE, what="two leases have passed")
    stored = set(backend.stored)
    back = time.monotonic()
    backend.start()
    end = backend.wait_end(7)
    assert end.result is not None
    assert (end.result["from"], end.result["total"]) == (0, 190), "it was not begun anew"
    wait_until(worker.spool_is_empty, what="it is acknowledged")
    first = next(call for call in backend.calls if call.at > back)
    report = first.of(7)
    assert report is not None
    assert report.state == "completed", "the first call after the outage tells it"
    assert set(backend.stored) - stored == {"7/artifacts/model"}
    assert worker.text.count("no sync with") == 1, "an outage is one line"
    assert "the backend answers again" in worker.text


def test_after_a_silent_lease_nothing_is_uploaded_before_the_operation_is_confirmed(
    backend: Backend, start: Start
) -> None:
    start()
    backend.give(7, units=1000, pause=0.05)
    backend.wait_report(7, lambda one: (one.checkpoint_unit or 0) > 3, "it checkpoints")
    backend.odd.extend([503] * 10_000)
    gone = time.monotonic()
    wait_until(lambda: time.monotonic() - gone > LEASE + 0.3, what="a lease has passed")
    quiet = set(backend.stored)
    wait_until(lambda: time.monotonic() - gone > LEASE + 0.8, what="a while more")
    assert set(backend.stored) == quiet, "uploads answer, but who knows whose operation it is by now"
    backend.odd.clear()
    wait_until(lambda: set(backend.stored) > quiet, what="confirmed, it uploads again")


def test_a_lost_acknowledgement_is_asked_for_again(backend: Backend, start: Start) -> None:
    worker = start()
    backend.give(7, units=1, pause=0.3)
    backend.wait_report(7, lambda _: True, "it is there")
    backend.odd.extend(["lose"] * 6)
    backend.wait_end(7)
    wait_until(worker.spool_is_empty, what="it is acknowledged")
    assert sum(report.state == "completed" for report in backend.reports(7)) >= 2


def test_odd_answers_are_borne(backend: Backend, start: Start) -> None:
    start()
    backend.give(7, units=60, pause=0.03)
    backend.wait_unit(7, 1)
    for odd in ("reset", "lose", 500, 503, 404):
        backend.odd.extend([odd] * 3)
        wait_until(lambda: not backend.odd, what=f"{odd} was answered three times")
        backend.wait_calls(1)
    end = backend.wait_end(7)
    assert end.result is not None
    assert (end.state, end.result["from"]) == ("completed", 0)


def test_a_call_that_hangs_does_not_keep_the_next_waiting(backend: Backend, start: Start) -> None:
    start()
    backend.give(7, units=1000, pause=0.05)
    backend.wait_unit(7, 1)
    backend.odd.append(3.0)
    before = time.monotonic()
    wait_until(lambda: not backend.odd, what="a call hangs")
    backend.wait_calls(3)
    assert time.monotonic() - before < 1.5, "another was started beside it"


def test_calls_come_by_the_heartbeat_and_after_failures_not_in_a_flood(backend: Backend, start: Start) -> None:
    start()
    backend.wait_calls(3)
    backend.odd.extend([503] * 10_000)
    began = time.monotonic()
    wait_until(lambda: time.monotonic() - began > 1, what="a second of refusals")
    tries = 10_000 - len(backend.odd)
    assert 3 <= tries <= 4 / HEARTBEAT


def test_stop_ends_the_child_and_empties_the_spool(backend: Backend, start: Start) -> None:
    worker = start()
    backend.give(7, units=1000, pause=0.05)
    backend.wait_unit(7, 1)
    child = worker.child()
    backend.verdicts[7] = OperationAnswer(id=7, verdict="stop", reason="cancelled")
    wait_until(lambda: not alive(child.pid), timeout=5, what="the child is dead")
    wait_until(worker.spool_is_empty, what="nothing of it is kept")
    backend.give(8)
    assert backend.wait_end(8).state == "completed"
    assert all(report.state == "running" for report in backend.reports(7)), "a cancelled operation tells no end"


def test_a_report_the_backend_cannot_use_is_said_once_as_our_error(backend: Backend, start: Start) -> None:
    worker = start()
    backend.wait_calls(2)
    backend.odd.extend([422] * 5)
    wait_until(lambda: not backend.odd, what="five calls were refused")
    wait_until(lambda: "the backend answers again" in worker.text, what="it went on")
    assert worker.text.count("BUG: the backend could not use this worker's report: 422 odd 422") == 1


def test_a_backend_that_is_not_there_yet_is_waited_for(backend: Backend, start: Start) -> None:
    backend.stop()
    worker = start()
    wait_until(lambda: "Connection refused" in worker.text, what="it says so")
    assert f"no sync with {backend.url}" in worker.text
    backend.start()
    backend.wait_calls(2)


def test_a_redirect_is_told_with_the_address_to_use(backend: Backend, start: Start) -> None:
    backend.odd.append(301)
    worker = start()
    wait_until(lambda: "it redirects to https://elsewhere.example/: give that as the URL" in worker.text, what="said")
