"""Check the widths and labels that estimators of widths are given."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import check_non_negative, validate_data

Array = npt.NDArray[np.float64]

#: Fewest columns of widths: input and output.
LEAST_COLUMNS = 2
#: Labels below this fraction of their mean weigh as much as one of this size.
LEAST_LABEL = 1e-3


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


def compress(X: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """sign(x) log(1 + abs(x)) of each value: costs range over decades."""
    compressed: npt.NDArray[Any] = np.abs(X)
    np.log1p(compressed, out=compressed)
    if (X < 0).any():  # costs never are
        np.copysign(compressed, X, out=compressed)
    return compressed


def relative_weights(y: Array) -> Array:
    r"""What turns errors into relative ones: 1 / \|y\|, bounded where y is all but 0."""
    size = np.abs(y)
    return np.asarray(1.0 / np.maximum(size, LEAST_LABEL * size.mean() or 1.0))
