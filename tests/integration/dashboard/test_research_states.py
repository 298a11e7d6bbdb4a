"""What the page says in every state of a research."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING

import pytest

from research.dashboard.selectors import research_training
from research.models import Artifact, Measure, Operation, Research
from research.services import blobs
from tests.integration.dashboard import research_story as story

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db(transaction=True)


def text_of(client: Client, research: Research, part: str = "") -> str:
    """The words of the page or of a part, blanks as one."""
    answer = client.get(f"/research/{research.pk}" + (f"/part/{part}" if part else ""))
    assert answer.status_code == 200
    body = answer.content.decode().partition("<main")[2] or answer.content.decode()
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def test_a_pending_research_says_what_it_waits_for_and_what_comes_first(viewer: Client) -> None:
    text = text_of(viewer, story.pending())
    assert "no coordinator leads: start a cluster" in text
    assert "No verdict yet The research has not begun." in text
    assert "The first one is queued as soon as the research has a place." in text
    assert "No training yet The design comes first." in text
    assert "No strategy yet The design proposes one." in text
    assert "Decided when the training is complete." in text
    assert "Strategy SHA-256 comes with the design" in text


def test_a_research_of_the_command_line_has_no_name_of_a_user_and_one_of_a_user_has(
    viewer: Client, operator: Client
) -> None:
    from django.contrib.auth import get_user_model

    assert "Started by the command line" in text_of(viewer, story.pending(), "head")
    olga = get_user_model().objects.get(username="olga")
    assert "Started by olga" in text_of(viewer, story.pending(olga), "head")


def test_a_research_with_a_single_operation_has_its_timeline(viewer: Client) -> None:
    text = text_of(viewer, story.designed(), "timeline")
    assert "1 operation, from" in text
    assert "Design (operation" in text
    assert "cluster box pid 77" in text


def test_a_research_that_failed_in_its_design_says_why_and_shows_the_evidence(viewer: Client) -> None:
    research = story.failed_in_design()
    assert "Error: the work itself failed ValueError: no idea" in text_of(viewer, research, "head")
    timeline = text_of(viewer, research, "timeline")
    assert "(design on cluster box pid 77) failed. ValueError: no idea Nothing continued it." in timeline
    assert "traceback line 1 line 2" in timeline
    rest = text_of(viewer, research)
    assert "The research failed before its assessment. Resume it to go on." in rest
    assert "The research ended before its design was complete." in rest
    assert "The research ended before its backtest was complete." in rest


def test_the_steps_of_a_research_that_failed_show_where_it_stopped(viewer: Client) -> None:
    research = story.failed_with_orphans()
    head = viewer.get(f"/research/{research.pk}/part/head").content.decode()
    assert re.findall(r'<li class="(\w+)"', head) == ["done", "now", "later", "later"]


def test_a_running_training_shows_its_progress_and_its_curve(viewer: Client) -> None:
    research, operation = story.training_runs()
    head = text_of(viewer, research, "head")
    assert f"{operation.unit} of {operation.units} epochs" in head
    assert f"operation {operation.pk} on gpu-1" in head
    curve = text_of(viewer, research, "training")
    assert "validation loss" in curve
    assert f"1 model, {story.STOPPED_AFTER} epochs." in curve


def test_the_curve_grows_with_every_epoch_that_is_told(viewer: Client) -> None:
    research, operation = story.training_runs()
    before = viewer.get(f"/research/{research.pk}/part/training").content.decode()
    values = {"fold": 0, "seed": 1, "epoch": 1, "loss": 0.9, "validation_loss": 0.8}
    Measure.objects.create(operation=operation, unit=13, values=values)
    after = viewer.get(f"/research/{research.pk}/part/training").content.decode()
    assert len(after) > len(before)
    assert "2 models, 6 epochs." in after


def test_a_very_long_training_is_thinned_out_by_the_database_and_says_so(
    viewer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(research_training, "MOST_POINTS", 50)
    research, operation = story.training_runs()
    values = {"fold": 0, "seed": 1, "loss": 0.9, "validation_loss": 0.8}
    Measure.objects.bulk_create(
        Measure(operation=operation, unit=100 + at, values=values | {"epoch": at}) for at in range(400)
    )
    answer = viewer.get(f"/research/{research.pk}/part/training")
    assert "1 of 9 epochs is drawn" in text_of(viewer, research, "training")
    path = re.search(r'class="plot-line series-1" d="([^"]*)"', answer.content.decode().partition("preserveAspect")[2])
    assert path is not None
    assert 30 < path[1].count("L") < 60


def test_a_lost_worker_and_who_went_on_are_told_with_the_evidence(viewer: Client) -> None:
    research, first, second = story.taken_over()
    timeline = text_of(viewer, research, "timeline")
    assert (
        f"Operation {first.pk} (training on worker gpu-1) was orphaned at {first.unit} of {first.units} epochs"
        in timeline
    )
    assert "Its worker fell silent and the lease ran out." in timeline
    assert f"Operation {second.pk} continued from unit {second.resumed_from_unit} on worker gpu-2." in timeline
    assert "late 1.5 s" in timeline
    assert "rule lease" in timeline
    assert "Warning Its worker fell silent" in text_of(viewer, research, "events")
    assert "Runners lost 1" in text_of(viewer, research, "head")


def test_the_epoch_at_which_another_worker_went_on_is_marked_in_the_curve(viewer: Client) -> None:
    research = story.trained()
    second = Operation.objects.get(research=research, kind="training", status="completed")
    assert f"operation {second.pk} goes on" in text_of(viewer, research, "training")


def test_a_research_that_was_given_up_shows_every_orphan(viewer: Client) -> None:
    research = story.failed_with_orphans(3)
    assert "Gave up: lost too often without progress" in text_of(viewer, research, "head")
    timeline = text_of(viewer, research, "timeline")
    assert timeline.count("was orphaned.") == 3
    assert timeline.count("began again from its beginning") == 2
    assert "Nothing continued it." in timeline


def test_a_completed_research_shows_verdict_tests_and_measures_beside_the_alternatives(viewer: Client) -> None:
    research = story.assessed()
    research.refresh_from_db()
    assert research.verdict is not None
    text = text_of(viewer, research, "verdict")
    assert {"reject": "Reject", "inconclusive": "Inconclusive", "promising": "Promising"}[
        research.verdict["label"]
    ] in text
    for sentence in research.verdict["why"][1:]:
        assert sentence in text
    assert "Deflated Sharpe" in text
    assert "Buy and hold SMA 50 > 200 Momentum 252" in text
    assert research.metrics is not None
    meaning = "mean over deviation of returns, annualised; above 1 is rare for long"
    assert f"Sharpe ratio {meaning} {research.metrics['sharpe']:.2f}" in text
    assert "Total return at so many times the costs: 0×" in text


def test_a_completed_research_shows_equity_folds_rules_and_hashes(viewer: Client) -> None:
    research = story.assessed()
    results = {one.kind: one.result or {} for one in Operation.objects.filter(research=research, status="completed")}
    text = text_of(viewer, research)
    assert "out of sample: 2000-08-" in text
    assert "buy and hold to" in text
    assert "The deepest loss from a high so far is" in text
    folds = text_of(viewer, research, "folds")
    assert f"{results['training']['folds'][0]['loss']:.4f}" in folds
    assert "Tested from" in folds
    assert "IF rsi14 is low AND trend5 is down THEN" in text
    assert "Fuzzy sets of rsi14" in text
    for kind, name in (("training", "model_sha256"), ("backtest", "trades_sha256"), ("backtest", "equity_sha256")):
        assert results[kind][name] in text_of(viewer, research, "provenance")
    gates = text_of(viewer, research, "gates")
    assert "Better than the base rate" in gates
    assert "Deepest drawdown" in gates


def test_a_fold_s_returns_multiply_to_the_whole(viewer: Client) -> None:
    research = story.assessed()
    result = Operation.objects.get(research=research, kind="backtest").result or {}
    folds = viewer.get(f"/research/{research.pk}/part/folds").content.decode()
    growth = 1.0
    for told in re.findall(r"<b>([+-][\d.]+)%</b>", folds):
        growth *= 1 + float(told) / 100
    assert growth - 1 == pytest.approx(result["metrics"]["total_return"], abs=0.005)


def test_a_skipped_backtest_says_that_it_was_skipped(viewer: Client) -> None:
    text = text_of(viewer, story.skipped_backtest())
    assert "The backtest was skipped: the trained weights are not finite" in text
    assert "Skipped with the backtest" in text
    assert "4 of 4 models diverged in training." in text


def test_a_curve_that_was_altered_is_not_shown_and_the_page_says_so(viewer: Client) -> None:
    research = story.assessed()
    artifact = Artifact.objects.get(operation__research=research, name="curve.json")
    blobs.delete(artifact.blob)
    text = text_of(viewer, research, "equity")
    assert "cannot be shown" in text
    assert "missing from the blob folder" in text
    assert "Walk-forward folds" in text_of(viewer, research)


def test_a_strategy_of_another_form_is_shown_as_it_is(viewer: Client) -> None:
    research = story.pending()
    Research.objects.filter(pk=research.pk).update(given={"name": "Of the future", "version": 9})
    text = text_of(viewer, research, "strategy")
    assert "Of another form" in text
    assert '"version": 9' in text


def test_versions_that_differ_between_training_and_backtest_are_pointed_out(viewer: Client) -> None:
    from research.dashboard.selectors.research_provenance import provenance
    from research.dashboard.selectors.research_rows import Rows

    research = story.assessed()
    assert provenance(Rows(research.pk)).differs == []
    rows = Rows(research.pk)
    rows.result("backtest")["environment"]["numpy"] = "1.0"  # type: ignore[arg-type]
    assert provenance(rows).differs == ["numpy"]


def test_a_part_reads_no_result_that_it_does_not_show(viewer: Client, django_assert_max_num_queries: object) -> None:
    research, _operation = story.training_runs()
    with django_assert_max_num_queries(12):  # type: ignore[operator]
        viewer.get(f"/research/{research.pk}/part/training")
    with django_assert_max_num_queries(45):  # type: ignore[operator]
        viewer.get(f"/research/{research.pk}")
