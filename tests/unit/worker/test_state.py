"""What an agent has and does, event by event."""

from __future__ import annotations

from tests.unit.worker.cast import (
    IDENTITY,
    LEASE,
    answer,
    assignment,
    at,
    connected,
    kinds,
    running,
    verdict,
)
from workers.agent.messages import DrainAsked, Ended, Leave, Prepared, Told, Unanswered, Uploaded
from workers.agent.state import State
from workers.durable import EXIT_DISK
from workers.protocol import MetricPoint
from workers.spool import Outcome

RESULT = Outcome(state="completed", result={"artifacts": {"model": {}}}, artifacts=["model"])


def test_the_first_call_carries_no_session_and_the_second_echoes_it() -> None:
    state = State("w")
    assert state.request(0, 0.0, IDENTITY).session is None
    assert kinds(state.handle(answer(0), 0.0)) == ["SyncNow"]
    assert state.request(1, 0.0, IDENTITY).session == 1


def test_only_an_idle_worker_lets_its_call_be_held() -> None:
    assert State("w").request(0, 0.0, IDENTITY).wait == 0
    assert connected().request(1, 0.0, IDENTITY).wait == 1.0
    assert running().request(2, 0.0, IDENTITY).wait == 0


def test_an_assignment_that_comes_twice_is_started_once() -> None:
    state = running()
    assert kinds(state.handle(answer(2, assignment=assignment()), 1.0)) == []
    state.handle(answer(3, verdict("stop")), 1.0)
    state.handle(Ended(7, -15), 1.0)
    assert not state.operations
    assert kinds(state.handle(answer(4, assignment=assignment()), 2.0)) == []


def test_a_late_answer_changes_nothing() -> None:
    state = running()
    assert state.handle(answer(1, verdict("stop")), 1.0) == []
    assert state.handle(answer(0, assignment=assignment(9)), 1.0) == []
    assert list(state.operations) == [7]


def test_a_slot_is_busy_until_its_cancelled_child_is_dead() -> None:
    state = running()
    assert kinds(state.handle(answer(2, verdict("stop")), 1.0)) == ["Kill"]
    state.handle(answer(3, assignment=assignment(8)), 1.0)
    assert kinds(state.handle(Prepared(8, {}, None), 1.0)) == [], "the old child still lives"
    assert kinds(state.handle(Ended(7, -15), 2.0)) == ["Forget", "SyncNow", "Start"]


def test_the_metrics_that_are_stored_are_not_sent_again() -> None:
    state = running()
    for unit in range(3):
        state.handle(Told(7, metric=MetricPoint(unit=unit, values={"loss": 1.0})), 1.0)
    [report] = state.request(2, 1.0, IDENTITY).operations
    assert [point.unit for point in report.metrics] == [0, 1, 2]
    state.handle(answer(2, verdict("continue", metrics_through=1)), 1.0)
    [report] = state.request(3, 1.0, IDENTITY).operations
    assert [point.unit for point in report.metrics] == [2]


def test_a_result_is_told_when_its_artifacts_are_stored() -> None:
    state = running()
    assert kinds(state.handle(Ended(7, 0, outcome=RESULT), 1.0)) == ["SyncNow"]
    assert state.request(2, 1.0, IDENTITY).operations[0].state == "running"
    [upload] = state.uploads(1.0)
    assert kinds(state.handle(Uploaded(7, upload.blob, "stored"), 1.0)) == ["SyncNow"]  # type: ignore[union-attr]
    report = state.request(3, 1.0, IDENTITY).operations[0]
    assert (report.state, report.result) == ("completed", RESULT.result)


def test_a_result_found_after_a_silent_lease_is_told_at_once_and_nothing_is_uploaded_before_the_answer() -> None:
    state = running()
    late = LEASE + 1
    state.handle(Ended(7, 0, outcome=RESULT), late)
    assert state.uploads(late) == []
    assert state.request(2, late, IDENTITY).operations[0].state == "completed"
    state.handle(answer(2, verdict("continue", missing_artifacts=["model"]), started=late), late)
    assert kinds(state.uploads(late)) == ["Upload"]


def test_an_acknowledged_and_a_stopped_result_leave_the_spool() -> None:
    for word in ("acknowledged", "stop"):
        state = running()
        state.handle(Ended(7, 0, outcome=RESULT), 1.0)
        assert kinds(state.handle(answer(2, verdict(word)), 1.0)) == ["Forget", "SyncNow"]
        assert not state.operations


