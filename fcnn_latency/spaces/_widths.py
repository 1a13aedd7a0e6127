"""Checking, zero-padding and trimming of rows of widths."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fcnn_latency._validation import Array, Floats, Ints, refuse_first

if TYPE_CHECKING:  # measuring processes do not import it
    import pandas as pd


def pad_widths(architectures: Any, max_layers: int | None = None) -> Ints:
    """Check architectures and zero-pad them.

    Parameters
    ----------
    architectures : sequence of sequences, array or DataFrame of shape (n, k)
        Ragged or zero-padded widths. A DataFrame has the columns ``layer_1`` to ``layer_k``.
    max_layers : int or None, default=None
        Number of columns of the result. None is the number of layers of the deepest row.

    Returns
    -------
    ndarray of int64, shape (n, max_layers)
        Zero-padded widths.

    Raises
    ------
    ValueError
        If a row has fewer than 2 or more than `max_layers` layers, a width is not a whole number
        of at least 1, or a width comes after a zero; the message names the row and, for a width,
        the layer.

    Examples
    --------
    >>> pad_widths([[41, 41], [14, 21, 31, 14]], max_layers=5)
    array([[41, 41,  0,  0,  0],
           [14, 21, 31, 14,  0]])
    """
    if hasattr(architectures, "iloc"):
        _check_layer_columns(architectures)
        architectures = architectures.to_numpy()
    if isinstance(architectures, np.ndarray) and architectures.dtype != object:
        values = _check_matrix(architectures)
    else:
        values = _stack_ragged(architectures)
    _check_values(values)
    used = values > 0
    gap = ~used[:, :-1] & used[:, 1:]
    if gap.any():
        row, layer = (int(v) for v in np.argwhere(gap)[0])
        raise ValueError(
            f"Row {row}, layer {layer + 1} is 0 but layer {layer + 2} has "
            f"{values[row, layer + 1]:g} neurons: zeros may only pad the end."
        )
    depths = used.sum(axis=1)
    refuse_first(
        depths < 2,
        depths,
        "Row {row} has {value} layers; an architecture has at least 2, input and output.",
    )
    if max_layers is None:
        max_layers = int(depths.max(initial=0))
    refuse_first(
        depths > max_layers,
        depths,
        f"Row {{row}} has {{value}} layers; at most max_layers={max_layers} fit. "
        "For deeper ones pass space=FCNNSpace(max_layers=...).",
    )
    padded = np.zeros((len(values), max_layers), dtype=np.int64)
    padded[:, : values.shape[1]] = values[:, :max_layers]
    return padded


def repeats(padded: npt.ArrayLike) -> Ints:
    """Number the distinct architectures, and return the number of each row.

    Parameters
    ----------
    padded : array-like of shape (n, k)
        Zero-padded widths.

    Returns
    -------
    ndarray of int64, shape (n,)
        Numbers from 0; equal rows have the same number.

    Examples
    --------
    >>> repeats([[5, 5], [3, 3], [5, 5]])
    array([1, 0, 1])
    """
    _, numbers_of = np.unique(np.asarray(padded), axis=0, return_inverse=True)
    return np.asarray(numbers_of).reshape(-1)


def _check_layer_columns(frame: pd.DataFrame) -> None:
    expected = [f"layer_{i + 1}" for i in range(frame.shape[1])]
    if list(frame.columns) != expected:
        raise ValueError(
            f"A DataFrame of architectures has the columns layer_1 to layer_k in this order "
            f"and no other. Got {list(map(str, frame.columns))} instead."
        )


def _check_matrix(values: Array) -> Floats:
    if values.ndim != 2:
        raise ValueError(
            f"Expected 2D array, got {values.ndim}D array instead: one row per architecture. "
            "For a single one pass [widths]. Reshape your data."
        )
    if values.dtype.kind not in "iuf":
        raise ValueError(
            f"Widths must be whole numbers. Got an array of dtype {values.dtype} instead."
        )
    return values.astype(np.float64)


def _stack_ragged(architectures: Any) -> Floats:
    if isinstance(architectures, str) or not isinstance(architectures, (Sequence, np.ndarray)):
        raise ValueError(
            "Architectures must be a sequence of widths sequences, a 2D array or a DataFrame. "
            f"Got {type(architectures).__name__} instead."
        )
    rows = [_as_row(row, widths) for row, widths in enumerate(architectures)]
    columns = list(zip_longest(*rows, fillvalue=0.0))
    return np.array(columns, dtype=np.float64).reshape(len(columns), len(rows)).T


def _as_row(row: int, widths: Any) -> list[float]:
    if isinstance(widths, (str, bytes)) or not isinstance(widths, (Sequence, np.ndarray)):
        raise ValueError(
            f"Row {row} is {widths!r}, not a sequence of widths such as (14, 21, 31, 14). "
            "For a single architecture pass [widths]."
        )
    for layer, width in enumerate(widths):
        if isinstance(width, (bool, np.bool_)) or not isinstance(width, numbers.Real):
            raise ValueError(
                f"Row {row}, layer {layer + 1} is {width!r}; a width is a whole number."
            )
    return [float(width) for width in widths]


def _check_values(values: Floats) -> None:
    good = (values >= 0) & (values <= np.iinfo(np.int32).max) & (values == np.floor(values))
    if not good.all():
        row, layer = (int(v) for v in np.argwhere(~good)[0])
        value = values[row, layer]
        what = "NaN" if np.isnan(value) else "infinity" if np.isinf(value) else f"{value:g}"
        raise ValueError(
            f"Row {row}, layer {layer + 1} is {what}; a width is a whole number of at least 1 "
            "(0 only as padding after the last layer)."
        )


def trim_widths(padded: npt.ArrayLike) -> list[tuple[int, ...]]:
    """Convert zero-padded rows to tuples of Python ints, from which runtimes build models.

    Raises
    ------
    ValueError
        If a width is not a whole number.

    Examples
    --------
    >>> trim_widths([[41, 41, 0], [2, 9, 2]])
    [(41, 41), (2, 9, 2)]
    """
    rows = np.asarray(padded)
    _check_values(rows)
    return [tuple(int(w) for w in row if w > 0) for row in rows]
