"""What runs in the measuring process: build a group of models, time it in interleaved rounds."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

import numpy as np
import numpy.typing as npt

from fcnn_latency.measurement.cores import Cores, move_to
from fcnn_latency.measurement.protocol import MeasurementProtocol
from fcnn_latency.measurement.runtimes.base import Runtime
from fcnn_latency.measurement.timing import collector_off, time_block
from fcnn_latency.measurement.workload import Workload

__all__ = [
    "REFERENCE",
    "GroupReadings",
    "build_group",
    "no_readings",
    "start_session",
    "time_group",
]

#: Seed of the weights, the same in every pass: latency does not depend on their values.
WEIGHTS_SEED = 0

#: Of Linux' prctl: the signal that a process gets when its parent dies.
PR_SET_PDEATHSIG = 1

#: What stands for the reference architecture where a model of the group is told by its place.
REFERENCE = -1


@dataclass
class GroupReadings:
    """What one group of models gave, in the order in which it was read.

    Parameters
    ----------
    models : ndarray of int, shape (n_readings,)
        Place of the model in the group; `REFERENCE` for the reference architecture.
    rounds : ndarray of int, shape (n_readings,)
        Round of each reading, from 0.
    seconds : ndarray of float, shape (n_readings,)
        Seconds per call.
    failures : dict of int to str
        Why a model failed, by its place in the group; it has no readings.
    process : int
        Which process measured.
    """

    models: npt.NDArray[np.int64]
    rounds: npt.NDArray[np.int64]
    seconds: npt.NDArray[np.float64]
    failures: dict[int, str] = field(default_factory=dict)
    process: int = 0


def no_readings(failures: dict[int, str]) -> GroupReadings:
    """What a group gives of which no model could be read."""
    whole = np.empty(0, dtype=np.int64)
    return GroupReadings(whole, whole, np.empty(0), failures)


@dataclass
class _Session:
    """A measuring process between its calls: what it measures with, and the group it has built."""

    runtime: Runtime
    protocol: MeasurementProtocol
    workload: Workload
    cores: Cores
    references: list[Callable[[], Any]] = field(default_factory=list)
    calls: dict[int, Callable[[], Any]] = field(default_factory=dict)
    failures: dict[int, str] = field(default_factory=dict)

    def prepare(self, widths: Sequence[int]) -> Callable[[], Any]:
        """Build a model and warm it up."""
        call = self.runtime.prepare(widths, self.workload.inputs(widths[0]), WEIGHTS_SEED)
        for _ in range(self.protocol.warmup_calls):
            call()
        return call

    @contextmanager
    def recording_failure(self, model: int) -> Iterator[None]:
        """Turn what a model raises into an entry of `failures`."""
        try:
            yield
        except BaseException as error:  # SystemExit too: Ctrl-C does not come here
            self.failures[model] = f"{type(error).__name__}: {error}"


_sessions: list[_Session] = []


def start_session(
    runtime: Runtime,
    protocol: MeasurementProtocol,
    workload: Workload,
    cores: Cores,
    while_timing: bool,
) -> None:
    """Import the framework, then bind the process to its core and start the framework there.

    The framework's threads are made when it starts, and stay on the core that the process has
    then.

    Parameters
    ----------
    runtime, protocol, workload, cores
        What all groups share.
    while_timing : bool
        Whether another process times meanwhile, so that the import keeps off its core.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what Ctrl-C means
    _die_with_parent()
    session = _Session(runtime, protocol, workload, cores)
    if while_timing:
        move_to(cores.building)
    runtime.load()
    move_to(cores.timing)
    if protocol.reference_every:
        session.references = [
            session.prepare(protocol.reference_widths) for _ in range(protocol.reference_models)
        ]
    gc.collect()
    gc.freeze()  # the framework's own objects stay: later collections skip them
    _sessions[:] = [session]


def _die_with_parent() -> None:
    """Leave no process behind where the parent is killed; only Linux offers this."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() == 1:
            os._exit(1)


def build_group(widths: Sequence[tuple[int, ...]], while_timing: bool) -> None:
    """Build and warm up the models of a group; those of the last one are given up.

    Parameters
    ----------
    widths : sequence of tuple of int
        The architectures.
    while_timing : bool
        Whether another process times meanwhile, so that this one keeps off its core.
    """
    (session,) = _sessions
    if while_timing:
        move_to(session.cores.building)
    session.calls, session.failures = {}, {}
    for model, model_widths in enumerate(widths):
        with session.recording_failure(model):
            session.calls[model] = session.prepare(model_widths)
    gc.collect()


def time_group(seed: int) -> GroupReadings:
    """Time the models that `build_group` built.

    Parameters
    ----------
    seed : int
        Seed of the order within the rounds.
    """
    (session,) = _sessions
    protocol, rng = session.protocol, np.random.default_rng(seed)
    move_to(session.cores.timing)
    log: list[tuple[int, int, float]] = []
    with collector_off():
        for round_number in range(protocol.rounds):
            alive = [model for model in session.calls if model not in session.failures]
            order = rng.permutation(alive).tolist() if protocol.shuffle else alive
            for model, seconds in _read_round(session, order):
                log.append((model, round_number, seconds))
    session.calls = {}
    result = no_readings(session.failures)
    good = [reading for reading in log if reading[0] not in session.failures]
    if good:
        models, rounds, times = (np.array(column) for column in zip(*good, strict=True))
        result = GroupReadings(models, rounds, times, session.failures, os.getpid())
    return result


def _read_round(session: _Session, order: Sequence[int]) -> Iterator[tuple[int, float]]:
    """One reading of each model, and of the reference before every so many of them."""
    protocol = session.protocol
    block = (protocol.calls_per_block, protocol.block_statistic)
    references = cycle(session.references)
    for place, model in enumerate(order):
        if session.references and place % protocol.reference_every == 0:
            yield REFERENCE, time_block(next(references), *block)
        with session.recording_failure(model):
            yield model, time_block(session.calls[model], *block)
