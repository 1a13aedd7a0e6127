"""One prepared callable to seconds per call."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import repeat
from time import perf_counter_ns
from typing import Any, NamedTuple

from fcnn_latency.measurement._statistics import STATISTICS

__all__ = ["Block", "calibrate_block", "collector_off", "time_block"]


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


def calibrate_block(
    call: Callable[[], Any], block_seconds: float, sample_seconds: float, least_samples: int
) -> Block:
    """Find how many calls make a block.

    Both numbers are rounded up to 1, 2 or 5 times a power of ten, so that campaigns nearly always
    find the same ones. A number of calls is measured again before it is believed, as nanobench
    does, since the first reading of a cold callable is too long.

    Parameters
    ----------
    call : callable without arguments
        One inference of the reference architecture.
    block_seconds, sample_seconds : float
        What a block and a sample shall last.
    least_samples : int
        Fewest samples of a block.
    """
    calls, wanted = 0, 1
    while wanted > calls:
        calls = wanted
        latency = time_block(call, Block(least_samples, calls), "min")
        wanted = _round_up(sample_seconds / latency)
    samples = _round_up(block_seconds / (calls * latency))
    return Block(max(samples, least_samples), calls)


def _round_up(number: float) -> int:
    power = 1
    while True:
        for factor in (1, 2, 5):
            if factor * power >= number:
                return factor * power
        power *= 10


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
