"""Metrics of latency predictions, as functions and scikit-learn scorers.

All metrics compare measured and predicted latencies in seconds, of shape (n_samples,).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import norm, spearmanr
from sklearn.metrics import (
    make_scorer,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    r2_score,
    root_mean_squared_error,
)
from sklearn.utils.validation import check_array, check_consistent_length

from fcnn_latency._validation import Floats, refuse_first

__all__ = [
    "SCORERS",
    "absolute_deviations",
    "average_absolute_deviation",
    "error_bound_accuracy",
    "error_to_noise_ratio",
    "errors_by_quintile",
    "latency_metrics",
    "noise_band",
    "relative_errors",
    "spearman_correlation",
]

#: Error bounds of the accuracy metrics, in per cent.
PERCENTS = (1, 5, 10)


def _checked(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> tuple[Floats, Floats]:
    measured = check_array(y_true, ensure_2d=False, dtype=np.float64, input_name="y_true")
    predicted = check_array(y_pred, ensure_2d=False, dtype=np.float64, input_name="y_pred")
    check_consistent_length(measured, predicted)
    return measured.ravel(), predicted.ravel()


def _check_positive(y_true: Floats) -> None:
    refuse_first(y_true <= 0, y_true, "Measured latencies must be positive. Row {row} is not.")


def absolute_deviations(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> Floats:
    """Return |measured - predicted| of each architecture, in seconds.

    Fig. 8 of Beglaryan and Ringhofer (2023) shows these deviations.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples,)
        Measured and predicted latencies in seconds.

    Returns
    -------
    ndarray of float64, shape (n_samples,)
        Absolute deviations in seconds.

    Raises
    ------
    ValueError
        If the inputs are empty, not finite or differ in length.
    """
    y_true, y_pred = _checked(y_true, y_pred)
    return np.abs(y_true - y_pred)


def average_absolute_deviation(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> float:
    """Return the mean of `absolute_deviations`, in seconds.

    This is the fourth metric of Beglaryan and Ringhofer (2023). They list it next to the mean
    absolute error, without a formula. As the mean of the deviations in their Fig. 8, it equals the
    mean absolute error.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples,)
        Measured and predicted latencies in seconds.

    Returns
    -------
    float
        Mean in seconds.

    Raises
    ------
    ValueError
        If the inputs are empty, not finite or differ in length.

    Examples
    --------
    >>> round(average_absolute_deviation([1.0, 2.0], [1.5, 2.0]), 2)
    0.25
    """
    return float(absolute_deviations(y_true, y_pred).mean())


def error_bound_accuracy(
    y_true: npt.ArrayLike, y_pred: npt.ArrayLike, *, bound: float = 0.05
) -> float:
    """Return the fraction of architectures predicted within ``bound`` of the measured latency.

    The metric of Dudziak et al., "BRP-NAS: Prediction-based NAS using GCNs" (2020), table 1.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples,)
        Measured and predicted latencies in seconds.
    bound : float, default=0.05
        Largest relative error allowed, inclusive; 0.05 is ±5 %.

    Returns
    -------
    float
        Fraction between 0 and 1.

    Raises
    ------
    ValueError
        If a measured latency is not positive, `bound` is negative, or the inputs are empty,
        not finite or differ in length.

    Examples
    --------
    >>> error_bound_accuracy([1.0, 1.0], [1.04, 1.2])
    0.5
    """
    y_true, y_pred = _checked(y_true, y_pred)
    if not bound >= 0:
        raise ValueError(f"bound must be at least 0, as 0.05 for ±5 %. Got {bound!r} instead.")
    _check_positive(y_true)
    return float(np.mean(np.abs(y_pred - y_true) <= bound * y_true))


def spearman_correlation(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> float:
    """Return Spearman's rank correlation; 0.0 if one input is constant, so has no ranks.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples,)
        Measured and predicted latencies in seconds.

    Returns
    -------
    float
        Between -1 and 1.

    Raises
    ------
    ValueError
        If the inputs are empty, not finite or differ in length.
    """
    y_true, y_pred = _checked(y_true, y_pred)
    if np.ptp(y_true) == 0 or np.ptp(y_pred) == 0:
        return 0.0
    return float(spearmanr(y_true, y_pred).statistic)


def error_to_noise_ratio(
    y_true: npt.ArrayLike, y_pred: npt.ArrayLike, *, noise_floor: float
) -> float:
    """Return the mean absolute percentage error divided by the noise floor of the labels.

    A perfect predictor would score about 1 on these labels.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples,)
        Measured and predicted latencies in seconds.
    noise_floor : float
        Mean absolute percentage error that a perfect predictor would show, as a fraction. It is
        `noise_floor` of a dataset.

    Returns
    -------
    float
        Ratio; lower is better.

    Raises
    ------
    ValueError
        If `noise_floor` is not positive, or the inputs are empty, not finite or differ in
        length.
    """
    y_true, y_pred = _checked(y_true, y_pred)
    if noise_floor is None or not noise_floor > 0:
        raise ValueError(f"noise_floor must be a positive fraction. Got {noise_floor!r} instead.")
    return float(mean_absolute_percentage_error(y_true, y_pred)) / noise_floor


def relative_errors(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> Floats:
    """Return (predicted - measured) / measured of each architecture, as a fraction.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples,)
        Measured and predicted latencies in seconds.

    Returns
    -------
    ndarray of float64, shape (n_samples,)
        Relative errors; positive if the prediction is too high.

    Raises
    ------
    ValueError
        If the inputs are empty, not finite or differ in length, or a measured latency is not
        positive.
    """
    y_true, y_pred = _checked(y_true, y_pred)
    _check_positive(y_true)
    return (y_pred - y_true) / y_true


def noise_band(noise_floor: float) -> float:
    """Return the relative error that 95 % of labels would not exceed for a perfect predictor.

    The noise floor is the mean absolute value of a normal error: sqrt(2 / pi) times its standard
    deviation. The band is 1.96 standard deviations.

    Parameters
    ----------
    noise_floor : float
        Noise floor of the labels, as a fraction.

    Returns
    -------
    float
        Half-width of the band, as a fraction.

    Examples
    --------
    >>> round(noise_band(0.004), 4)
    0.0098
    """
    return float(norm.ppf(0.975) * noise_floor / np.sqrt(2 / np.pi))


def errors_by_quintile(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> pd.DataFrame:
    """Return errors of each fifth of the architectures by measured latency, fastest first.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples,)
        Measured and predicted latencies in seconds; at least five.

    Returns
    -------
    DataFrame
        Five rows with ``lowest`` and ``highest`` measured latency in seconds, number ``n`` of
        architectures, and ``mape`` and ``within_5`` as fractions. The fifths are split as in
        `Reliability.by_quintile`.

    Raises
    ------
    ValueError
        If there are fewer than five architectures, or as in `error_bound_accuracy`.

    Examples
    --------
    >>> errors_by_quintile([1, 2, 3, 4, 5], [1, 2, 3, 4, 4])["mape"].tolist()
    [0.0, 0.0, 0.0, 0.0, 0.2]
    """
    y_true, y_pred = _checked(y_true, y_pred)
    if len(y_true) < 5:
        raise ValueError(f"Fifths require at least 5 architectures. Got {len(y_true)} instead.")
    parts = np.array_split(np.argsort(y_true, kind="stable"), 5)
    rows = [
        {
            "lowest": y_true[part[0]],
            "highest": y_true[part[-1]],
            "n": len(part),
            "mape": np.abs(relative_errors(y_true[part], y_pred[part])).mean(),
            "within_5": error_bound_accuracy(y_true[part], y_pred[part]),
        }
        for part in parts
    ]
    return pd.DataFrame(rows)


def latency_metrics(
    y_true: npt.ArrayLike, y_pred: npt.ArrayLike, *, noise_floor: float | None = None
) -> dict[str, float]:
    """Return all metrics of one set of predictions.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples,)
        Measured and predicted latencies in seconds.
    noise_floor : float or None, default=None
        Noise floor of the labels, as a fraction; None if unknown.

    Returns
    -------
    dict of str to float
        ``mape``, ``within_1``, ``within_5``, ``within_10`` (fractions), ``rmse``, ``mae``,
        ``average_absolute_deviation`` (seconds), ``mse`` (seconds squared), ``r2``,
        ``spearman`` and, if `noise_floor` is given, ``error_to_noise``.

    Raises
    ------
    ValueError
        As in the individual metrics.
    """
    y_true, y_pred = _checked(y_true, y_pred)
    metrics = {
        "mape": float(mean_absolute_percentage_error(y_true, y_pred)),
        **{f"within_{p}": error_bound_accuracy(y_true, y_pred, bound=p / 100) for p in PERCENTS},
        "mse": float(mean_squared_error(y_true, y_pred)),
        "rmse": float(root_mean_squared_error(y_true, y_pred)),
        "mae": float(mean_absolute_error(y_true, y_pred)),
        "average_absolute_deviation": average_absolute_deviation(y_true, y_pred),
        "r2": float(r2_score(y_true, y_pred)),
        "spearman": spearman_correlation(y_true, y_pred),
    }
    if noise_floor is not None:
        metrics["error_to_noise"] = error_to_noise_ratio(y_true, y_pred, noise_floor=noise_floor)
    return metrics


_ERRORS = (
    mean_squared_error,
    root_mean_squared_error,
    mean_absolute_error,
    average_absolute_deviation,
    mean_absolute_percentage_error,
)

#: Scorers for the ``scoring`` argument of scikit-learn, by name. The ratio of error to noise floor
#: depends on the labels, so make its scorer yourself: ``make_scorer(error_to_noise_ratio,
#: greater_is_better=False, noise_floor=dataset.noise_floor)``.
SCORERS: dict[str, Callable[..., float]] = {
    **{f"neg_{error.__name__}": make_scorer(error, greater_is_better=False) for error in _ERRORS},
    "r2": make_scorer(r2_score),
    "spearman": make_scorer(spearman_correlation),
    **{f"within_{p}": make_scorer(error_bound_accuracy, bound=p / 100) for p in PERCENTS},
}
