"""The scale of labels: the reference latency of this machine, set once and stored."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import warnings
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from fcnn_latency.exceptions import MeasurementWarning
from fcnn_latency.measurement._protocol import MeasurementProtocol

#: Environment variable with the folder of the scales; default: the user's cache folder.
SCALE_VARIABLE = "FCNN_LATENCY_HOME"

#: A scale is valid for campaigns whose own reference latency differs by at most this fraction.
MOST_CHANGE = 0.03

#: Keys of environment and protocol that must agree for reference latencies to be comparable.
ENVIRONMENT_KEYS = ("cpu", "architecture", "cores", "system", "python", "versions", "variables")
PROTOCOL_KEYS = (
    "samples_per_block",
    "calls_per_sample",
    "block_seconds",
    "sample_seconds",
    "least_samples",
    "block_statistic",
    "reference_widths",
    "reference_quantile",
    "group_size",
    "pin",
)


@dataclass(frozen=True)
class Scale:
    """Factor from units of the reference architecture to seconds.

    Parameters
    ----------
    reference_latency : float
        Reference latency of this machine, in seconds.
    campaign_latency : float
        Reference latency of this campaign alone, in seconds: the geometric mean over its
        processes.
    set_at : str
        Time in UTC when `reference_latency` was set; now if this campaign sets it.
    """

    reference_latency: float
    campaign_latency: float
    set_at: str


def campaign_scale(latencies: Sequence[float]) -> Scale:
    """Return the scale from one campaign alone.

    Parameters
    ----------
    latencies : sequence of float
        Reference latency in each process of the campaign, in seconds.
    """
    own = float(np.exp(np.mean(np.log(latencies))))
    return Scale(own, own, datetime.now(UTC).isoformat(timespec="seconds"))


def machine_scale(
    latencies: Sequence[float],
    *,
    runtime: str,
    signal_length: int,
    protocol: MeasurementProtocol,
    environment: dict[str, Any],
) -> Scale:
    """Return the scale that the campaigns of this machine share.

    Processes with identical work differ in speed by one or two per cent, equally for all models
    of a process. A campaign's own scale is uncertain by that much. The first campaign of its kind
    (same machine, versions, runtime and way of measuring) therefore sets the scale, which is stored
    in `scale_file`. It is valid for all later campaigns whose own reference latency is within 3 %
    of it. If no stored scale is that close, the machine has changed its speed, and the campaign
    sets a new scale.

    Parameters
    ----------
    latencies : sequence of float
        Reference latency in each process of this campaign, in seconds.
    runtime, signal_length, protocol, environment
        Conditions of the campaign.

    Warns
    -----
    MeasurementWarning
        If the file cannot be used; the campaign's own scale is then returned.
    """
    how = {
        "runtime": runtime,
        "signal_length": signal_length,
        **{name: getattr(protocol, name) for name in PROTOCOL_KEYS},
        **{name: environment.get(name) for name in ENVIRONMENT_KEYS},
    }
    own = campaign_scale(latencies)
    try:
        return _find_or_set(json.dumps(how, sort_keys=True), own)
    except (OSError, sqlite3.Error) as error:
        message = (
            f"The reference latency of this machine could not be kept in {scale_file()} "
            f"({error}), so the level of these labels is this campaign's alone. Set "
            f"{SCALE_VARIABLE} to a folder that can be written."
        )
        warnings.warn(message, MeasurementWarning, stacklevel=3)
        return own


def scale_file() -> Path:
    """Return the SQLite file of the scales, in the folder `SCALE_VARIABLE` or the user's cache."""
    import pooch

    return Path(os.environ.get(SCALE_VARIABLE) or pooch.os_cache("fcnn_latency"), "scale.sqlite")


def _find_or_set(how: str, own: Scale) -> Scale:
    """Return the oldest valid scale of this kind; if there is none, store and return `own`."""
    kind, latency = hashlib.sha256(how.encode()).hexdigest(), own.campaign_latency
    path = scale_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path, timeout=30, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")  # no other process sets one in between
        with connection:
            connection.execute(
                "CREATE TABLE IF NOT EXISTS scale "
                "(kind TEXT, how TEXT, reference_latency REAL, set_at TEXT)"
            )
            found = connection.execute(
                "SELECT reference_latency, set_at FROM scale WHERE kind = ? AND "
                "typeof(reference_latency) = 'real' AND "
                "abs(? / reference_latency - 1) <= ? ORDER BY rowid LIMIT 1",
                (kind, latency, MOST_CHANGE),
            ).fetchone()
            if found is None:
                connection.execute(
                    "INSERT INTO scale VALUES (?, ?, ?, ?)", (kind, how, latency, own.set_at)
                )
                return own
    return Scale(float(found[0]), latency, str(found[1]))
