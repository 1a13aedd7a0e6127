"""Errors of estimators side by side."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from fcnn_latency.displays._axes import axes_of, named_predictions, show_decades
from fcnn_latency.metrics import latency_metrics


class ComparisonDisplay:
    """Mean absolute percentage error of each estimator, and the noise floor.

    Parameters
    ----------
    errors : Series
        Mean absolute percentage errors as fractions, indexed by estimator name.
    noise_floor : float or None, default=None
        Noise floor of the labels, as a fraction. None draws none.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the figure, after `plot`.
    figure_ : matplotlib Figure
        The figure, after `plot`.
    """

    def __init__(self, errors: pd.Series, *, noise_floor: float | None = None) -> None:
        self.errors = errors
        self.noise_floor = noise_floor

    @classmethod
    def from_comparison(cls, comparison: Any, *, ax: Any = None) -> ComparisonDisplay:
        """Draw the result of `compare`.

        Parameters
        ----------
        comparison : Comparison
            Result of `compare`.
        ax : matplotlib Axes or None, default=None
            Axes to draw on. None creates a new figure.
        """
        return cls(comparison.table["mape"], noise_floor=comparison.noise_floor).plot(ax=ax)

    @classmethod
    def from_predictions(
        cls, y_true: npt.ArrayLike, y_pred: Any, *, noise_floor: float | None = None, ax: Any = None
    ) -> ComparisonDisplay:
        """Draw errors of predictions in seconds, a mapping or DataFrame of arrays by name.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,)
            Measured latencies in seconds.
        y_pred : mapping of str to array-like, or DataFrame
            Predicted latencies in seconds.
        noise_floor : float or None, default=None
            Noise floor of the labels, as a fraction. None draws none.
        ax : matplotlib Axes or None, default=None
            Axes to draw on. None creates a new figure.
        """
        named = named_predictions(y_pred)
        errors = {name: latency_metrics(y_true, each)["mape"] for name, each in named.items()}
        return cls(pd.Series(errors), noise_floor=noise_floor).plot(ax=ax)

    def plot(self, *, ax: Any = None) -> ComparisonDisplay:
        """Draw the best on top, on `ax`, or on a new figure if `ax` is None."""
        errors = 100 * self.errors.sort_values(ascending=False)
        self.ax_ = axes_of(ax, figsize=(6.4, 1.5 + 0.35 * len(errors)))
        self.figure_ = self.ax_.figure
        places = np.arange(len(errors))
        self.ax_.plot(errors, places, "o")
        for place, error in zip(places, errors, strict=True):
            self.ax_.annotate(
                f"{error:.3g} %",
                (error, place),
                xytext=(7, 0),
                textcoords="offset points",
                va="center",
            )
        drawn = list(errors)
        if self.noise_floor is not None:
            drawn.append(100 * self.noise_floor)
            self.ax_.axvline(drawn[-1], color="black", linestyle="dashed", label="noise floor")
            self.ax_.legend(loc="upper right")
        self.ax_.margins(x=0.15)
        show_decades(self.ax_, "x", drawn)
        self.ax_.grid(axis="x", alpha=0.3)
        self.ax_.set_yticks(places, list(errors.index))
        self.ax_.set_xlabel("MAPE (%)")
        return self
