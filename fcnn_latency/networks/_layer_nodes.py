"""Grid of layer sizes between which latency is almost linear."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fcnn_latency._validation import Array
from fcnn_latency.networks._kernels import VECTOR_WIDTHS

#: Maximum number of different row counts in a table of layers.
MOST_ROW_NODES = 16


def layer_nodes(
    rows: npt.ArrayLike, fan_in: tuple[float, float], fan_out: tuple[float, float]
) -> tuple[Array, Array, Array]:
    """Return the grid of a layer table: sizes between which latency is almost linear.

    The inner loop of a matrix product runs over the inputs, so few input sizes suffice. Outputs
    are computed in vectors (`VECTOR_WIDTHS`), so latency jumps after multiples of these widths.

    Parameters
    ----------
    rows : array-like
        Row counts that occur. If more than 16 differ, at most 16 are chosen, evenly on a log scale.
    fan_in, fan_out : (float, float)
        Minimum and maximum number of inputs, and of outputs.

    Returns
    -------
    tuple of three ndarrays
        Rows, fan_in and fan_out, each in ascending order.

    Examples
    --------
    >>> [nodes.tolist() for nodes in layer_nodes([2, 50, 3, 2], (1, 50), (1, 33))]
    [[2, 3, 50], [1, 2, 8, 32, 50], [1, 2, 4, 8, 16, 17, 24, 32, 33]]
    """
    doubled = [2**k + one for k in range(6, 32) for one in (0, 1)]
    inner_in = [2 * 4**k for k in range(16)]
    *narrow, widest = VECTOR_WIDTHS
    steps = [vectors * widest + one for vectors in (1, 2, 3) for one in (0, 1)]
    inner_out = [2, *narrow, *steps, 3 * narrow[-1], *doubled]
    there = np.unique(rows)
    if len(there) > MOST_ROW_NODES:
        wanted = np.geomspace(there[0], there[-1], MOST_ROW_NODES)
        there = np.unique(there[np.argmin(np.abs(there[:, None] - wanted), axis=0)])
    return there, _between(fan_in, inner_in), _between(fan_out, inner_out)


def _between(ends: tuple[float, float], inner: list[int]) -> Array:
    low, high = ends
    return np.unique([low, *(node for node in inner if low < node < high), high])
