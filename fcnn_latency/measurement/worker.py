"""The measuring process: what runs in it, and how it is started, replaced and stopped."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Callable, Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from loky import ProcessPoolExecutor

from fcnn_latency.exceptions import MeasurementError
from fcnn_latency.measurement.environment import describe_environment
from fcnn_latency.measurement.protocol import MeasurementProtocol
from fcnn_latency.measurement.runtimes.base import Runtime
from fcnn_latency.measurement.timing import quiet_collector, time_block
from fcnn_latency.measurement.workload import Workload

__all__ = ["GroupReadings", "MeasuringWorker", "measure_group"]

#: Set before the frameworks are imported: they read these only then.
WORKER_ENVIRONMENT = {
    "CUDA_VISIBLE_DEVICES": "-1",
    "KERAS_BACKEND": "tensorflow",
    "PYTHONHASHSEED": "0",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}

#: Seed of the weights, the same in every pass: latency does not depend on their values.
WEIGHTS_SEED = 0


@dataclass
class GroupReadings:
    """What one group of models gave.

    Parameters
    ----------
    readings : ndarray, shape (n_models, rounds)
        Seconds per call; NaN where a model failed.
    reference : ndarray, shape (n_models, rounds)
        The reference around each reading in seconds per call; 1 without a reference.
    failures : dict of int to str
        Why a model failed, by its place in the group.
    process : int
        Which process measured: readings are compared with the reference of the same one.
    """

    readings: npt.NDArray[np.float64]
    reference: npt.NDArray[np.float64]
    failures: dict[int, str] = field(default_factory=dict)
    process: int = 0


def measure_group(
    widths: Sequence[tuple[int, ...]],
    runtime: Runtime,
    protocol: MeasurementProtocol,
    workload: Workload,
    seed: int,
) -> GroupReadings:
    """Build the models of one group and time them in randomly interleaved rounds."""
    result = GroupReadings(
        readings=np.full((len(widths), protocol.rounds), np.nan),
        reference=np.ones((len(widths), protocol.rounds)),
        process=os.getpid(),
    )
    reference = _prepare_reference(runtime, protocol, workload)
    calls: dict[int, Callable[[], Any]] = {}
    for i, model_widths in enumerate(widths):
        with _recording_failure(result, i):
            calls[i] = _prepare(runtime, model_widths, protocol, workload)
    rng = np.random.default_rng(seed)
    with quiet_collector():
        for round_number in range(protocol.rounds):
            alive = [i for i in calls if i not in result.failures]
            order = rng.permutation(alive).tolist() if protocol.shuffle else alive
            _time_round(result, round_number, order, calls, reference, protocol)
    return result


def _prepare(
    runtime: Runtime,
    widths: tuple[int, ...],
    protocol: MeasurementProtocol,
    workload: Workload,
) -> Callable[[], Any]:
    call = runtime.prepare(widths, workload.inputs(widths[0]), WEIGHTS_SEED)
    for _ in range(protocol.warmup_calls):
        call()
    return call


_references: dict[Any, Callable[[], Any]] = {}


def _prepare_reference(
    runtime: Runtime, protocol: MeasurementProtocol, workload: Workload
) -> Callable[[], Any] | None:
    """The reference, built once in each process: a rebuilt one would be a slightly other one."""
    if not protocol.reference_every:
        return None
    key = (runtime.name, protocol, workload)
    if key not in _references:
        _references[key] = _prepare(runtime, protocol.reference_widths, protocol, workload)
        gc.collect()
        gc.freeze()  # the frameworks' own objects stay; collecting before a group skips them
    return _references[key]


def _time_round(
    result: GroupReadings,
    round_number: int,
    order: list[int],
    calls: dict[int, Callable[[], Any]],
    reference: Callable[[], Any] | None,
    protocol: MeasurementProtocol,
) -> None:
    """Time each model once, and the reference before, between and after."""
    block = (protocol.calls_per_block, protocol.block_statistic)
    every = protocol.reference_every or len(order) or 1
    before = time_block(reference, *block) if reference else 1.0
    for start in range(0, len(order), every):
        members = order[start : start + every]
        for i in members:
            with _recording_failure(result, i):
                result.readings[i, round_number] = time_block(calls[i], *block)
        after = time_block(reference, *block) if reference else 1.0
        result.reference[members, round_number] = min(before, after)
        before = after


class _recording_failure:  # noqa: N801 - reads as a statement
    """Turn what a model raises into an entry of `failures`."""

    def __init__(self, result: GroupReadings, i: int) -> None:
        self.result, self.i = result, i

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type | None, error: BaseException | None, trace: object) -> bool:
        if not isinstance(error, Exception):
            return False
        self.result.failures[self.i] = f"{type(error).__name__}: {error}"
        self.result.readings[self.i] = np.nan
        return True


def _ignore_interrupts() -> None:
    """Leave it to the parent what Ctrl-C means."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _start_runtime(
    runtime: Runtime, protocol: MeasurementProtocol, workload: Workload, core: int | None
) -> None:
    """Import the framework on any core, then bind the process to one and start the framework.

    The framework's threads are made when it starts, and stay on the core of the process.
    """
    runtime.load()
    if core is not None:
        os.sched_setaffinity(0, {core})
    _prepare_reference(runtime, protocol, workload)


