"""The measuring process, seen from the user's: started, replaced, stopped."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures.process import BrokenProcessPool
from typing import Any

import numpy as np
from loky import ProcessPoolExecutor

from fcnn_latency.exceptions import MeasurementError
from fcnn_latency.measurement.cores import Cores, choose_cores
from fcnn_latency.measurement.environment import describe_environment
from fcnn_latency.measurement.group import (
    GroupReadings,
    build_group,
    no_readings,
    start_session,
    time_group,
)
from fcnn_latency.measurement.protocol import MeasurementProtocol
from fcnn_latency.measurement.runtimes.base import Runtime
from fcnn_latency.measurement.workload import Workload

__all__ = ["MeasuringWorker"]

#: Set before the frameworks are imported: they read these only then.
WORKER_ENVIRONMENT = {
    "CUDA_VISIBLE_DEVICES": "-1",
    "KERAS_BACKEND": "tensorflow",
    "PYTHONHASHSEED": "0",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}

Architectures = Sequence[tuple[int, ...]]


class MeasuringWorker:
    """One measuring process at a time, started by spawn with its environment set beforehand.

    loky starts it: unlike `multiprocessing`'s spawn it does not run the user's ``__main__``
    again, so that `make_dataset` works in a plain script, a notebook and an interactive shell.

    Parameters
    ----------
    runtime, protocol, workload
        What all groups share.
    """

    def __init__(self, runtime: Runtime, protocol: MeasurementProtocol, workload: Workload) -> None:
        self.shared = (runtime, protocol, workload)
        self.cores = choose_cores() if protocol.pin else Cores()
        self.models_built = 0
        self._executor: Any = None
        self._started: Any = None
        self._ahead: Architectures | None = None
        self._built: Any = None

    def __enter__(self) -> MeasuringWorker:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End the process, whatever it does."""
        if self._executor is not None:
            self._executor.shutdown(wait=True, kill_workers=True)
            self._executor = self._ahead = self._built = None

    def start(self, *, while_timing: bool = False) -> None:
        """Begin to start the process, without waiting."""
        self._executor = ProcessPoolExecutor(max_workers=1, env=WORKER_ENVIRONMENT)
        self.models_built = 0
        # The framework comes first, since loky replaces a process that outgrows its first task.
        self._started = self._executor.submit(start_session, *self.shared, self.cores, while_timing)

    def environment(self) -> dict[str, Any]:
        """Describe the machine as the measuring process sees it.

        Raises
        ------
        MeasurementError
            If the process does not start.
        """
        runtime, protocol, _ = self.shared
        try:
            self._started.result()
            described: dict[str, Any] = self._executor.submit(
                describe_environment, runtime.packages
            ).result()
        except BrokenProcessPool as error:
            msg = f"The measuring process of runtime {runtime.name!r} did not start: {error}"
            raise MeasurementError(msg) from error
        except Exception as error:
            msg = (
                f"Runtime {runtime.name!r} did not load, or failed on the reference architecture "
                f"{protocol.reference_widths}, so nothing can be measured: "
                f"{type(error).__name__}: {error}"
            )
            raise MeasurementError(msg) from error
        return described

    def build_ahead(self, widths: Architectures) -> None:
        """Begin to build a group, on a core of its own, while another process times.

        Does nothing where there is no such core.
        """
        if self.shared[1].build_ahead and self.cores.apart:
            try:
                self._begin_to_build(widths, while_timing=True)
            except BrokenProcessPool:
                self.stop()  # `measure` starts another

    def measure(self, widths: Architectures, seed: int) -> GroupReadings:
        """Measure a group; where the process dies, find out which model kills it.

        A dead process does not say which model it was building or timing, so the group is halved
        until each half passes or a single model is left that has killed two processes.
        """
        try:
            return self._measure(widths, seed)
        except BrokenProcessPool:
            self.stop()
        except Exception as error:  # a replaced process does not start: the earlier groups stay
            self.stop()
            reason = f"the measuring process failed: {type(error).__name__}: {error}"
            return no_readings(dict.fromkeys(range(len(widths)), reason))
        if len(widths) > 1:
            middle = len(widths) // 2
            first = self.measure(widths[:middle], seed)
            return _joined(first, self.measure(widths[middle:], seed), middle)
        try:
            return self._measure(widths, seed)
        except BrokenProcessPool as error:
            self.stop()
            return no_readings(
                {0: f"the measuring process died twice on it ({type(error).__name__})"}
            )

    def _measure(self, widths: Architectures, seed: int) -> GroupReadings:
        if self._ahead != widths:
            self._begin_to_build(widths, while_timing=False)
        built, self._ahead = self._built, None
        self._started.result()
        built.result()
        result: GroupReadings = self._executor.submit(time_group, seed).result()
        return result

    def _begin_to_build(self, widths: Architectures, *, while_timing: bool) -> None:
        limit = self.shared[1].models_per_worker
        if limit and self.models_built and self.models_built + len(widths) > limit:
            self.stop()
        if self._executor is None:
            self.start(while_timing=while_timing)
        self.models_built += len(widths)
        self._ahead, self._built = widths, self._executor.submit(build_group, widths, while_timing)


def _joined(first: GroupReadings, second: GroupReadings, offset: int) -> GroupReadings:
    """One group of two halves; both halves' reference readings count for it."""
    shifted = np.where(second.models >= 0, second.models + offset, second.models)
    return GroupReadings(
        np.concatenate([first.models, shifted]),
        np.concatenate([first.rounds, second.rounds]),
        np.concatenate([first.seconds, second.seconds]),
        first.failures | {offset + i: reason for i, reason in second.failures.items()},
        second.process,
    )
