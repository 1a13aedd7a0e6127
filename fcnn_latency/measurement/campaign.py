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

from fcnn_latency.measurement.protocol import Group, MeasurementProtocol, plan_groups
from fcnn_latency.measurement.runtimes.base import Runtime
from fcnn_latency.measurement.timing import STATISTICS
from fcnn_latency.measurement.worker import GroupReadings, MeasuringWorker
from fcnn_latency.measurement.workload import Workload

__all__ = ["Campaign", "corrected_readings", "run_campaign"]


@dataclass
class Campaign:
    """What a campaign gave.

    Parameters
    ----------
    passes : ndarray, shape (n_architectures, n_passes)
        Reference-corrected latency of each pass in seconds; NaN where it is missing.
    readings : DataFrame
        Every reading: ``architecture`` (row), ``pass``, ``round``, ``process``, ``reading`` and
        ``reference`` in seconds (``reference`` is 1 where the protocol has none).
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
    frames: list[pd.DataFrame] = []
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
            for worker in workers:
                worker.start()
            environment = [worker.environment() for worker in workers][0]
            progress = stack.enter_context(_progress(groups, runtime, verbose))
            for group in groups:
                widths = [architectures[row] for row in group.members]
                result = workers[group.pass_number].measure(widths, group.seed)
                frames.append(_frame(group, result))
                failures |= {group.members[i]: why for i, why in result.failures.items()}
                progress.update(len(group.members))
    except KeyboardInterrupt:
        interrupted = True
    readings = pd.concat(frames, ignore_index=True) if frames else _frame(None, None)
    passes = _reduce(readings, len(architectures), protocol)
    for row in np.flatnonzero(np.isnan(passes).any(axis=1)):
        failures.setdefault(int(row), "interrupted before its last pass")
    return Campaign(passes, readings, failures, interrupted, environment)


def _progress(groups: list[Group], runtime: Runtime, verbose: int) -> Any:
    return tqdm(
        total=sum(len(group.members) for group in groups),
        desc=f"measuring ({runtime.name})",
        unit="model",
        disable=not verbose,
    )


def _frame(group: Group | None, result: GroupReadings | None) -> pd.DataFrame:
    columns = ["architecture", "pass", "round", "process", "reading", "reference"]
    if group is None or result is None:
        return pd.DataFrame({name: [] for name in columns}).astype({"architecture": int})
    n_models, rounds = result.readings.shape
    values = (
        np.repeat(group.members, rounds),
        np.full(n_models * rounds, group.pass_number),
        np.tile(np.arange(rounds), n_models),
        np.full(n_models * rounds, result.process),
        result.readings.ravel(),
        result.reference.ravel(),
    )
    frame = pd.DataFrame(dict(zip(columns, values, strict=True)))
    return frame[np.isfinite(frame["reading"])]


def corrected_readings(readings: pd.DataFrame, protocol: MeasurementProtocol) -> pd.Series:
    """Reading / reference, times what the undisturbed reference takes in that process; seconds."""
    speed = readings.groupby("process")["reference"].quantile(protocol.reference_quantile)
    return readings["reading"] / readings["reference"] * readings["process"].map(speed)


def _reduce(
    readings: pd.DataFrame, n_architectures: int, protocol: MeasurementProtocol
) -> npt.NDArray[np.float64]:
    """Latency of each architecture in each pass, over its rounds; NaN where there is none."""
    passes = np.full((n_architectures, protocol.passes), np.nan)
    if len(readings):
        grouped = corrected_readings(readings, protocol).groupby(
            [readings["architecture"], readings["pass"]]
        )
        reduced = grouped.agg(STATISTICS[protocol.round_statistic])
        rows, numbers = (reduced.index.get_level_values(i).to_numpy(dtype=int) for i in (0, 1))
        passes[rows, numbers] = reduced.to_numpy()
    return passes
