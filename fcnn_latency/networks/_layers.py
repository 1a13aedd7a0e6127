"""Dense layers of architectures: their shapes, and the only formula of each cost."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fcnn_latency._validation import Array, Ints

#: Bytes of one float32, the type of every weight and activation.
FLOAT_BYTES = 4


class Layers(NamedTuple):
    """Dense layers of architectures, each a (rows, fan_in) by (fan_in, fan_out) product.

    Parameters
    ----------
    rows, fan_in, fan_out : ndarray, shape (n, max_layers - 1)
        Sizes of the products; all three are 0 for a missing layer.
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
        """Multiply-accumulates of each layer."""
        return np.asarray(self.rows * self.fan_in * self.fan_out)

    @property
    def flops(self) -> Array:
        """Floating-point operations of each layer, two for each multiply-accumulate."""
        return np.asarray(2 * self.macs)

    @property
    def parameters(self) -> Array:
        """Number of weights and biases of each layer."""
        return np.asarray((self.fan_in + 1) * self.fan_out)

    @property
    def activations(self) -> Array:
        """Number of values that each layer writes."""
        return np.asarray(self.rows * self.fan_out)

    @property
    def bytes(self) -> Array:
        """Bytes of parameters, inputs and outputs that each layer moves, in float32."""
        moved = self.parameters + self.activations + self.rows * self.fan_in
        return np.asarray(FLOAT_BYTES * moved)


def signal_rows(input_widths: npt.ArrayLike, signal_length: int) -> Ints:
    """Return the rows of a workload: ceil(signal_length / input width)."""
    widths = np.asarray(input_widths, dtype=np.int64)
    return -(-int(signal_length) // widths)


def layers_of(widths: Array, signal_length: int) -> Layers:
    """Return the layers of zero-padded widths.

    Widths may be real numbers. An input width below 1 gives as many rows as a width of 1.

    Parameters
    ----------
    widths : ndarray, shape (n, max_layers)
        Zero-padded widths.
    signal_length : int
        Number of values of the signal, which is cut into ceil(signal_length / w_1) rows.

    Returns
    -------
    Layers
        Arrays with the dtype of `widths`.

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
    """Return rows, inputs and outputs of each layer.

    Parameters
    ----------
    padded : ndarray of int, shape (n, max_layers)
        Zero-padded widths.
    signal_length : int
        Number of values of the signal, which is cut into ceil(signal_length / w_1) rows.

    Returns
    -------
    ndarray of int64, shape (n, max_layers - 1, 3)
        Rows, inputs and outputs; all three are 0 for a missing layer.
    """
    return np.stack(layers_of(padded, signal_length), axis=-1)


def layer_costs(padded: Ints, signal_length: int) -> dict[str, Ints]:
    """Return the costs of each dense layer for one inference of the workload.

    With widths (w_1 ... w_k), layer j multiplies a (rows, w_j) by a (w_j, w_{j+1}) matrix.

    Parameters
    ----------
    padded : ndarray of int, shape (n, max_layers)
        Zero-padded widths.
    signal_length : int
        Number of values of the signal, which is cut into ceil(signal_length / w_1) rows.

    Returns
    -------
    dict of str to ndarray of int64, shape (n, max_layers - 1)
        ``macs`` (multiply-accumulates), ``parameters`` (weights and biases), ``activations``
        (values written) and ``bytes`` (parameters, inputs and outputs moved, float32); 0 for
        a missing layer.
    """
    layers = layers_of(padded, signal_length)
    return {
        "macs": layers.macs,
        "parameters": layers.parameters,
        "activations": layers.activations,
        "bytes": layers.bytes,
    }
