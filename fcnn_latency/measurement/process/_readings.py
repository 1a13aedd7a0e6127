"""Make readings, and the reports that a measuring process sends."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import count, repeat
from time import perf_counter_ns
from typing import Any, NamedTuple

import numpy as np

from fcnn_latency._validation import Floats, Ints
from fcnn_latency.measurement._protocol import MeasurementProtocol
from fcnn_latency.measurement._statistics import STATISTICS

#: Place of the reference architecture, next to the places of the models of a group.
REFERENCE = -1


@dataclass
class ProcessReport:
    """Report that a measuring process has started.

    Parameters
    ----------
    process : str
        Name of the process, unique across hosts.
    host : str
        Host of the process.
    environment : dict
        Environment of the process, from `describe_environment`.
    """

    process: str
    host: str
    environment: dict[str, Any]


@dataclass
class BuildReport:
    """Report that a group of models was built and warmed up.

    Parameters
    ----------
    process : str
        Process that built the group.
    first_calls : dict of int to float
        Seconds of the first inference of each model, by its place in the group.
    failures : dict of int to str
        Why a model failed, by its place in the group; failed models have no readings.
    """

    process: str
    first_calls: dict[int, float] = field(default_factory=dict)
    failures: dict[int, str] = field(default_factory=dict)

    def shifted(self, offset: int) -> BuildReport:
        """Return the report for a larger group, in which place 0 becomes place `offset`."""
        return BuildReport(
            self.process,
            {place + offset: seconds for place, seconds in self.first_calls.items()},
            {place + offset: why for place, why in self.failures.items()},
        )


@dataclass
class RoundReport:
    """Report of one round of readings of a group, in the order of measurement.

    Parameters
    ----------
    process : str
        Process that measured.
    number : int
        Number of the round, from 0.
    models : ndarray of int, shape (n_readings,)
        Place of the model in the group; `REFERENCE` for the reference architecture.
    seconds : ndarray of float, shape (n_readings,)
        Seconds per call.
    started_at : float
        Start of the round, in seconds since 1970.
    load : float or None
        Load average of the machine.
    stolen : float or None
        Fraction of the timing core's time that the hypervisor gave to others during the round.
    failures : dict of int to str
        Why a model failed in this round, by its place in the group.
    lost_references : tuple of str
        Why instances of the reference architecture failed in this round; they are not read again.
    """

    process: str
    number: int
    models: Ints
    seconds: Floats
    started_at: float
    load: float | None = None
    stolen: float | None = None
    failures: dict[int, str] = field(default_factory=dict)
    lost_references: tuple[str, ...] = ()

    def shifted(self, offset: int) -> RoundReport:
        """Return the report for a larger group, in which place 0 becomes place `offset`."""
        return replace(
            self,
            models=np.where(self.models == REFERENCE, REFERENCE, self.models + offset),
            failures={place + offset: why for place, why in self.failures.items()},
        )


Report = ProcessReport | BuildReport | RoundReport


class Block(NamedTuple):
    """Number of samples and calls in one reading.

    Parameters
    ----------
    samples : int
        Number of samples, each between two clock readings.
    calls_per_sample : int
        Number of calls in a sample.
    """

    samples: int
    calls_per_sample: int

    def shortened(self, latency: float, longest_sample: float) -> Block:
        """Return a block of as many samples, none much longer than `longest_sample` seconds.

        The block is calibrated on the reference architecture. A model that is a thousand times
        slower needs fewer calls to make the cost of reading the clock negligible.

        Examples
        --------
        >>> Block(20, 50).shortened(latency=1e-4, longest_sample=2e-4)
        Block(samples=20, calls_per_sample=2)
        """
        calls = _round_up(longest_sample / latency)
        return self._replace(calls_per_sample=min(self.calls_per_sample, calls))


def time_block(call: Callable[[], Any], block: Block, statistic: str) -> float:
    """Time one block of calls.

    Parameters
    ----------
    call : callable without arguments
        One inference.
    block : Block
        Number of samples and calls.
    statistic : str
        Statistic that reduces the samples: a key of `STATISTICS`.

    Returns
    -------
    float
        Seconds per call.
    """
    elapsed = []
    for _ in range(block.samples):
        calls = repeat(None, block.calls_per_sample)
        start = perf_counter_ns()
        for _ in calls:
            call()
        elapsed.append(perf_counter_ns() - start)
    return STATISTICS[statistic](elapsed) * 1e-9 / block.calls_per_sample


def calibrate_block(call: Callable[[], Any], protocol: MeasurementProtocol) -> Block:
    """Find how many calls make a block.

    Both numbers are rounded up to 1, 2 or 5 times a power of ten, so campaigns nearly always find
    the same numbers. As in nanobench, a number of calls is accepted only after it was measured,
    since the first reading of a cold callable is too long.

    Parameters
    ----------
    call : callable without arguments
        One inference of the reference architecture.
    protocol : MeasurementProtocol
        Protocol with the target duration of a block and a sample, and the minimum number of
        samples.
    """
    calls, wanted = 0, 1
    while wanted > calls:
        calls = wanted
        latency = time_block(call, Block(protocol.least_samples, calls), "min")
        wanted = _round_up(protocol.sample_seconds / latency)
    samples = _round_up(protocol.block_seconds / (calls * latency))
    return Block(max(samples, protocol.least_samples), calls)


def _round_up(number: float) -> int:
    round_numbers = (factor * int(10**power) for power in count() for factor in (1, 2, 5))
    return next(candidate for candidate in round_numbers if candidate >= number)


@contextmanager
def collector_off() -> Iterator[None]:
    """Disable Python's garbage collector in the block, then restore it."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
