"""The scale of labels: the reference latency of this machine, set once and kept."""

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

#: Set to a folder to keep the scales elsewhere than in the user's cache folder.
SCALE_VARIABLE = "FCNN_LATENCY_HOME"

#: A scale holds for campaigns whose own reference latency is within this of it.
MOST_CHANGE = 0.03

#: What of an environment and a protocol must agree, for reference latencies to be comparable.
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
    """What labels in units of the reference architecture are multiplied by.

    Parameters
    ----------
    reference_latency : float
        Of this machine, in seconds.
    campaign_latency : float
        The same by this campaign alone: the geometric mean over its processes.
    set_at : str
        When the first was set, in UTC; the present where this campaign has set it.
    """

    reference_latency: float
    campaign_latency: float
    set_at: str


def campaign_scale(latencies: Sequence[float]) -> Scale:
    """The scale of a campaign by itself.

    Parameters
    ----------
    latencies : sequence of float
        Reference latency in each of its processes, in seconds.
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
    """The scale that the campaigns of this machine share.

    Processes with identical work differ by one or two per cent in speed, all models of a process
    alike, so a campaign's own scale is uncertain by that much. The first campaign of its kind (same
    machine, versions, runtime and way of measuring) sets the scale, which `scale_file` keeps; it
    holds for all later ones whose own reference latency is within 3 % of it. Where there is none
    so near, the machine has changed its speed, and the campaign sets a new one.

    Parameters
    ----------
    latencies : sequence of float
        Reference latency in each process of this campaign, in seconds.
    runtime, signal_length, protocol, environment
        How they were measured.

    Warns
    -----
    MeasurementWarning
        If the file cannot be used; the campaign then has a scale of its own.
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
    """The SQLite file that keeps the scales, in the user's cache folder or `SCALE_VARIABLE`."""
    import pooch

    return Path(os.environ.get(SCALE_VARIABLE) or pooch.os_cache("fcnn_latency"), "scale.sqlite")


def _find_or_set(how: str, own: Scale) -> Scale:
    """The oldest scale of a kind that holds for a campaign, or its own, from then on."""
    kind, latency = hashlib.sha256(how.encode()).hexdigest(), own.campaign_latency
    path = scale_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path, timeout=30, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")  # nobody else sets one in between
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
