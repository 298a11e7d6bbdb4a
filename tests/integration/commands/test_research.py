"""`manage.py research start / list / show / cancel / resume`."""

from __future__ import annotations

import json
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import call_command
from django_q.models import OrmQ

from research.lifecycle.states import State
from research.models import Event, Research
from tests.integration.commands.calls import answer, refusal, said
from tests.integration.services_data import rows
from tests.unit.engine_b.cast import SPEC

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.django_db(transaction=True)
METRICS = {"sharpe", "cagr", "max_drawdown", "trades", "exposure", "turnover", "psr", "dsr"}
SHOWN = {
    "id", "brief", "state", "waiting_for", "seed", "memory_seq", "verdict", "metrics", "model_sha256", "trades_sha256",
    "equity_sha256", "operations", "events",
}  # fmt: skip
OPERATION = {
    "id", "kind", "status", "reason", "message", "runner", "attempt", "continues", "resumed_from_unit", "unit", "units",
    "started_at", "ended_at",
}  # fmt: skip


@pytest.fixture
def strategy(tmp_path: Path) -> Path:
    path = tmp_path / "strategy.json"
    path.write_text(json.dumps({**SPEC, "data": {"symbol": "ACME", "timeframe": "1d"}}))
    return path


def test_a_research_is_started_recorded_and_a_coordinator_called() -> None:
    rows.dataset()
    made = answer("research", "start", "momentum", "--symbol", "ACME", "--seed", "7", "--priority", "3")
    assert set(made) >= SHOWN
    assert set(made["metrics"]) == METRICS
    assert (made["state"], made["seed"], made["priority"]) == ("pending", 7, 3)
    assert Event.objects.get(code="research.created").user
    assert OrmQ.objects.count() == 1


def test_several_get_seeds_in_a_row_and_random_ones_differ() -> None:
    rows.dataset()
    assert [one["seed"] for one in answer("research", "start", "x", "--seed", "5", "--count", "3")] == [5, 6, 7]
    assert len({one["seed"] for one in answer("research", "start", "x", "--count", "3")}) == 3


def test_changes_are_part_of_a_given_strategy(strategy: Path) -> None:
    rows.dataset()
    changes = ("--set", "training.epochs=5000", "--set", "training.patience=null")
    made = answer("research", "start", "given", "--strategy", str(strategy), *changes)
    training = Research.objects.get(pk=made["id"]).given["training"]
    assert (training["epochs"], training["patience"]) == (5000, None)


def test_a_symbol_given_beside_a_strategy_wins(strategy: Path) -> None:
    rows.dataset()
    rows.dataset("OTHER")
    made = answer("research", "start", "given", "--strategy", str(strategy), "--symbol", "OTHER")
    row = Research.objects.get(pk=made["id"])
    assert (row.symbol, row.given["data"]["symbol"]) == ("OTHER", "OTHER")


@pytest.mark.parametrize(
    ("more", "what"),
    [
        (("--symbol", "NONE"), "No data for NONE. There is: ACME 1d. Load some"),
        (("--set", "training.epoch=5"), "unknown key 'epoch'; did you mean 'epochs'?"),
        (("--set", "training.epochs"), "write PATH=VALUE"),
        (("--set", "training.epochs=0"), "training.epochs"),
        (("--designer", "nobody"), "unknown designer 'nobody'; known: evolution"),
        (("--seed", "-1"), "seed must be between 0"),
        (("--count", "0"), "--count is 0: write a number from 1 to 1000"),
        (("--strategy", "nowhere.yaml"), "nowhere.yaml cannot be read: No such file"),
    ],
)
def test_what_cannot_be_started_is_refused_and_nothing_is_written(more: tuple[str, ...], what: str) -> None:
    rows.dataset()
    problem = refusal("research", "start", "x", "--count", "2", *more)
    assert what in str(problem)
    assert problem.returncode == 2
    assert not Research.objects.exists()


