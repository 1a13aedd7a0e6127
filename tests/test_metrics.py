"""How good a prediction is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, RegressorMixin

from fcnn_latency.metrics import SCORERS, error_bound_accuracy, latency_metrics
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
