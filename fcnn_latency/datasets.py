"""Datasets measured here."""

from __future__ import annotations

import numbers
import warnings
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.utils import Bunch, check_random_state

from fcnn_latency.architecture import FCNNSpace
from fcnn_latency.bunch import layer_names, make_bunch
from fcnn_latency.exceptions import MeasurementError, MeasurementWarning
from fcnn_latency.measurement.campaign import (
    Campaign,
    process_references,
    relative_readings,
    run_campaign,
)
from fcnn_latency.measurement.protocol import MeasurementProtocol, get_protocol
from fcnn_latency.measurement.reliability import (
    assess_reliability,
    standard_errors,
)
from fcnn_latency.measurement.runtimes import Runtime, get_runtime
from fcnn_latency.measurement.scale import Scale, campaign_scale, machine_scale
from fcnn_latency.measurement.workload import Workload
from fcnn_latency.widths import trim_widths

__all__ = ["make_dataset"]

#: The values of `scale`.
SCALES = ("machine", "campaign")


def make_dataset(
    architectures: Any = 300,
    *,
    space: FCNNSpace | None = None,
    runtime: str | Runtime | None = None,
    protocol: str | MeasurementProtocol = "reliable",
    signal_length: int = 50,
    scale: str = "machine",
    random_state: Any = None,
    return_X_y: bool = False,
    as_frame: bool = False,
    verbose: int = 0,
) -> Any:
    """Measure the latency of architectures on this machine.

    Parameters
    ----------
    architectures : int or sequence of sequences, array or DataFrame, default=300
        How many distinct ones to sample from `space`, or the architectures themselves (ragged
        widths, a zero-padded array, or a frame with columns ``layer_1`` to ``layer_k``); rows
        come back in the order given, repeats are measured as often as they are given.
    space : FCNNSpace or None, default=None
        The space sampled from, and that given architectures must lie in; None is
        ``FCNNSpace()``.
    runtime : str, Runtime or None, default=None
        What executes the models: ``"keras"``, ``"keras-predict"``, ``"tf-function"``, ``"xla"``,
        ``"litert"``, ``"onnxruntime"`` or one's own. None is the protocol's: ``"keras"``, and
        ``"keras-predict"`` for the protocol ``"paper"``.
    protocol : {"reliable", "paper"} or MeasurementProtocol, default="reliable"
        How it is measured.
    signal_length : int, default=50
        Values that one inference reads.
    scale : {"machine", "campaign"}, default="machine"
        Where the common level of the labels comes from: the reference latency that the first
        campaign of this machine has set for all that measure alike, so that they can be pooled,
        or that of this campaign alone. See `fcnn_latency.measurement.scale`.
    random_state : int, RandomState or None, default=None
        Seed of the sample and of the order of measuring.
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.
    as_frame : bool, default=False
        Return `data` as a DataFrame and `target` as a Series.
    verbose : int, default=0
        Whether to show progress with the time left.

    Returns
    -------
    Bunch
        data : ndarray of int64, shape (n_samples, max_layers)
            Zero-padded widths.
        target : ndarray of float64, shape (n_samples,)
            Latency in seconds.
        target_std : ndarray of float64, shape (n_samples,)
            Standard error of `target` in seconds.
        frame : DataFrame
            ``layer_1`` to ``layer_k``, ``latency``, ``latency_std`` and ``pass_1`` to
            ``pass_K``, all times in seconds.
        noise_floor : float or None
            Mean absolute percentage error, as a fraction, that a perfect predictor would show
            against `target`; None with a single pass, which cannot tell.
        reliability : Reliability or None
            What the noise floor was computed from.
        readings : DataFrame
            Every reading behind the labels, those of missing architectures included.
        missing : DataFrame
            Architectures that were asked for and have no label: their widths and ``reason``.
        interrupted : bool
            Whether Ctrl-C ended the campaign early.
        environment : dict
            Machine, versions and settings.
        scale : dict or None
            ``reference_latency`` in seconds, ``campaign_latency`` (by this campaign alone) and
            ``set_at``, when the first was set; None where the protocol has no reference.
        space : FCNNSpace
            The space of the architectures.
        feature_names, target_name, runtime, protocol, signal_length, DESCR
            As their names say.
    (data, target)
        If `return_X_y`.

    Raises
    ------
    ValueError
        If an architecture, name or number is wrong; says which and what would be right.
    MeasurementError
        If not one architecture could be measured.
    KeyboardInterrupt
        If Ctrl-C comes before one architecture is complete. Later it ends the campaign, and
        what is complete is returned with a `MeasurementWarning`.

    Warns
    -----
    MeasurementWarning
        If architectures are missing or the labels are weak.

    Examples
    --------
    >>> from fcnn_latency import make_dataset
    >>> dataset = make_dataset([[41, 41], [14, 21, 31, 14]], random_state=0)
    >>> dataset.data
    array([[41, 41,  0,  0,  0],
           [14, 21, 31, 14,  0]])
    >>> bool(dataset.target[0] < dataset.target[1])
    True
    """
    space = FCNNSpace() if space is None else space
    protocol = get_protocol(protocol)
    runtime = get_runtime(protocol.default_runtime if runtime is None else runtime)
    workload = Workload(signal_length)
    if scale not in SCALES:
        msg = f"Unknown scale {scale!r}. Valid ones: {list(SCALES)}."
        raise ValueError(msg)
    rng = check_random_state(random_state)
    padded = _requested(architectures, space, rng)
    campaign = run_campaign(trim_widths(padded), runtime, protocol, workload, rng, verbose)
    complete = np.asarray(np.isfinite(campaign.passes).all(axis=1))
    _raise_if_empty(complete, campaign, padded)
    found = _scale(campaign, runtime, protocol, workload, scale)
    unit = 1.0 if found is None else found.reference_latency
    passes = unit * campaign.passes[complete]
    errors = (
        standard_errors(passes)
        if protocol.passes > 1
        else unit * _round_errors(campaign, protocol)[complete]
    )
    bunch = make_bunch(
        padded[complete],
        passes,
        errors,
        assess_reliability(passes),
        {
            "space": space,
            "runtime": runtime.name,
            "protocol": asdict(protocol),
            "signal_length": int(signal_length),
            "environment": campaign.environment,
            "scale": None if found is None else found.as_dict(),
        },
        as_frame=as_frame,
    )
    bunch.update(
        readings=campaign.readings,
        missing=_missing_frame(padded, campaign.failures),
        interrupted=campaign.interrupted,
    )
    _warn_of_weaknesses(bunch)
    return (bunch.data, bunch.target) if return_X_y else bunch


