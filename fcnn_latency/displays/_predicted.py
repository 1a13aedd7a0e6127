"""Predicted against measured latencies."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fcnn_latency._units import format_percent
from fcnn_latency._validation import Floats
from fcnn_latency.displays._axes import axes_of, make_logarithmic, show_seconds, spans_decades
from fcnn_latency.metrics import noise_band, relative_errors

#: Valid values of `kind`, named as in scikit-learn's PredictionErrorDisplay.
KINDS = ("actual_vs_predicted", "residual_vs_predicted")
NOISE = {"color": "tab:orange", "alpha": 0.35, "zorder": 3}


class PredictedLatencyDisplay:
    """Predicted against measured latencies, with the band that label noise alone explains.

    Parameters
    ----------
    y_true, y_pred : ndarray of shape (n_samples,)
        Measured and predicted latencies in seconds.
    noise_floor : float or None, default=None
        Noise floor of the labels, as a fraction. None draws no band. See
        `fcnn_latency.metrics.noise_band`.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the figure, after `plot`.
    figure_ : matplotlib Figure
        The figure, after `plot`.
    """

    def __init__(self, y_true: Floats, y_pred: Floats, *, noise_floor: float | None = None) -> None:
        self.y_true = y_true
        self.y_pred = y_pred
        self.noise_floor = noise_floor

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: npt.ArrayLike,
        *,
        noise_floor: float | None = None,
        kind: str = "actual_vs_predicted",
        ax: Any = None,
    ) -> PredictedLatencyDisplay:
        """Predict `X` and draw predictions against latencies `y`, in seconds.

        Parameters
        ----------
        estimator : estimator
            A fitted pipeline from architectures to latencies in seconds.
        X : sequence of sequences, array or DataFrame of shape (n_samples, <= max_layers)
            Architectures.
        y : array-like of shape (n_samples,)
            Measured latencies in seconds.
        noise_floor : float or None, default=None
            Noise floor of the labels, as a fraction. None draws no band.
        kind : {"actual_vs_predicted", "residual_vs_predicted"}, default="actual_vs_predicted"
            As in `plot`.
        ax : matplotlib Axes or None, default=None
            Axes to draw on. None creates a new figure.
        """
        predicted = estimator.predict(X)
        return cls.from_predictions(y, predicted, noise_floor=noise_floor, kind=kind, ax=ax)

    @classmethod
    def from_predictions(
        cls,
        y_true: npt.ArrayLike,
        y_pred: npt.ArrayLike,
        *,
        noise_floor: float | None = None,
        kind: str = "actual_vs_predicted",
        ax: Any = None,
    ) -> PredictedLatencyDisplay:
        """Draw predictions `y_pred` against latencies `y_true`, both in seconds.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,)
            Measured latencies in seconds.
        y_pred : array-like of shape (n_samples,)
            Predicted latencies in seconds.
        noise_floor : float or None, default=None
            Noise floor of the labels, as a fraction. None draws no band.
        kind : {"actual_vs_predicted", "residual_vs_predicted"}, default="actual_vs_predicted"
            As in `plot`.
        ax : matplotlib Axes or None, default=None
            Axes to draw on. None creates a new figure.
        """
        measured = np.asarray(y_true, dtype=np.float64)
        predicted = np.asarray(y_pred, dtype=np.float64)
        return cls(measured, predicted, noise_floor=noise_floor).plot(kind=kind, ax=ax)

    def plot(self, *, kind: str = "actual_vs_predicted", ax: Any = None) -> PredictedLatencyDisplay:
        """Draw on `ax`, or on a new figure if `ax` is None.

        Parameters
        ----------
        kind : {"actual_vs_predicted", "residual_vs_predicted"}, default="actual_vs_predicted"
            Draw measured latencies, or relative errors in per cent, over predicted latencies.
            Relative errors show a narrow band better.
        ax : matplotlib Axes or None, default=None
            Axes to draw on. None creates a new figure.

        Raises
        ------
        ValueError
            If `kind` is unknown.
        """
        if kind not in KINDS:
            raise ValueError(f"Unknown kind {kind!r}. Valid ones: {list(KINDS)}.")
        size = (5.6, 5.6) if kind == KINDS[0] else (6.4, 4.8)
        self.ax_ = axes_of(ax, figsize=size)
        self.figure_ = self.ax_.figure
        ends = np.array([self.y_true.min(), self.y_true.max()])
        band = None if self.noise_floor is None else noise_band(self.noise_floor)
        if kind == "actual_vs_predicted":
            self._draw_latencies(ends, band)
        else:
            self._draw_errors(band)
        if spans_decades(ends) and (self.y_pred > 0).all():
            make_logarithmic(self.ax_, "x")
            if kind == "actual_vs_predicted":
                make_logarithmic(self.ax_, "y")
        axes = (self.ax_.xaxis, self.ax_.yaxis)
        show_seconds(*axes[: 2 if kind == "actual_vs_predicted" else 1])
        self.ax_.set_xlabel("predicted")
        self.ax_.legend(loc="upper left" if kind == "actual_vs_predicted" else "best")
        return self

    def _draw_latencies(self, ends: Floats, band: float | None) -> None:
        self.ax_.scatter(self.y_pred, self.y_true, s=8, alpha=0.6)
        self.ax_.plot(ends, ends, color="black", linewidth=1, label="perfect prediction")
        if band is not None:
            label = f"noise of the labels, 95 % (±{format_percent(band)})"
            self.ax_.fill_between(ends, ends * (1 - band), ends * (1 + band), label=label, **NOISE)
        self.ax_.set_ylabel("measured")

    def _draw_errors(self, band: float | None) -> None:
        errors = 100 * relative_errors(self.y_true, self.y_pred)
        self.ax_.scatter(self.y_pred, errors, s=8, alpha=0.6)
        self.ax_.axhline(0, color="black", linewidth=1, label="perfect prediction")
        if band is not None:
            label = f"noise of the labels, 95 % (±{format_percent(band)})"
            self.ax_.axhspan(-100 * band, 100 * band, label=label, **NOISE)
        self.ax_.set_ylabel("(predicted - measured) / measured (%)")
