"""A function over many rows: in blocks that stay in the cache, on all cores."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np
from loky import cpu_count
from threadpoolctl import ThreadpoolController

from fcnn_latency._arrays import Array

#: Rows of a block.
BLOCK_SIZE = 2048


def map_blocks(function: Callable[[Any], Array], rows: Array) -> Array:
    """Apply a function of rows block by block, and stack what it returns.

    NumPy releases the interpreter's lock while it computes, so threads share the work. The linear
    algebra library then keeps to one thread each: on products of this size its own cost more
    than they bring.

    Parameters
    ----------
    function : callable
        From an array of shape (m, ...) to one of shape (m, ...) of the same dtype for all blocks.
    rows : ndarray of shape (n, ...)
        What it is applied to; as a whole where it is one block at most.
    """
    if len(rows) <= BLOCK_SIZE:
        return function(rows)
    first = function(rows[:BLOCK_SIZE])
    results = np.empty((len(rows), *first.shape[1:]), dtype=first.dtype)
    results[:BLOCK_SIZE] = first

    def fill(start: int) -> None:
        results[start : start + BLOCK_SIZE] = function(rows[start : start + BLOCK_SIZE])

    starts = range(BLOCK_SIZE, len(rows), BLOCK_SIZE)
    with _libraries().limit(limits=1), ThreadPoolExecutor(cpu_count()) as pool:
        list(pool.map(fill, starts))
    return results


@cache
def _libraries() -> ThreadpoolController:
    """The libraries with threads of their own; looking for them takes milliseconds."""
    return ThreadpoolController()
