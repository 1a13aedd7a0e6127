"""Training of a network whose every step is worked out by hand."""

from math import cos, pi, prod
from types import SimpleNamespace

import numpy as np
import pytest

from fcnn_latency.estimators.neural._training import history_in_units, train

pytestmark = [
    pytest.mark.usefixtures("untraced"),
    pytest.mark.filterwarnings("ignore:Even though the `tf.config:UserWarning"),
]

#: All inputs and all targets are 1.
ONES = np.ones((8, 1), dtype=np.float32)


def line_of_zeros():
    """A line that starts at 0, and so with an error of -1 on a target of 1.

    The error is w + b - 1, and both gradients of its square are twice the error: each step
    multiplies it by 1 - 4 * learning rate.
    """
    import keras

    return keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="zeros")])


def trained(target=ONES[:, 0], sample_weight=None, **changes):
    settings = {
        "epochs": 1,
        "batch_size": 8,
        "validation_fraction": 0.0,
        "early_stopping": False,
        "learning_rate": 0.125,
        "learning_rate_decay": None,
        "verbose": 0,
    }
    return train(
        line_of_zeros,
        [ONES[: len(target)]],
        target,
        SimpleNamespace(**settings | changes),
        optimizer="sgd",
        loss="mean_squared_error",
        patience=1,
        seed=0,
        sample_weight=sample_weight,
    )


def prediction_of(result):
    return float(result.model(ONES[:1])[0, 0])


def test_early_stopping_keeps_the_best_weights():
    # Each step doubles the error and turns its sign: the first epoch is the best.
    result = trained(epochs=9, learning_rate=0.75, validation_fraction=0.25, early_stopping=True)
    assert result.recorded["val_loss"] == pytest.approx([4, 16])
    assert prediction_of(result) == pytest.approx(1 + 2)


def test_without_early_stopping_the_last_weights_are_kept():
    result = trained(epochs=2, learning_rate=0.75, validation_fraction=0.25)
    assert result.recorded["val_loss"] == pytest.approx([4, 16])
    assert prediction_of(result) == pytest.approx(1 - 4)


@pytest.mark.parametrize(("batch_size", "n_steps"), [(8, 1), (5, 2), (4, 2)])
def test_learning_rate_decays_to_0_over_all_steps(batch_size, n_steps):
    result = trained(epochs=2, batch_size=batch_size, learning_rate_decay="cosine")
    rates = [0.125 * (1 + cos(pi * k / (2 * n_steps))) / 2 for k in range(2 * n_steps)]
    error = -prod(1 - 4 * rate for rate in rates)
    assert prediction_of(result) == pytest.approx(1 + error, rel=1e-5)


def test_learning_rate_is_halved_after_ten_epochs_without_improvement():
    (callback,) = trained(learning_rate_decay="plateau", validation_fraction=0.25).callbacks
    assert (callback.monitor, callback.factor, callback.patience) == ("val_loss", 0.5, 10)


def test_rows_count_by_their_weight():
    # Both gradients are (1 * 2 * (0 - 0) + 3 * 2 * (0 - 1)) / 2 = -3.
    result = trained(
        np.array([0, 1], dtype=np.float32), np.array([1, 3], dtype=np.float32), learning_rate=0.25
    )
    assert prediction_of(result) == pytest.approx(2 * 0.25 * 3)


@pytest.mark.parametrize(("fraction", "n_held_out"), [(0.25, 2), (0.5, 4), (0.1, None)])
def test_a_fraction_of_the_rows_is_held_out(fraction, n_held_out):
    held_out = trained(validation_fraction=fraction).held_out
    if n_held_out is None:
        assert held_out is None
    else:
        inputs, target = held_out
        assert inputs.shape == (n_held_out, 1)
        assert target.shape == (n_held_out,)


def test_history_has_the_unit_of_the_target():
    recorded = {"loss": [5], "mean_squared_error": [4], "mean_absolute_error": [1]}
    recorded |= {f"val_{name}": [3 * values[0]] for name, values in recorded.items()}
    assert history_in_units(recorded, 0.5) == {
        "loss": [5],
        "mse": [1],
        "mae": [0.5],
        "rmse": [1],
        "val_loss": [15],
        "val_mse": [3],
        "val_mae": [1.5],
        "val_rmse": [3**0.5],
    }
