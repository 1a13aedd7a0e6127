"""Which differences of two environments make their readings incomparable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fcnn_latency.measurement.machine._environment import VARIABLES

#: What of two environments must agree, for readings to be comparable.
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


#: Of these, None is a statement of its own; elsewhere it means that the system did not tell.
NONE_COUNTS = ("affinity", "virtualization")


def environment_differences(first: dict[str, Any], second: dict[str, Any]) -> list[str]:
    """What makes readings of two environments incomparable, in plain words.

    Parameters
    ----------
    first, second : dict
        As from `describe_environment`. A key that an older record lacks is no difference.

    Returns
    -------
    list of str
        Such as ``"cpu: 'AMD EPYC' and 'Intel Xeon'"``, in the order of `COMPARED_KEYS`; empty
        where they agree.
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
    """The variables that a record would hold if they were set; an older one watched fewer."""
    return names if "cpu_flags" in environment else names & set(VARIABLES)


def _value(value: Any) -> str:
    return "none" if value is None else repr(value)


def _only(flags: Sequence[str], others: Sequence[str]) -> str:
    return " ".join(sorted(set(flags) - set(others))) or "nothing more"
