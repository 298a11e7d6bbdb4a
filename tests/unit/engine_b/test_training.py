import random

import numpy as np
import pytest

from tests.unit.engine_b import cast
from workers.job import Interrupted, UnusableCheckpoint
from workers.spacing import Spacing
from workers.training import loop
from workers.training.fit import FoldData, begin, is_finished, run_epoch
from workers.training.model import mean_squared_error
from workers.training.plan import plan_of
from workers.training.score import assess, standard_error
from workers.training.task import model_of, result_of
from workers.training.tensors import pack, unpack
from workers.training.words import rules_in_words, terms_as_curves


def plan(seed=5, data="a" * 64, **changes):
    return plan_of(cast.strategy(**changes), data, 2, seed)


def trained(a_plan, prepared, reporter=None, **options):
    options.setdefault("spacing", Spacing(0.0))
    return model_of(a_plan, prepared, loop.train(a_plan, prepared, reporter or cast.Recorder(), **options))


@pytest.fixture(scope="module")
def prepared():
    return cast.prepared()


@pytest.fixture(scope="module")
def undisturbed(prepared):
    reporter = cast.Recorder()
    return trained(plan(), prepared, reporter).to_bytes(), reporter


def test_every_checkpoint_leads_to_the_same_bits(prepared, undisturbed):
    expected, reporter = undisturbed
    assert len(reporter.checkpoints) >= 12
    for _, payload in reporter.checkpoints:
        assert trained(plan(), prepared, checkpoint=payload).to_bytes() == expected


@pytest.mark.parametrize("case", range(6))
def test_a_training_stopped_twice_ends_with_the_same_bits(prepared, undisturbed, case):
    dice = random.Random(case)
    checkpoint = None
    for _ in range(2):
        reporter = cast.Recorder(stop_after=dice.randint(1, 8))
        with pytest.raises(Interrupted):
            loop.train(plan(), prepared, reporter, checkpoint=checkpoint, spacing=Spacing(dice.choice([0.0, 1000.0])))
        checkpoint = reporter.checkpoints[-1][1]
    assert trained(plan(), prepared, checkpoint=checkpoint).to_bytes() == undisturbed[0]


def test_units_only_grow_and_end_at_their_number_even_when_training_stops_early(undisturbed):
    _, reporter = undisturbed
    units = [unit for unit, _ in reporter.points]
    assert units == sorted(set(units))
    assert reporter.points[-1] == (48, 48)
    assert len(units) < 48, "early stopping never happened: the test shows nothing"
    metric_units = [unit for unit, _ in reporter.metrics]
    assert metric_units == sorted(set(metric_units))
    assert [unit for unit, _ in reporter.checkpoints] == units


def test_paced_checkpoints_begin_with_the_first_epoch_and_are_spaced_by_time(prepared):
    reporter = cast.Recorder()
    loop.train(plan(), prepared, reporter, spacing=Spacing())
    assert reporter.checkpoints[0][0] == 1
    assert len(reporter.checkpoints) < len(reporter.points)


def test_checkpoints_spaced_beyond_the_end_leave_only_the_one_of_the_stop(prepared):
    reporter = cast.Recorder(stop_after=5)
    with pytest.raises(Interrupted):
        loop.train(plan(), prepared, reporter, spacing=Spacing(1000.0))
    assert [unit for unit, _ in reporter.checkpoints] == [5]


def test_the_best_weights_are_kept_and_not_the_last(prepared):
    session = loop.train(plan(), prepared, cast.Recorder())
    for theta, history in zip(session.finished, session.histories, strict=True):
        data = FoldData.of(prepared, prepared.folds[history["fold"]])
        loss = mean_squared_error(plan().shape, theta, data.z_validation, data.y_validation)
        assert loss == history["best_validation_loss"] <= history["validation_loss"]
        assert history["best_epoch"] <= history["epochs"]
    assert any(history["best_epoch"] < history["epochs"] for history in session.histories)


def test_without_patience_every_epoch_is_trained(prepared):
    settings = {**cast.SPEC["training"], "patience": None}
    session = loop.train(plan(training=settings), prepared, cast.Recorder())
    assert [history["epochs"] for history in session.histories] == [12] * 4


def test_another_seed_gives_another_model(prepared, undisturbed):
    assert trained(plan(seed=6), prepared).to_bytes() != undisturbed[0]


