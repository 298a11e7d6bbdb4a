"""An agent that is left in peace: from its first call to an empty spool."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.worker.engine import MODEL
from tests.support.waiting import wait_until
from workers.protocol import InputRef

if TYPE_CHECKING:
    from tests.integration.worker.backend import Backend
    from tests.integration.worker.conftest import Start


def test_its_first_call_comes_at_once_and_before_anything_heavy_is_loaded(backend: Backend, start: Start) -> None:
    began = time.monotonic()
    worker = start()
    wait_until(lambda: backend.calls, what="the first call", interval=0.005)
    assert backend.calls[0].at - began < 1.0, "0.15 s on an idle machine"
    wait_until(worker.children, what="a child warms up")
    backend.wait_calls(3)
    loaded = Path(f"/proc/{worker.agent.pid}/maps").read_text()
    assert "pydantic_core" in loaded
    assert not any(heavy in loaded for heavy in ("numpy", "torch", "psycopg")), "only the child loads the engine"


def test_it_echoes_the_session_it_was_given(backend: Backend, start: Start) -> None:
    start()
    backend.wait_calls(2)
    first, second = (call.request for call in backend.calls[:2])
    assert (first.session, second.session) == (None, 1)
    assert first.incarnation == second.incarnation
    assert second.seq > first.seq
    assert second.host["cores"] >= 1


def test_an_operation_runs_to_its_end_and_leaves_nothing_in_the_spool(backend: Backend, start: Start) -> None:
    worker = start()
    backend.give(12, units=4, pause=0.05)
    end = backend.wait_end(12)
    assert end.result is not None
    assert (end.state, end.result["total"]) == ("completed", 6)
    assert backend.stored["12/artifacts/model"] == MODEL, "a result is told when its artifacts are there"
    assert [point.unit for report in backend.reports(12) for point in report.metrics][-1] == 3
    assert any(name.startswith("12/checkpoints/") for name in backend.stored)
    wait_until(worker.spool_is_empty, what="the acknowledged operation is gone")
    backend.give(13, units=1)
    assert backend.wait_end(13).state == "completed", "the next one follows"


def test_progress_is_told_beside_the_heartbeat(backend: Backend, start: Start) -> None:
    start()
    backend.give(1, units=20, pause=0.05)
    backend.wait_unit(1, 15)
    units = [report.progress.unit for report in backend.reports(1) if report.progress]
    assert units == sorted(units)
    assert len(set(units)) >= 3


def test_what_the_engine_prints_is_not_taken_for_its_word(backend: Backend, start: Start) -> None:
    worker = start()
    backend.give(1, units=2, at=1, do="print")
    assert backend.wait_end(1).state == "completed"
    assert all(report.checkpoint_unit in {None, 0, 1} for report in backend.reports(1))
    assert '"unit": 99' in worker.text


def test_an_input_is_fetched_once_and_kept(backend: Backend, start: Start, tmp_path: Path) -> None:
    start()
    ref = InputRef(name="bars", path="/bars.csv", **backend.offer("/bars.csv", b"1,2,3\n"))
    backend.give(1, inputs=[ref])
    backend.wait_end(1)
    backend.files.clear()
    backend.give(2, inputs=[ref])
    end = backend.wait_end(2)
    assert end.result is not None
    assert end.result["inputs"] == {"bars": 6}
    assert [path.name for path in (tmp_path / "data" / "cache").iterdir()] == [ref.sha256]


@pytest.mark.scenario(19, 44)
def test_it_goes_on_from_the_newest_checkpoint_that_is_whole(backend: Backend, start: Start) -> None:
    worker = start()
    newest = backend.checkpoint(5, 7, b'{"next": 8, "to', announced=b'{"next": 8, "total": 28}')
    foreign = backend.checkpoint(5, 6, b"not one of ours")
    usable = backend.checkpoint(5, 2, b'{"next": 3, "total": 3}')
    backend.give(6, units=5, checkpoints=[newest, foreign, usable])
    end = backend.wait_end(6)
    assert end.result is not None
    assert (end.state, end.result["from"], end.result["total"]) == ("completed", 3, 10)
    assert "checkpoints/7 not used" in worker.text
    assert "its checkpoint is unusable, the one before is tried: not one of ours" in worker.text


def test_without_any_usable_checkpoint_it_begins_at_the_beginning(backend: Backend, start: Start) -> None:
    start()
    backend.give(6, units=3, needs_beginning=True, checkpoints=[backend.checkpoint(5, 2, b'{"next": 3, "total": 3}')])
    end = backend.wait_end(6)
    assert end.result is not None
    assert (end.result["from"], end.result["total"]) == (0, 3)


def test_an_engine_that_fails_says_why_with_its_traceback(backend: Backend, start: Start) -> None:
    start()
    backend.give(1, at=1, do="raise")
    backend.give(2, at=1, do="refuse")
    error, refusal = backend.wait_end(1).error, backend.wait_end(2).error
    assert error is not None
    assert refusal is not None
    assert (error.reason, error.message) == ("error", "RuntimeError: the engine broke")
    assert "in _do" in error.log_tail
    assert (refusal.reason, refusal.message) == ("invalid_input", "no bars: load some")
