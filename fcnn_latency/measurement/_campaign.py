"""Run the measurement of many architectures: remaining tasks, progress, interruption."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from tqdm.auto import tqdm

from fcnn_latency.exceptions import MeasurementWarning, StoreError
from fcnn_latency.measurement._plan import Group, plan_groups
from fcnn_latency.measurement._protocol import MeasurementProtocol
from fcnn_latency.measurement._store import Store
from fcnn_latency.measurement._workload import Model, Workload
from fcnn_latency.measurement.labels._noise import combine_passes, standard_errors
from fcnn_latency.measurement.labels._reduction import reduce_passes
from fcnn_latency.measurement.machine._differences import environment_differences
from fcnn_latency.measurement.process._readings import ProcessReport, Report, RoundReport
from fcnn_latency.measurement.process._worker import MeasuringWorker
from fcnn_latency.measurement.runtimes._base import Runtime


class Task(NamedTuple):
    """Readings of a group that are still missing.

    Parameters
    ----------
    group : Group
        The group, with only the members that lack readings.
    rounds : tuple of int
        The rounds that these members lack.
    """

    group: Group
    rounds: tuple[int, ...]


@dataclass(frozen=True)
class Campaign:
    """A campaign in a store, with the settings that all of its readings share.

    Parameters
    ----------
    store : Store
        The store that the campaign is written to.
    number : int
        Number of the campaign in the store.
    runtime, protocol, workload
        How the campaign measures.
    """

    store: Store
    number: int
    runtime: Runtime
    protocol: MeasurementProtocol
    workload: Workload

    @property
    def architectures(self) -> list[tuple[int, ...]]:
        """Widths of the architectures, in the order of the request."""
        return self.store.architectures(self.number)

    @property
    def models(self) -> list[Model]:
        """The architectures, each with the input rows of one inference."""
        widths = self.architectures
        rows = self.store.conditions(self.number).get("input_rows") or [None] * len(widths)
        return [Model(*model) for model in zip(widths, rows, strict=True)]

    def phases(self) -> Iterator[list[Group]]:
        """Yield the groups of each phase: all passes of the protocol, then single extra passes.

        Extra passes cover the architectures whose error is above the target.
        """
        architectures, seed = self.architectures, self.store.seed(self.number)
        target, most_passes = self.protocol.target_error, self.protocol.max_passes
        rows: Sequence[int] = range(len(architectures))
        passes, n_groups = range(self.protocol.passes), 0
        while True:
            groups = plan_groups(architectures, self.protocol, seed, rows, passes, n_groups)
            yield groups
            if target is None or passes.stop >= most_passes:
                return
            n_groups += len(groups)
            rows = self._uncertain(passes.stop, target)
            passes = range(passes.stop, passes.stop + 1)

    def _uncertain(self, n_passes: int, target: float) -> list[int]:
        """Return the rows whose relative standard error after `n_passes` is above the target."""
        readings = self.store.readings(self.number)
        readings = readings[readings["pass"] < n_passes]
        passes = reduce_passes(readings, len(self.architectures), self.protocol)
        rows = np.flatnonzero(~np.isnan(passes[:, : self.protocol.passes]).any(axis=1))
        errors = standard_errors(passes[rows]) / combine_passes(passes[rows])
        return [int(row) for row in rows[errors > target]]

    def tasks(self, groups: Sequence[Group]) -> list[Task]:
        """Return the missing readings of these groups; failed architectures are left out."""
        failed = self.store.failures(self.number)
        found = []
        for group in groups:
            lacking: dict[tuple[int, ...], list[int]] = {}
            for row, read in self.store.rounds_read(self.number, group).items():
                rounds = tuple(r for r in range(self.protocol.rounds) if r not in read)
                if rounds and row not in failed:
                    lacking.setdefault(rounds, []).append(row)
            for rounds, rows in lacking.items():
                found.append(Task(replace(group, members=tuple(rows)), rounds))
        return found

    def add(self, task: Task, report: Report) -> None:
        """Write the report of a measuring process.

        Raises
        ------
        StoreError
            If machine, versions or settings differ from those of earlier processes.
        """
        if isinstance(report, ProcessReport):
            check_same(self.store, self.number, report.environment)
        self.store.add(self.number, task.group, report)
        if isinstance(report, RoundReport) and report.lost_references:
            msg = (
                f"In process {report.process}, {len(report.lost_references)} instance(s) of the "
                "reference architecture failed and are read no more: "
                f"{'; '.join(report.lost_references)}. The others serve; labels may be noisier."
            )
            warnings.warn(MeasurementWarning(msg), stacklevel=2)


def check_same(store: Store, campaign: int, environment: dict[str, Any]) -> None:
    """Check that new readings can be pooled with those of a campaign, if it has any.

    Parameters
    ----------
    store : Store
        Store that holds the campaign.
    campaign : int
        Number of the campaign.
    environment : dict
        Environment of the process that would measure now.

    Raises
    ------
    StoreError
        If machine, versions or settings differ; the message says which.
    """
    processes = store.processes(campaign)
    if not len(processes):
        return
    differences = environment_differences(processes["environment"].iloc[0], environment)
    if differences:
        raise StoreError(
            f"The readings of this campaign of {store.path} were made otherwise than they would "
            f"be now, so they cannot be pooled; then and now: {'; '.join(differences)}. Give this "
            "campaign a store of its own, or measure as then."
        )


#: Measures tasks of a campaign and yields each report as soon as it is available.
Measure = Callable[[Campaign, Sequence[Task]], Iterator[tuple[Task, Report]]]


def run_campaign(campaign: Campaign, measure: Measure, verbose: int = 0) -> bool:
    """Measure everything that has not been measured yet.

    Parameters
    ----------
    campaign : Campaign
        What to measure, and the store to write to.
    measure : callable
        `measure_here`, or another function with the same signature.
    verbose : int
        Whether to show progress.

    Returns
    -------
    bool
        Whether the run was ended by Ctrl-C.

    Raises
    ------
    MeasurementError
        If a measuring process does not start or the reference architecture fails in it.
    StoreError
        If the store cannot be written, or its readings were made under other conditions.
    """
    try:
        for groups in campaign.phases():
            tasks = campaign.tasks(groups)
            if tasks:
                _run(campaign, groups, tasks, measure, verbose)
    except KeyboardInterrupt:
        return True
    return False


def _run(
    campaign: Campaign, groups: list[Group], tasks: list[Task], measure: Measure, verbose: int
) -> None:
    total = sum(len(group.members) for group in groups)
    left = sum(len(task.group.members) for task in tasks)
    with tqdm(
        total=total,
        initial=total - left,
        desc=f"measuring ({campaign.runtime.name}, {campaign.protocol.name})",
        unit="model",
        disable=not verbose,
    ) as progress:
        for task, report in measure(campaign, tasks):
            campaign.add(task, report)
            if isinstance(report, RoundReport) and report.number == task.rounds[-1]:
                progress.update(int(np.count_nonzero(report.models >= 0)))


def measure_here(campaign: Campaign, tasks: Sequence[Task]) -> Iterator[tuple[Task, Report]]:
    """Measure on this machine: while one process times, another one builds models."""
    models, protocol = campaign.models, campaign.protocol
    groups = [[models[row] for row in task.group.members] for task in tasks]
    n_workers = min(protocol.processes, len({task.group.pass_number for task in tasks}))
    with ExitStack() as stack:
        workers = [
            MeasuringWorker(campaign.runtime, protocol, campaign.workload) for _ in range(n_workers)
        ]
        for worker in workers:
            stack.callback(worker.stop)
        turns = [workers[task.group.pass_number % n_workers] for task in tasks]
        turns[0].start()
        block = None
        for number, (task, worker) in enumerate(zip(tasks, turns, strict=True)):
            if number + 1 < len(tasks) and turns[number + 1] is not worker:
                turns[number + 1].build_ahead(groups[number + 1])
            if block is None:
                yield task, worker.wait()
                block = campaign.store.block(campaign.number) or worker.calibrate()
                campaign.store.set_block(campaign.number, block)
            for report in worker.measure(groups[number], task.rounds, task.group.seed, block):
                yield task, report
