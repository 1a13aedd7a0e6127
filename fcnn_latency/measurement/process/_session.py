"""Code of the measuring process: build a group of models, time it in interleaved rounds."""

from __future__ import annotations

import ctypes
import gc
import os
import platform
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import psutil

from fcnn_latency.measurement._protocol import MeasurementProtocol
from fcnn_latency.measurement._workload import Model, Workload
from fcnn_latency.measurement.machine._cores import Cores, move_to
from fcnn_latency.measurement.machine._cpu_times import (
    load_average,
    read_cpu_times,
    stolen_fraction,
)
from fcnn_latency.measurement.machine._environment import describe_environment
from fcnn_latency.measurement.process._readings import (
    REFERENCE,
    Block,
    BuildReport,
    ProcessReport,
    RoundReport,
    calibrate_block,
    collector_off,
    time_block,
)
from fcnn_latency.measurement.runtimes._base import Runtime

T = TypeVar("T")

#: Seed of the weights, the same in every pass: latency does not depend on their values.
WEIGHTS_SEED = 0

#: Longest sample of a model slower than the reference, in multiples of `sample_seconds`.
LONGEST_SAMPLE = 5

#: Option of Linux' prctl: set the signal that a process gets when its parent dies.
PR_SET_PDEATHSIG = 1


@dataclass
class Session:
    """State of a measuring process between its calls: settings and the group it has built."""

    runtime: Runtime
    protocol: MeasurementProtocol
    workload: Workload
    cores: Cores
    process: str
    references: deque[Callable[[], Any]] = field(default_factory=deque)
    calls: dict[int, Callable[[], Any]] = field(default_factory=dict)
    warm_calls: dict[int, float] = field(default_factory=dict)
    failures: dict[int, str] = field(default_factory=dict)
    lost_references: list[str] = field(default_factory=list)
    resident_at_start: int = 0

    def prepare(self, model: Model) -> tuple[Callable[[], Any], list[float]]:
        """Build and warm up a model; return its call and the seconds of each warm-up call."""
        inputs = self.workload.inputs(model.widths[0], model.rows)
        call = self.runtime.prepare(model.widths, inputs, WEIGHTS_SEED)
        seconds = []
        for _ in range(self.protocol.warmup_calls):
            start = time.perf_counter()
            call()
            seconds.append(time.perf_counter() - start)
        return call, seconds

    def block_of(self, model: int, block: Block) -> Block:
        """Return the block, shortened for a model that is much slower than the reference."""
        if model not in self.warm_calls:
            return block
        longest = LONGEST_SAMPLE * self.protocol.sample_seconds
        return block.shortened(self.warm_calls[model], longest)

    @contextmanager
    def recording_failure(self, model: int) -> Iterator[None]:
        """Record an exception raised by a model in `failures`."""
        try:
            yield
        except BaseException as error:  # SystemExit too; Ctrl-C is ignored in this process
            self.failures[model] = f"{type(error).__name__}: {error}"

    def calibrate(self) -> Block:
        """Return how many calls make a reading, calibrated on the reference architecture."""
        protocol = self.protocol
        with collector_off():
            found = calibrate_block(self.references[0], protocol)
        return Block(
            protocol.samples_per_block or found.samples,
            protocol.calls_per_sample or found.calls_per_sample,
        )

    def build(self, models: Sequence[Model], while_timing: bool) -> BuildReport:
        """Build and warm up the models of a group.

        Parameters
        ----------
        models : sequence of Model
            Models to build.
        while_timing : bool
            Whether another process is timing; this one then builds on another core.
        """
        if while_timing:
            move_to(self.cores.building)
        first_calls: dict[int, float] = {}
        for place, model in enumerate(models):
            with self.recording_failure(place):
                self.calls[place], warm_ups = self.prepare(model)
                if warm_ups:
                    first_calls[place], self.warm_calls[place] = warm_ups[0], min(warm_ups)
        gc.collect()
        return BuildReport(self.process, first_calls, dict(self.failures))

    def time_round(self, number: int, seed: int, block: Block) -> RoundReport:
        """Read each model that `build` has built once, in the random order of this round.

        Parameters
        ----------
        number : int
            Number of the round.
        seed : int
            Seed of the group's orders.
        block : Block
            Number of samples and calls in a reading.
        """
        move_to(self.cores.timing)
        self.lost_references = []
        alive = [model for model in self.calls if model not in self.failures]
        if self.protocol.shuffle:
            alive = np.random.default_rng([seed, number]).permutation(alive).tolist()
        started_at, before = time.time(), read_cpu_times(self.cores.timing)
        with collector_off():
            log = list(self._read_round(alive, block))
        good = [reading for reading in log if reading[0] not in self.failures]
        return RoundReport(
            self.process,
            number,
            np.array([model for model, _ in good], dtype=np.int64),
            np.array([seconds for _, seconds in good], dtype=np.float64),
            started_at,
            load_average(),
            stolen_fraction(before, read_cpu_times(self.cores.timing)),
            dict(self.failures),
            tuple(self.lost_references),
        )

    def _read_round(self, order: Sequence[int], block: Block) -> Iterator[tuple[int, float]]:
        """Yield a reading of each model, with the reference read in between and at the end."""
        every, statistic = self.protocol.reference_every, self.protocol.block_statistic
        for place, model in enumerate(order):
            if every and place % every == 0:
                yield REFERENCE, self._read_reference(block)
            with self.recording_failure(model):
                own = self.block_of(model, block)
                yield model, time_block(self.calls[model], own, statistic)
        if every and order:
            yield REFERENCE, self._read_reference(block)

    def _read_reference(self, block: Block) -> float:
        """Read the next instance of the reference; instances that fail are reported and dropped."""
        while self.references:
            reference = self.references.popleft()
            try:
                seconds = time_block(reference, block, self.protocol.block_statistic)
            except Exception as error:
                self.lost_references.append(f"{type(error).__name__}: {error}")
            else:
                self.references.append(reference)
                return seconds
        raise RuntimeError("no instance of the reference architecture works any more")

    def release(self) -> int:
        """Drop the models of a group; return the growth of the process since its start in bytes."""
        self.calls, self.failures, self.warm_calls = {}, {}, {}
        self.runtime.release()
        gc.collect()
        _give_memory_back()
        return int(psutil.Process().memory_info().rss - self.resident_at_start)


