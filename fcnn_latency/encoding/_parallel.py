"""A function over many rows: in chunks that stay in the cache, on all cores."""

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

#: Rows of a chunk.
CHUNK_SIZE = 2048


def map_chunks(function: Callable[[Any], Array], rows: Array) -> Array:
    """Apply a function of rows chunk by chunk, and stack what it returns.

    NumPy releases the interpreter's lock while it computes, so threads share the work. The linear
    algebra library then keeps to one thread each: on products of this size its own cost more
    than they bring.

    Parameters
    ----------
    function : callable
        From an array of shape (m, ...) to one of shape (m, ...) of the same dtype for all chunks.
    rows : ndarray of shape (n, ...)
        What it is applied to; as a whole where it is one chunk at most.
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
    """The libraries with threads of their own; looking for them takes milliseconds."""
    return ThreadpoolController()
