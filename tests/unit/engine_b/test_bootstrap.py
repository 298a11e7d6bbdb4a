import numpy as np

from workers.market import bootstrap as b


def noise(n, seed, mean=0.0):
    return np.random.Generator(np.random.PCG64(seed)).standard_normal(n) * 0.01 + mean


def test_the_same_seed_gives_the_same_interval_and_another_seed_another():
    returns = noise(1000, 1)
    assert b.sharpe_interval(returns, 252, seed=7) == b.sharpe_interval(returns, 252, seed=7)
    assert b.sharpe_interval(returns, 252, seed=7) != b.sharpe_interval(returns, 252, seed=8)


def test_the_blocks_of_every_resample_cover_it_exactly():
    for n in (2, 3, 10, 997, 4000):
        _, lengths = b._blocks(n, 3, 200)
        assert (lengths.sum(axis=1) == n).all()
        assert (lengths >= 0).all()


def test_block_lengths_are_geometric_with_the_stated_mean():
    _, lengths = b._blocks(4000, 3, 300)
    used = lengths[:, :-1][lengths[:, :-1] > 0]
    assert abs(used.mean() - b.block_length(4000)) < 0.5
    assert lengths.max() < 300


def test_prefix_sums_give_the_same_sharpe_as_gathering_every_return():
    returns = noise(300, 5)
    starts, lengths = b._blocks(300, 11, 20)
    fast = b._resampled_sharpes(returns[None, :], 11, 20)[0]
    for row in range(20):
        spans = [np.arange(s, s + k) % 300 for s, k in zip(starts[row], lengths[row], strict=True)]
        sample = returns[np.concatenate(spans)]
        assert abs(sample.mean() / sample.std(ddof=1) - fast[row]) < 1e-10


def test_the_interval_covers_the_true_sharpe_about_as_often_as_it_says():
    true = 0.001 / 0.01 * np.sqrt(252)
    hits = 0
    for seed in range(120):
        interval = b.sharpe_interval(noise(750, seed, 0.001), 252, seed=seed, resamples=300)
        hits += interval.low <= true <= interval.high
    assert 0.86 <= hits / 120 <= 1.0


def test_a_series_against_itself_has_no_excess():
    returns = noise(500, 2)
    interval = b.excess_sharpe_interval(returns, returns, 252, seed=1)
    assert (interval.value, interval.low, interval.high) == (0.0, 0.0, 0.0)


def test_a_clearly_better_series_has_a_lower_bound_above_zero():
    market = noise(2000, 3)
    better = market * 0.2 + 0.002
    assert b.excess_sharpe_interval(better, market, 252, seed=1).low > 0
    assert b.excess_sharpe_interval(market, better, 252, seed=1).high < 0
