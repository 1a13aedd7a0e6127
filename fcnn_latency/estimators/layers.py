"""Zero-padded widths as the layers that the physical estimators reckon with."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import check_non_negative, validate_data

from fcnn_latency.architecture import FLOAT_BYTES

__all__ = ["Layers", "check_widths", "check_widths_and_labels", "layers_of", "relative_weights"]

Array = npt.NDArray[np.float64]

#: Fewest columns of widths: input and output.
LEAST_COLUMNS = 2
#: Labels below this fraction of their mean weigh as much as one of this size.
LEAST_LABEL = 1e-3


class Layers(NamedTuple):
    """Dense layers of architectures: a (rows, fan_in) by a (fan_in, fan_out) product each.

    Parameters
    ----------
    rows, fan_in, fan_out : ndarray of float64, shape (n, max_layers - 1)
        Sizes of the products; all three are 0 where an architecture has no such layer.
    """

    rows: Array
    fan_in: Array
    fan_out: Array

    @property
    def counts(self) -> Array:
        """How many layers each architecture has, shape (n,)."""
        return np.asarray(np.count_nonzero(self.rows, axis=1), dtype=np.float64)

    @property
    def flops(self) -> Array:
        """Floating-point operations, two for each multiply-accumulate, as `rows` in shape."""
        return 2.0 * self.rows * self.fan_in * self.fan_out

    @property
    def bytes(self) -> Array:
        """Weights, inputs and outputs moved, in float32, as `rows` in shape."""
        weights = (self.fan_in + 1) * self.fan_out
        return FLOAT_BYTES * (weights + self.rows * (self.fan_in + self.fan_out))


def layers_of(widths: Array, signal_length: int) -> Layers:
    """The layers of zero-padded widths.

    Widths may be real numbers; an input narrower than 1 is cut into as many rows as one of 1.

    Examples
    --------
    >>> layers_of(np.array([[14.0, 21.0, 14.0], [41.0, 41.0, 0.0]]), 50)
    Layers(rows=array([[4., 4.],
           [2., 0.]]), fan_in=array([[14., 21.],
           [41.,  0.]]), fan_out=array([[21., 14.],
           [41.,  0.]]))
    """
    fan_in, fan_out = widths[:, :-1], widths[:, 1:]
    there = (fan_in > 0) & (fan_out > 0)
    rows = np.ceil(signal_length / np.maximum(widths[:, :1], 1.0))
    return Layers(rows * there, fan_in * there, fan_out * there)


def check_widths(estimator: Any, X: npt.ArrayLike, *, reset: bool) -> Array:
    """Widths, checked by scikit-learn's `validate_data`.

    Raises
    ------
    ValueError
        If they are not finite, negative or of fewer than two layers.
    """
    least = LEAST_COLUMNS if reset else 1  # later, another number of columns is the error
    widths = validate_data(estimator, X, reset=reset, dtype=np.float64, ensure_min_features=least)
    check_non_negative(widths, type(estimator).__name__)
    return np.asarray(widths)


def check_widths_and_labels(
    estimator: Any, X: npt.ArrayLike, y: npt.ArrayLike | None
) -> tuple[Array, Array]:
    """Widths and labels for `fit`, checked by scikit-learn's `validate_data`.

    Raises
    ------
    ValueError
        If they are not finite or differ in length, there are no labels, or widths are negative
        or of fewer than two layers.
    """
    widths, labels = validate_data(
        estimator, X, y, dtype=np.float64, ensure_min_features=LEAST_COLUMNS, y_numeric=True
    )
    check_non_negative(widths, type(estimator).__name__)
    return widths, np.asarray(labels, dtype=np.float64)


def relative_weights(y: Array) -> Array:
    r"""What turns errors into relative ones: 1 / \|y\|, bounded where y is all but 0."""
    size = np.abs(y)
    return np.asarray(1.0 / np.maximum(size, LEAST_LABEL * size.mean() or 1.0))
