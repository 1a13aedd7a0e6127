"""Start, use, replace and stop a measuring process from the user's process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any

from loky import ProcessPoolExecutor

from fcnn_latency.exceptions import MeasurementError
from fcnn_latency.measurement._protocol import MeasurementProtocol
from fcnn_latency.measurement._workload import Model, Workload
from fcnn_latency.measurement.machine._cores import Cores, choose_cores
from fcnn_latency.measurement.process._readings import (
    Block,
    BuildReport,
    ProcessReport,
    Report,
    RoundReport,
)
from fcnn_latency.measurement.process._session import Session, in_session, start_session
from fcnn_latency.measurement.runtimes._base import Runtime

#: Environment variables set before the frameworks are imported, when they are read.
WORKER_ENVIRONMENT = {
    "CUDA_VISIBLE_DEVICES": "-1",
    "KERAS_BACKEND": "tensorflow",
    "LOKY_MAX_MEMORY_LEAK_SIZE": "1e18",  # the protocol sets when a process is replaced
    "PYTHONHASHSEED": "0",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}

Models = Sequence[Model]


class MeasuringWorker:
    """One measuring process at a time, spawned with `WORKER_ENVIRONMENT`.

    loky starts the process. Unlike `multiprocessing`'s spawn, it does not run the user's
    ``__main__`` again, so `make_dataset` works in a plain script, a notebook and an interactive
    shell.

    Parameters
    ----------
    runtime, protocol, workload
        Settings that all groups share.
    """

    def __init__(self, runtime: Runtime, protocol: MeasurementProtocol, workload: Workload) -> None:
        self.shared = (runtime, protocol, workload)
        self.cores = choose_cores() if protocol.pin else Cores()
        self.models_built = 0
        self._executor: Any = None
        self._started: Future[ProcessReport] | None = None
        self._told: Future[ProcessReport] | None = None
        self._ahead: Models | None = None
        self._built: Future[BuildReport] | None = None
        self._released: Future[int] | None = None

    def stop(self) -> None:
        """Kill the process, even while it is working."""
        if self._executor is not None:
            self._executor.shutdown(wait=True, kill_workers=True)
        self._executor = self._started = self._ahead = self._built = self._released = None

    def start(self, *, while_timing: bool = False) -> None:
        """Start the process if it does not run, without waiting."""
        if self._executor is not None:
            return
        self._executor = ProcessPoolExecutor(max_workers=1, env=WORKER_ENVIRONMENT)
        self.models_built = 0
        self._started = self._executor.submit(start_session, *self.shared, self.cores, while_timing)

    def wait(self) -> ProcessReport:
        """Wait until the process has started, and return its report.

        Raises
        ------
        MeasurementError
            If the process does not start or the reference architecture fails in it.
        """
        assert self._started is not None
        self._told = self._started
        with self._reference_errors():
            return self._started.result()

    def calibrate(self) -> Block:
        """Return how many calls make a reading, calibrated in the process if necessary.

        Raises
        ------
        MeasurementError
            If the reference architecture fails in it.
        """
        _, protocol, _ = self.shared
        if protocol.samples_per_block and protocol.calls_per_sample:
            return Block(protocol.samples_per_block, protocol.calls_per_sample)
        with self._reference_errors():
            block: Block = self._executor.submit(in_session, Session.calibrate).result()
        return block

    @contextmanager
    def _reference_errors(self) -> Iterator[None]:
        """Raise errors in the block as MeasurementError with the reason."""
        runtime, protocol, _ = self.shared
        try:
            yield
        except BrokenProcessPool as error:
            raise MeasurementError(
                f"The measuring process of runtime {runtime.name!r} did not start: {error}"
            ) from error
        except (Exception, SystemExit) as error:
            raise MeasurementError(
                f"Runtime {runtime.name!r} did not load, or failed on the reference architecture "
                f"{protocol.reference_widths}, so nothing can be measured: "
                f"{type(error).__name__}: {error}"
            ) from error

    def build_ahead(self, models: Models) -> None:
        """Start to build a group on a separate core while another process times.

        Does nothing if there is no such core, or the protocol disables it.
        """
        if self.shared[1].build_ahead and self.cores.apart:
            try:
                self._begin_to_build(models, while_timing=True)
            except BrokenProcessPool:
                self.stop()  # `measure` starts another process

    def measure(
        self, models: Models, rounds: Sequence[int], seed: int, block: Block
    ) -> Iterator[Report]:
        """Measure a group; if the process dies, find the model that kills it.

        A dead process cannot report which model it was building or timing. The group is therefore
        halved until each half succeeds or a single model is left that has killed two processes.

        Yields
        ------
        ProcessReport, BuildReport or RoundReport
            Each report, as soon as it is available.
        """
        left = list(rounds)
        for attempt in (1, 2):
            try:
                for report in self._measure(models, left, seed, block):
                    yield report
                    if isinstance(report, RoundReport):
                        left = left[1:]
                return
            except BrokenProcessPool as error:
                self.stop()
                if attempt == 2:
                    why = f"the measuring process died twice on it ({type(error).__name__})"
                    yield BuildReport("", failures={0: why})
            except Exception as error:  # a new process does not start: keep what was read
                self.stop()
                why = f"the measuring process failed: {type(error).__name__}: {error}"
                yield BuildReport("", failures=dict.fromkeys(range(len(models)), why))
                return
            if len(models) > 1:
                yield from self._measure_halves(models, left, seed, block)
                return

    def _measure_halves(
        self, models: Models, rounds: Sequence[int], seed: int, block: Block
    ) -> Iterator[Report]:
        middle = len(models) // 2
        yield from self.measure(models[:middle], rounds, seed, block)
        for report in self.measure(models[middle:], rounds, seed, block):
            yield report if isinstance(report, ProcessReport) else report.shifted(middle)

    def _measure(
        self, models: Models, rounds: Sequence[int], seed: int, block: Block
    ) -> Iterator[Report]:
        if self._ahead != models:
            self._begin_to_build(models, while_timing=False)
        started, built, self._ahead = self._started, self._built, None
        assert started is not None
        assert built is not None
        if started is not self._told:
            yield started.result()
            self._told = started
        yield built.result()
        submit = self._executor.submit
        readings = [
            submit(in_session, Session.time_round, number, seed, block) for number in rounds
        ]
        self._released = submit(in_session, Session.release)
        for reading in readings:
            yield reading.result()

    def _begin_to_build(self, models: Models, *, while_timing: bool) -> None:
        _, protocol, _ = self.shared
        most_models, most_growth = protocol.models_per_worker, protocol.worker_growth_bytes
        grown = 0 if self._released is None else self._released.result()
        if (
            most_models and self.models_built and self.models_built + len(models) > most_models
        ) or (most_growth and grown > most_growth):
            self.stop()
        self.start(while_timing=while_timing)
        self.models_built += len(models)
        self._ahead = models
        self._built = self._executor.submit(in_session, Session.build, models, while_timing)
