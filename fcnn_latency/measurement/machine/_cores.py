"""Choose the cores for timing and for building."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass

import psutil

from fcnn_latency.networks._cpu import thread_siblings


@dataclass(frozen=True)
class Cores:
    """Cores of a measuring process; with None the system chooses.

    Parameters
    ----------
    timing : int or None
        Core that times models.
    building : int or None
        Core that builds models and imports the framework.
    """

    timing: int | None = None
    building: int | None = None

    @property
    def apart(self) -> bool:
        """Whether one process can build while another one times."""
        return self.timing is not None and self.building not in (None, self.timing)


def choose_cores() -> Cores:
    """Choose cores among those that this process may use.

    The last core times: any core would do, but this is the same one in every campaign. The first
    one that is not a hardware thread of the same physical core builds. If there is none, the
    timing core also builds.
    """
    if not hasattr(os, "sched_getaffinity"):
        return Cores()
    allowed = sorted(os.sched_getaffinity(0))
    timing = allowed[-1]
    siblings = thread_siblings(timing) or [timing]
    building = next((core for core in allowed if core not in siblings), timing)
    return Cores(timing, building)


def move_to(core: int | None) -> None:
    """Bind this process and all of its threads to a core; None does nothing."""
    if core is None:
        return
    os.sched_setaffinity(0, {core})
    for thread in psutil.Process().threads():
        with suppress(ProcessLookupError):  # the thread has ended
            os.sched_setaffinity(thread.id, {core})
