from __future__ import annotations

import json

import numpy as np
import pytest

from tests.unit.engine_a import cast
from workers.job import InvalidInput
from workers.market.bars import Bars
from workers.strategy import canonical_json, parse
from workers.training.prepare import Holdout, prepare, searchable


def strategy(**changes):
    return parse({**cast.SPEC, "evaluation": {"folds": 3, "min_train_bars": 200}, **changes})


def test_what_is_prepared_fits_together():
    prepared = prepare(strategy(), cast.bars())
    assert prepared.names == ["rsi14", "slope"]
    assert prepared.terms == [["low", "mid", "high"], ["down", "up"]]
    assert len(prepared.bars) == 595
    assert prepared.features.shape == (595, 2)
    assert np.isfinite(prepared.features[prepared.valid]).all()
    assert np.array_equal(prepared.target, prepared.label)
    assert not prepared.label[~prepared.valid].any()
    assert [fold.test.stop for fold in prepared.folds][-1] == 595
    assert all(np.isfinite(prepared.features[fold.test]).all() for fold in prepared.folds)


def test_the_hold_out_is_never_read():
    bars = cast.bars()
    columns = [getattr(bars, name).copy() for name in ("open", "high", "low", "close", "volume")]
    for column in columns:
        column[searchable(len(bars)) :] = 7.0
    one, two = prepare(strategy(), bars), prepare(strategy(), Bars("TEST", "1d", bars.time, *columns))
    assert one.bars.sha256 == two.bars.sha256
    for name in ("features", "target", "label_end", "valid"):
        assert np.array_equal(getattr(one, name), getattr(two, name), equal_nan=True)


@pytest.mark.parametrize(("n", "seen"), [(100, 85), (101, 85), (5031, 4276), (20, 17)])
def test_the_hold_out_is_rounded_up(n, seen):
    assert searchable(n) == seen


def test_where_the_hold_out_begins_is_the_datas_to_say():
    bars = cast.bars()
    said = prepare(strategy(), bars, Holdout(int(bars.time[560])))
    assert len(said.bars) == 560
    assert said.folds[-1].test.stop == 560


@pytest.mark.parametrize("scheme", ["expanding", "rolling"])
def test_an_opened_hold_out_is_all_that_is_traded_by_models_of_what_came_before(scheme):
    bars = cast.bars()
    spec = parse({**cast.SPEC, "evaluation": {**cast.SPEC.get("evaluation", {}), "scheme": scheme}})
    prepared = prepare(spec, bars, Holdout(int(bars.time[560]), opened=True))
    [fold] = prepared.folds
    assert (len(prepared.bars), fold.test) == (len(bars), slice(560, len(bars)))
    fitted = np.concatenate([fold.train, fold.validation])
    assert (prepared.label_end[fitted] + spec.evaluation.embargo <= 560).all()
    assert prepared.valid[fitted].all()
    assert (fitted.min() < 560 - spec.evaluation.min_train_bars) == (scheme == "expanding")


def test_a_hold_out_of_a_few_bars_is_refused():
    bars = cast.bars()
    with pytest.raises(InvalidInput, match="only 19 bars are held out"):
        prepare(strategy(), bars, Holdout(int(bars.time[-19]), opened=True))


def test_a_jobs_hold_out_is_read_strictly():
    assert Holdout.of({}) is None
    assert Holdout.of({"holdout": {"begins": 5, "opened": True}}) == Holdout(5, opened=True)
    with pytest.raises(InvalidInput, match="hold-out cannot be read"):
        Holdout.of({"holdout": {"begins": None}})


def test_a_database_that_reorders_keys_changes_nothing():
    spec = strategy()
    stored = json.loads(json.dumps(json.loads(canonical_json(spec)), sort_keys=True))
    one, two = prepare(spec, cast.bars()), prepare(parse(stored), cast.bars())
    assert one.names == two.names
    assert np.array_equal(one.features, two.features, equal_nan=True)


def test_features_of_earlier_bars_do_not_depend_on_later_ones():
    """The prefix test: a difference of exactly 0 and the same missing values."""
    whole = prepare(strategy(), cast.bars())
    part = prepare(strategy(), cast.bars().slice(0, 600))
    n = len(part.bars)
    assert np.array_equal(whole.features[:n], part.features, equal_nan=True)
    both = part.valid
    assert np.array_equal(whole.label[:n][both], part.label[both])
    assert np.array_equal(whole.label_end[:n][both], part.label_end[both])


def test_too_few_bars_and_foreign_bars_are_invalid_input():
    with pytest.raises(InvalidInput, match="TEST 1d without its hold-out: 170 bars are too few"):
        prepare(strategy(), cast.bars(200))
    with pytest.raises(InvalidInput, match="the strategy is for TEST 1d, the bars are OTHER 1d"):
        prepare(strategy(), cast.bars(symbol="OTHER"))
    with pytest.raises(InvalidInput):
        prepare(strategy(), cast.bars().slice(0, 0))


def test_the_shipped_file_makes_four_folds_of_out_of_sample_years():
    prepared = prepare(parse({**cast.SPEC, "data": {"symbol": "NASDAQ"}}), cast.nasdaq()[0])
    assert [len(range(4276)[fold.test]) for fold in prepared.folds] == [939, 939, 939, 939]
    assert [len(fold.train) > 350 for fold in prepared.folds] == [True] * 4
