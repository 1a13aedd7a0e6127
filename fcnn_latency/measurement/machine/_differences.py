"""Differences of two environments that make their readings incomparable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fcnn_latency.measurement.machine._environment import VARIABLES

#: Keys of two environments that must agree for readings to be comparable.
COMPARED_KEYS = (
    "cpu",
    "architecture",
    "cores",
    "system",
    "python",
    "versions",
    "variables",
    "cpu_flags",
    "affinity",
    "governor",
    "turbo",
    "virtualization",
)


#: Keys for which None is a real value; for other keys it means that the value is unknown.
NONE_COUNTS = ("affinity", "virtualization")


def environment_differences(first: dict[str, Any], second: dict[str, Any]) -> list[str]:
    """List the differences that make readings of two environments incomparable.

    Parameters
    ----------
    first, second : dict
        Environments from `describe_environment`. A key missing in an older record is ignored.

    Returns
    -------
    list of str
        Such as ``"cpu: 'AMD EPYC' and 'Intel Xeon'"``; empty if the environments agree.
    """
    found = []
    for key in COMPARED_KEYS:
        if key in first and key in second:
            found += _differences(key, first, second)
    return found


def _differences(key: str, first: dict[str, Any], second: dict[str, Any]) -> list[str]:
    a, b = first[key], second[key]
    if a == b or (None in (a, b) and key not in NONE_COUNTS):
        return []
    if key == "variables":
        names = sorted(_watched(first, {*a, *b}) & _watched(second, {*a, *b}))
        pairs = [(name, a.get(name), b.get(name)) for name in names]
        return [f"{name}: {_value(x)} and {_value(y)}" for name, x, y in pairs if x != y]
    if key == "versions":
        pairs = [(name, a[name], b[name]) for name in sorted(a.keys() & b.keys())]
        return [f"{name}: {x or 'none'} and {y or 'none'}" for name, x, y in pairs if x != y]
    if key == "cpu_flags":
        return [f"cpu_flags: {_only(a, b)} and {_only(b, a)}"] if set(a) != set(b) else []
    if key == "affinity":
        x, y = (f"{len(cores)} core(s)" if cores else "not pinned" for cores in (a, b))
        return [f"affinity: {x} and {y}"] if x != y else []
    return [f"{key}: {_value(a)} and {_value(b)}"]


def _watched(environment: dict[str, Any], names: set[str]) -> set[str]:
    """Return the variables that the record would contain if set; older records track fewer."""
    return names if "cpu_flags" in environment else names & set(VARIABLES)


def _value(value: Any) -> str:
    return "none" if value is None else repr(value)


def _only(flags: Sequence[str], others: Sequence[str]) -> str:
    return " ".join(sorted(set(flags) - set(others))) or "nothing more"
