"""What a worker says of an operation, and what it is answered: level-triggered, so every call may come again."""

from __future__ import annotations

from typing import Any

import pytest

from research.lifecycle.states import Reason, Status
from research.models import Event, Measure, Operation, Research
from research.services import researches
from tests.support import factories
from tests.support.caller import Caller, completed, failed, interrupted, running
from workers.protocol import OperationReport

pytestmark = pytest.mark.django_db(transaction=True)


def everything() -> list[Any]:
    return [list(Operation.objects.order_by("id").values()), list(Research.objects.order_by("id").values()),
            Event.objects.count(), Measure.objects.count()]  # fmt: skip


@pytest.fixture
def gpu() -> Caller:
    return factories.worker()


def verdict(caller: Caller, *reports: OperationReport, **changes: Any) -> tuple[str, str]:
    [answer] = caller.sync(*reports, **changes).operations
    return answer.verdict, answer.reason


# 27: unknown, finished, someone else's -------------------------------------------------------------------------------


@pytest.mark.scenario(27)
@pytest.mark.parametrize("state", ["running", "completed", "failed", "interrupted"])
def test_a_report_about_an_operation_nobody_knows_creates_nothing(gpu: Caller, state: str) -> None:
    before = everything()
    report = {"running": running(999, 3), "completed": completed(999, {}), "failed": failed(999),
              "interrupted": interrupted(999)}[state]  # fmt: skip
    assert verdict(gpu, report) == ("stop", "unknown")
    assert everything() == before


@pytest.mark.scenario(27)
@pytest.mark.parametrize("make", [lambda pk: running(pk, 3), lambda pk: completed(pk, {}), failed, interrupted])
def test_a_report_about_someone_elses_operation_changes_nothing(gpu: Caller, make: Any) -> None:
    training = factories.training_on(factories.worker("owner"))
    before = everything()
    assert verdict(gpu, make(training.pk)) == ("stop", "unknown")
    assert everything() == before


@pytest.mark.scenario(27)
@pytest.mark.parametrize("make", [lambda pk: running(pk, 3), lambda pk: completed(pk, {}), failed, interrupted])
def test_a_report_about_a_queued_operation_changes_nothing(gpu: Caller, make: Any) -> None:
    factories.training_on(gpu)
    waiting = factories.queued(factories.training_research())
    before = everything()
    assert verdict(gpu, make(waiting.pk)) == ("stop", "unknown")
    assert [one for one in everything()[0] if one["id"] == waiting.pk] == [
        one for one in before[0] if one["id"] == waiting.pk
    ]


@pytest.mark.scenario(27, 36)
def test_a_zombies_reports_after_a_take_over_are_refused(gpu: Caller) -> None:
    """Scenarios 16 and 36: its own operation is finished; `stop` empties its spool."""
    training = factories.training_on(gpu)
    result = factories.training_result(training)
    factories.lost(training)
    heir = factories.training_on(factories.worker("heir"), training.research)
    before = everything()
    for report in (running(training, 90), completed(training, result), failed(training), interrupted(training)):
        assert verdict(gpu, report) == ("stop", "superseded")
    assert everything() == before
    factories.again(heir, Status.RUNNING)


@pytest.mark.scenario(21, 27)
def test_a_cancelled_operation_is_stopped_and_stays_cancelled(gpu: Caller) -> None:
    """Scenario 21: the result was on the way."""
    training = factories.training_on(gpu)
    result = factories.training_result(training)
    researches.cancel(training.research_id, user="ada")
    before = everything()
    for report in (running(training, 90), completed(training, result), failed(training)):
        assert verdict(gpu, report) == ("stop", "cancelled")
    assert everything() == before


# 36: said again ------------------------------------------------------------------------------------------------------


@pytest.mark.scenario(36)
def test_an_accepted_result_is_acknowledged_every_time(gpu: Caller) -> None:
    training = factories.training_on(gpu)
    report = completed(training, factories.training_result(training))
    assert verdict(gpu, report) == ("acknowledged", "")
    before = everything()
    assert [verdict(gpu, report) for _ in range(3)] == [("acknowledged", "")] * 3
    assert everything() == before


@pytest.mark.scenario(36)
@pytest.mark.parametrize("reason", [Reason.CRASHED, Reason.ERROR, Reason.INVALID_INPUT])
def test_an_accepted_failure_is_acknowledged_every_time(gpu: Caller, reason: Reason) -> None:
    training = factories.training_on(gpu)
    assert verdict(gpu, failed(training, reason)) == ("acknowledged", "")
    assert factories.again(training, Status.FAILED).reason == reason
    assert verdict(gpu, failed(training, reason)) == ("acknowledged", "")


@pytest.mark.scenario(36)
def test_an_accepted_hand_over_is_acknowledged_every_time(gpu: Caller) -> None:
    training = factories.training_on(gpu)
    assert verdict(gpu, interrupted(training), draining=True) == ("acknowledged", "")
    assert factories.again(training, Status.FAILED).reason == Reason.INTERRUPTED
    assert verdict(gpu, interrupted(training), draining=True) == ("acknowledged", "")


def test_a_failure_says_what_the_child_said(gpu: Caller) -> None:
    training = factories.training_on(gpu)
    error = {"reason": "crashed", "message": "Killed by SIGSEGV.", "exit_code": -11, "log_tail": "epoch 3"}
    gpu.sync(OperationReport.model_validate({"id": training.pk, "state": "failed", "error": error}))
    [event] = Event.objects.filter(code="operation.crashed")
    assert (event.data["exit_code"], event.data["log_tail"], event.worker) == (-11, "epoch 3", "gpu")


