"""Times of the cores, stolen time and load, as the system counts them."""

from __future__ import annotations

import os
from typing import NamedTuple

import psutil

from fcnn_latency._cpu import ask, read_file


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

    Takes well below a millisecond and counts in hundredths of a second. What the system does not
    tell is None: stolen time outside Linux, and all of a single core there.

    Parameters
    ----------
    core : int or None, default=None
        None is all cores together.
    """
    return ask(lambda: _proc_stat(core)) or CpuTimes(None, ask(lambda: _total_time(core)))


def stolen_fraction(before: CpuTimes, after: CpuTimes) -> float | None:
    """Fraction of the time between two readings that was stolen; None where it is not told."""
    if None in (*before, *after) or after.total == before.total:
        return None
    stolen = (after.stolen or 0.0) - (before.stolen or 0.0)
    return max(0.0, stolen / ((after.total or 0.0) - (before.total or 0.0)))


def load_average() -> float | None:
    """Programs that ran or waited in the last minute, on average; None where it is not told."""
    return ask(lambda: round(psutil.getloadavg()[0], 2))


def _proc_stat(core: int | None) -> CpuTimes | None:
    """From ``user nice system idle iowait irq softirq steal``; guests' time is in the first two."""
    name = "cpu" if core is None else f"cpu{core}"
    for line in (read_file("/proc/stat") or "").splitlines():
        label, *ticks = line.split()
        if label == name:
            seconds = [int(tick) / os.sysconf("SC_CLK_TCK") for tick in ticks[:8]]
            return CpuTimes(seconds[7] if len(seconds) > 7 else None, sum(seconds))
    return None


def _total_time(core: int | None) -> float | None:
    return float(sum(psutil.cpu_times())) if core is None else None
