"""Rules for the parameters of the neural estimators."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np

from fcnn_latency._imports import import_keras
from fcnn_latency._validation import (
    BOOLEAN,
    SEED,
    VERBOSITY,
    Rule,
    choice,
    number,
    or_none,
    whole,
)
from fcnn_latency.estimators.neural._dense_network import ACTIVATIONS


def _is_sizes(value: object) -> bool:
    sizes = value.tolist() if isinstance(value, np.ndarray) else value
    if not isinstance(sizes, Sequence) or isinstance(sizes, str):
        return False
    return len(sizes) > 0 and all(whole(1).holds(size) for size in sizes)


def _is_callbacks(value: object) -> bool:
    if not isinstance(value, list | tuple):
        return value is None
    # An empty list does not need Keras. If it contains a Keras callback, Keras is installed.
    return not value or all(isinstance(v, import_keras().callbacks.Callback) for v in value)


#: Keras optimizers that need no setting except the learning rate.
OPTIMIZERS = (
    *("adadelta", "adafactor", "adagrad", "adam", "adamax", "adamw", "ftrl", "lion", "nadam"),
    *("rmsprop", "sgd"),
)


#: Losses that are meaningful for a standardized target, which takes both signs.
DEEP_LOSSES = ("huber", "log_cosh", "mae", "mean_absolute_error", "mean_squared_error", "mse")


#: Rules for the parameters that both estimators share.
SHARED_RULES: dict[str, Rule] = {
    "linear_part": BOOLEAN,
    "dropout": number(least=0, below=1),
    "learning_rate": number(above=0),
    "epochs": whole(1),
    "batch_size": whole(1),
    "early_stopping": BOOLEAN,
    "validation_fraction": number(least=0, below=1),
    "random_state": SEED,
    "verbose": VERBOSITY,
}


#: Rules for the parameters of `LatencyRegressor`.
DEEP_RULES: dict[str, Rule] = {
    **SHARED_RULES,
    "hidden_layer_sizes": Rule("a sequence of one or more whole numbers of at least 1", _is_sizes),
    "target": choice(("relative", "absolute")),
    "n_networks": whole(1),
    "activation": choice(ACTIVATIONS),
    "batch_normalization": Rule(
        "True, False or 'first'",
        lambda value: BOOLEAN.holds(value) or (isinstance(value, str) and value == "first"),
    ),
    "l2": number(least=0),
    "optimizer": choice(OPTIMIZERS),
    "learning_rate_decay": or_none(Rule("'cosine'", choice(["cosine"]).holds)),
    "loss": choice(DEEP_LOSSES),
    "callbacks": Rule("a list of keras.callbacks.Callback or None", _is_callbacks),
    "log_dir": or_none(Rule("a path", lambda value: isinstance(value, str | os.PathLike))),
}


#: Keras loss on the standardized target, and the power of 1 / latency that weights it.
GRAPH_LOSSES = {
    "mean_absolute_percentage_error": ("mean_absolute_error", 1),
    "mean_squared_percentage_error": ("mean_squared_error", 2),
    "mean_absolute_error": ("mean_absolute_error", 0),
    "mean_squared_error": ("mean_squared_error", 0),
}


#: Rules for the parameters of `GraphConvolutionRegressor`.
GRAPH_RULES: dict[str, Rule] = {
    **SHARED_RULES,
    "n_nodes": or_none(whole(1)),
    "n_node_features": or_none(whole(1)),
    "n_convolutions": whole(1),
    "units": whole(1),
    "bidirectional": BOOLEAN,
    "layer_normalization": BOOLEAN,
    "loss": choice(GRAPH_LOSSES),
    "learning_rate_decay": or_none(choice(["cosine", "plateau"])),
    "weight_decay": number(least=0),
}
