"""Reduce readings to the latency of each architecture in each pass."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view

from fcnn_latency._validation import Bools, Floats
from fcnn_latency.measurement._protocol import MeasurementProtocol
from fcnn_latency.measurement._statistics import STATISTICS
from fcnn_latency.measurement.process._readings import REFERENCE

#: The campaign was interrupted and resumed if the time between two rounds exceeds the usual time
#: by this factor and is longer than this many seconds.
INTERRUPTION_FACTOR, INTERRUPTION_SECONDS = 20.0, 60.0
#: Quantile over the reference latencies of the groups.
LOW_QUANTILE = 0.25
#: Columns that define which readings share a reference latency.
UNIT = ["group", "process"]


def _unit_references(readings: pd.DataFrame, protocol: MeasurementProtocol) -> pd.Series:
    """Return the reference latency in seconds of each group and process; may be empty.

    It is empty without a reference.
    """
    reference = readings[readings["architecture"] == REFERENCE]
    return reference.groupby(UNIT)["seconds"].quantile(protocol.reference_quantile)


def process_references(readings: pd.DataFrame, protocol: MeasurementProtocol) -> pd.Series:
    """Return the reference latency of each process in seconds; empty without a reference.

    It is a low quantile over the groups of the process. If the machine is slow during some groups,
    the scale does not change.
    """
    return _unit_references(readings, protocol).groupby("process").quantile(LOW_QUANTILE)


def measuring_time(rounds: pd.DataFrame, hosts: pd.Series) -> float | None:
    """Return the seconds of measuring, summed over hosts, from the starts of the rounds.

    The time includes building models, but not loading the framework. An interruption and the last
    round each count as long as a usual (median) round.

    Parameters
    ----------
    rounds : DataFrame
        ``process`` and ``started_at`` of each round.
    hosts : Series
        The host of each process.

    Returns
    -------
    float or None
        Seconds; None if no host has two rounds.
    """
    total = 0.0
    for _, started in rounds["started_at"].groupby(rounds["process"].map(hosts)):
        between = np.diff(np.sort(started.to_numpy(dtype=np.float64)))
        if not len(between):
            continue
        usual = float(np.median(between))
        interrupted = between > max(INTERRUPTION_SECONDS, INTERRUPTION_FACTOR * usual)
        total += float(np.where(interrupted, usual, between).sum()) + usual
    return total or None


def reference_drift(readings: pd.DataFrame, protocol: MeasurementProtocol) -> float | None:
    """Return the largest change of a process' reference latency between groups, as a fraction.

    None without a reference, or if each process has only one group.
    """
    by_unit = _unit_references(readings, protocol)
    if len(by_unit) <= by_unit.index.get_level_values("process").nunique():
        return None
    process = by_unit.groupby("process")
    return float((process.max() / process.min()).max() - 1)


def relative_readings(
    readings: pd.DataFrame, protocol: MeasurementProtocol, *, corrected: bool = True
) -> pd.DataFrame:
    """Return the readings of architectures with ``relative``, in units of the reference latency.

    If `corrected` is false or there is no reference, ``relative`` is in seconds.
    """
    models = readings["architecture"] != REFERENCE
    if not (corrected and protocol.reference_every):
        return readings[models].assign(relative=readings["seconds"][models])
    unit = pd.Series(np.nan, index=readings.index)
    for _, rows in readings.groupby(UNIT, sort=False).indices.items():
        part = readings.iloc[rows]
        unit.iloc[rows] = _reference_of_readings(
            part["seconds"].to_numpy(), (part["architecture"] == REFERENCE).to_numpy(), protocol
        )
    return readings[models].assign(relative=(readings["seconds"] / unit)[models])


def _reference_of_readings(
    seconds: Floats, is_reference: Bools, protocol: MeasurementProtocol
) -> Any:
    """Return the divisor of each reading: the reference latency nearby, or of the whole group."""
    references, quantile = seconds[is_reference], protocol.reference_quantile
    window = protocol.reference_window
    if window < 1 or window >= len(references):
        return np.quantile(references, quantile)
    local = np.quantile(sliding_window_view(references, window), quantile, axis=1)
    before = np.cumsum(is_reference)  # number of references before each reading
    return local[np.clip(before - (window + 1) // 2, 0, len(local) - 1)]


def reduce_passes(
    readings: pd.DataFrame,
    n_architectures: int,
    protocol: MeasurementProtocol,
    *,
    corrected: bool = True,
) -> Floats:
    """Return the latency of each architecture in each pass, reduced over its rounds.

    Parameters
    ----------
    readings : DataFrame
        Readings as returned by `Store.readings`.
    n_architectures : int
        Number of architectures in the campaign.
    protocol : MeasurementProtocol
        Protocol that sets the statistic and the reference correction.
    corrected : bool, default=True
        Whether to return units of the reference latency; otherwise seconds as read.

    Returns
    -------
    ndarray of shape (n_architectures, n_passes)
        NaN where a pass lacks rounds. There are at least as many passes as in the protocol.
    """
    rounds = _by_round(readings, n_architectures, protocol, corrected=corrected)
    passes = np.full(rounds.shape[:2], np.nan)
    complete = ~np.isnan(rounds).any(axis=2)
    if complete.any():
        statistic = STATISTICS[protocol.round_statistic]
        passes[complete] = np.apply_along_axis(statistic, 1, rounds[complete])
    return passes


def round_errors(
    readings: pd.DataFrame, n_architectures: int, protocol: MeasurementProtocol
) -> Floats:
    """Return relative standard errors from the spread of the rounds of the first pass.

    For protocols with a single pass.

    Returns
    -------
    ndarray of shape (n_architectures,)
        Relative standard errors, as fractions.
    """
    rounds = _by_round(readings, n_architectures, protocol, corrected=True)[:, 0]
    spread = rounds.std(axis=1, ddof=1) / np.sqrt(rounds.shape[1])
    return np.asarray(spread / rounds.mean(axis=1))


def _by_round(
    readings: pd.DataFrame, n_architectures: int, protocol: MeasurementProtocol, *, corrected: bool
) -> Floats:
    """Return the readings as an array of shape (n_architectures, n_passes, n_rounds)."""
    models = relative_readings(readings, protocol, corrected=corrected)
    n_passes = max(protocol.passes, 1 + int(models["pass"].max()) if len(models) else 0)
    by_round = np.full((n_architectures, n_passes, protocol.rounds), np.nan)
    index = tuple(models[name].to_numpy() for name in ("architecture", "pass", "round"))
    by_round[index] = models["relative"].to_numpy()
    return by_round
