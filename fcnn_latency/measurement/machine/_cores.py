"""Which core times, and which one builds meanwhile."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass

import psutil

from fcnn_latency.networks._cpu import thread_siblings


@dataclass(frozen=True)
class Cores:
    """Cores of a measuring process; None leaves it where the system puts it.

    Parameters
    ----------
    timing : int or None
        Where models are timed.
    building : int or None
        Where models are built, and the framework imported.
    """

    timing: int | None = None
    building: int | None = None

    @property
    def apart(self) -> bool:
        """Whether one process can build while another one times."""
        return self.timing is not None and self.building not in (None, self.timing)


def choose_cores() -> Cores:
    """Cores among those that this process may use.

    The last one times: any would do, but it is the same one in every campaign. The first one that
    is not a hardware thread of the same physical core builds; where there is none, the timing one
    does.
    """
    if not hasattr(os, "sched_getaffinity"):
        return Cores()
    allowed = sorted(os.sched_getaffinity(0))
    timing = allowed[-1]
    siblings = thread_siblings(timing) or [timing]
    building = next((core for core in allowed if core not in siblings), timing)
    return Cores(timing, building)


def move_to(core: int | None) -> None:
    """Bind this process to a core, with the threads that its framework has started."""
    if core is None:
        return
    os.sched_setaffinity(0, {core})
    for thread in psutil.Process().threads():
        with suppress(ProcessLookupError):  # it has ended meanwhile
            os.sched_setaffinity(thread.id, {core})
