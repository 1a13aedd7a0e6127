"""Dense layers of architectures: their shapes, and the one formula of each cost."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fcnn_latency._validation import Array, Ints

#: Bytes of one float32, the type of every weight and activation.
FLOAT_BYTES = 4


class Layers(NamedTuple):
    """Dense layers of architectures: a (rows, fan_in) by a (fan_in, fan_out) product each.

    Parameters
    ----------
    rows, fan_in, fan_out : ndarray, shape (n, max_layers - 1)
        Sizes of the products; all three are 0 if an architecture has no such layer.
    """

    rows: Array
    fan_in: Array
    fan_out: Array

    @property
    def counts(self) -> Array:
        """Number of layers of each architecture, float64 of shape (n,)."""
        return np.asarray(np.count_nonzero(self.rows, axis=1), dtype=np.float64)

    @property
    def macs(self) -> Array:
        """Multiply-accumulates."""
        return np.asarray(self.rows * self.fan_in * self.fan_out)

    @property
    def flops(self) -> Array:
        """Floating-point operations, two for each multiply-accumulate."""
        return np.asarray(2 * self.macs)

    @property
    def parameters(self) -> Array:
        """Weights and biases."""
        return np.asarray((self.fan_in + 1) * self.fan_out)

    @property
    def activations(self) -> Array:
        """Values written."""
        return np.asarray(self.rows * self.fan_out)

    @property
    def bytes(self) -> Array:
        """Weights, inputs and outputs moved, in float32."""
        moved = self.parameters + self.activations + self.rows * self.fan_in
        return np.asarray(FLOAT_BYTES * moved)


def signal_rows(input_widths: npt.ArrayLike, signal_length: int) -> Ints:
    """Rows of a workload: ceil(signal_length / input width)."""
    widths = np.asarray(input_widths, dtype=np.int64)
    return -(-int(signal_length) // widths)


def layers_of(widths: Array, signal_length: int) -> Layers:
    """Layers of zero-padded widths.

    Widths may be real numbers; an input narrower than 1 is cut into as many rows as one of 1.

    Parameters
    ----------
    widths : ndarray, shape (n, max_layers)
        Zero-padded widths.
    signal_length : int
        Values of the signal, cut into ceil(signal_length / w_1) rows.

    Returns
    -------
    Layers
        Arrays of the type of `widths`.

    Examples
    --------
    >>> layers_of(np.array([[14, 21, 14], [41, 41, 0]]), 50)
    Layers(rows=array([[4, 4],
           [2, 0]]), fan_in=array([[14, 21],
           [41,  0]]), fan_out=array([[21, 14],
           [41,  0]]))
    """
    fan_in, fan_out = widths[:, :-1], widths[:, 1:]
    there = (fan_in > 0) & (fan_out > 0)
    rows = np.ceil(signal_length / np.maximum(widths[:, :1], 1)).astype(widths.dtype)
    return Layers(rows * there, fan_in * there, fan_out * there)


def layer_shapes(padded: Ints, signal_length: int) -> Ints:
    """Rows, inputs and outputs of each layer.

    Parameters
    ----------
    padded : ndarray of int, shape (n, max_layers)
        Zero-padded widths.
    signal_length : int
        Values of the signal, cut into ceil(signal_length / w_1) rows.

    Returns
    -------
    ndarray of int64, shape (n, max_layers - 1, 3)
        All three are 0 if an architecture has no such layer.
    """
    return np.stack(layers_of(padded, signal_length), axis=-1)


def layer_costs(padded: Ints, signal_length: int) -> dict[str, Ints]:
    """Costs of each dense layer for one inference of the workload.

    Layer j of widths (w_1 ... w_k) multiplies a (rows, w_j) by a (w_j, w_{j+1}) matrix.

    Parameters
    ----------
    padded : ndarray of int, shape (n, max_layers)
        Zero-padded widths.
    signal_length : int
        Values of the signal, cut into ceil(signal_length / w_1) rows.

    Returns
    -------
    dict of str to ndarray of int64, shape (n, max_layers - 1)
        ``macs`` (multiply-accumulates), ``parameters`` (weights and biases), ``activations``
        (values written) and ``bytes`` (weights, inputs and outputs moved, float32); 0 if an
        architecture has no such layer.
    """
    layers = layers_of(padded, signal_length)
    return {
        "macs": layers.macs,
        "parameters": layers.parameters,
        "activations": layers.activations,
        "bytes": layers.bytes,
    }
