"""One prepared callable to seconds per call."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from statistics import fmean, median
from time import perf_counter_ns
from typing import Any

__all__ = ["STATISTICS", "collector_off", "low_mean", "time_block"]


def low_mean(values: Iterable[float]) -> float:
    """Mean of the lowest third of the values, of at least one.

    Disturbances of a machine only ever add time and come in bursts, so the low readings repeat
    best; the mean of several of them repeats better than the lowest alone.

    Examples
    --------
    >>> low_mean([1.0, 9.0, 4.0, 2.0, 3.0, 8.0])
    1.5
    """
    ordered = sorted(values)
    return fmean(ordered[: max(1, len(ordered) // 3)])


#: What the calls of a block, and the rounds of a pass, are reduced to.
STATISTICS: dict[str, Callable[[Iterable[float]], float]] = {
    "min": min,
    "low-mean": low_mean,
    "median": median,
    "mean": fmean,
}


def time_block(call: Callable[[], Any], n_calls: int, statistic: str) -> float:
    """Time one block of calls, each by itself.

    Parameters
    ----------
    call : callable without arguments
        One inference.
    n_calls : int
        Calls in the block.
    statistic : str
        What the block is reduced to: a key of `STATISTICS`.

    Returns
    -------
    float
        Seconds per call.
    """
    elapsed = []
    for _ in range(n_calls):
        start = perf_counter_ns()
        call()
        elapsed.append(perf_counter_ns() - start)
    return STATISTICS[statistic](elapsed) * 1e-9


@contextmanager
def collector_off() -> Iterator[None]:
    """Keep Python's garbage collector off meanwhile, then restore it."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
