"""How good a prediction is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, RegressorMixin

from fcnn_latency.metrics import (
    SCORERS,
    absolute_deviations,
    error_bound_accuracy,
    error_to_noise_ratio,
    errors_by_quintile,
    latency_metrics,
    noise_band,
    relative_errors,
)
from helpers.strategies import latencies

TRUE = np.array([1.0, 2.0, 4.0])
PREDICTED = np.array([1.005, 1.92, 5.0])


def test_metrics_by_hand():
    metrics = latency_metrics(TRUE, PREDICTED, noise_floor=0.01)
    assert metrics["mape"] == pytest.approx((0.005 + 0.04 + 0.25) / 3)
    assert [metrics[f"within_{p}"] for p in (1, 5, 10)] == pytest.approx([1 / 3, 2 / 3, 2 / 3])
    assert metrics["mae"] == metrics["average_absolute_deviation"] == pytest.approx(1.085 / 3)
    assert metrics["rmse"] == pytest.approx(metrics["mse"] ** 0.5)
    assert metrics["error_to_noise"] == pytest.approx(100 * metrics["mape"])
    assert metrics["spearman"] == pytest.approx(1.0)


@given(latencies())
def test_perfect_prediction_has_no_error(true):
    metrics = latency_metrics(true, true, noise_floor=0.01)
    perfect = dict.fromkeys(("within_1", "within_5", "within_10", "r2"), 1.0)
    perfect["spearman"] = pytest.approx(1.0) if len(set(true)) > 1 else 0.0
    assert metrics == {**dict.fromkeys(metrics, 0.0), **perfect}


@given(
    pairs=st.lists(st.tuples(st.floats(1e-9, 1e2), st.floats(1e-9, 1e2)), min_size=1),
    bounds=st.tuples(st.floats(0, 2), st.floats(0, 2)),
)
def test_a_wider_bound_takes_in_no_fewer(pairs, bounds):
    true, predicted = zip(*pairs, strict=True)
    narrow, wide = (error_bound_accuracy(true, predicted, bound=b) for b in sorted(bounds))
    assert 0 <= narrow <= wide <= 1


def test_constant_prediction_ranks_nothing():
    assert latency_metrics(TRUE, np.ones(3))["spearman"] == 0.0


def test_latencies_must_be_positive():
    with pytest.raises(ValueError, match="Row 1"):
        latency_metrics([1.0, 0.0], [1.0, 1.0])


def test_scorers_prefer_the_better_prediction():
    class Fixed(RegressorMixin, BaseEstimator):
        def __init__(self, prediction):
            self.prediction = prediction

        def predict(self, X):
            """Say what was given."""
            return self.prediction

    for name, scorer in SCORERS.items():
        assert scorer(Fixed(TRUE), TRUE, TRUE) > scorer(Fixed(TRUE[::-1] * 3), TRUE, TRUE), name


#: Of each scorer, the score of these predictions; errors of 0.5, 4, 37.5 and 8 %.
MEASURED, GUESSED = [1.0, 2.0, 4.0, 5.0], [1.005, 1.92, 5.5, 5.4]
SCORES = {
    "neg_mean_squared_error": -2.416425 / 4,
    "neg_root_mean_squared_error": -((2.416425 / 4) ** 0.5),
    "neg_mean_absolute_error": -1.985 / 4,
    "neg_average_absolute_deviation": -1.985 / 4,
    "neg_mean_absolute_percentage_error": -0.5 / 4,
    "r2": 1 - 2.416425 / 10,
    "spearman": 0.8,
    "within_1": 0.25,
    "within_5": 0.5,
    "within_10": 0.75,
}


class Guesser(RegressorMixin, BaseEstimator):
    def predict(self, X):
        """Say what stands above."""
        return np.array(GUESSED)


def test_scores_by_hand():
    scores = {name: scorer(Guesser(), MEASURED, MEASURED) for name, scorer in SCORERS.items()}
    assert scores == pytest.approx(SCORES)


def test_metrics_of_predictions_by_hand():
    metrics = latency_metrics(MEASURED, GUESSED, noise_floor=0.0125)
    expected = {name.removeprefix("neg_"): abs(score) for name, score in SCORES.items()}
    short = {"mse": "mean_squared_error", "rmse": "root_mean_squared_error"}
    short |= {"mae": "mean_absolute_error", "mape": "mean_absolute_percentage_error"}
    for name in ("within_1", "within_5", "within_10", "r2", "spearman", *short):
        assert metrics.pop(name) == pytest.approx(expected[short.get(name, name)]), name
    assert metrics.pop("average_absolute_deviation") == pytest.approx(1.985 / 4)
    assert metrics == {"error_to_noise": pytest.approx(10.0)}
    assert "error_to_noise" not in latency_metrics(MEASURED, GUESSED)


@pytest.mark.parametrize(
    ("measured", "predicted", "bound", "fraction"),
    [
        (1.0, 1.0526, 0.05, 0),  # within 5 % of the prediction, but not of the measured latency
        (1.0, 0.951, 0.05, 1),  # and the other way round
        (4.0, 5.0, 0.25, 1),
        (4.0, 3.0, 0.25, 1),
        (4.0, 5.001, 0.25, 0),
        (4.0, 2.999, 0.25, 0),
        (4.0, 4.0, 0, 1),
        (4.0, 4.001, 0, 0),
    ],
)
def test_a_bound_is_relative_to_what_was_measured_and_inclusive(
    measured, predicted, bound, fraction
):
    assert error_bound_accuracy([measured], [predicted], bound=bound) == fraction


@pytest.mark.parametrize("bound", [-1, -1e-9, float("nan")])
def test_a_bound_is_not_negative(bound):
    with pytest.raises(ValueError, match="bound must be at least 0"):
        error_bound_accuracy([1.0], [1.0], bound=bound)


@pytest.mark.parametrize("floor", [0, -0.01, None, float("nan")])
def test_a_noise_floor_is_positive(floor):
    with pytest.raises(ValueError, match="noise_floor must be a positive fraction"):
        error_to_noise_ratio([1.0], [1.1], noise_floor=floor)


def test_relative_errors_have_the_sign_of_the_prediction():
    assert relative_errors(MEASURED, GUESSED) == pytest.approx([0.005, -0.04, 0.375, 0.08])
    assert absolute_deviations([3.0, 1.0], [1.0, 1.5]).tolist() == [2.0, 0.5]


@pytest.mark.parametrize("metric", [relative_errors, error_bound_accuracy])
@pytest.mark.parametrize("wrong", [0.0, -1e-9])
def test_what_is_relative_needs_latencies_above_zero(metric, wrong):
    with pytest.raises(ValueError, match=r"must be positive\. Row 1"):
        metric([1e-12, wrong], [1e-12, 1.0])


def test_fifths_are_of_the_measured_latencies_and_the_first_ones_larger():
    measured = [7.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    predicted = [7.7, 1.02, 2.0, 3.0, 4.4, 5.0, 6.0]
    fifths = errors_by_quintile(measured, predicted)
    assert fifths["n"].tolist() == [2, 2, 1, 1, 1]
    assert fifths["lowest"].tolist() == [1, 3, 5, 6, 7]
    assert fifths["highest"].tolist() == [2, 4, 5, 6, 7]
    assert fifths["mape"].tolist() == pytest.approx([0.01, 0.05, 0, 0, 0.1])
    assert fifths["within_5"].tolist() == [1, 0.5, 1, 1, 0]
    with pytest.raises(ValueError, match=r"at least 5 architectures\. Got 4"):
        errors_by_quintile(measured[:4], predicted[:4])


def test_a_perfect_prediction_leaves_95_of_100_labels_in_the_band():
    errors = np.random.RandomState(0).normal(scale=0.02, size=20_000)
    band = noise_band(np.abs(errors).mean())
    assert np.mean(np.abs(errors) <= band) == pytest.approx(0.95, abs=0.005)
