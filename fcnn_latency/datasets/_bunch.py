"""The Bunch that all datasets share."""

from __future__ import annotations

import warnings
from typing import Any

import pandas as pd
from sklearn.utils import Bunch

from fcnn_latency._units import format_percent, format_seconds
from fcnn_latency._validation import Floats, Ints
from fcnn_latency.exceptions import MeasurementWarning
from fcnn_latency.measurement.labels._reliability import Reliability


def layer_names(padded: Ints) -> list[str]:
    """Return the names ``layer_1`` to ``layer_k``."""
    return [f"layer_{i + 1}" for i in range(padded.shape[1])]


def make_frame(padded: Ints, passes: Floats, **times: Any) -> pd.DataFrame:
    """Return a frame of widths, those `times` that are not None, and passes."""
    frame = pd.DataFrame(padded, columns=layer_names(padded))
    frame = frame.assign(**{name: column for name, column in times.items() if column is not None})
    return frame.assign(**{f"pass_{i + 1}": column for i, column in enumerate(passes.T)})


def make_bunch(
    frame: pd.DataFrame, reliability: Reliability | None, provenance: dict[str, Any]
) -> Bunch:
    """Return the Bunch that all datasets share, from a frame made by `make_frame`."""
    if "first_call" in frame and frame["first_call"].isna().all():
        frame = frame.drop(columns="first_call")
    layers = frame.filter(like="layer_")
    target = frame["latency"].to_numpy(copy=True)
    return Bunch(
        data=layers.to_numpy(copy=True),
        target=target,
        target_std=frame["latency_std"].to_numpy(copy=True) if "latency_std" in frame else None,
        frame=frame,
        noise_floor=None if reliability is None else reliability.noise_floor,
        reliability=reliability,
        feature_names=list(layers),
        target_name="latency",
        DESCR=_describe(target, reliability, provenance),
        **provenance,
    )


def _describe(target: Floats, reliability: Reliability | None, provenance: dict[str, Any]) -> str:
    environment, protocol = provenance["environment"], provenance["protocol"]
    lines = [
        "Latencies of fully connected networks",
        "-------------------------------------",
        f"{len(target)} architectures, one warm inference of a signal of "
        f"{provenance['signal_length']} values each, in seconds."
        if protocol.get("name") != "paper"
        else f"{len(target)} architectures, mean of 5 cold inferences of a signal of "
        f"{provenance['signal_length']} values each, the first call included, in seconds.",
        f"Latency: {format_seconds(target.min())} to {format_seconds(target.max())}, "
        f"mean {format_seconds(target.mean())}.",
        f"Runtime: {provenance['runtime']}. Protocol: {protocol.get('name', 'unknown')}.",
        f"Machine: {environment.get('cpu', 'unknown')}, {environment.get('cores', '?')} cores, "
        f"pinned to {environment.get('affinity', 'unknown')}.",
    ]
    spent = provenance.get("measuring_time")
    if spent is not None:
        each = format_seconds(spent / len(target))
        lines.append(f"Measuring took {format_seconds(spent)}, {each} an architecture.")
    if provenance["scale"] is not None:
        lines.append(_describe_scale(**provenance["scale"]))
    if reliability is None:
        lines.append("Noise floor: not known, since each architecture was measured in one pass.")
    else:
        lines += _describe_reliability(reliability, provenance["runtime"])
    return "\n".join(lines) + "\n"


def _describe_reliability(reliability: Reliability, runtime: str) -> list[str]:
    noise = f"Noise of one pass: {format_percent(reliability.noise)}"
    if reliability.noise_interval is not None:
        low, high = map(format_percent, reliability.noise_interval)
        noise += f" (95 % interval {low} to {high})"
    return [
        f"{noise}.",
        _describe_retest(reliability),
        f"Noise floor: a perfect predictor would show {_floors(reliability)} against these labels.",
        *_describe_quintiles(reliability),
        *(f"Warning: {warning}" for warning in reliability.warnings(runtime)),
    ]


def _describe_retest(reliability: Reliability) -> str:
    if reliability.retest_r is None:
        return f"Retest correlation: none, {reliability.no_correlation_reason()}."
    text = f"Retest correlation: {reliability.retest_r:.5f}"
    if reliability.retest_spearman is None:
        return f"{text}."
    return f"{text}, of ranks (Spearman) {reliability.retest_spearman:.5f}."


def _floors(reliability: Reliability) -> str:
    floors = [f"a MAPE of {format_percent(reliability.noise_floor)}"]
    if reliability.noise_floor_rmse is not None:
        floors.append(f"an RMSE of {format_seconds(reliability.noise_floor_rmse)}")
    if reliability.noise_floor_r2 is not None:
        floors.append(f"an R² of {reliability.noise_floor_r2:.5f}")
    return ", ".join(floors[:-1]) + " and " + floors[-1] if len(floors) > 1 else floors[0]


def _describe_quintiles(reliability: Reliability) -> list[str]:
    if not reliability.by_quintile:
        return []
    rows = [
        f"  up to {format_seconds(quintile.highest):>8}  noise {format_percent(quintile.noise):>8}"
        f"  noise floor {format_percent(quintile.noise_floor):>8}"
        for quintile in reliability.by_quintile
    ]
    return ["By latency, a fifth of the architectures each:", *rows]


def _describe_scale(reference_latency: float, campaign_latency: float, set_at: str) -> str:
    text = f"Scale: the reference architecture takes {format_seconds(reference_latency)}, set"
    apart = campaign_latency / reference_latency - 1
    if apart == 0:
        return f"{text} by this campaign."
    how = "slower" if apart > 0 else "faster"
    return f"{text} on {set_at[:10]}; in this campaign it was {abs(apart):.2%} {how}."


def first_missing(missing: pd.DataFrame) -> tuple[tuple[int, ...], str]:
    """Describe the first architecture without a label, and the reason."""
    widths = missing.filter(like="layer_").to_numpy()[0]
    return tuple(int(width) for width in widths if width), missing["reason"].iloc[0]


def finish(bunch: Bunch, *, as_frame: bool = False, return_X_y: bool = False) -> Any:
    """Return a dataset as the user asked for it, after warning about missing or weak labels.

    Parameters
    ----------
    bunch : Bunch
        The dataset. Warnings are issued if it was measured here or read from a store.
    as_frame, return_X_y : bool, default=False
        As in `make_dataset`.
    """
    if as_frame:
        bunch.update(data=bunch.frame[bunch.feature_names], target=bunch.frame["latency"])
    for message in _weaknesses(bunch) if "missing" in bunch else []:
        warnings.warn(MeasurementWarning(message, bunch), stacklevel=3)
    return (bunch.data, bunch.target) if return_X_y else bunch


def _weaknesses(bunch: Bunch) -> list[str]:
    """List missing architectures and problems of the labels."""
    messages = []
    if len(bunch.missing):
        widths, reason = first_missing(bunch.missing)
        what = "Interrupted: " if bunch.interrupted else ""
        messages.append(
            f"{what}{len(bunch.data)} of {len(bunch.data) + len(bunch.missing)} architectures "
            f"were measured and are kept; {len(bunch.missing)} are missing (see .missing), the "
            f"first {widths}: {reason}"
        )
    if bunch.reliability is not None:
        messages += bunch.reliability.warnings(bunch.runtime)
    return messages