def _choose_core(protocol: MeasurementProtocol) -> int | None:
    """The last core that this process may use: the first ones serve most interrupts."""
    if not protocol.pin or not hasattr(os, "sched_getaffinity"):
        return None
    return max(os.sched_getaffinity(0))


class MeasuringWorker:
    """One measuring process at a time, started by spawn with its environment set beforehand.

    loky starts it: unlike `multiprocessing`'s spawn it does not run the user's ``__main__``
    again, so that `make_dataset` works in a plain script, a notebook and an interactive shell.

    Parameters
    ----------
    runtime, protocol, workload
        What all groups share.
    """

    def __init__(
        self, runtime: Runtime, protocol: MeasurementProtocol, workload: Workload
    ) -> None:
        self.shared = (runtime, protocol, workload)
        self.models_built = 0
        self._executor: Any = None
        self._started: Any = None

    def __enter__(self) -> MeasuringWorker:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End the process, whatever it does."""
        if self._executor is not None:
            self._executor.shutdown(wait=True, kill_workers=True)
            self._executor = None

    def start(self) -> None:
        """Begin to start the process, without waiting: several may start side by side."""
        self._executor = ProcessPoolExecutor(
            max_workers=1, initializer=_ignore_interrupts, env=WORKER_ENVIRONMENT
        )
        self.models_built = 0
        # The framework comes first, since loky replaces a process that outgrows its first task.
        core = _choose_core(self.shared[1])
        self._started = self._executor.submit(_start_runtime, *self.shared, core)

    def environment(self) -> dict[str, Any]:
        """Describe the machine as the measuring process sees it.

        Raises
        ------
        MeasurementError
            If the process does not start.
        """
        runtime, protocol, _ = self.shared
        try:
            described: dict[str, Any] = self._submit(describe_environment, runtime.packages)
        except BrokenProcessPool as error:
            msg = f"The measuring process of runtime {runtime.name!r} did not start: {error}"
            raise MeasurementError(msg) from error
        except Exception as error:
            msg = (
                f"Runtime {runtime.name!r} failed on the reference architecture "
                f"{protocol.reference_widths}, so nothing can be measured: "
                f"{type(error).__name__}: {error}"
            )
            raise MeasurementError(msg) from error
        return described

    def measure(self, widths: Sequence[tuple[int, ...]], seed: int) -> GroupReadings:
        """Measure a group; where the process dies, find out which model kills it.

        A dead process does not say which model it was building or timing, so the group is halved
        until each half passes or a single model is left that has killed two processes.
        """
        _, protocol, _ = self.shared
        limit = protocol.models_per_worker
        if limit and self.models_built + len(widths) > limit:
            self.stop()
        try:
            return self._measure(widths, seed)
        except BrokenProcessPool:
            self.stop()
        if len(widths) > 1:
            middle = len(widths) // 2
            first = self.measure(widths[:middle], seed)
            return _joined(first, self.measure(widths[middle:], seed))
        try:
            return self._measure(widths, seed)
        except BrokenProcessPool as error:
            self.stop()
            reason = f"the measuring process died twice on it ({type(error).__name__})"
            shape = (1, protocol.rounds)
            return GroupReadings(np.full(shape, np.nan), np.ones(shape), {0: reason})

    def _measure(self, widths: Sequence[tuple[int, ...]], seed: int) -> GroupReadings:
        result: GroupReadings = self._submit(measure_group, widths, *self.shared, seed)
        self.models_built += len(widths)
        return result

    def _submit(self, function: Callable[..., Any], *arguments: Any) -> Any:
        if self._executor is None:
            self.start()
        self._started.result()
        return self._executor.submit(function, *arguments).result()


def _joined(first: GroupReadings, second: GroupReadings) -> GroupReadings:
    offset = len(first.readings)
    return GroupReadings(
        np.vstack([first.readings, second.readings]),
        np.vstack([first.reference, second.reference]),
        first.failures | {offset + i: reason for i, reason in second.failures.items()},
        second.process,
    )
