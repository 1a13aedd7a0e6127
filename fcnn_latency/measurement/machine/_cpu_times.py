"""Times of the cores, stolen time and load, as the system counts them."""

from __future__ import annotations

from typing import NamedTuple

import psutil

from fcnn_latency.networks._cpu import ask


class CpuTimes(NamedTuple):
    """Times of a core, or of all cores together, since boot.

    Parameters
    ----------
    stolen : float or None
        Seconds in which the core was ready and the hypervisor ran something else.
    total : float or None
        Seconds, idle ones included.
    """

    stolen: float | None
    total: float | None


def read_cpu_times(core: int | None = None) -> CpuTimes:
    """Read the counters from which the time stolen between two moments follows.

    This costs well below a millisecond; the counters have steps of 10 ms. What the system does not
    count is None, such as stolen time outside Linux.

    Parameters
    ----------
    core : int or None, default=None
        None is all cores together.
    """
    return ask(lambda: _counted(core)) or CpuTimes(None, None)


def stolen_fraction(before: CpuTimes, after: CpuTimes) -> float | None:
    """Fraction of the time between two readings that was stolen; None where it is not told."""
    if None in (*before, *after) or after.total == before.total:
        return None
    stolen = (after.stolen or 0.0) - (before.stolen or 0.0)
    return max(0.0, stolen / ((after.total or 0.0) - (before.total or 0.0)))


def load_average() -> float | None:
    """Programs that ran or waited in the last minute, on average; None where it is not told."""
    return ask(lambda: round(psutil.getloadavg()[0], 2))


def _counted(core: int | None) -> CpuTimes:
    times = psutil.cpu_times() if core is None else psutil.cpu_times(percpu=True)[core]
    guests = sum(getattr(times, name, 0.0) for name in ("guest", "guest_nice"))  # in user, nice too
    return CpuTimes(getattr(times, "steal", None), float(sum(times)) - guests)