def test_an_empty_brief_is_refused() -> None:
    rows.dataset()
    assert "The brief is empty" in str(refusal("research", "start", "  "))


def test_every_fault_of_a_strategy_is_named_with_its_place(strategy: Path) -> None:
    rows.dataset()
    spec = json.loads(strategy.read_text())
    spec["indicators"]["rsi14"]["function"] = "rsj"
    spec["training"]["epochs"] = 0
    strategy.write_text(json.dumps(spec))
    lines = str(refusal("research", "start", "x", "--strategy", str(strategy))).splitlines()
    assert any(line.startswith("- indicators.rsi14.function: unknown function 'rsj'") for line in lines)
    assert any(line.startswith("- training.epochs:") for line in lines)
    strategy.write_text("name: x\n  data: [")
    assert "line 2, column" in str(refusal("research", "start", "x", "--strategy", str(strategy)))
    assert not Research.objects.exists()


def test_the_list_is_the_newest_first_and_keeps_to_states() -> None:
    assert "No research yet" in said("research", "list")
    first, second = rows.research(State.PENDING), rows.research(State.TRAINING)
    assert [one["id"] for one in answer("research", "list")] == [second.pk, first.pk]
    assert [one["id"] for one in answer("research", "list", "--state", "pending")] == [first.pk]
    lines = said("research", "list").splitlines()
    assert lines[0].split() == ["ID", "STATE", "DATA", "BRIEF", "STANDING"]
    assert lines[1].split()[:2] == [str(second.pk), "training"]


def test_a_research_shows_its_operations_and_why_they_ended() -> None:
    parent = rows.research()
    first = rows.lost(rows.running(rows.worker("gpu"), parent))
    rows.running(rows.worker("cpu"), parent, continues=first.pk)
    found = answer("research", "show", str(parent.pk))
    assert set(found) >= SHOWN
    assert set(found["operations"][0]) >= OPERATION
    assert [one["reason"] for one in found["operations"]] == ["orphaned", ""]
    text = said("research", "show", str(parent.pk))
    assert f"{first.pk}, its beginning" in text
    assert "Its worker is gone." in text


def test_a_research_that_is_not_there_is_said() -> None:
    for action in ("show", "cancel", "resume"):
        problem = refusal("research", action, "99")
        assert "There is no research 99" in str(problem)
        assert problem.returncode == 1


def test_cancel_and_resume_work_once_each_and_say_who() -> None:
    parent = rows.research()
    rows.running(rows.worker("gpu"), parent)
    assert "is cancelled" in said("research", "cancel", str(parent.pk))
    assert "already cancelled" in str(refusal("research", "cancel", str(parent.pk)))
    assert answer("research", "resume", str(parent.pk))["state"] == "pending"
    assert "only a failed or cancelled one" in str(refusal("research", "resume", str(parent.pk)))
    assert all(Event.objects.filter(topic="operator").values_list("user", flat=True))


def test_of_several_each_is_resumed_or_refused_by_itself() -> None:
    first, second, third = (str(rows.research().pk) for _ in range(3))
    text = said("research", "cancel", first, second)
    assert f"Research {first} is cancelled." in text
    assert f"manage.py research resume {first} {second}" in text
    with pytest.raises(SystemExit) as ended:
        said("research", "resume", first, third, second, "99")
    assert ended.value.code == 1
    assert [Research.objects.get(pk=one).state for one in (first, second, third)] == ["pending", "pending", "training"]
    found = answer_of_refused("research", "cancel", first, "99")
    assert [(one["id"], one.get("state"), one.get("error", "")[:22]) for one in found] == [
        (int(first), "cancelled", ""), (99, None, "There is no research 9"),
    ]  # fmt: skip


def answer_of_refused(*command: str) -> list[dict[str, Any]]:
    """What it answers with --json although it ends with 1."""
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command(*command, "--json", stdout=out)
    found: list[dict[str, Any]] = json.loads(out.getvalue())
    return found
