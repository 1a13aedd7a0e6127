"""The scale of labels: the reference latency of this machine, kept from campaign to campaign."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import warnings
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from fcnn_latency.exceptions import MeasurementWarning
from fcnn_latency.measurement.protocol import MeasurementProtocol

__all__ = ["SCALE_VARIABLE", "Scale", "campaign_scale", "machine_scale", "scale_file"]

#: Set to a folder to keep the reference latencies elsewhere than in the user's cache folder.
SCALE_VARIABLE = "FCNN_LATENCY_HOME"

#: Earlier processes count where their reference latency is within this of the campaign's own.
MOST_CHANGE = 0.03

#: What of an environment and a protocol must agree, for reference latencies to be comparable.
ENVIRONMENT_KEYS = ("cpu", "architecture", "cores", "system", "python", "versions", "variables")
PROTOCOL_KEYS = (
    "calls_per_block",
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
        Of this machine, in seconds: the geometric mean over `n_processes`.
    campaign_latency : float
        The same over the processes of this campaign alone.
    n_processes : int
        Measuring processes that it is the mean of.
    """

    reference_latency: float
    campaign_latency: float
    n_processes: int

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


def campaign_scale(latencies: Sequence[float]) -> Scale:
    """The scale of a campaign by itself.

    Parameters
    ----------
    latencies : sequence of float
        Reference latency in each of its processes, in seconds.
    """
    own = _geometric_mean(latencies)
    return Scale(own, own, len(latencies))


def machine_scale(
    latencies: Sequence[float],
    *,
    runtime: str,
    signal_length: int,
    protocol: MeasurementProtocol,
    environment: dict[str, Any],
) -> Scale:
    """The scale that the campaigns of this machine share.

    Processes with identical work differ by about one per cent in speed, all models of a process
    alike, so a campaign's own scale is uncertain by that much. The reference latencies of all
    processes are kept in `scale_file`; those that were measured in the same way and lie within
    3 % of this campaign's are averaged with them.

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
    try:
        known = _remember(json.dumps(how, sort_keys=True), latencies)
    except (OSError, sqlite3.Error) as error:
        message = (
            f"The reference latencies of this machine could not be kept in {scale_file()} "
            f"({error}), so the level of these labels is this campaign's alone. Set "
            f"{SCALE_VARIABLE} to a folder that can be written."
        )
        warnings.warn(message, MeasurementWarning, stacklevel=3)
        return campaign_scale(latencies)
    own = _geometric_mean(latencies)
    near = [latency for latency in known if abs(latency / own - 1) <= MOST_CHANGE] or latencies
    return Scale(_geometric_mean(near), own, len(near))


def scale_file() -> Path:
    """The SQLite file of reference latencies, in the user's cache folder or `SCALE_VARIABLE`."""
    import pooch

    return Path(os.environ.get(SCALE_VARIABLE) or pooch.os_cache("fcnn_latency"), "scale.sqlite")


def _remember(how: str, latencies: Sequence[float]) -> list[float]:
    """Add reference latencies to the file; all that it has of the same kind."""
    kind = hashlib.sha256(how.encode()).hexdigest()
    now = datetime.now(UTC).isoformat(timespec="seconds")
    path = scale_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path, timeout=30)) as connection, connection:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS reference_latency "
            "(kind TEXT, how TEXT, seconds REAL, measured_at TEXT)"
        )
        connection.executemany(
            "INSERT INTO reference_latency VALUES (?, ?, ?, ?)",
            [(kind, how, float(latency), now) for latency in latencies],
        )
        found = connection.execute(
            "SELECT seconds FROM reference_latency "
            "WHERE kind = ? AND typeof(seconds) = 'real' AND seconds > 0",
            (kind,),
        ).fetchall()
    return [seconds for (seconds,) in found]


def _geometric_mean(latencies: Sequence[float]) -> float:
    return float(np.exp(np.mean(np.log(latencies))))
