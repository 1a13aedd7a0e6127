"""How the graph convolutional network is trained, in Keras."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.model_selection import train_test_split

from fcnn_latency._keras import import_keras
from fcnn_latency.estimators.neural._graph_network import GraphNetwork, Weights, layer_weights
from fcnn_latency.estimators.neural._training import seed_of

__all__ = ["LOSSES", "history_in_seconds", "train_network"]

#: Keras' loss on the standardized target, and the power of 1 / latency that weighs it.
LOSSES = {
    "mean_absolute_percentage_error": ("mean_absolute_error", 1),
    "mean_squared_percentage_error": ("mean_squared_error", 2),
    "mean_absolute_error": ("mean_absolute_error", 0),
    "mean_squared_error": ("mean_squared_error", 0),
}

#: Epochs without improvement after which training stops, as a share of all: 35 of 250 in BRP-NAS.
PATIENCE = 0.14


def train_network(
    network: GraphNetwork, settings: Any, inputs: list[Any], target: Any, sample_weights: Any
) -> tuple[Weights, dict[str, list[float]]]:
    """Train a network; the global seeds are put back after.

    Parameters
    ----------
    network : GraphNetwork
        What it looks like.
    settings : GraphConvolutionRegressor
        How it is trained.
    inputs : list of ndarray
        What the network takes.
    target, sample_weights : ndarray of shape (n_samples,)
        What it is to output, and what each row weighs in the loss.

    Returns
    -------
    weights : dict of str to list of ndarray
        By layer.
    recorded : dict of str to list of float
        What Keras records of each epoch.

    Raises
    ------
    ValueError
        If there are too few rows to validate on, or training diverges.
    """
    keras, seed = import_keras(), seed_of(settings.random_state)
    from scikeras.utils.random_state import tensorflow_random_state

    training, held_out = _split(settings, [*inputs, target, sample_weights], seed)
    *inputs, target, sample_weights = training
    with tensorflow_random_state(seed):
        model = network.build()
        model.compile(
            keras.optimizers.AdamW(
                _learning_rate(settings, len(target)), weight_decay=float(settings.weight_decay)
            ),
            loss=LOSSES[settings.loss][0],
            metrics=["mean_squared_error", "mean_absolute_error"],
        )
        recorded = model.fit(
            inputs,
            target,
            sample_weight=sample_weights,
            epochs=int(settings.epochs),
            batch_size=int(settings.batch_size),
            validation_data=held_out and (held_out[:-2], *held_out[-2:]),
            callbacks=_callbacks(settings),
            verbose=int(settings.verbose),
        ).history
    if not np.isfinite(recorded["loss"][-1]):
        msg = (
            f"Training diverged: the loss is {recorded['loss'][-1]}. Choose a lower "
            f"learning_rate than {settings.learning_rate!r}."
        )
        raise ValueError(msg)
    return layer_weights(model), recorded


def history_in_seconds(recorded: dict[str, list[float]], scale: float) -> dict[str, list[float]]:
    """What Keras recorded on a target of which 1 is `scale` seconds."""
    history: dict[str, list[float]] = {}
    for prefix in ("", "val_"):
        if f"{prefix}loss" in recorded:
            history[f"{prefix}loss"] = [float(v) for v in recorded[f"{prefix}loss"]]
            squared = recorded[f"{prefix}mean_squared_error"]
            history[f"{prefix}mse"] = [float(v) * scale**2 for v in squared]
            absolute = recorded[f"{prefix}mean_absolute_error"]
            history[f"{prefix}mae"] = [float(v) * scale for v in absolute]
            history[f"{prefix}rmse"] = [v**0.5 for v in history[f"{prefix}mse"]]
    return history


def _split(settings: Any, arrays: list[Any], seed: int) -> tuple[list[Any], list[Any] | None]:
    """Rows to train on and, where `validation_fraction` gives any, rows to validate on."""
    n_samples = len(arrays[0])
    if n_samples * settings.validation_fraction >= 1:
        both = train_test_split(*arrays, test_size=settings.validation_fraction, random_state=seed)
        return both[::2], both[1::2]
    if settings.early_stopping or settings.learning_rate_decay == "plateau":
        msg = (
            "early_stopping=True and learning_rate_decay='plateau' need validation rows: of "
            f"{n_samples} rows, validation_fraction={settings.validation_fraction!r} leaves none."
        )
        raise ValueError(msg)
    return arrays, None


def _learning_rate(settings: Any, n_samples: int) -> Any:
    if settings.learning_rate_decay != "cosine":
        return float(settings.learning_rate)
    steps = int(settings.epochs) * -(-n_samples // int(settings.batch_size))
    return import_keras().optimizers.schedules.CosineDecay(float(settings.learning_rate), steps)


def _callbacks(settings: Any) -> list[Any]:
    keras, callbacks = import_keras(), []
    if settings.early_stopping:
        patience = max(1, round(PATIENCE * settings.epochs))
        callbacks.append(
            keras.callbacks.EarlyStopping(patience=patience, restore_best_weights=True)
        )
    if settings.learning_rate_decay == "plateau":
        callbacks.append(keras.callbacks.ReduceLROnPlateau(factor=0.5, patience=10))
    return callbacks
