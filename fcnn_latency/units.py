"""Seconds and fractions as people read them."""

from __future__ import annotations

import math
import numbers
import re
from typing import Any

__all__ = ["format_percent", "format_seconds", "parse_seconds"]

#: Units of latency, in seconds; both letters that look like µ are read.
UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ns": 1e-9}


def format_seconds(seconds: float, digits: int = 3) -> str:
    """Seconds with an SI prefix.

    Examples
    --------
    >>> format_seconds(0.00066), format_seconds(1.2e-6), format_seconds(12.0)
    ('660 µs', '1.2 µs', '12 s')
    """
    for factor, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if abs(seconds) >= factor:
            return f"{_significant(seconds / factor, digits)} {unit}"
    return f"{_significant(seconds / 1e-9, digits)} ns"


def parse_seconds(value: Any) -> float:
    """A latency as people write it, in seconds.

    Parameters
    ----------
    value : float or str
        Seconds, or text of a number and its unit: s, ms, us (or µs) or ns.

    Returns
    -------
    float
        Seconds.

    Raises
    ------
    ValueError
        If it is no finite latency above 0, or text without a unit.

    Examples
    --------
    >>> parse_seconds(2e-6), parse_seconds("2us"), parse_seconds("0.5 ms")
    (2e-06, 2e-06, 0.0005)
    """
    seconds = math.nan
    if isinstance(value, str):
        match = re.fullmatch(r"\s*([+-]?[\d.]+(?:[eE][+-]?\d+)?)\s*([a-zµμ]+)\s*", value)
        if match is not None and match[2] in UNITS and match[1].count(".") <= 1:
            # Division by 1e6 is exact to the last digit where times 1e-6 is not.
            seconds = float(match[1]) / round(1 / UNITS[match[2]])
    elif isinstance(value, numbers.Real) and not isinstance(value, bool):
        seconds = float(value)
    if not (math.isfinite(seconds) and seconds > 0):
        msg = (
            "A latency is a number of seconds above 0, or text with a unit (s, ms, us, ns) such as "
            f'"2us" or "0.5 ms". Got {value!r} instead.'
        )
        raise ValueError(msg)
    return seconds


def format_percent(fraction: float, digits: int = 2) -> str:
    """A fraction as per cent with so many decimals.

    Examples
    --------
    >>> format_percent(0.0043)
    '0.43 %'
    """
    return f"{100 * fraction:.{digits}f} %"


def _significant(value: float, digits: int) -> str:
    rounded = float(f"{value:.{digits}g}")
    return f"{rounded:.0f}" if abs(rounded) >= 10 ** (digits - 1) else f"{rounded:g}"
