"""What each parameter of an estimator may be, checked without TensorFlow."""

from __future__ import annotations

import math
import numbers
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from fcnn_latency._keras import import_keras
from fcnn_latency.estimators.neural._dense_network import ACTIVATIONS

__all__ = [
    "FRACTION",
    "LARGEST_SEED",
    "RULES",
    "WHOLE",
    "Rule",
    "check_parameters",
    "is_bool",
    "is_number",
    "is_whole",
    "one_of",
]

LARGEST_SEED = 2**32 - 1

#: What a parameter must be, in words and as a test.
Rule = tuple[str, Callable[[Any], bool]]


def one_of(names: str) -> Rule:
    """A rule for names, divided by spaces."""
    valid = names.split()
    return f"one of {valid}", lambda value: isinstance(value, str) and value in valid


def is_bool(value: object) -> bool:
    """Whether it is True or False."""
    return isinstance(value, bool | np.bool_)


def is_whole(value: object, least: int = 1, most: float = math.inf) -> bool:
    """Whether it is a whole number within the limits."""
    if is_bool(value) or not isinstance(value, numbers.Integral):
        return False
    return least <= int(value) <= most


def is_number(value: object) -> bool:
    """Whether it is a finite number."""
    return isinstance(value, numbers.Real) and not is_bool(value) and math.isfinite(value)


def _is_sizes(value: object) -> bool:
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if not isinstance(value, Sequence) or isinstance(value, str):
        return False
    return len(value) > 0 and all(is_whole(size) for size in value)


def _is_callbacks(value: object) -> bool:
    if not isinstance(value, list | tuple):
        return value is None
    # An empty list needs no Keras; with one of its callbacks in it, Keras is there already.
    return not value or all(isinstance(v, import_keras().callbacks.Callback) for v in value)


WHOLE: Rule = ("a whole number of at least 1", is_whole)
FRACTION: Rule = ("a number in [0, 1)", lambda value: is_number(value) and 0 <= value < 1)

RULES: dict[str, Rule] = {
    "hidden_layer_sizes": ("a sequence of one or more whole numbers of at least 1", _is_sizes),
    "linear_part": ("True or False", is_bool),
    "target": one_of("relative absolute"),
    "n_networks": WHOLE,
    "activation": one_of(" ".join(ACTIVATIONS)),
    "batch_normalization": (
        "True, False or 'first'",
        lambda value: is_bool(value) or (isinstance(value, str) and value == "first"),
    ),
    "dropout": FRACTION,
    "l2": ("a finite number of at least 0", lambda value: is_number(value) and value >= 0),
    # Keras' optimizers that a step size alone sets up.
    "optimizer": one_of("adadelta adafactor adagrad adam adamax adamw ftrl lion nadam rmsprop sgd"),
    "learning_rate": ("a finite number above 0", lambda value: is_number(value) and value > 0),
    "learning_rate_decay": (
        "'cosine' or None",
        lambda value: value is None or (isinstance(value, str) and value == "cosine"),
    ),
    # Those with a meaning on a standardized target, which takes both signs.
    "loss": one_of("huber log_cosh mae mean_absolute_error mean_squared_error mse"),
    "epochs": WHOLE,
    "batch_size": WHOLE,
    "early_stopping": ("True or False", is_bool),
    "validation_fraction": FRACTION,
    "callbacks": ("a list of keras.callbacks.Callback or None", _is_callbacks),
    "log_dir": (
        "a path or None",
        lambda value: value is None or isinstance(value, str | os.PathLike),
    ),
    "random_state": (
        f"a whole number from 0 to {LARGEST_SEED}, a numpy.random.RandomState or None",
        lambda value: (
            value is None
            or isinstance(value, np.random.RandomState)
            or is_whole(value, 0, LARGEST_SEED)
        ),
    ),
    "verbose": ("0, 1 or 2", lambda value: is_bool(value) or is_whole(value, 0, 2)),
}


def check_parameters(estimator: Any, rules: Mapping[str, Rule] = RULES) -> None:
    """Hold the parameters of an estimator against its rules, by default a `LatencyRegressor`'s.

    Raises
    ------
    ValueError
        If one is wrong; says which, what it must be and what it is.
    """
    for name, (expected, holds) in rules.items():
        value = getattr(estimator, name)
        if not holds(value):
            msg = (
                f"The '{name}' parameter of {type(estimator).__name__} must be {expected}. "
                f"Got {value!r} instead."
            )
            raise ValueError(msg)
