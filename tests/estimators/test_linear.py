"""Linear laws of relative error, and what corrects them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LinearRegression

from fcnn_latency import (
    IntervalRegressor,
    MixedLatencyRegressor,
    RelativeLinearRegressor,
    TransferRegressor,
)
from fcnn_latency.estimators._base import weight_of

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


@pytest.mark.parametrize(
    ("residual", "weight"), [(0.25, 0.25), (1.0, 1.0), (3.0, 1.0), (0.0, 0.0), (-0.5, 0.0)]
)
def test_a_correction_is_applied_with_a_weight_from_0_to_1(residual, weight):
    law = DummyRegressor(strategy="constant", constant=2e-6)
    one = DummyRegressor(strategy="constant", constant=1.0)  # whatever is to be corrected
    mixed = MixedLatencyRegressor(law, one, random_state=0)
    mixed.fit(COSTS[:20], np.full(20, 2e-6 * np.exp(residual)))
    assert mixed.weight_ == pytest.approx(weight)
    assert (mixed.correction_ is None) == (weight == 0)
    assert mixed.predict(COSTS[:3]) == pytest.approx(np.full(3, 2e-6 * np.exp(weight)))


@pytest.mark.parametrize(("n_rows", "weight"), [(5, 0.0), (6, 0.25)])
def test_a_correction_needs_two_rows_for_each_fold(n_rows, weight):
    law = DummyRegressor(strategy="constant", constant=2e-6)
    one = DummyRegressor(strategy="constant", constant=1.0)
    mixed = MixedLatencyRegressor(law, one, cv=3, random_state=0)
    mixed.fit(COSTS[:n_rows], np.full(n_rows, 2e-6 * np.exp(0.25)))
    assert mixed.weight_ == pytest.approx(weight)


@pytest.mark.parametrize("constant", [0.0, -1e-6])
def test_a_law_below_zero_cannot_be_corrected(constant):
    mixed = MixedLatencyRegressor(DummyRegressor(strategy="constant", constant=constant))
    with pytest.raises(ValueError, match="DummyRegressor requires latencies above 0 seconds"):
        mixed.fit(COSTS, LAW)


@pytest.mark.parametrize(
    ("correction", "wanted", "weight"),
    [
        ([1.0, 2.0], [1.0, 2.0], 1.0),
        ([1.0, 2.0], [1.0, 0.0], 0.2),
        ([1.0, 2.0], [2.0, 4.0], 1.0),
        ([1.0, 2.0], [-1.0, 0.0], 0.0),
        ([0.0, 0.0], [1.0, 2.0], 0.0),
    ],
)
def test_weights_by_hand(correction, wanted, weight):
    assert weight_of(np.array(correction), np.array(wanted)) == pytest.approx(weight)


@pytest.mark.parametrize("wrong", [0.0, -1e-12])
@pytest.mark.parametrize(
    "model",
    [
        RelativeLinearRegressor(),
        MixedLatencyRegressor(),
        TransferRegressor(),
        IntervalRegressor(LinearRegression(), cv=2),
    ],
    ids=lambda model: type(model).__name__,
)
def test_latencies_are_above_zero(model, wrong):
    widths = np.random.RandomState(0).randint(1, 50, size=(20, 3))
    latencies = np.full(20, 1e-12)
    latencies[7] = wrong
    with pytest.raises(ValueError, match=rf"{type(model).__name__} requires .* Row 7 of y is -?"):
        model.fit(widths, latencies)


@pytest.mark.parametrize(("n_rows", "is_ridge"), [(9, True), (10, False)])
def test_pursuit_falls_back_to_ridge_where_rows_are_few(n_rows, is_ridge):
    y = LAW[:n_rows] * np.random.default_rng(1).lognormal(sigma=0.05, size=n_rows)
    one, other = (
        RelativeLinearRegressor(method).fit(COSTS[:n_rows], y) for method in ("pursuit", "ridge")
    )
    assert np.array_equal(one.coef_, other.coef_) == is_ridge
