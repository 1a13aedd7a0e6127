"""A trained Keras network of dense layers as arrays, to predict without Keras.

A call of ``predict`` in Keras takes tens of milliseconds, even for a single row.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import erf, expit

from fcnn_latency._validation import Floats32

SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772


def _relu(x: Floats32) -> Floats32:
    return np.maximum(x, 0, out=x)


def _softplus(x: Floats32) -> Floats32:
    return np.logaddexp(x, 0)


def _hard_sigmoid(x: Floats32) -> Floats32:
    return np.clip(x / 6 + 0.5, 0, 1)


#: Element-wise activations of Keras.
ACTIVATIONS: dict[str, Callable[[Floats32], Floats32]] = {
    "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    "gelu": lambda x: 0.5 * x * (1 + erf(x / np.sqrt(np.float32(2)))),
    "hard_sigmoid": _hard_sigmoid,
    "hard_silu": lambda x: x * _hard_sigmoid(x),
    "leaky_relu": lambda x: np.where(x > 0, x, np.float32(0.2) * x),
    "linear": lambda x: x,
    "log_sigmoid": lambda x: -_softplus(-x),
    "mish": lambda x: x * np.tanh(_softplus(x)),
    "relu": _relu,
    "relu6": lambda x: np.clip(x, 0, 6),
    "selu": lambda x: (
        np.float32(SELU_SCALE)
        * np.where(x > 0, x, np.float32(SELU_ALPHA) * np.expm1(np.minimum(x, 0)))
    ),
    "sigmoid": expit,
    "silu": lambda x: x * expit(x),
    "softplus": _softplus,
    "softsign": lambda x: x / (1 + np.abs(x)),
    "swish": lambda x: x * expit(x),
    "tanh": np.tanh,
}


class DenseNetwork:
    """Sequence of dense layers.

    Parameters
    ----------
    kernels : list of ndarray of float32, shape (fan_in, fan_out)
        Kernel of each layer.
    biases : list of ndarray of float32, shape (fan_out,)
        Bias of each layer.
    activation : str
        Activation of all layers except the last, which has none; a key of `ACTIVATIONS`.
    """

    def __init__(self, kernels: list[Floats32], biases: list[Floats32], activation: str) -> None:
        self.kernels = kernels
        self.biases = biases
        self.activation = activation

    @classmethod
    def from_keras(cls, model: Any, activation: str) -> DenseNetwork:
        """Convert a sequential model of dense, batch normalization and dropout layers.

        A batch normalization is folded into the dense layer that follows it (Ioffe and Szegedy,
        "Batch normalization", 2015, algorithm 2, step 11).

        Raises
        ------
        TypeError
            If the model has a layer of another type.
        """
        kernels: list[Floats32] = []
        biases: list[Floats32] = []
        scale, shift = None, None
        for layer in model.layers:
            kind = type(layer).__name__
            weights = [np.asarray(weight) for weight in layer.get_weights()]
            if kind == "Dense":
                kernel, bias = weights
                if scale is not None:
                    bias = bias + shift @ kernel
                    kernel = scale[:, None] * kernel
                    scale, shift = None, None
                kernels.append(np.ascontiguousarray(kernel, dtype=np.float32))
                biases.append(np.asarray(bias, dtype=np.float32))
            elif kind == "BatchNormalization":
                gamma, beta, mean, variance = weights
                scale = gamma / np.sqrt(variance + layer.epsilon)
                shift = beta - mean * scale
            elif kind not in ("Dropout", "InputLayer"):
                raise TypeError(f"A network of {kind} layers cannot be turned into dense ones.")
        return cls(kernels, biases, activation)

    def __call__(self, inputs: Floats32) -> Floats32:
        """Return the output of the last layer's only unit, shape (n,), for inputs (n, fan_in)."""
        activate = ACTIVATIONS[self.activation]
        values = inputs
        for kernel, bias in zip(self.kernels[:-1], self.biases[:-1], strict=True):
            values = values @ kernel
            values += bias
            values = activate(values)
        outputs: Floats32 = values @ self.kernels[-1][:, 0]
        outputs += self.biases[-1][0]
        return outputs
