"""Statistics that reduce readings to one number."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from statistics import fmean, median


def low_mean(values: Iterable[float]) -> float:
    """Return the mean of the lowest third of the values, of at least one value.

    Disturbances of a machine only add time and come in bursts, so low readings are the most
    repeatable. The mean of several low readings is more repeatable than the lowest one.

    Examples
    --------
    >>> low_mean([1.0, 9.0, 4.0, 2.0, 3.0, 8.0])
    1.5
    """
    ordered = sorted(values)
    return fmean(ordered[: max(1, len(ordered) // 3)])


#: Statistics by name; they reduce the samples of a block and the rounds of a pass.
STATISTICS: dict[str, Callable[[Iterable[float]], float]] = {
    "min": min,
    "low-mean": low_mean,
    "median": median,
    "mean": fmean,
}