def test_what_a_former_life_finished_is_told_from_the_first_call_on() -> None:
    state = State("w")
    state.restore({7: RESULT}, 0.0)
    assert state.request(0, 0.0, IDENTITY).operations[0].state == "completed"
    state.handle(answer(0), 0.0)
    assert state.request(1, 0.0, IDENTITY).operations[0].state == "completed", "no word of it in the first answer"
    assert state.handle(answer(1, verdict("continue"), assignment=assignment(7)), 0.0) == []


def test_a_crash_waits_a_moment_for_the_checkpoint_that_saves_its_work_but_not_for_ever() -> None:
    state = running()
    state.handle(Told(7, checkpoint=3), 1.0)
    state.handle(Ended(7, -9), 1.0)
    assert state.request(2, 1.0, IDENTITY).operations[0].state == "running"
    assert state.request(3, 3.1, IDENTITY).operations[0].state == "failed"


def test_another_worker_with_the_name_ends_it() -> None:
    [leave] = running().handle(Unanswered(2, "another worker took the name w: a newer start", 409), 1.0)
    assert leave == Leave(4, "another worker took the name w: a newer start")


def test_three_refusals_of_the_token_in_a_row_end_it_and_two_do_not() -> None:
    state = running()
    assert [state.handle(Unanswered(seq, "no", 401), 1.0) for seq in (2, 3)] == [[], []]
    state.handle(answer(4), 1.0)
    codes = [state.handle(Unanswered(seq, "no", 401), 1.0) for seq in (5, 6, 7)]
    assert codes[:2] == [[], []]
    assert codes[2] == [Leave(5, "the backend refuses the token of w: no")]


def test_a_drain_hands_over_and_then_leaves() -> None:
    state = running()
    state.handle(at(3), 1.0)
    assert kinds(state.handle(DrainAsked("SIGTERM"), 1.0)) == ["SyncNow", "AskToStop"]
    assert state.request(2, 1.0, IDENTITY).draining
    assert state.leave(1.0) == []
    state.handle(Ended(7, 0, outcome=Outcome(state="interrupted")), 2.0)
    state.handle(answer(2, verdict("acknowledged")), 2.0)
    assert state.leave(2.0) == [Leave(0, "drained")]


def test_a_drain_takes_no_work_and_ends_what_had_not_begun() -> None:
    state = connected()
    state.handle(answer(1, assignment=assignment()), 0.0)
    assert kinds(state.handle(DrainAsked("SIGTERM"), 1.0)) == ["SyncNow", "Write", "SyncNow"]
    assert state.operations[7].outcome == Outcome(state="interrupted")
    assert kinds(state.handle(answer(2, assignment=assignment(8)), 1.0)) == []


def test_a_drain_that_takes_too_long_spools_what_is_left_as_interrupted() -> None:
    state = running()
    state.handle(DrainAsked("SIGTERM"), 1.0)
    assert state.leave(1.0 + state.drain_s) == []
    effects = state.leave(1.1 + state.drain_s)
    assert kinds(effects) == ["HandOver", "Leave"]


def test_a_full_disk_crashes_the_operation_and_then_ends_the_worker() -> None:
    state = running()
    state.handle(Ended(7, EXIT_DISK, "spool/7 cannot be written: No space left on device"), 1.0)
    report = state.request(2, 1.0, IDENTITY).operations[0]
    assert report.error is not None
    assert report.error.reason == "crashed"
    assert "No space left on device" in report.error.message
    state.handle(answer(2, verdict("acknowledged")), 1.0)
    assert state.leave(1.0) == [Leave(EXIT_DISK, "its disk takes nothing more: make room")]


def test_an_unusable_checkpoint_falls_back_to_the_one_before_and_is_never_an_error() -> None:
    state = connected()
    older = {"operation": 5, "unit": 1, "sha256": "0" * 64, "size": 1}
    given = assignment(checkpoints=[older | {"unit": 2}, older])
    state.handle(answer(1, assignment=given), 0.0)
    from pathlib import Path

    state.handle(Prepared(7, {}, Path("newest"), (given.checkpoints[1],)), 0.0)
    state.handle(Told(7, unusable="damaged"), 1.0)
    [prepare] = state.handle(Ended(7, 3), 1.0)
    assert prepare.candidates == (given.checkpoints[1],)  # type: ignore[union-attr]
    state.handle(Prepared(7, {}, None), 1.0)
    state.handle(Told(7, unusable="I began without one"), 1.0)
    state.handle(Ended(7, 3), 1.0)
    error = state.operations[7].outcome.error  # type: ignore[union-attr]
    assert error is not None
    assert "refused a checkpoint it was not given" in error.message
