"""Violin and box plot of absolute deviations."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fcnn_latency._validation import Floats
from fcnn_latency.displays._axes import (
    axes_of,
    estimator_name,
    make_logarithmic,
    named_predictions,
    show_seconds,
    spans_decades,
)
from fcnn_latency.metrics import absolute_deviations

#: Maximum number of names that fit side by side horizontally.
MOST_LEVEL_NAMES = 6


class AbsoluteDeviationDisplay:
    """Violin and box plot of |measured - predicted|: Fig. 8 of Beglaryan and Ringhofer (2023).

    The axis is logarithmic if the medians of the estimators and the largest deviation span a
    factor of ten.

    Parameters
    ----------
    deviations : dict of str to ndarray
        Absolute deviations in seconds, by estimator name.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the figure, after `plot`.
    figure_ : matplotlib Figure
        The figure, after `plot`.
    """

    def __init__(self, deviations: dict[str, Floats]) -> None:
        self.deviations = deviations

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Any, y: npt.ArrayLike, *, ax: Any = None
    ) -> AbsoluteDeviationDisplay:
        """Predict `X` and draw predictions against latencies `y`, in seconds.

        Parameters
        ----------
        estimator : estimator
            A fitted pipeline from architectures to latencies in seconds.
        X : sequence of sequences, array or DataFrame of shape (n_samples, <= max_layers)
            Architectures.
        y : array-like of shape (n_samples,)
            Measured latencies in seconds.
        ax : matplotlib Axes or None, default=None
            Axes to draw on. None creates a new figure.
        """
        return cls.from_predictions(y, {estimator_name(estimator): estimator.predict(X)}, ax=ax)

    @classmethod
    def from_predictions(
        cls, y_true: npt.ArrayLike, y_pred: Any, *, ax: Any = None
    ) -> AbsoluteDeviationDisplay:
        """Draw predictions in seconds: an array, or a mapping or DataFrame of arrays by name.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,)
            Measured latencies in seconds.
        y_pred : array-like, mapping or DataFrame
            Predicted latencies in seconds.
        ax : matplotlib Axes or None, default=None
            Axes to draw on. None creates a new figure.
        """
        named = named_predictions(y_pred)
        return cls(
            {name: absolute_deviations(y_true, values) for name, values in named.items()}
        ).plot(ax=ax)

    def plot(self, *, ax: Any = None) -> AbsoluteDeviationDisplay:
        """Draw on `ax`, or on a new figure if `ax` is None."""
        self.ax_ = axes_of(ax)
        self.figure_ = self.ax_.figure
        values = list(self.deviations.values())
        medians, largest = [np.median(v) for v in values], max(map(np.max, values))
        logarithmic = spans_decades([*medians, largest])
        if logarithmic:
            # Clip at a hundredth of the median: smaller values would only stretch the axis.
            values = [np.maximum(v, np.median(v) / 100) for v in values]
            self._violins([np.log10(v) for v in values])
        else:
            self.ax_.violinplot(values, showextrema=False)
        names = list(self.deviations)
        self.ax_.boxplot(values, widths=0.15, tick_labels=names, flierprops={"markersize": 2})
        if logarithmic:
            # The tails of the violins extend beyond all values.
            self.ax_.set_ylim(min(map(np.min, values)) / 1.5, max(map(np.max, values)) * 1.5)
            make_logarithmic(self.ax_, "y")
        if len(names) > MOST_LEVEL_NAMES:
            self.ax_.tick_params(axis="x", rotation=45)
        show_seconds(self.ax_.yaxis)
        self.ax_.set(ylabel="|measured - predicted|")
        return self

    def _violins(self, logarithms: list[Floats]) -> None:
        """Draw violins of the density of logarithms, on an axis of values."""
        for place, values in enumerate(logarithms, start=1):
            bodies = self.ax_.violinplot([values], [place], showextrema=False)["bodies"]
            for body in bodies:
                vertices = body.get_paths()[0].vertices
                vertices[:, 1] = 10 ** vertices[:, 1]
                body.set_color(f"C{place - 1}")
