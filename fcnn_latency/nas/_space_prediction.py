"""Predictions of a model for every architecture of a space."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from sklearn import config_context
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from fcnn_latency._validation import Array, Floats, Floats32, Ints, check
from fcnn_latency.encoding._base import WidthsEncoder
from fcnn_latency.estimators._intervals import IntervalRegressor
from fcnn_latency.estimators._measured import MeasuredLatency
from fcnn_latency.spaces._fcnn import MAX_ENUMERATED, SPACE, FCNNSpace

#: Number of architectures that are predicted at a time.
CHUNK_SIZE = 131_072

Predict = Callable[[Ints], Floats]


def predict_space(
    model: Any, space: FCNNSpace | None = None, confidence: float | None = None
) -> tuple[FCNNSpace, Floats32]:
    """Predict every architecture of a space; errors are those of `LatencyMap.from_estimator`.

    Parameters
    ----------
    model : estimator
        A fitted pipeline, or an `IntervalRegressor` around one.
    space : FCNNSpace or None, default=None
        The space; None is the model's space.
    confidence : float or None, default=None
        With a confidence, return the upper bounds of an `IntervalRegressor`, which this fraction
        of latencies does not exceed. With None, return the predictions.

    Returns
    -------
    space : FCNNSpace
        The space of the latencies.
    latencies : ndarray of float32, shape (space.size,)
        Seconds, rounded up, in the order of `FCNNSpace.rank`.
    """
    check_is_fitted(model)
    encoder = _encoder(model)
    if space is None:
        space = FCNNSpace() if encoder is None else encoder.space_
    check_space(space)
    if encoder is not None and not space <= encoder.space_:
        raise ValueError(
            f"The model was fitted for {encoder.space_}, in which {space} does not lie."
        )
    predict = _predictor(model, confidence)
    latencies = np.empty(space.size, dtype=np.float32)
    done = 0
    with config_context(assume_finite=True):  # widths are finite
        for chunk in space.chunks(CHUNK_SIZE):
            latencies[done : done + len(chunk)] = round_up(predict(chunk))
            done += len(chunk)
    return space, latencies


def check_space(space: Any) -> None:
    """Raise ValueError if `space` is not an FCNNSpace, or too large to enumerate."""
    check(space, SPACE, "space")
    if space.size > MAX_ENUMERATED:
        raise ValueError(
            f"The space holds {space.size:,} architectures; a LatencyMap takes at most "
            f"{MAX_ENUMERATED:,}. Pass a smaller space=FCNNSpace(...), or predict some of it: "
            "model.predict(space.sample(100_000))."
        )


def _encoder(model: Any) -> WidthsEncoder | None:
    """Return the encoder of a model, which knows its space; None if there is none."""
    inner = model.estimator_ if isinstance(model, IntervalRegressor) else model
    first = inner[0] if isinstance(inner, Pipeline) else None
    return first if isinstance(first, WidthsEncoder) else None


def _predictor(model: Any, confidence: float | None) -> Predict:
    """Return a function that predicts zero-padded widths, without validating them again."""
    if confidence is not None:
        if not isinstance(model, IntervalRegressor):
            raise ValueError(
                "confidence needs an IntervalRegressor, which knows how far its predictions are "
                f"off. Got a {type(model).__name__}: fit IntervalRegressor(model) instead."
            )
        return lambda widths: model.predict_upper(as_fitted(widths, model), confidence)
    inner = model.estimator_ if isinstance(model, IntervalRegressor) else model
    if isinstance(inner[-1] if isinstance(inner, Pipeline) else inner, MeasuredLatency):
        raise ValueError("Predictions of MeasuredLatency are measurements. Fit another estimator.")
    encoder = _encoder(inner)
    # An estimator that was fitted on named columns must get named columns.
    if encoder is not None and not hasattr(inner[1], "feature_names_in_"):
        columns = encoder.space_.max_layers
        return lambda widths: np.asarray(inner[1:].predict(encoder.encode(_pad(widths, columns))))
    return lambda widths: np.asarray(inner.predict(as_fitted(widths, model)))


def as_fitted(widths: Ints, model: Any) -> Any:
    """Return zero-padded widths with the columns, and column names, the model was fitted on."""
    columns = model.n_features_in_ if hasattr(model, "n_features_in_") else 0
    padded = _pad(widths, columns)
    names = getattr(model, "feature_names_in_", None)
    return padded if names is None else pd.DataFrame(padded, columns=names)


def _pad(widths: Ints, columns: int) -> Ints:
    return np.pad(widths, ((0, 0), (0, max(0, columns - widths.shape[1]))))


def round_up(latencies: Array) -> Floats32:
    """Round to float32, upwards."""
    rounded = latencies.astype(np.float32)
    below = rounded < latencies
    rounded[below] = np.nextafter(rounded[below], np.float32(np.inf))
    return rounded
