"""Seconds and fractions as readable text."""

from __future__ import annotations

import numbers
import re
from typing import Any

#: Number of units in a second. The micro sign and the Greek letter mu are different characters.
UNITS = {"ns": 1e9, "us": 1e6, "\N{MICRO SIGN}s": 1e6, "\N{GREEK SMALL LETTER MU}s": 1e6}
UNITS |= {"ms": 1e3, "s": 1.0}
QUANTITY = re.compile(r"((?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)\s*([^\W\d]+)")


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


def parse_seconds(value: Any, name: str = "A latency") -> float:
    """Return seconds given as a number or as text with a unit.

    Parameters
    ----------
    value : float or str
        Seconds, or text such as ``"2us"`` or ``"0.5 ms"``; units are ns, us (or µs), ms and s.
    name : str, default="A latency"
        Name of the value, for the error.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If the value is negative, not finite, not a number, or text without one of the units.

    Examples
    --------
    >>> parse_seconds("0.5 ms"), parse_seconds("2us"), parse_seconds(3e-6)
    (0.0005, 2e-06, 3e-06)
    """
    seconds = float("nan")
    if isinstance(value, str):
        quantity = QUANTITY.fullmatch(value.strip())
        if quantity and quantity[2] in UNITS:
            seconds = float(quantity[1]) / UNITS[quantity[2]]
    elif isinstance(value, numbers.Real) and not isinstance(value, bool):
        seconds = float(value)
    if not 0 <= seconds < float("inf"):
        raise ValueError(
            f"{name} must be seconds of at least 0 as a number, or as text with a unit of ns, us, "
            f"ms or s such as '2us' or '0.5 ms'. Got {value!r} instead."
        )
    return seconds


def format_percent(fraction: float, digits: int = 2) -> str:
    """Format a fraction in per cent with a number of decimals.

    Examples
    --------
    >>> format_percent(0.0043)
    '0.43 %'
    """
    return f"{100 * fraction:.{digits}f} %"


def _significant(value: float, digits: int) -> str:
    rounded = float(f"{value:.{digits}g}")
    return f"{rounded:.0f}" if abs(rounded) >= 10 ** (digits - 1) else f"{rounded:.{digits}g}"