# 46: results that cannot be accepted yet, or ever --------------------------------------------------------------------


@pytest.mark.scenario(46)
def test_a_result_before_its_artifacts_waits(gpu: Caller) -> None:
    training = factories.training_on(gpu)
    early = completed(training, factories.training_result(training, store=False))
    [answer] = gpu.sync(early).operations
    assert (answer.verdict, answer.missing_artifacts) == ("continue", ["model.safetensors"])
    waiting = factories.again(training, Status.RUNNING)
    assert waiting.result is None
    factories.artifact(training, "model.safetensors")
    assert verdict(gpu, early) == ("acknowledged", "")


def test_a_result_whose_artifact_is_stored_with_another_hash_is_invalid(gpu: Caller) -> None:
    training = factories.training_on(gpu)
    factories.artifact(training, "model.safetensors", b"other")
    early = completed(training, factories.training_result(training, store=False))
    assert verdict(gpu, early) == ("stop", "invalid")
    assert "another SHA-256" in factories.again(training, Status.FAILED).message


BAD = [
    {},
    {"artifacts": {}},
    {"artifacts": []},
    {"artifacts": "model.safetensors", "model_sha256": "", "finite": True},
    {"artifacts": {"model.safetensors": None}, "model_sha256": "", "finite": True},
    {"artifacts": {"model.safetensors": {"sha256": 7}}, "model_sha256": "", "finite": True},
]


@pytest.mark.scenario(46)
@pytest.mark.parametrize("result", BAD, ids=range(len(BAD)))
def test_an_invalid_result_in_a_good_envelope_fails_its_operation_alone(gpu: Caller, result: dict[str, Any]) -> None:
    training = factories.training_on(gpu)
    factories.artifact(training, "model.safetensors")
    assert verdict(gpu, completed(training, result)) == ("stop", "invalid")
    over = factories.again(training, Status.FAILED)
    assert over.reason == Reason.ERROR
    assert "cannot be accepted" in over.message


ODD = [
    {"note": "null \x00 character"},
    {"skill": float("nan")},
    {"skill": float("inf")},
    {"deep": [{"a": [float("-inf")]}]},
]


@pytest.mark.scenario(46)
@pytest.mark.parametrize("more", ODD, ids=range(len(ODD)))
def test_a_result_the_database_cannot_hold_is_invalid_and_the_rest_of_the_call_counts(
    gpu: Caller, more: dict[str, Any]
) -> None:
    training = factories.training_on(gpu)
    result = factories.training_result(training, **more)
    answers = gpu.sync(completed(training, result), running(999)).operations
    assert [(one.verdict, one.reason) for one in answers] == [("stop", "invalid"), ("stop", "unknown")]
    assert factories.again(training, Status.FAILED).reason == Reason.ERROR
    assert gpu.row().seq == gpu.seq


def test_a_null_character_in_a_log_or_a_message_does_not_hide_a_crash(gpu: Caller) -> None:
    training = factories.training_on(gpu)
    error = {"reason": "crashed", "message": "Killed.\x00", "log_tail": "core \x00 dumped"}
    report = OperationReport.model_validate({"id": training.pk, "state": "failed", "error": error})
    assert verdict(gpu, report) == ("acknowledged", "")
    assert factories.again(training, Status.FAILED).reason == Reason.CRASHED


def test_a_progress_the_database_cannot_hold_does_not_stop_the_heartbeat(gpu: Caller) -> None:
    training = factories.training_on(gpu)
    progress = {"unit": 3, "units": 9, "fraction": 0.3, "message": "epoch\x003"}
    metrics = [{"unit": 1, "values": {"loss": float("nan")}}, {"unit": 2, "values": {"lo\x00ss": 0.5}}]
    report = {"id": training.pk, "state": "running", "progress": progress, "metrics": metrics}
    assert verdict(gpu, OperationReport.model_validate(report)) == ("continue", "")
    assert Operation.objects.get(pk=training.pk).unit == 3
    assert Measure.objects.get(unit=1).values == {"loss": None}


# Progress and measures -----------------------------------------------------------------------------------------------


def test_progress_never_falls_and_measures_are_stored_once(gpu: Caller) -> None:
    training = factories.training_on(gpu)
    point = {"unit": 1, "values": {"loss": 0.5}}
    gpu.sync(running(training, 40, metrics=[point]))
    [answer] = gpu.sync(running(training, 30, metrics=[point, {"unit": 2, "values": {"loss": 0.4}}])).operations
    assert answer.metrics_through == 2
    assert Operation.objects.get(pk=training.pk).unit == 40
    assert list(Measure.objects.values_list("unit", "values")) == [(1, {"loss": 0.5}), (2, {"loss": 0.4})]


def test_a_heartbeat_renews_the_lease(gpu: Caller) -> None:
    training = factories.training_on(gpu)
    before = factories.again(training, Status.RUNNING).lease_expires_at
    gpu.sync(running(training))
    after = factories.again(training, Status.RUNNING).lease_expires_at
    assert before is not None
    assert after is not None
    assert after > before


def test_a_host_with_odd_values_is_heard(gpu: Caller) -> None:
    gpu.sync(host={"hostname": "here", "machine": "here", "gpu": "odd\x00", "load": float("nan")})
    assert gpu.row().host["gpu"] == "odd\ufffd"
    assert gpu.row().host["load"] is None
