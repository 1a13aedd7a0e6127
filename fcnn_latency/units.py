"""Seconds and fractions as people read them."""

from __future__ import annotations

__all__ = ["format_percent", "format_seconds"]


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
