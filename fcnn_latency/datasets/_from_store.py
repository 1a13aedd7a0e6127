"""Make datasets from the campaigns of a store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from fcnn_latency._validation import Floats
from fcnn_latency.datasets._bunch import first_missing, make_bunch, make_frame
from fcnn_latency.exceptions import MeasurementError, StoreError
from fcnn_latency.measurement._protocol import MeasurementProtocol
from fcnn_latency.measurement._store import Store
from fcnn_latency.measurement.labels._noise import combine_passes, standard_errors
from fcnn_latency.measurement.labels._reduction import (
    measuring_time,
    process_references,
    reduce_passes,
    reference_drift,
    round_errors,
)
from fcnn_latency.measurement.labels._reliability import assess_reliability
from fcnn_latency.measurement.labels._scale import Scale, campaign_scale, machine_scale
from fcnn_latency.measurement.machine._differences import environment_differences
from fcnn_latency.spaces._fcnn import FCNNSpace
from fcnn_latency.spaces._widths import pad_widths

#: Conditions that must agree between campaigns for their readings to be pooled.
POOLED = ("runtime", "signal_length", "scale")
#: Fields of a protocol that add passes to a campaign without changing how readings are made.
REFINEMENTS = ("name", "target_error", "max_passes")
#: Maximum difference of the scales of campaigns: labels at different machine speeds do not mix.
SAME_SCALE = 1e-6


class _Part(NamedTuple):
    """One campaign of a dataset; `frame` has a row for each requested architecture."""

    frame: pd.DataFrame
    failures: dict[int, str]
    readings: pd.DataFrame
    rounds: pd.DataFrame
    scale: dict[str, Any] | None
    drift: float | None
    stolen: float | None
    measuring_time: float | None

    def missing(self) -> pd.DataFrame:
        """Widths of the architectures without a label, and the reasons."""
        frame = self.frame.loc[sorted(self.failures)].filter(like="layer_")
        return frame.assign(reason=[self.failures[row] for row in frame.index])


def dataset_of_campaigns(
    store: Store, campaigns: Sequence[int], *, corrected: bool = True
) -> Bunch:
    """Return a dataset that pools campaigns measured under the same conditions.

    Parameters
    ----------
    store : Store
        Store of the campaigns.
    campaigns : sequence of int
        Numbers of the campaigns.
    corrected : bool, default=True
        Whether labels are relative to the reference latency, times the scale; otherwise they are
        the raw seconds.

    Raises
    ------
    StoreError
        If the campaigns were measured under different conditions; the message says which.
    MeasurementError
        If no architecture is complete.
    """
    campaigns = [number for number in campaigns if len(store.processes(number))]
    if not campaigns:
        raise MeasurementError(f"{store.path} holds no readings.")
    for number in campaigns[1:]:
        _check_alike(store, campaigns[0], number)
    conditions = [store.conditions(number) for number in campaigns]
    space = FCNNSpace.covering(*(FCNNSpace(**c["space"]) for c in conditions))
    parts = [_part(store, number, space.max_layers, corrected=corrected) for number in campaigns]
    frame = pd.concat([p.frame.drop(index=list(p.failures)) for p in parts], ignore_index=True)
    missing = pd.concat([part.missing() for part in parts])
    if not len(frame):
        widths, reason = first_missing(missing)
        raise MeasurementError(
            f"Not one of {len(missing)} architectures could be measured. "
            f"The first, {widths}, failed: {reason}"
        )
    input_rows = frame.pop("input_rows").to_numpy(copy=True)
    reliability = assess_reliability(
        frame.filter(like="pass_"),
        drift=_worst([part.drift for part in parts]),
        stolen=_worst([part.stolen for part in parts]),
    )
    provenance = _provenance(store, campaigns, conditions[0], parts)
    bunch = make_bunch(frame, reliability, {"space": space, **provenance})
    bunch.readings = pd.concat([part.readings for part in parts], ignore_index=True)
    bunch.rounds = pd.concat([part.rounds for part in parts], ignore_index=True)
    if "input_rows" in conditions[0]:
        bunch.input_rows = input_rows
    bunch.update(missing=missing, interrupted=False, corrected=corrected)
    if not corrected:
        bunch.DESCR += "Raw: seconds as read, not corrected by the reference architecture.\n"
    if len(missing):
        asked = len(frame) + len(missing)
        bunch.DESCR += f"Missing: {len(missing)} of {asked} architectures (see .missing).\n"
    return bunch


def _part(store: Store, number: int, max_layers: int, *, corrected: bool) -> _Part:
    conditions = store.conditions(number)
    protocol = MeasurementProtocol.from_dict(conditions["protocol"])
    architectures = store.architectures(number)
    readings = store.readings(number)
    passes = reduce_passes(readings, len(architectures), protocol, corrected=corrected)
    passes[np.isnan(passes[:, : protocol.passes]).any(axis=1)] = np.nan  # not all passes
    failures = store.failures(number)
    passes[list(failures)] = np.nan
    for row in np.flatnonzero(np.isnan(passes).all(axis=1)):
        failures.setdefault(int(row), "interrupted before its last pass")
    scale = None
    if corrected and protocol.reference_every and len(readings):
        own = process_references(readings, protocol).tolist()  # until it is set
        scale = store.scale(number) or asdict(campaign_scale(own))
        passes *= scale["reference_latency"]
    labels, errors = _labels(passes, readings, protocol)
    frame = make_frame(
        pad_widths(architectures, max_layers),
        passes,
        latency=labels,
        latency_std=errors,
        first_call=store.first_calls(number).astype(np.float64),
    )
    processes, rounds = store.processes(number), store.rounds(number)
    hosts = readings["process"].map(processes["host"]).astype("category")
    return _Part(
        frame.assign(input_rows=conditions.get("input_rows") or 0),
        failures,
        readings.assign(host=hosts, campaign=np.int32(number)),
        rounds.assign(campaign=number),
        scale,
        reference_drift(readings, protocol),
        None if rounds["stolen"].isna().all() else float(rounds["stolen"].mean()),
        measuring_time(rounds, processes["host"]),
    )


def _labels(
    passes: Floats, readings: pd.DataFrame, protocol: MeasurementProtocol
) -> tuple[Floats, Floats]:
    """Return labels and their standard errors; NaN where an architecture has none."""
    labels, errors = np.full((2, len(passes)), np.nan)
    complete = ~np.isnan(passes).all(axis=1)
    if complete.any():
        labels[complete] = combine_passes(passes[complete])
        if passes.shape[1] > 1:
            errors[complete] = standard_errors(passes[complete])
        else:
            errors = labels * round_errors(readings, len(passes), protocol)
    return labels, errors


def scale_of_campaign(store: Store, number: int) -> Scale:
    """Return the factor for the relative latencies of a campaign."""
    conditions = store.conditions(number)
    protocol = MeasurementProtocol.from_dict(conditions["protocol"])
    latencies = process_references(store.readings(number), protocol).tolist()
    if conditions["scale"] == "campaign":
        return campaign_scale(latencies)
    return machine_scale(
        latencies,
        runtime=conditions["runtime"],
        signal_length=conditions["signal_length"],
        protocol=protocol,
        environment=store.processes(number)["environment"].iloc[0],
    )


def _check_alike(store: Store, first: int, second: int) -> None:
    """Check that the readings of two campaigns can be pooled."""
    one, other = store.conditions(first), store.conditions(second)
    found = [f"{key}: {one[key]!r} and {other[key]!r}" for key in POOLED if one[key] != other[key]]
    if ("input_rows" in one) != ("input_rows" in other):
        found.append("what is measured: single layers and whole architectures")
    found += [
        f"protocol's {field}: {value!r} and {other['protocol'].get(field)!r}"
        for field, value in one["protocol"].items()
        if field not in REFINEMENTS and value != other["protocol"].get(field)
    ]
    scales: list[dict[str, Any]] = [store.scale(number) or {} for number in (first, second)]
    levels = [scale["reference_latency"] for scale in scales if scale]
    if len(levels) == 2 and abs(levels[0] / levels[1] - 1) > SAME_SCALE:
        found.append(f"scale (reference latency in seconds): {levels[0]:.4g} and {levels[1]:.4g}")
    environments = (store.processes(n)["environment"].iloc[0] for n in (first, second))
    found += environment_differences(*environments)
    if found:
        raise StoreError(
            f"Campaigns {first} and {second} of {store.path} were measured otherwise, so their "
            f"readings are not pooled: {'; '.join(found)}. Choose some: "
            "load_dataset(path, runtime=...) or load_dataset(path, campaigns=[...])."
        )


def _provenance(
    store: Store, campaigns: Sequence[int], first: dict[str, Any], parts: Sequence[_Part]
) -> dict[str, Any]:
    """Return the conditions of the first campaign, with which the others agree."""
    block, found = store.block(campaigns[0]), {}
    if block is not None:
        found = {"samples_per_block": block.samples, "calls_per_sample": block.calls_per_sample}
    return {
        **{key: first[key] for key in ("runtime", "signal_length", "random_state")},
        "protocol": first["protocol"] | found,
        "environment": store.processes(campaigns[0])["environment"].iloc[0],
        "scale": parts[0].scale,
        "measuring_time": sum(part.measuring_time or 0.0 for part in parts) or None,
    }


def _worst(values: Sequence[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)
