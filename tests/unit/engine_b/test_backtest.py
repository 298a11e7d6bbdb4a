import hashlib
import io
import json
import random

import numpy as np
import pytest

from tests.unit.engine_b import cast
from workers.backtest.session import dump, restore
from workers.backtest.simulate import State
from workers.backtest.task import backtest
from workers.job import Interrupted, InvalidInput, UnusableCheckpoint
from workers.spacing import Spacing
from workers.training import loop
from workers.training.modelfile import read_model
from workers.training.plan import plan_of
from workers.training.task import model_of

DATA = "a" * 64
IDENTITY = {"strategy": "s", "data": DATA}
ACTIVE = {"mode": "long_short", "enter": 0.15, "exit": 0.0, "stop": 0.02, "target": 0.04}


@pytest.fixture(scope="module")
def scene():
    strategy, prepared = cast.strategy(decision=ACTIVE), cast.prepared(1600)
    plan = plan_of(strategy, DATA, 2, 5)
    model = model_of(plan, prepared, loop.train(plan, prepared, cast.Recorder()))
    return strategy, prepared, model


@pytest.fixture(scope="module")
def undisturbed(scene):
    reporter = cast.Recorder()
    return backtest(*scene, reporter, IDENTITY, spacing=Spacing(0.0)), reporter


def test_every_checkpoint_leads_to_the_same_bits(scene, undisturbed):
    expected, first = undisturbed
    assert len(first.checkpoints) == 4
    for _, payload in first.checkpoints:
        reporter = cast.Recorder()
        assert backtest(*scene, reporter, IDENTITY, payload) == expected
        assert reporter.artifacts == first.artifacts


@pytest.mark.parametrize("case", range(3))
def test_a_backtest_stopped_twice_ends_with_the_same_bits(scene, undisturbed, case):
    dice, checkpoint = random.Random(case), None
    for _ in range(2):
        reporter = cast.Recorder(stop_after=dice.randint(1, 2))
        with pytest.raises(Interrupted):
            backtest(*scene, reporter, IDENTITY, checkpoint)
        checkpoint = reporter.checkpoints[-1][1]
    assert backtest(*scene, cast.Recorder(), IDENTITY, checkpoint) == undisturbed[0]


def test_the_state_survives_a_checkpoint_whole(scene, undisturbed):
    payload = undisturbed[1].checkpoints[1][1]
    state = restore(payload, IDENTITY, 800)
    assert state.cursor == 500
    assert state.trades
    assert dump(state, IDENTITY) == payload


def test_a_damaged_or_foreign_checkpoint_is_refused(undisturbed):
    payload = undisturbed[1].checkpoints[1][1]
    for broken in (b"", payload[:50], payload[:-1], payload[:-9] + bytes([payload[-9] ^ 4]) + payload[-8:]):
        with pytest.raises(UnusableCheckpoint):
            restore(broken, IDENTITY, 800)
    with pytest.raises(UnusableCheckpoint, match="another"):
        restore(payload, {**IDENTITY, "data": "b" * 64}, 800)
    with pytest.raises(UnusableCheckpoint, match="bar 500 of 400"):
        restore(payload, IDENTITY, 400)


def test_a_checkpoint_of_the_first_moment_can_be_used():
    assert restore(dump(State(), IDENTITY), IDENTITY, 10) == State()


def test_the_files_are_what_the_result_says(undisturbed):
    result, reporter = undisturbed
    assert set(result["artifacts"]) == {"equity.npy", "returns.npy", "trades.csv", "curve.json"}
    for name, payload in reporter.artifacts.items():
        assert result["artifacts"][name] == {"sha256": hashlib.sha256(payload).hexdigest(), "size": len(payload)}
    equity = np.load(io.BytesIO(reporter.artifacts["equity.npy"]))
    returns = np.load(io.BytesIO(reporter.artifacts["returns.npy"]))
    assert equity.shape == (800, 3)
    assert returns.shape == (799, 4)
    np.testing.assert_allclose(equity[1:, 1] / equity[:-1, 1] - 1, returns[:, 0], atol=1e-12)
    assert np.prod(1 + returns[:, 0]) - 1 == pytest.approx(result["metrics"]["total_return"])
    lines = reporter.artifacts["trades.csv"].decode().splitlines()
    assert len(lines) - 1 == result["metrics"]["trades"] > 20
    curve = json.loads(reporter.artifacts["curve.json"])
    assert len(curve["time"]) == len(curve["equity"]) == len(curve["drawdown"]) <= 600
    assert max(curve["drawdown"]) == pytest.approx(result["metrics"]["max_drawdown"], abs=1e-6)


def test_the_result_is_finite_json(undisturbed):
    assert json.loads(json.dumps(undisturbed[0], allow_nan=False)) == undisturbed[0]


def test_higher_costs_earn_less_and_the_single_cost_is_the_result(undisturbed):
    result = undisturbed[0]
    earned = [row["total_return"] for row in result["cost_sensitivity"]]
    assert earned == sorted(earned, reverse=True)
    assert len(set(earned)) == 4
    assert result["cost_sensitivity"][1]["total_return"] == result["metrics"]["total_return"]


def test_each_fold_is_traded_by_its_own_models(scene):
    _, prepared, model = scene
    scores = model.out_of_sample(prepared)
    for number, fold in enumerate(prepared.folds):
        expected = model.scores(number, prepared.features[fold.test]).mean(axis=0)
        np.testing.assert_array_equal(scores[fold.test], expected)
    assert np.isnan(scores[: prepared.folds[0].test.start]).all()


def test_a_model_file_is_read_back_to_the_bit_and_checked(scene):
    strategy, _, model = scene
    payload = model.to_bytes()
    again = read_model(payload, strategy, 2, {"data": DATA})
    assert again.sha256 == model.sha256
    assert again.to_bytes() == payload
    for broken, match in ((payload[:-1], "cannot be used"), (b"", "cannot be used")):
        with pytest.raises(InvalidInput, match=match):
            read_model(broken, strategy, 2, {})
    with pytest.raises(InvalidInput, match="another data"):
        read_model(payload, strategy, 2, {"data": "b" * 64})
    with pytest.raises(InvalidInput, match="instead of"):
        read_model(payload, strategy, 3, {})
    with pytest.raises(InvalidInput, match="instead of"):
        read_model(payload, cast.strategy(network={"hidden": 5}), 2, {})
