"""What training networks takes: their inputs, their seed, the network itself."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils import check_random_state

from fcnn_latency._keras import import_keras

__all__ = ["build_network", "compress", "seed_of"]


def compress(X: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """sign(x) log(1 + abs(x)) of each value: costs range over decades."""
    compressed: npt.NDArray[Any] = np.abs(X)
    np.log1p(compressed, out=compressed)
    if (X < 0).any():  # costs never are
        np.copysign(compressed, X, out=compressed)
    return compressed


def seed_of(random_state: int | np.random.RandomState | None) -> int:
    """A number in any case: TensorFlow, once made deterministic, refuses to go without."""
    if isinstance(random_state, numbers.Integral):
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31 - 1))


def build_network(meta: dict[str, Any], parameters: dict[str, Any]) -> Any:
    """A compiled network with the parameters of a `LatencyRegressor`, as scikeras calls for it."""
    keras = import_keras()
    layers: list[Any] = [keras.Input((meta["n_features_in_"],))]
    for i, size in enumerate(parameters["hidden_layer_sizes"]):
        regularizer = keras.regularizers.L2(parameters["l2"]) if parameters["l2"] else None
        layers.append(
            keras.layers.Dense(int(size), parameters["activation"], kernel_regularizer=regularizer)
        )
        if parameters["batch_normalization"] and (
            parameters["batch_normalization"] != "first" or i == 0
        ):
            layers.append(keras.layers.BatchNormalization())
        if parameters["dropout"]:
            layers.append(keras.layers.Dropout(parameters["dropout"]))
    network = keras.Sequential([*layers, keras.layers.Dense(1)])
    rate = parameters["learning_rate"]
    if parameters["learning_rate_decay"] == "cosine":
        steps = parameters["epochs"] * -(-meta["X_shape_"][0] // parameters["batch_size"])
        rate = keras.optimizers.schedules.CosineDecay(rate, steps)
    network.compile(
        optimizer=keras.optimizers.get(
            {"class_name": parameters["optimizer"], "config": {"learning_rate": rate}}
        ),
        loss=parameters["loss"],
        metrics=["mean_squared_error", "mean_absolute_error"],
    )
    return network
