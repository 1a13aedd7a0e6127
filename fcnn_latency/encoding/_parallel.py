"""Apply a function to many rows, in chunks that fit in the cache, on all cores."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np
from loky import cpu_count
from sklearn.utils import gen_batches
from threadpoolctl import ThreadpoolController

from fcnn_latency._validation import Array

#: Number of rows of a chunk.
CHUNK_SIZE = 2048


def map_chunks(function: Callable[[Any], Array], rows: Array) -> Array:
    """Apply a function to chunks of rows, and stack the results.

    NumPy releases the global interpreter lock while it computes, so threads share the work. The
    linear algebra library is limited to one thread per call, because its own threads cost more
    than they gain for products of this size.

    Parameters
    ----------
    function : callable
        Maps an array of shape (m, ...) to one of shape (m, ...), with the same dtype for all
        chunks.
    rows : ndarray of shape (n, ...)
        Input of the function. At most `CHUNK_SIZE` rows are passed in a single call.

    Returns
    -------
    ndarray of shape (n, ...)
        The stacked results.
    """
    if len(rows) <= CHUNK_SIZE:
        return function(rows)
    one = function(rows[:1])
    results = np.empty((len(rows), *one.shape[1:]), dtype=one.dtype)

    def fill(chunk: slice) -> None:
        results[chunk] = function(rows[chunk])

    with _libraries().limit(limits=1), ThreadPoolExecutor(cpu_count()) as pool:
        list(pool.map(fill, gen_batches(len(rows), CHUNK_SIZE)))
    return results


@cache
def _libraries() -> ThreadpoolController:
    """Return the controller of thread pools of libraries; cached, as it takes milliseconds."""
    return ThreadpoolController()