def _requested(
    architectures: Any, space: FCNNSpace, rng: np.random.RandomState
) -> npt.NDArray[np.int64]:
    if not isinstance(space, FCNNSpace):
        msg = f"space must be an FCNNSpace or None. Got {space!r} instead."
        raise ValueError(msg)
    if isinstance(architectures, numbers.Integral) and not isinstance(architectures, bool):
        padded = space.sample(int(architectures), random_state=rng)
    else:
        padded = space.validate(architectures)
    if not len(padded):
        msg = "There is no architecture to measure: ask for at least 1."
        raise ValueError(msg)
    return padded


def _raise_if_empty(
    complete: npt.NDArray[np.bool_], campaign: Campaign, padded: npt.NDArray[np.int64]
) -> None:
    if complete.any():
        return
    if campaign.interrupted:
        msg = "Interrupted before one architecture was complete; nothing to keep."
        raise KeyboardInterrupt(msg)
    row, reason = min(campaign.failures.items())
    msg = (
        f"Not one of {len(padded)} architectures could be measured. "
        f"The first, {trim_widths(padded)[row]}, failed: {reason}"
    )
    raise MeasurementError(msg)


def _scale(
    campaign: Campaign,
    runtime: Runtime,
    protocol: MeasurementProtocol,
    workload: Workload,
    scale: str,
) -> Scale | None:
    """What the campaign's relative latencies are multiplied by; None without a reference."""
    latencies = process_references(campaign.readings, protocol).tolist()
    if not latencies:
        return None
    if scale == "campaign":
        return campaign_scale(latencies)
    return machine_scale(
        latencies,
        runtime=runtime.name,
        signal_length=workload.signal_length,
        protocol=protocol,
        environment=campaign.environment,
    )


def _round_errors(campaign: Campaign, protocol: MeasurementProtocol) -> npt.NDArray[np.float64]:
    """Relative standard errors from the spread of the rounds, where there is one pass."""
    relative = relative_readings(campaign.readings, protocol)
    spread = relative.groupby("architecture")["relative"].sem()
    return np.asarray(spread.reindex(range(len(campaign.passes))), dtype=np.float64)


def _missing_frame(padded: npt.NDArray[np.int64], failures: dict[int, str]) -> pd.DataFrame:
    rows = sorted(failures)
    frame = pd.DataFrame(padded[rows], columns=layer_names(padded), index=rows)
    return frame.assign(reason=[failures[row] for row in rows])


def _warn_of_weaknesses(bunch: Bunch) -> None:
    messages = []
    if len(bunch.missing):
        first = bunch.missing.iloc[0]
        widths = tuple(int(w) for w in first[bunch.feature_names] if w)
        what = "Interrupted: " if bunch.interrupted else ""
        messages.append(
            f"{what}{len(bunch.data)} of {len(bunch.data) + len(bunch.missing)} architectures "
            f"were measured and are kept; {len(bunch.missing)} are missing (see .missing), the "
            f"first {widths}: {first['reason']}"
        )
    if bunch.reliability is not None:
        messages += bunch.reliability.warnings()
    for message in messages:
        warnings.warn(message, MeasurementWarning, stacklevel=3)
