"""`research follow`: what happens is said as it comes, to the verdict, whatever restarts meanwhile."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from django.db import connection

from research.lifecycle.states import Kind, Reason, State
from research.models import Cover, Operation, Research, Worker
from research.models.clock import DatabaseNow, In
from research.phases.base import Leaves
from research.services import absorb, researches
from research.services.change import change
from tests.integration.commands.process import Running, run
from tests.integration.services_data import rows
from tests.integration.services_data.rows import finish
from tests.unit.engine_b.cast import SPEC

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.django_db(transaction=True)
WHY = ["Rejected: there is no reason to believe in it.", "19 trades; at least 30 are needed."]


@pytest.fixture(autouse=True)
def _heard(transactional_db: None) -> None:
    Cover.objects.update_or_create(id=1, defaults={"up_since": DatabaseNow(), "noted_at": In(600)})


def attentive() -> Worker:
    """A worker that does not fall silent, however long a busy machine takes to start the command."""
    worker = rows.worker("gpu")
    Worker.objects.filter(pk=worker.pk).update(last_seen_at=In(600))
    return worker


def conclude(parent: Research) -> None:
    """Its live operation ends; then through the states on the way to a verdict."""
    for live in Operation.objects.live().filter(research=parent):
        rows.completed(live)
    for state in (State.BACKTESTING, State.ASSESSING):
        rows.move(parent, state)
    with change() as record:
        verdict, metrics = {"label": "reject", "why": WHY}, {"sharpe": 0.21, "trades": 19, "max_drawdown": -0.3}
        researches.complete(record, parent, verdict=verdict, metrics=metrics)


def test_it_follows_to_the_verdict_in_words_and_the_measures(tmp_path: Path) -> None:
    parent = rows.research()
    operation = rows.running(attentive(), parent)
    with Running(tmp_path, "research", "follow", str(parent.pk)) as follower:
        Operation.objects.filter(pk=operation.pk).update(unit=30, units=80, fraction=0.375, progress_message="fold 2")
        follower.wait_said("37.5 %  30/80 epochs")
        rows.lost(operation)
        follower.wait_said("Its worker is gone.")
        conclude(parent)
        follower.wait_said("Verdict: REJECT")
        assert follower.ended() == 0
        said = follower.said
    assert "\x1b" not in said, "no colours where nobody looks"
    assert "19 trades; at least 30 are needed." in said
    assert "worst draw-down" in said
    assert "-30.0 %" in said


def test_a_research_that_failed_ends_it_with_exit_code_1(tmp_path: Path) -> None:
    parent = rows.research()
    with change() as record:
        researches.fail(record, parent, reason=Reason.GAVE_UP, message="The training was lost 5 times in a row.")
    done = run(tmp_path, "research", "follow", str(parent.pk))
    assert done.returncode == 1
    assert f"Research {parent.pk} failed: The training was lost 5 times in a row." in done.stdout
    assert f"manage.py research resume {parent.pk}" in done.stdout


def test_ctrl_c_stops_following_and_the_research_goes_on(tmp_path: Path) -> None:
    parent = rows.research()
    rows.running(attentive(), parent)
    with Running(tmp_path, "research", "follow", str(parent.pk)) as follower:
        follower.wait_said("training")
        follower.interrupt()
        assert follower.ended() == 130
        assert f"Not followed any more; research {parent.pk} goes on." in follower.said
    assert Research.objects.get().state == State.TRAINING


def test_it_says_that_the_database_is_away_and_goes_on_when_it_is_back(tmp_path: Path) -> None:
    parent = rows.research()
    rows.running(attentive(), parent)
    with Running(tmp_path, "research", "follow", str(parent.pk)) as follower:
        follower.wait_said("training")
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
            assert cursor.fetchone()[0] >= 1
        follower.wait_said("The database does not answer; waiting for it.")
        follower.wait_said("The database is back.")
        conclude(parent)
        follower.wait_said("Verdict: REJECT")
        assert follower.ended() == 0


def test_it_says_that_no_web_server_hears_the_workers(tmp_path: Path) -> None:
    parent = rows.research()
    rows.running(attentive(), parent)
    Cover.objects.update(noted_at=In(-5))
    with Running(tmp_path, "research", "follow", str(parent.pk)) as follower:
        follower.wait_said("no web server can hear the workers: they go on")


def test_a_terminal_gets_one_line_that_is_redrawn(tmp_path: Path) -> None:
    parent = rows.research()
    operation = rows.running(attentive(), parent)
    Operation.objects.filter(pk=operation.pk).update(unit=40, units=80, fraction=0.5, progress_message="fold 2 of 4")
    with Running(tmp_path, "research", "follow", str(parent.pk), tty=True) as follower:
        follower.wait_said("\r\x1b[K\x1b[36mtraining     ████████████░░░░░░░░░░░░   50.0 %  40/80 epochs")
        conclude(parent)
        follower.wait_said("\x1b[31mREJECT\x1b[0m")
        assert follower.ended() == 0


def test_with_json_only_the_end_is_printed(tmp_path: Path) -> None:
    parent = finish(rows.research())
    other = rows.research(State.PENDING)
    done = run(tmp_path, "research", "follow", str(parent.pk), "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["state"] == "completed"
    with change() as record:
        researches.fail(record, other, reason=Reason.ERROR, message="No.")
    done = run(tmp_path, "research", "follow", str(parent.pk), str(other.pk), "--json")
    assert done.returncode == 1
    assert [one["state"] for one in json.loads(done.stdout)] == ["completed", "failed"]


def test_several_are_followed_together(tmp_path: Path) -> None:
    first = finish(rows.research())
    second = rows.research()
    with Running(tmp_path, "research", "follow", str(first.pk), str(second.pk)) as follower:
        follower.wait_said("1 of 2 done")
        conclude(second)
        assert follower.ended() == 0
        assert f"Research {second.pk}: Rejected: there is no reason" in follower.said


def test_start_with_follow_shows_it_from_the_beginning(tmp_path: Path) -> None:
    rows.dataset()
    strategy = tmp_path / "strategy.json"
    strategy.write_text(json.dumps({**SPEC, "data": {"symbol": "ACME", "timeframe": "1d"}}))
    with Running(tmp_path, "research", "start", "calm", "--strategy", str(strategy), "--follow") as follower:
        follower.wait_said("no coordinator leads: start a cluster")
        parent = Research.objects.get()
        with change() as record:
            researches.begin(record, parent, State.TRAINING)
        follower.wait_said(f"Research {parent.pk} begins training.")
        operation = rows.completed(rows.running(attentive(), parent, Kind.TRAINING))
        with change() as record:
            gate = {"passed": False, "checks": [{"text": "It learned nothing.", "passed": False}]}
            absorb.absorb(record, parent, operation, Leaves(State.BACKTESTING, "On to it.", gates={"training": gate}))
        follower.wait_said("did not pass its gate: It learned nothing.")
        researches.cancel(parent.pk, user="ada")
        follower.wait_said("ada asked to cancel")
        assert follower.ended() == 1


def test_exit_codes_are_those_promised(tmp_path: Path) -> None:
    rows.dataset()
    assert run(tmp_path, "research", "show", "99").returncode == 1
    refused = run(tmp_path, "research", "start", "x", "--set", "training.epochs=0")
    assert refused.returncode == 2
    assert refused.stderr.startswith("CommandError: The strategy has 1 problem:\n- training.epochs:")
    assert run(tmp_path, "recovery", "check").returncode == 0
    assert run(tmp_path, "data", "load").returncode == 2