def test_a_checkpoint_cut_off_anywhere_is_refused(prepared, undisturbed):
    payload = undisturbed[1].checkpoints[3][1]
    for length in (0, 4, 100, len(payload) // 2, len(payload) - 1):
        with pytest.raises(UnusableCheckpoint, match="cannot be used"):
            loop.restore(plan(), payload[:length])


def test_a_checkpoint_with_any_flipped_bit_is_refused(undisturbed):
    payload = undisturbed[1].checkpoints[3][1]
    for position in range(8, len(payload), 97):
        if payload[position : position + 1] == b" ":
            continue  # the header's padding carries nothing
        altered = bytearray(payload)
        altered[position] ^= 1
        with pytest.raises(UnusableCheckpoint):
            loop.restore(plan(), bytes(altered))


@pytest.mark.parametrize(
    ("other", "named"),
    [
        ({"seed": 6}, "seed"),
        ({"data": "b" * 64}, "data"),
        ({"training": {**cast.SPEC["training"], "epochs": 13}}, "strategy"),
    ],
)
def test_a_checkpoint_of_another_training_is_refused_by_name(undisturbed, other, named):
    with pytest.raises(UnusableCheckpoint, match=named):
        loop.restore(plan(**other), undisturbed[1].checkpoints[3][1])


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("theta", lambda a: a[:-1]),
        ("m", lambda a: a.astype(np.float32)),
        ("best", lambda a: np.full_like(a, np.nan)),
    ],
)
def test_a_checkpoint_with_wrong_arrays_is_refused_though_its_digest_is_right(undisturbed, name, change):
    arrays, about = unpack(undisturbed[1].checkpoints[3][1])
    payload = pack({**arrays, name: change(arrays[name])}, about)
    with pytest.raises(UnusableCheckpoint, match=name):
        loop.restore(plan(), payload)


def test_a_file_of_another_kind_is_refused(undisturbed, prepared):
    with pytest.raises(UnusableCheckpoint, match="no checkpoint"):
        loop.restore(plan(), trained(plan(), prepared).to_bytes())


def test_a_model_that_diverges_keeps_its_best_finite_weights(prepared):
    a_plan = plan()
    data = FoldData.of(prepared, prepared.folds[0])
    model = begin(a_plan, data, 0, 0)
    run_epoch(a_plan, data, model)
    best = model.best.copy()
    a_plan.shape.split(model.theta)["consequent"][:] = 1e200
    run_epoch(a_plan, data, model)
    assert model.diverged
    assert is_finished(a_plan, model)
    np.testing.assert_array_equal(model.best, best)
    assert model.history(0, 0)["loss"] is None


def test_skill_that_is_there_is_seen_and_skill_that_is_not_is_not(prepared):
    real = assess(trained(plan(), prepared), prepared)
    assert real["base_rate"]["z"] > 4
    assert real["folds"][0]["accuracy"] > real["folds"][0]["majority_accuracy"] + 0.1
    noise = cast.prepared(skill=0.0, seed=3)
    assert assess(trained(plan(), noise), noise)["base_rate"]["z"] < 2


def test_the_standard_error_of_white_noise_is_the_plain_one():
    values = np.random.Generator(np.random.PCG64(2)).standard_normal(20_000)
    assert standard_error(values, 10) == pytest.approx(1 / np.sqrt(20_000), rel=0.1)
    summed = np.convolve(values, np.ones(10) / np.sqrt(10), mode="valid")
    assert standard_error(summed, 20) > 2.3 * standard_error(summed, 0)


def test_a_model_is_put_into_words_and_curves(prepared):
    strategy, model = cast.strategy(), trained(plan(), prepared)
    words = rules_in_words(model, strategy, prepared.features[prepared.folds[-1].train])
    assert words[0]["text"].startswith("IF rsi14 is low AND trend5 is down THEN long +")
    assert words[-1]["text"].startswith("OTHERWISE")
    assert sum(rule["support"] for rule in words) == pytest.approx(1.0)
    curves = terms_as_curves(model, strategy)
    centres = [term["centre"] for term in curves[0]["terms"]]
    assert centres == sorted(centres)
    assert 30 < centres[0] < 50 < centres[-1] < 70


def test_the_share_of_the_rules_is_whole_without_a_network_and_partial_with_one(prepared):
    with_network = assess(trained(plan(), prepared), prepared)["rule_share"]
    alone = assess(trained(plan(network=None), prepared), prepared)["rule_share"]
    assert alone == 1.0
    assert 0.0 < with_network < 1.0


def test_the_result_is_json_and_names_the_model(prepared):
    import json

    a_plan = plan()
    session = loop.train(a_plan, prepared, cast.Recorder())
    model = model_of(a_plan, prepared, session)
    result = result_of(cast.strategy(), prepared, a_plan, session, model, model.to_bytes())
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    assert result["finite"]
    assert result["model_sha256"] == model.sha256
