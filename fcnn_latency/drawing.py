"""Which of many, by chance; how many."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["check_count", "draw_one_by_one"]


def check_count(value: Any, name: str, least: int = 0) -> int:
    """A whole number of at least `least`; a ValueError that names it where it is none."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < least:
        msg = f"{name} must be a whole number of at least {least}. Got {value!r} instead."
        raise ValueError(msg)
    return int(value)


def draw_one_by_one(
    weights: npt.NDArray[np.float64], n: int, rng: np.random.RandomState
) -> npt.NDArray[np.int64]:
    """Draw `n` indices one after the other, each by its weight among those that are left.

    By exponential arrival times: Efraimidis and Spirakis, "Weighted random sampling with a
    reservoir" (2006).
    """
    arrivals = rng.standard_exponential(len(weights)) / weights
    return np.argsort(arrivals, kind="stable")[:n]
