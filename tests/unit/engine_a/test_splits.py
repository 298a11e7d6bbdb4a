from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.market.splits import TooFewBars, folds
from workers.strategy.models import Evaluation


def market(n, warm, horizon, seed=0):
    generator = np.random.Generator(np.random.PCG64(seed))
    index = np.arange(n)
    end = index + 1 + generator.integers(1, horizon + 1, n)
    valid = (index >= warm) & (index + horizon < n)
    return valid, np.where(valid, end, n).astype(np.int64)


def split(n=1500, warm=50, horizon=20, share=0.2, **changes):
    valid, end = market(n, warm, horizon)
    evaluation = Evaluation(**{"folds": 4, "min_train_bars": 300, "embargo": 5, **changes})
    return valid, end, evaluation, folds(valid, end, evaluation, share)


def test_the_tests_follow_each_other_and_cover_all_after_the_first_training():
    *_, result = split()
    assert result[0].test.start == 350
    assert [fold.test.stop for fold in result[:-1]] == [fold.test.start for fold in result[1:]]
    assert result[-1].test.stop == 1500


@settings(max_examples=150, deadline=None)
@given(
    n=st.integers(600, 2000), warm=st.integers(0, 100), horizon=st.integers(1, 60), embargo=st.integers(0, 40),
    count=st.integers(1, 8), scheme=st.sampled_from(["expanding", "rolling"]), share=st.sampled_from([0.1, 0.2, 0.5]),
)  # fmt: skip
def test_no_label_that_is_fitted_or_validated_reads_into_what_comes_after(
    n, warm, horizon, embargo, count, scheme, share
):
    valid, end, _, result = split(n, warm, horizon, share, folds=count, embargo=embargo, scheme=scheme)
    assert len(result) == count
    for fold in result:
        assert end[fold.train].max() + embargo <= fold.validation.min()
        assert end[fold.validation].max() + embargo <= fold.test.start
        assert valid[fold.train].all()
        assert valid[fold.validation].all()
        assert not np.intersect1d(fold.train, fold.validation).size


def test_expanding_keeps_the_past_and_rolling_forgets_it():
    *_, expanding = split(scheme="expanding")
    *_, rolling = split(scheme="rolling")
    assert {int(fold.train[0]) for fold in expanding} == {50}
    assert [int(fold.train[0]) for fold in rolling] == [fold.test.start - 300 for fold in rolling]


def test_too_few_bars_say_how_many_are_needed():
    with pytest.raises(TooFewBars, match=r"400 bars are too few.*430 in all; use more bars"):
        split(n=400)


def test_a_horizon_that_leaves_nothing_to_fit_is_refused():
    with pytest.raises(TooFewBars, match="a shorter horizon or a smaller embargo"):
        split(horizon=20, embargo=250)


def test_no_valid_row_at_all_is_refused():
    with pytest.raises(TooFewBars):
        folds(np.zeros(900, dtype=bool), np.full(900, 900), Evaluation(), 0.2)
