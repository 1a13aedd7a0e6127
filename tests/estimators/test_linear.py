"""Linear laws of relative error, and what corrects them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LinearRegression

from fcnn_latency import MixedLatencyRegressor, RelativeLinearRegressor

RNG = np.random.default_rng(0)
COSTS = RNG.uniform(1, 100, (200, 12))
LAW = 1e-7 * (5 + COSTS[:, :3] @ [1.0, 0.2, 3.0])


@pytest.mark.parametrize("method", ["pursuit", "ridge", "nonnegative"])
def test_each_method_learns_a_linear_law(method):
    model = RelativeLinearRegressor(method).fit(COSTS, LAW)
    np.testing.assert_allclose(model.predict(COSTS), LAW, rtol=1e-4)
    assert model.intercept_ == pytest.approx(5e-7, rel=2e-2)
    np.testing.assert_allclose(model.predict(COSTS), COSTS @ model.coef_ + model.intercept_)


def test_small_latencies_count_as_much_as_large_ones():
    y = LAW.copy()
    y[:100] *= 1000
    model = RelativeLinearRegressor("ridge").fit(COSTS, y)
    plain = LinearRegression().fit(COSTS, y)
    errors = [np.abs(m.predict(COSTS) / y - 1).mean() for m in (model, plain)]
    assert errors[0] < 0.5 * errors[1]


def test_pursuit_leaves_out_costs_that_explain_nothing():
    y = LAW[:40] * RNG.lognormal(sigma=0.01, size=40)
    unseen = [
        np.abs(RelativeLinearRegressor(m).fit(COSTS[:40], y).predict(COSTS) / LAW - 1).mean()
        for m in ("pursuit", "ridge")
    ]
    assert unseen[0] < unseen[1]
    assert np.count_nonzero(RelativeLinearRegressor().fit(COSTS[:40], y).coef_) < 8


@given(st.floats(1e-9, 1e3))
@settings(max_examples=20)
def test_units_do_not_matter(unit):
    ours = RelativeLinearRegressor().fit(COSTS, LAW).predict(COSTS)
    theirs = RelativeLinearRegressor().fit(COSTS, unit * LAW).predict(COSTS)
    np.testing.assert_allclose(theirs, unit * ours, rtol=1e-6)


def test_no_prediction_is_negative():
    model = RelativeLinearRegressor().fit(COSTS, LAW)
    assert model.predict(-1e6 * COSTS).min() == pytest.approx(0.1 * LAW.min())


def test_wrong_method_and_latency_are_named():
    with pytest.raises(ValueError, match=r"'method' parameter .*'pursuit'.*Got 'lasso' instead"):
        RelativeLinearRegressor("lasso").fit(COSTS, LAW)
    with pytest.raises(ValueError, match=r"'method' parameter .*Got \['ridge'\] instead"):
        RelativeLinearRegressor(["ridge"]).fit(COSTS, LAW)
    with pytest.raises(ValueError, match=r"above 0 seconds\. Row 0 of y is -1"):
        RelativeLinearRegressor().fit(COSTS, np.r_[-1.0, LAW[1:]])


def test_correction_learns_what_the_law_leaves():
    bent = LAW * np.where(COSTS[:, 0] > 50, 1.3, 1.0)
    mixed = MixedLatencyRegressor(random_state=0).fit(COSTS[:150], bent[:150])
    error = np.abs(mixed.predict(COSTS[150:]) / bent[150:] - 1).mean()
    alone = np.abs(mixed.analytical_.predict(COSTS[150:]) / bent[150:] - 1).mean()
    assert error < 0.6 * alone
    assert mixed.weight_ > 0.7


def test_correction_that_learns_noise_is_left_out():
    noisy = LAW * RNG.lognormal(sigma=0.01, size=200)
    mixed = MixedLatencyRegressor(random_state=0).fit(COSTS, noisy)
    assert mixed.weight_ < 0.2


def test_parts_are_the_users_to_choose():
    mixed = MixedLatencyRegressor(
        RelativeLinearRegressor("nonnegative"), DummyRegressor(), random_state=0
    ).fit(COSTS, LAW)
    assert (mixed.analytical_.coef_ >= 0).all()
    with pytest.raises(ValueError, match=r"'cv' parameter .*Got 1 instead"):
        MixedLatencyRegressor(cv=1).fit(COSTS, LAW)


def test_few_rows_get_no_correction():
    assert MixedLatencyRegressor(random_state=0).fit(COSTS[:9], LAW[:9]).correction_ is None
