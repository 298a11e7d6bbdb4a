"""Figures, checks and evidence in words."""

from __future__ import annotations

import math
from typing import Any

import pytest

from research.dashboard.selectors.research_evidence import facts
from research.dashboard.selectors.research_figures import MEASURES, checks, percent, say
from research.dashboard.selectors.research_strategy import rules, terms
from research.phases.gates import backtest_gate, training_gate
from research.selectors.researches import METRICS


@pytest.mark.parametrize("value", [None, math.nan, math.inf, "0.5", True, {}])
def test_what_is_no_number_is_a_dash(value: Any) -> None:
    assert say(value, percent) == "–"


def test_every_measure_of_a_research_is_explained() -> None:
    assert [one.key for one in MEASURES] == list(METRICS)
    assert all(one.meaning for one in MEASURES)


def test_every_test_of_both_gates_has_a_name_and_a_threshold_in_words() -> None:
    base = {"z": -2.6, "skill": -0.0161, "score_deviation": 0.1, "target_deviation": 1.0}
    trained = training_gate({"diverged": 0, "finite": True, "base_rate": base, "history": [1, 2]})
    metrics = {"trades": 17, "max_drawdown": 0.579, "total_return": 1.4}
    traded = backtest_gate({"metrics": metrics, "cost_sensitivity": [{"factor": 0, "total_return": 1.5}]})
    said = [(one.name, one.value, one.threshold) for one in checks(trained["checks"] + traded["checks"])]
    assert said == [
        ("Diverged models", "0", "at most 0"),
        ("Movement of the scores", "10.0%", "at least 1.0%"),
        ("Better than the base rate, standard errors", "-2.60", "at least +1.64"),
        ("Trades", "17", "at least 30"),
        ("Deepest drawdown", "57.9%", "at most 50.0%"),
        ("Return after costs", "+140.0%", "above 0"),
    ]


def test_a_test_nobody_knows_keeps_its_name() -> None:
    [one] = checks([{"name": "new_kind_of_test", "value": math.nan, "threshold": 2, "passed": 0, "text": "?"}])
    assert (one.name, one.value, one.threshold, one.passed) == ("New kind of test", "–", "2.00", False)


def test_checks_of_nothing_are_none() -> None:
    assert checks(None) == checks([]) == []


def test_evidence_leaves_out_what_is_empty_and_names_seconds() -> None:
    found = facts({"late_s": 3.2, "exit_code": None, "log_tail": "a\nb", "rule": {"silent": 2}, "unit": 0})
    assert [(one.name, one.value, one.block) for one in found] == [
        ("late", "3.2 s", False),
        ("log tail", "a\nb", True), ("rule", '{\n "silent": 2\n}', True), ("unit", "0", False),
    ]  # fmt: skip


def test_learned_rules_come_by_what_they_decide_and_those_without_numbers_are_left_out() -> None:
    def rule(text: str, weight: float, strength: float) -> dict[str, Any]:
        return {"text": f"{text} {weight:+.2f}, fires on 9% of bars", "weight": weight, "support": 0.09,
                "strength": strength}  # fmt: skip

    found = rules({"rules": [rule("IF a is low THEN long", 0.1, 0.2), rule("IF b is up THEN short", -0.4, 0.5),
                             rule("OTHERWISE long", math.nan, 0.3)]})  # fmt: skip
    assert [(one.text, one.weight, one.long, one.at, one.bar) for one in found] == [
        ("IF b is up THEN short", "-0.40", False, "0%", "50%"),
        ("IF a is low THEN long", "+0.10", True, "50%", "12.5%"),
    ]


@pytest.mark.parametrize("term", [{"centre": math.nan, "width": 1.0}, {"centre": 1.0, "width": 0.0}, {"centre": None}])
def test_fuzzy_sets_that_are_not_finite_are_not_drawn(term: dict[str, Any]) -> None:
    assert terms({"terms": [{"input": "rsi14", "terms": [{"name": "low", **term}]}]}) == []