class _Held:
    """Holder of the session, which is kept between the tasks of a measuring process."""

    session: Session


def start_session(
    runtime: Runtime,
    protocol: MeasurementProtocol,
    workload: Workload,
    cores: Cores,
    while_timing: bool,
) -> ProcessReport:
    """Import the framework, then bind the process to its core and start the framework there.

    The framework creates its threads when it starts; they stay on the core that the process has
    at that time.

    Parameters
    ----------
    runtime, protocol, workload, cores
        Settings that all groups share.
    while_timing : bool
        Whether another process is timing; the import then runs on another core.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C
    _die_with_parent()
    process = f"{platform.node()}:{os.getpid()}:{time.time_ns()}"
    session = Session(runtime, protocol, workload, cores, process)
    if while_timing:
        move_to(cores.building)
    runtime.load()
    move_to(cores.timing)
    if protocol.reference_every or None in (protocol.samples_per_block, protocol.calls_per_sample):
        reference = Model(protocol.reference_widths)
        session.references.extend(
            session.prepare(reference)[0] for _ in range(protocol.reference_models)
        )
    environment = describe_environment(runtime.packages)
    gc.collect()
    gc.freeze()  # later collections skip the objects of the framework
    session.resident_at_start = psutil.Process().memory_info().rss
    _Held.session = session
    return ProcessReport(process, platform.node(), environment)


def in_session(task: Callable[..., T], *arguments: Any) -> T:
    """Call a method of the session that `start_session` created in this process."""
    return task(_Held.session, *arguments)


def _die_with_parent() -> None:
    """End this process if the parent is killed; only possible on Linux."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() == 1:
            os._exit(1)


def _give_memory_back() -> None:
    """Return freed memory to the system; only possible with the GNU C library."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if os.name == "posix" else None
    if trim is not None:
        trim(0)
