"""Error by latency quintile."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from fcnn_latency._units import format_seconds
from fcnn_latency.displays._axes import axes_of, estimator_name, named_predictions, show_decades
from fcnn_latency.metrics import errors_by_quintile


class QuintileErrorDisplay:
    """Mean absolute percentage error of each fifth of the architectures, ordered by latency.

    Parameters
    ----------
    errors : dict of str to DataFrame
        Errors as from `fcnn_latency.metrics.errors_by_quintile`, by estimator name.
    noise_floors : sequence of float or None, default=None
        Noise floor of each fifth, as a fraction. None draws none.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the figure, after `plot`.
    figure_ : matplotlib Figure
        The figure, after `plot`.
    """

    def __init__(self, errors: dict[str, pd.DataFrame], *, noise_floors: Any = None) -> None:
        self.errors = errors
        self.noise_floors = noise_floors

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Any, y: npt.ArrayLike, *, reliability: Any = None, ax: Any = None
    ) -> QuintileErrorDisplay:
        """Predict `X` and draw predictions against latencies `y`, in seconds.

        Parameters
        ----------
        estimator : estimator
            A fitted pipeline from architectures to latencies in seconds.
        X : sequence of sequences, array or DataFrame of shape (n_samples, <= max_layers)
            Architectures.
        y : array-like of shape (n_samples,)
            Measured latencies in seconds.
        reliability : Reliability or None, default=None
            As in `from_predictions`.
        ax : matplotlib Axes or None, default=None
            Axes to draw on. None creates a new figure.
        """
        predicted = {estimator_name(estimator): estimator.predict(X)}
        return cls.from_predictions(y, predicted, reliability=reliability, ax=ax)

    @classmethod
    def from_predictions(
        cls, y_true: npt.ArrayLike, y_pred: Any, *, reliability: Any = None, ax: Any = None
    ) -> QuintileErrorDisplay:
        """Draw predictions in seconds: an array, or a mapping or DataFrame of arrays by name.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,)
            Measured latencies in seconds.
        y_pred : array-like, mapping or DataFrame
            Predicted latencies in seconds.
        reliability : Reliability or None, default=None
            `reliability` of the dataset, which contains the noise floors. The fifths of the whole
            dataset are used even if `y_true` is only a part of it. None draws no floors.
        ax : matplotlib Axes or None, default=None
            Axes to draw on. None creates a new figure.
        """
        named = named_predictions(y_pred)
        floors = [part.noise_floor for part in getattr(reliability, "by_quintile", ())]
        errors = {name: errors_by_quintile(y_true, values) for name, values in named.items()}
        return cls(errors, noise_floors=floors or None).plot(ax=ax)

    def plot(self, *, ax: Any = None) -> QuintileErrorDisplay:
        """Draw on `ax`, or on a new figure if `ax` is None."""
        self.ax_ = axes_of(ax, figsize=(7, 4.8))
        self.figure_ = self.ax_.figure
        first = next(iter(self.errors.values()))
        places, width = np.arange(len(first)), 0.8 / len(self.errors)
        for number, (name, frame) in enumerate(self.errors.items()):
            at = places - 0.4 + (number + 0.5) * width
            self.ax_.bar(at, 100 * frame["mape"], 0.95 * width, label=name or None)
        if self.noise_floors is not None:
            self.ax_.hlines(
                100 * np.asarray(self.noise_floors),
                places - 0.45,
                places + 0.45,
                colors="black",
                linestyles="dashed",
                label="noise floor",
            )
        drawn = np.concatenate([frame["mape"] for frame in self.errors.values()])
        show_decades(self.ax_, "y", [*drawn, *(self.noise_floors or [])])
        labels = [f"to {format_seconds(highest)}" for highest in first["highest"]]
        self.ax_.set_xticks(places, labels)
        self.ax_.set(xlabel="measured latency, a fifth each", ylabel="MAPE (%)")
        if self.ax_.get_legend_handles_labels()[0]:
            self.ax_.legend()
        return self
