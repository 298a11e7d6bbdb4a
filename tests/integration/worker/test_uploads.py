"""What has to reach the backend beside the calls: checkpoints, artifacts, and more measures than one call takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.waiting import wait_until
from workers.agent.operation import METRICS_PER_CALL

if TYPE_CHECKING:
    from tests.integration.worker.backend import Backend
    from tests.integration.worker.conftest import Start

MANY = 2 * METRICS_PER_CALL + 500


def test_every_measure_of_a_result_that_waited_in_the_spool_is_told_before_it_counts(
    backend: Backend, start: Start
) -> None:
    worker = start()
    backend.give(7, units=MANY, every=1000)
    backend.wait_report(7, lambda _: True, "it is there")
    backend.stop()
    wait_until(lambda: worker.spooled(7) is not None, what="its result is in the spool")
    worker.kill()
    before = len(backend.calls)
    backend.start()
    again = start()
    wait_until(again.spool_is_empty, what="it is acknowledged")
    reports = [report for call in backend.calls[before:] if (report := call.of(7)) is not None]
    assert {report.state for report in reports} == {"completed"}, "a later life never says that it runs"
    assert {point.unit for report in reports for point in report.metrics} == set(range(MANY))
    assert [report.more for report in reports][-1] is False
    assert all((report.result is None) == report.more for report in reports)


def test_an_upload_nobody_answers_is_tried_again_while_the_calls_go_on(backend: Backend, start: Start) -> None:
    worker = start()
    backend.mute = 1
    backend.give(7, units=1000, pause=0.05)
    wait_until(lambda: backend.mute == 0, what="an upload hangs")
    backend.wait_calls(20)
    assert not any(name.startswith("7/checkpoints/") for name in backend.stored), "it still hangs"
    wait_until(lambda: any(name.startswith("7/checkpoints/") for name in backend.stored), timeout=10, what="sent again")
    assert "failed, tried again later" in worker.text
