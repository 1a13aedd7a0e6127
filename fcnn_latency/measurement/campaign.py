"""Carries a plan out over many architectures: groups, progress, interruption."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from tqdm.auto import tqdm

from fcnn_latency.measurement.group import REFERENCE, GroupReadings
from fcnn_latency.measurement.protocol import Group, MeasurementProtocol, plan_groups
from fcnn_latency.measurement.runtimes.base import Runtime
from fcnn_latency.measurement.timing import STATISTICS
from fcnn_latency.measurement.worker import MeasuringWorker
from fcnn_latency.measurement.workload import Workload

__all__ = ["Campaign", "process_references", "relative_readings", "run_campaign"]

COLUMNS = ("architecture", "pass", "group", "round", "process", "seconds")


@dataclass
class Campaign:
    """What a campaign gave.

    Parameters
    ----------
    passes : ndarray, shape (n_architectures, n_passes)
        Latency in each pass in units of the reference architecture's, or in seconds where the
        protocol has no reference; NaN where it is missing.
    readings : DataFrame
        Every reading in the order in which it was made: ``architecture`` (its row; -1 for the
        reference), ``pass``, ``group``, ``round``, ``process`` and ``seconds`` per call.
    failures : dict of int to str
        Why an architecture has no latency, by row.
    interrupted : bool
        Whether Ctrl-C ended it.
    environment : dict
        As the measuring process saw it.
    """

    passes: npt.NDArray[np.float64]
    readings: pd.DataFrame
    failures: dict[int, str]
    interrupted: bool
    environment: dict[str, Any]


def run_campaign(
    architectures: Sequence[tuple[int, ...]],
    runtime: Runtime,
    protocol: MeasurementProtocol,
    workload: Workload,
    random_state: np.random.RandomState,
    verbose: int = 0,
) -> Campaign:
    """Measure architectures, given as tuples of widths.

    Raises
    ------
    MeasurementError
        If a measuring process does not start or the reference architecture fails in it.
    """
    groups = list(plan_groups(len(architectures), protocol, random_state))
    widths = [[architectures[row] for row in group.members] for group in groups]
    frames = [pd.DataFrame({name: [] for name in COLUMNS}).astype({"architecture": int})]
    failures: dict[int, str] = {}
    interrupted = False
    environment: dict[str, Any] = {}
    try:
        with ExitStack() as stack:
            # A process for each pass: what is peculiar to one shows as noise, and averages out.
            workers = [
                stack.enter_context(MeasuringWorker(runtime, protocol, workload))
                for _ in range(protocol.passes)
            ]
            workers[0].start()
            environment = workers[0].environment()
            progress = stack.enter_context(_progress(groups, runtime, verbose))
            for number, group in enumerate(groups):
                worker = workers[group.pass_number]
                if number + 1 < len(groups):
                    following = workers[groups[number + 1].pass_number]
                    if following is not worker:
                        following.build_ahead(widths[number + 1])
                result = worker.measure(widths[number], group.seed)
                frames.append(_frame(number, group, result))
                failures |= {group.members[i]: why for i, why in result.failures.items()}
                progress.update(len(group.members))
    except KeyboardInterrupt:
        interrupted = True
    readings = pd.concat([frame for frame in frames if len(frame)] or frames, ignore_index=True)
    passes = _reduce(readings, len(architectures), protocol)
    for row in np.flatnonzero(np.isnan(passes).any(axis=1)):
        failures.setdefault(int(row), "interrupted before its last pass")
    return Campaign(passes, readings, failures, interrupted, environment)


def _progress(groups: list[Group], runtime: Runtime, verbose: int) -> Any:
    n_passes = 1 + max(group.pass_number for group in groups)
    return tqdm(
        total=sum(len(group.members) for group in groups),
        desc=f"measuring ({runtime.name}, {n_passes} passes)",
        unit="model",
        disable=not verbose,
    )


def _frame(number: int, group: Group, result: GroupReadings) -> pd.DataFrame:
    rows = np.array([*group.members, REFERENCE])  # REFERENCE, -1, takes the last one
    return pd.DataFrame(
        {
            "architecture": rows[result.models],
            "pass": group.pass_number,
            "group": number,
            "round": result.rounds,
            "process": result.process,
            "seconds": result.seconds,
        }
    )


def _group_references(readings: pd.DataFrame, protocol: MeasurementProtocol) -> pd.Series:
    """The reference latency of each group in seconds; empty without a reference."""
    reference = readings[readings["architecture"] == REFERENCE]
    return reference.groupby("group")["seconds"].quantile(protocol.reference_quantile)


def process_references(readings: pd.DataFrame, protocol: MeasurementProtocol) -> pd.Series:
    """The reference latency of each measuring process in seconds; empty without a reference."""
    by_group = _group_references(readings, protocol)
    process = readings.groupby("group")["process"].first()
    return by_group.groupby(process).median()


def relative_readings(readings: pd.DataFrame, protocol: MeasurementProtocol) -> pd.DataFrame:
    """Readings of architectures with ``relative``: in units of their group's reference latency.

    Without a reference ``relative`` is in seconds.
    """
    models = readings[readings["architecture"] != REFERENCE]
    unit = models["group"].map(_group_references(readings, protocol))
    return models.assign(relative=models["seconds"] / (unit if protocol.reference_every else 1.0))


def _reduce(
    readings: pd.DataFrame, n_architectures: int, protocol: MeasurementProtocol
) -> npt.NDArray[np.float64]:
    """Latency of each architecture in each pass, over its rounds; NaN where there is none."""
    passes = np.full((n_architectures, protocol.passes), np.nan)
    relative = relative_readings(readings, protocol)
    if len(relative):
        reduced = relative.groupby(["architecture", "pass"])["relative"].agg(
            STATISTICS[protocol.round_statistic]
        )
        rows, numbers = (reduced.index.get_level_values(i).to_numpy(dtype=int) for i in (0, 1))
        passes[rows, numbers] = reduced.to_numpy()
    return passes
