"""How a reading is made, and the reports that carry readings from a measuring process."""

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
    models: Ints
    seconds: Floats
    started_at: float
    load: float | None = None
    stolen: float | None = None
    failures: dict[int, str] = field(default_factory=dict)
    lost_references: tuple[str, ...] = ()

    def shifted(self, offset: int) -> RoundReport:
        """The same in a larger group, whose place `offset` is place 0 here."""
        return replace(
            self,
            models=np.where(self.models == REFERENCE, REFERENCE, self.models + offset),
            failures={place + offset: why for place, why in self.failures.items()},
        )


Report = ProcessReport | BuildReport | RoundReport


class Block(NamedTuple):
    """What one reading consists of.

    Parameters
    ----------
    samples : int
        Looks at the clock.
    calls_per_sample : int
        Calls between two of them.
    """

    samples: int
    calls_per_sample: int

    def shortened(self, latency: float, longest_sample: float) -> Block:
        """The same number of samples, none much longer than `longest_sample` seconds.

        The block is calibrated on the reference architecture; one that takes a thousand times as
        long needs no more calls than a look at the clock calls for.

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
        How many calls.
    statistic : str
        What the samples are reduced to: a key of `STATISTICS`.

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

    Both numbers are rounded up to 1, 2 or 5 times a power of ten, so that campaigns nearly always
    find the same ones. A number of calls is measured again before it is believed, as nanobench
    does, since the first reading of a cold callable is too long.

    Parameters
    ----------
    call : callable without arguments
        One inference of the reference architecture.
    protocol : MeasurementProtocol
        Says how long a block and a sample shall last, and the fewest samples of a block.
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
    """Keep Python's garbage collector off meanwhile, then restore it."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
