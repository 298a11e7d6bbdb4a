import numpy as np
import pytest

from workers.market import fuzzy
from workers.training import model as m
from workers.training.optimiser import Adam

RULES = [[(0, 0), (1, 2)], [(0, 2)], [(1, 1), (2, 0), (0, 1)], [(2, 1)]]


def generator(seed=0):
    return np.random.Generator(np.random.PCG64(seed))


def a_model(hidden=0, rules=RULES, n=64, seed=0):
    shape = m.Shape(fuzzy.Layout.build([3, 4, 2], rules), hidden)
    g = generator(seed)
    z, y = g.standard_normal((n, 3)), g.standard_normal(n)
    theta = m.initial(shape, z, y, np.linspace(-1, 1, len(rules)), g)
    return shape, theta + 0.1 * g.standard_normal(shape.size), z, y


def numeric_gradient(f, theta):
    """Five-point differences: error of the order h⁴, so 1e-8 is within reach of float64."""
    result = np.zeros_like(theta)
    h = 1e-3
    for k in range(len(theta)):
        step = np.zeros_like(theta)
        step[k] = h
        result[k] = (8 * (f(theta + step) - f(theta - step)) - (f(theta + 2 * step) - f(theta - 2 * step))) / (12 * h)
    return result


@pytest.mark.parametrize(("hidden", "rules"), [(0, RULES), (5, RULES), (4, [])])
def test_the_gradient_is_that_of_the_loss(hidden, rules):
    shape, theta, z, y = a_model(hidden, rules)
    analytic = np.empty(shape.size)
    m.loss_and_gradient(shape, theta, z, y, analytic)
    numeric = numeric_gradient(lambda t: m.mean_squared_error(shape, t, z, y), theta)
    assert np.linalg.norm(analytic) > 0.01
    assert np.linalg.norm(analytic - numeric) / np.linalg.norm(analytic) < 1e-8
    assert np.abs(analytic - numeric).max() < 1e-8


def test_the_loss_in_training_is_the_loss_in_evaluation():
    shape, theta, z, y = a_model(hidden=5)
    assert m.loss_and_gradient(shape, theta, z, y, np.empty(shape.size)) == pytest.approx(
        m.mean_squared_error(shape, theta, z, y), rel=1e-14
    )


def test_terms_stay_ordered_and_widths_positive_whatever_training_does():
    layout = fuzzy.Layout.build([3, 5], [])
    g = generator(3)
    for _ in range(200):
        centre = fuzzy.centres(layout, g.normal(0, 50, 2), g.normal(0, 300, 6))
        assert (np.diff(centre[:3]) > 0).all()
        assert (np.diff(centre[3:]) > 0).all()
        assert (fuzzy.widths(g.normal(0, 1e3, 8)) > 0).all()


def test_terms_begin_at_the_quantiles_of_the_training_part():
    z = generator(2).standard_normal((5000, 2))
    layout = fuzzy.Layout.build([3, 2], [])
    first, gap, _ = fuzzy.initial_terms(layout, z)
    expected = [*np.quantile(z[:, 0], [1 / 6, 1 / 2, 5 / 6]), *np.quantile(z[:, 1], [1 / 4, 3 / 4])]
    np.testing.assert_allclose(fuzzy.centres(layout, first, gap), expected, atol=1e-9)


def test_no_row_is_so_far_off_that_a_score_is_not_a_number():
    shape, theta, _, _ = a_model(hidden=3)
    far = np.array([[1e8, -1e8, 1e8], [0, 0, 0], [-6, 6, -6]])
    scores = m.evaluate(shape, theta, far)
    assert np.isfinite(scores.score).all()
    np.testing.assert_allclose(scores.phi.sum(axis=1), 1.0, rtol=1e-12)


def test_where_no_rule_fits_otherwise_speaks():
    shape, theta, _, _ = a_model()
    far = np.full((1, 3), 1e3)
    assert m.evaluate(shape, theta, far).phi[0, -1] > 0.999


def test_a_row_with_a_missing_input_has_no_score_and_harms_no_other():
    shape, theta, z, _ = a_model(hidden=3)
    broken = z.copy()
    broken[5, 1] = np.nan
    scores = m.evaluate(shape, theta, broken).score
    assert np.isnan(scores[5])
    kept = np.arange(len(z)) != 5
    np.testing.assert_array_equal(scores[kept], m.evaluate(shape, theta, z).score[kept])


def test_a_constant_input_is_scaled_without_dividing_by_zero():
    scaler = m.Scaler.fit(np.array([[1.0, 5.0], [2.0, 5.0]]))
    assert np.isfinite(scaler.apply(np.array([[1.5, 5.0]]))).all()


def test_an_unknown_term_in_a_rule_is_named():
    with pytest.raises(ValueError, match="rsi is hgih"):
        fuzzy.rule_terms(["rsi"], [["low", "high"]], [{"rsi": "hgih"}])
    assert fuzzy.rule_terms(["a", "b"], [["low", "high"]] * 2, [{"b": "high", "a": "low"}]) == [[(1, 1), (0, 0)]]


def test_training_recovers_a_rule_that_is_really_there():
    g = generator(9)
    z = g.standard_normal((1500, 2))
    y = np.where((z[:, 0] < -0.5) & (z[:, 1] > 0.5), 1.0, 0.0) + 0.1 * g.standard_normal(1500)
    shape = m.Shape(fuzzy.Layout.build([3, 3], [[(0, 0), (1, 2)]]))
    theta = m.initial(shape, z, y, np.array([0.0]), g)
    adam = Adam(0.03, 0.0 * shape.decayed, np.zeros(shape.size), np.zeros(shape.size))
    gradient = np.empty(shape.size)
    for _ in range(400):
        m.loss_and_gradient(shape, theta, z, y, gradient)
        adam.update(theta, gradient)
    assert m.mean_squared_error(shape, theta, z, y) < 0.35 * y.var()
    assert shape.split(theta)["consequent"][0] > 0.8
