"""What a measuring process tells the campaign."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["REFERENCE", "BuildReport", "ProcessReport", "Report", "RoundReport"]

#: Stands for the reference architecture among the places of the models of a group.
REFERENCE = -1


@dataclass
class ProcessReport:
    """A measuring process has started.

    Parameters
    ----------
    process : str
        Its name, unlike that of any other process of any host.
    host : str
        Where it runs.
    environment : dict
        As it sees its machine.
    """

    process: str
    host: str
    environment: dict[str, Any]


@dataclass
class BuildReport:
    """A group of models was built and warmed up.

    Parameters
    ----------
    process : str
        Which process built it.
    first_calls : dict of int to float
        Seconds of the first inference of each model, by its place in the group.
    failures : dict of int to str
        Why a model failed, by its place in the group; it has no readings.
    """

    process: str
    first_calls: dict[int, float] = field(default_factory=dict)
    failures: dict[int, str] = field(default_factory=dict)

    def shifted(self, offset: int) -> BuildReport:
        """The same in a larger group, whose place `offset` is place 0 here."""
        return BuildReport(
            self.process,
            {place + offset: seconds for place, seconds in self.first_calls.items()},
            {place + offset: why for place, why in self.failures.items()},
        )


@dataclass
class RoundReport:
    """One round of readings of a group, in the order in which they were made.

    Parameters
    ----------
    process : str
        Which process measured.
    number : int
        The round, from 0.
    models : ndarray of int, shape (n_readings,)
        Place of the model in the group; `REFERENCE` for the reference architecture.
    seconds : ndarray of float, shape (n_readings,)
        Seconds per call.
    started_at : float
        When, in seconds since 1970.
    load : float or None
        Load average of the machine.
    stolen : float or None
        Fraction of the time of the timing core that the hypervisor gave to others meanwhile.
    failures : dict of int to str
        Why a model failed in this round, by its place in the group.
    lost_references : tuple of str
        Why instances of the reference architecture failed in this round and are read no more.
    """

    process: str
    number: int
    models: npt.NDArray[np.int64]
    seconds: npt.NDArray[np.float64]
    started_at: float
    load: float | None = None
    stolen: float | None = None
    failures: dict[int, str] = field(default_factory=dict)
    lost_references: tuple[str, ...] = ()

    def shifted(self, offset: int) -> RoundReport:
        """The same in a larger group, whose place `offset` is place 0 here."""
        return RoundReport(
            self.process,
            self.number,
            np.where(self.models == REFERENCE, REFERENCE, self.models + offset),
            self.seconds,
            self.started_at,
            self.load,
            self.stolen,
            {place + offset: why for place, why in self.failures.items()},
            self.lost_references,
        )


Report = ProcessReport | BuildReport | RoundReport
