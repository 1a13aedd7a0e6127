"""Intervals cover what they state, adapt to difficulty, and say when rows are too few."""

from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LinearRegression
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fcnn_latency import FCNNSpace, IntervalRegressor, make_latency_pipeline


def noisy_line(n, seed, noise=lambda x: 0.02):
    rng = np.random.RandomState(seed)
    X = rng.uniform(1, 2, (n, 2))
    return X, 1e-6 * X[:, 0] * np.exp(noise(X[:, 1]) * rng.randn(n))


def coverage_of(ends, y):
    return np.mean((ends[:, 0] <= y) & (y <= ends[:, 1]))


@pytest.fixture(scope="module")
def fitted():
    return IntervalRegressor(LinearRegression()).fit(*noisy_line(500, 0))


@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.9, 0.95])
def test_intervals_cover_the_stated_share_of_unseen_rows(fitted, coverage):
    X, y = noisy_line(4000, 1)
    assert coverage_of(fitted.predict_interval(X, coverage), y) == pytest.approx(
        coverage, abs=0.035
    )


def test_the_upper_bound_is_exceeded_as_often_as_stated(fitted):
    X, y = noisy_line(4000, 1)
    assert np.mean(y <= fitted.predict_upper(X, 0.95)) == pytest.approx(0.95, abs=0.02)


def test_the_upper_bound_is_the_end_of_an_interval(fitted):
    X, _ = noisy_line(10, 1)
    assert np.array_equal(fitted.predict_upper(X, 0.95), fitted.predict_interval(X, 0.9)[:, 1])


def test_prediction_is_the_estimators(fitted):
    X, y = noisy_line(500, 0)
    assert np.array_equal(fitted.predict(X), LinearRegression().fit(X, y).predict(X))


def test_intervals_are_wider_where_predictions_are_worse():
    def noise(x):
        return np.where(x > 1.5, 0.1, 0.01)

    model = IntervalRegressor(LinearRegression()).fit(*noisy_line(600, 0, noise))
    widths = np.ptp(model.predict_interval([[1.5, 1.1], [1.5, 1.9]]), axis=1)
    assert widths[1] > 4 * widths[0]


def test_without_adapting_intervals_are_as_wide_relative_to_the_prediction():
    model = IntervalRegressor(LinearRegression(), adaptive=False).fit(*noisy_line(100, 0))
    X, _ = noisy_line(20, 1)
    relative = np.ptp(model.predict_interval(X), axis=1) / model.predict(X)
    assert np.allclose(relative, relative[0])


@settings(deadline=None, max_examples=30)
@given(st.floats(0.01, 0.98), st.floats(0.01, 0.98))
def test_more_coverage_never_narrows(fitted, one, other):
    X, _ = noisy_line(5, 1)
    narrow = fitted.predict_interval(X, min(one, other))
    wide = fitted.predict_interval(X, max(one, other))
    assert (wide[:, 0] <= narrow[:, 0]).all()
    assert (narrow[:, 1] <= wide[:, 1]).all()


def test_few_rows_still_cover():
    held = []
    for seed in range(15):
        X, y = noisy_line(420, seed)
        model = IntervalRegressor(LinearRegression(), cv=5).fit(X[:20], y[:20])
        held.append(coverage_of(model.predict_interval(X[20:], 0.9), y[20:]))
    assert np.mean(held) > 0.86


@pytest.mark.parametrize(("coverage", "needed"), [(0.9, 19), (0.95, 39), (0.99, 199)])
def test_too_much_coverage_for_the_rows_is_refused_with_their_number(coverage, needed):
    X, y = noisy_line(needed, 0)
    enough = IntervalRegressor(DummyRegressor()).fit(X, y)
    assert np.isfinite(enough.predict_interval(X, coverage)).all()
    fewer = IntervalRegressor(DummyRegressor()).fit(X[1:], y[1:])
    with pytest.raises(ValueError, match=f"at least {needed} rows in fit. Got {needed - 1}"):
        fewer.predict_interval(X, coverage)


def test_repeats_of_an_architecture_lie_in_one_fold():
    space = FCNNSpace()
    once = space.sample(40, random_state=0)
    X = np.vstack([once, once])
    y = 1e-6 + 1e-8 * np.random.RandomState(0).permutation(40)
    nearest = make_pipeline(StandardScaler(), KNeighborsRegressor(1))
    model = IntervalRegressor(nearest).fit(X, np.concatenate([y, y]))
    assert np.all(model.residuals_ != 0)  # a repeat in another fold would be met exactly


def test_ragged_and_padded_architectures_give_the_same():
    ragged = [[w, w] if w % 2 else [w, 7, w] for w in range(1, 41)]
    padded = FCNNSpace().validate(ragged)
    y = 1e-6 * np.random.RandomState(0).uniform(1, 2, 40)
    one, other = (
        IntervalRegressor(make_latency_pipeline("flops")).fit(X, y) for X in (ragged, padded)
    )
    assert np.array_equal(one.predict_interval(ragged), other.predict_interval(padded))


def test_lower_ends_are_never_negative():
    X, y = noisy_line(200, 0, lambda x: 1.5)
    ends = IntervalRegressor(DummyRegressor()).fit(X, y).predict_interval(X)
    assert ends.min() == 0


class Exact(RegressorMixin, BaseEstimator):
    def fit(self, X, y):
        self.fitted_ = True
        return self

    def predict(self, X):
        return np.asarray(X)[:, 0]


def test_exact_predictions_have_intervals_of_no_width():
    X = np.arange(1.0, 41.0)[:, None]
    ends = IntervalRegressor(Exact()).fit(X, X[:, 0]).predict_interval(X)
    assert np.array_equal(ends, np.hstack([X, X]))


