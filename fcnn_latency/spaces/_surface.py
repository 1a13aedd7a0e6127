"""Architectures that differ in the widths of two layers, and grids of their latencies."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fcnn_latency._validation import Floats, Ints, Rule, check, number, whole
from fcnn_latency.spaces._fcnn import FCNNSpace
from fcnn_latency.spaces._widths import pad_widths

#: Maximum number of widths of a layer by default.
MOST_WIDTHS = 64

WHOLE_NUMBERS = Rule(
    "whole numbers", lambda values: all(number().holds(v) and v % 1 == 0 for v in values)
)


def surface_architectures(
    architecture: Any,
    *,
    layers: tuple[int, int],
    space: FCNNSpace | None = None,
    widths: npt.ArrayLike | None = None,
) -> Ints:
    """Vary the widths of two layers of an architecture, to measure or predict the results.

    Parameters
    ----------
    architecture : sequence of int
        Widths of all layers, e.g. ``(25, 25, 25, 25)``.
    layers : tuple of two int
        The layers to vary, counted from 1. If the space ties output to input and one of them
        varies, the other follows it.
    space : FCNNSpace or None, default=None
        The space of the architectures. None is ``FCNNSpace()``.
    widths : array-like of int or None, default=None
        Widths of both layers. None is every width of the space, or 64 evenly spaced ones if it
        has more.

    Returns
    -------
    ndarray of int64, shape (n_widths ** 2, max_layers)
        Zero-padded widths.

    Raises
    ------
    ValueError
        If `layers` are not two different layers of the architecture, a width is not a whole
        number, or a resulting architecture is not in the space.

    Examples
    --------
    >>> surface_architectures((9, 9, 9), layers=(1, 2), widths=[5, 6])
    array([[5, 5, 5, 0, 0],
           [6, 5, 6, 0, 0],
           [5, 6, 5, 0, 0],
           [6, 6, 6, 0, 0]])
    """
    space = FCNNSpace() if space is None else space
    (base,) = space.validate([architecture])
    depth = int(np.count_nonzero(base))
    first, second = _checked_layers(layers, depth)
    if space.tie_io and {first, second} == {0, depth - 1}:
        raise ValueError(f"layers={layers} are input and output, which are equal in this space.")
    if widths is None:
        count = min(MOST_WIDTHS, space.max_width - space.min_width + 1)
        widths = np.linspace(space.min_width, space.max_width, count).round()
    given = np.array(widths, dtype=object).ravel().tolist()
    taken = np.unique(np.array(check(given, WHOLE_NUMBERS, "widths"), dtype=np.int64))
    rows = np.tile(base, (len(taken) ** 2, 1))
    rows[:, first] = np.tile(taken, len(taken))
    rows[:, second] = np.repeat(taken, len(taken))
    if space.tie_io:
        source = depth - 1 if depth - 1 in (first, second) else 0
        rows[:, 0] = rows[:, depth - 1] = rows[:, source]
    return space.validate(rows)


def surface_grid(
    X: Any, latencies: npt.ArrayLike, *, layers: tuple[int, int]
) -> tuple[Ints, Ints, Floats]:
    """Arrange latencies of architectures that differ in two layers as a grid of widths.

    Parameters
    ----------
    X : sequence of sequences, array or DataFrame of shape (n_samples, <= max_layers)
        Architectures, as from `surface_architectures`.
    latencies : array-like of shape (n_samples,)
        Latencies in seconds.
    layers : tuple of two int
        The layers that differ, counted from 1. Input and output may follow one of them.

    Returns
    -------
    first_widths, second_widths : ndarray of int64
        Widths of the two layers, in ascending order.
    grid : ndarray of float64, shape (n_second, n_first)
        Latencies in seconds, averaged over repeats; NaN where no architecture has these widths.

    Raises
    ------
    ValueError
        If `layers` are not two different layers, the architectures differ in other layers, or
        the number of latencies differs from the number of architectures.
    """
    rows = pad_widths(X)
    values = np.asarray(latencies, dtype=np.float64)
    if values.shape != (len(rows),):
        raise ValueError(
            f"latencies must have the shape ({len(rows)},). Got {values.shape} instead."
        )
    depths = np.count_nonzero(rows, axis=1)
    first, second = _checked_layers(layers, int(depths.min()))
    free, tied = {first, second}, {0, int(depths[0]) - 1}
    free |= tied if free & tied else set()
    fixed = [layer for layer in range(rows.shape[1]) if layer not in free]
    if (rows[:, fixed] != rows[0, fixed]).any() or (depths != depths[0]).any():
        raise ValueError(
            f"The architectures differ in other layers than {layers}: take those of "
            "surface_architectures, or choose rows that agree in the rest."
        )
    first_widths, column = np.unique(rows[:, first], return_inverse=True)
    second_widths, row = np.unique(rows[:, second], return_inverse=True)
    total, count = np.zeros((2, len(second_widths), len(first_widths)))
    np.add.at(total, (row, column), values)
    np.add.at(count, (row, column), 1)
    grid = np.full(total.shape, np.nan)
    np.divide(total, count, out=grid, where=count > 0)
    return first_widths, second_widths, grid


def describe_surface(X: Any) -> str:
    """Return the widths that architectures share, with a dot for layers that differ.

    Examples
    --------
    >>> describe_surface([(5, 7, 9, 5), (6, 8, 9, 6)])
    '(·, ·, 9, ·)'
    """
    rows = pad_widths(X)
    layers = rows[:, : int(np.count_nonzero(rows[0]))].T
    shared = (str(layer[0]) if (layer == layer[0]).all() else "·" for layer in layers)
    return f"({', '.join(shared)})"


def _checked_layers(layers: tuple[int, int], depth: int) -> tuple[int, int]:
    """Return the two layers, counted from 0."""
    layer = whole(1, depth)
    two = Rule(
        f"two different layers from 1 to {depth}",
        lambda given: len(given) == 2 and given[0] != given[1] and all(map(layer.holds, given)),
    )
    first, second = check(layers, two, "layers")
    return int(first) - 1, int(second) - 1
