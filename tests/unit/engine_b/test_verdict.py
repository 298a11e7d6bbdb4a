import json
import time

import numpy as np
import pytest

from research.phases.assessment.verdict import Assessment, Evidence, assess
from research.phases.gates import backtest_gate, training_gate

GOOD_GATE = {
    "passed": True,
    "checks": [{"name": "collapsed", "value": 0.2, "threshold": 0.01, "passed": True, "text": ""}],
}


def a_training(**base):
    rate = {"z": 3.0, "skill": 0.02, "score_deviation": 0.2, "target_deviation": 0.8, **base}
    return {"base_rate": rate, "finite": True, "diverged": 0, "history": [{}] * 8}


def a_backtest(trades=120, total_return=1.5, twice=1.2, free=1.8, drawdown=0.2):
    earned = {0.0: free, 1.0: total_return, 2.0: twice, 5.0: twice - 0.5}
    return {
        "metrics": {"trades": trades, "total_return": total_return, "max_drawdown": drawdown, "exposure": 0.5},
        "cost_sensitivity": [{"factor": factor, "total_return": value} for factor, value in earned.items()],
        "per_year": 252.0,
        "cost_per_side": 0.0002,
    }


def returns(edge, n=2500, seed=0):
    """A strategy that holds the market on half of the bars, better chosen the higher `edge` is."""
    generator = np.random.Generator(np.random.PCG64(seed))
    market = generator.standard_normal(n) * 0.01
    ahead = np.append(market[1:], 0.0)
    held = (edge * ahead / 0.01 + generator.standard_normal(n) > 0).astype(float)
    own = np.append(0.0, held[:-1] * market[1:])
    return np.column_stack([own, market, held, market])


def verdict(edge=0.6, trials=20, gates=None, **changes):
    evidence = Evidence(returns(edge), a_backtest(**changes), trials, 0.0005, gates or {"training": GOOD_GATE}, seed=3)
    return assess(evidence)


def test_a_real_edge_is_promising_and_every_test_is_told():
    found = verdict()
    assert found.label == "promising"
    assert all(test["passed"] for test in found.tests)
    assert len(found.why) > len(found.tests)


def test_noise_is_rejected():
    labels = [assess(Evidence(returns(0.0, seed=seed), a_backtest(), 40, 0.0005, {}, seed)).label for seed in range(12)]
    assert "promising" not in labels
    assert labels.count("reject") >= 8


@pytest.mark.parametrize(
    ("changes", "label", "failed"),
    [
        ({"trades": 29}, "inconclusive", "enough_trades"),
        ({"twice": -0.1}, "inconclusive", "profit_at_twice_the_costs"),
        ({"total_return": -0.01}, "reject", "profit_after_costs"),
        ({"total_return": 0.0}, "reject", "profit_after_costs"),
        ({"trades": 0}, "reject", "not_collapsed"),
    ],
)
def test_one_failed_test_is_enough_and_is_named(changes, label, failed):
    found = verdict(**changes)
    assert found.label == label
    test = next(test for test in found.tests if test["name"] == failed)
    assert not test["passed"]
    assert test["text"] in found.why


def test_constant_scores_are_a_collapse():
    gate = training_gate(a_training(score_deviation=0.001))
    assert verdict(gates={"training": gate}).label == "reject"


def test_the_same_result_is_worth_less_after_a_thousand_trials():
    assert verdict(edge=0.15, trials=1000).figures.dsr < verdict(edge=0.15, trials=2).figures.dsr


def test_holding_the_market_is_never_promising():
    table = returns(0.0)
    table[:, 0] = table[:, 1] = table[:, 3] = table[:, 3] + 0.002
    found = assess(Evidence(table, a_backtest(), 1, 0.0, {}, 0))
    assert found.label == "inconclusive"
    assert not next(test for test in found.tests if test["name"] == "beats_buy_and_hold")["passed"]


def test_a_verdict_is_repeatable_json_and_quick():
    begin = time.process_time()
    first = json.dumps(verdict().as_dict(), allow_nan=False)
    assert time.process_time() - begin < 1.0
    assert json.dumps(verdict().as_dict(), allow_nan=False) == first
    assert {"label", "why", "tests", "psr", "dsr", "sharpe", "excess_sharpe"} <= set(json.loads(first))


def test_an_account_that_never_traded_is_judged_without_an_error():
    table = returns(0.0)
    table[:, 0] = table[:, 2] = 0.0
    found = assess(Evidence(table, a_backtest(trades=0, total_return=0.0, twice=0.0, free=0.0), 1, 0.0, {}, 0))
    assert found.label == "reject"
    json.dumps(found.as_dict(), allow_nan=False)


def test_without_a_backtest_it_is_rejected_with_the_reason():
    found = Assessment.without_backtest({"training": training_gate({**a_training(), "finite": False, "diverged": 3})})
    assert found.label == "reject"
    assert "3 of 8 models diverged" in found.as_dict()["why"][-1]


@pytest.mark.parametrize(
    ("result", "failed"),
    [
        (a_training(), []),
        (a_training(z=1.2), ["better_than_base_rate"]),
        (a_training(score_deviation=0.0), ["collapsed"]),
        ({**a_training(), "diverged": 1}, ["diverged"]),
    ],
)
def test_the_training_gate_names_what_failed(result, failed):
    gate = training_gate(result)
    assert [check["name"] for check in gate["checks"] if not check["passed"]] == failed
    assert gate["passed"] is not bool(failed)


@pytest.mark.parametrize(
    ("changes", "failed"),
    [
        ({}, []),
        ({"trades": 29}, ["enough_trades"]),
        ({"drawdown": 0.51}, ["drawdown"]),
        ({"total_return": -0.1}, ["survives_costs"]),
        ({"total_return": -0.1, "free": -0.05}, []),  # it lost anyway: that is the verdict's matter, not the costs'
    ],
)
def test_the_backtest_gate_names_what_failed(changes, failed):
    gate = backtest_gate(a_backtest(**changes))
    assert [check["name"] for check in gate["checks"] if not check["passed"]] == failed