@pytest.mark.parametrize("coverage", [0, 1, 1.5, np.nan, "0.9", None])
def test_wrong_coverage_is_refused(fitted, coverage):
    with pytest.raises(ValueError, match=r"coverage must be a number in \(0, 1\)"):
        fitted.predict_interval([[1.0, 1.0]], coverage)


@pytest.mark.parametrize("confidence", [0.5, 1, None])
def test_wrong_confidence_is_refused(fitted, confidence):
    with pytest.raises(ValueError, match=r"confidence must be a number in \(0.5, 1\)"):
        fitted.predict_upper([[1.0, 1.0]], confidence)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"cv": 1}, "'cv' parameter of IntervalRegressor must be a whole number of at least 2"),
        ({"adaptive": "yes"}, "'adaptive' parameter of IntervalRegressor must be True or False"),
    ],
)
def test_wrong_parameters_are_refused(parameters, message):
    with pytest.raises(ValueError, match=message):
        IntervalRegressor(DummyRegressor(), **parameters).fit(*noisy_line(20, 0))


def test_labels_must_be_positive():
    X, y = noisy_line(20, 0)
    y[3] = 0
    with pytest.raises(ValueError, match=r"above 0 seconds. Row 3 of y is 0"):
        IntervalRegressor(DummyRegressor()).fit(X, y)


def test_fewer_architectures_than_folds_are_refused():
    X, y = noisy_line(4, 0)
    with pytest.raises(ValueError, match=r"cv=10 needs at least 10 different rows\. Got 4"):
        IntervalRegressor(DummyRegressor()).fit(X, y)


class Micro(RegressorMixin, BaseEstimator):
    """Predicts as many microseconds as the first column says."""

    def fit(self, X, y):
        self.fitted_ = True
        return self

    def predict(self, X):
        return 1e-6 * np.asarray(X)[:, 0]


@pytest.mark.parametrize("adaptive", [True, False])
def test_intervals_of_predictions_below_all_labels_are_as_wide_as_at_the_least_label(adaptive):
    rng = np.random.RandomState(0)
    X = np.column_stack([rng.uniform(2, 3, 30), rng.uniform(2, 3, 30)])
    y = 1e-6 * X[:, 0] * np.exp(0.02 * rng.randn(30))
    model = IntervalRegressor(Micro(), adaptive=adaptive).fit(X, y)
    assert model.floor_ == y.min()
    least = y.min() / 1e-6
    ends = model.predict_interval([[k * least, 2.5] for k in (0.25, 0.5, 1, 2)])
    widths = np.ptp(ends, axis=1)
    assert (widths / widths[2]).tolist() == pytest.approx([1, 1, 1, 2])
    assert (ends > 0).all()


def test_residuals_of_predictions_below_all_labels_are_relative_to_the_least_label():
    X = np.column_stack([[0.5, 1, 2, 3], [1, 2, 3, 4]])
    y = 1e-6 * np.array([1.5, 1, 2.5, 3])
    model = IntervalRegressor(Micro(), cv=2, adaptive=False).fit(X, y)
    assert model.residuals_ == pytest.approx(1e-6 * np.array([1, 0, 0.5, 0]), abs=1e-15)
    assert model.residual_scales_ == pytest.approx(1e-6 * np.array([1, 1, 2, 3]))


def counted_labels():
    """1 to 19 µs for different architectures: each fold is one of them, predicted by the mean."""
    X = [[width, width] for width in range(1, 20)]
    model = IntervalRegressor(DummyRegressor(), cv=19, adaptive=False)
    return model.fit(X, 1e-6 * np.arange(1, 20))


@pytest.mark.parametrize(
    ("coverage", "lowest", "highest"), [(0.9, 1, 19), (0.89, 1, 19), (0.8, 2, 18), (0.2, 8, 12)]
)
def test_ends_by_hand(coverage, lowest, highest):
    """The mean of all is 10; without label k it is (190 - k) / 18."""
    ends = counted_labels().predict_interval([[5, 5]], coverage)
    expected = [10e-6 * 18 * k / (190 - k) for k in (lowest, highest)]
    assert ends.tolist() == [pytest.approx(expected)]


def test_upper_bounds_by_hand():
    model = counted_labels()
    expected = {0.95: 20e-6, 0.9: 10e-6 * 18 * 18 / 172}
    for confidence, bound in expected.items():
        assert model.predict_upper([[5, 5]], confidence) == pytest.approx(bound)
    assert model.predict_upper([[5, 5]]) == pytest.approx(20e-6)
    assert np.array_equal(model.predict_interval([[5, 5]]), model.predict_interval([[5, 5]], 0.9))


@pytest.mark.parametrize("adaptive", [True, False])
def test_seed_is_that_of_the_folds(adaptive):
    def residuals(**seed):
        model = IntervalRegressor(DummyRegressor(), adaptive=adaptive, **seed)
        return model.fit(*noisy_line(50, 0)).residuals_.tolist()

    assert residuals() == residuals(random_state=0) == residuals(random_state=0)
    assert residuals(random_state=0) != residuals(random_state=1)


class CountsFits(DummyRegressor):
    """Notes how many rows each fit has."""

    rows: ClassVar[list] = []

    def fit(self, X, y):
        CountsFits.rows.append(len(X))
        return super().fit(X, y)


def test_estimator_is_fitted_once_on_all_and_once_without_each_fold():
    CountsFits.rows.clear()
    IntervalRegressor(CountsFits(), cv=4).fit(*noisy_line(20, 0))
    assert CountsFits.rows == [20, 15, 15, 15, 15]
