"""One prepared callable to seconds per call."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from statistics import fmean, median
from time import perf_counter_ns
from typing import Any

__all__ = ["STATISTICS", "quiet_collector", "time_block", "trimmed_mean"]


def trimmed_mean(values: Iterable[float]) -> float:
    """Mean without the lowest sixth and the highest third of the values.

    What disturbs a model's reading adds time, what disturbs the reference's takes some off the
    ratio; the first is more frequent, since more time is spent on models.

    Examples
    --------
    >>> trimmed_mean([1.0, 9.0, 4.0, 2.0, 3.0, 8.0])
    3.0
    """
    ordered = sorted(values)
    n = len(ordered)
    return fmean(ordered[n // 6 : max(1, 2 * n // 3)])


#: What the calls of a block, and the rounds of a pass, are reduced to.
STATISTICS: dict[str, Callable[[Iterable[float]], float]] = {
    "min": min,
    "trimmed-mean": trimmed_mean,
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
def quiet_collector() -> Iterator[None]:
    """Collect garbage, keep Python's collector off meanwhile, then restore it."""
    enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
