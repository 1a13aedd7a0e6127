"""CPU times, stolen time and load, from the counters of the system."""

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
        Seconds, including idle time.
    """

    stolen: float | None
    total: float | None


def read_cpu_times(core: int | None = None) -> CpuTimes:
    """Read the CPU time counters; two readings give the stolen time in between.

    This takes well below a millisecond; the counters have steps of 10 ms. A counter that the system
    does not provide is None, such as stolen time outside Linux.

    Parameters
    ----------
    core : int or None, default=None
        Core to read; None reads all cores together.
    """
    return ask(lambda: _counted(core)) or CpuTimes(None, None)


def stolen_fraction(before: CpuTimes, after: CpuTimes) -> float | None:
    """Return the fraction of time stolen between two readings; None if unknown."""
    if None in (*before, *after) or after.total == before.total:
        return None
    stolen = (after.stolen or 0.0) - (before.stolen or 0.0)
    return max(0.0, stolen / ((after.total or 0.0) - (before.total or 0.0)))


def load_average() -> float | None:
    """Return the average number of programs that ran or waited in the last minute, or None.

    None if the system does not provide it.
    """
    return ask(lambda: round(psutil.getloadavg()[0], 2))


def _counted(core: int | None) -> CpuTimes:
    times = psutil.cpu_times() if core is None else psutil.cpu_times(percpu=True)[core]
    guests = sum(getattr(times, name, 0.0) for name in ("guest", "guest_nice"))  # in user and nice
    return CpuTimes(getattr(times, "steal", None), float(sum(times)) - guests)
