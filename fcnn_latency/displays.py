"""Figures, in the manner of scikit-learn's Display classes; they need matplotlib."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fcnn_latency.metrics import absolute_deviations

__all__ = ["AbsoluteDeviationDisplay", "LossCurveDisplay"]


def _axes(ax: Any) -> Any:
    if ax is not None:
        return ax
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        msg = "Figures need matplotlib: pip install 'fcnn-latency[plots]'."
        raise ImportError(msg) from error
    return plt.subplots(layout="constrained")[1]


class LossCurveDisplay:
    """Training and validation loss over the epochs: Fig. 7 of Beglaryan and Ringhofer (2023).

    Parameters
    ----------
    history : dict of str to list of float
        `history_` of a fitted `LatencyRegressor`.
    metric : {"loss", "mse", "mae", "rmse"}, default="loss"
        What is drawn.

    Attributes
    ----------
    ax_, figure_
        Where it was drawn.
    """

    def __init__(self, history: dict[str, list[float]], *, metric: str = "loss") -> None:
        self.history = history
        self.metric = metric

    @classmethod
    def from_estimator(
        cls, estimator: Any, *, metric: str = "loss", ax: Any = None
    ) -> LossCurveDisplay:
        """Draw the history of a fitted `LatencyRegressor`, or of a pipeline that ends in one.

        Raises
        ------
        ValueError
            If the estimator keeps no history.
        """
        last = estimator[-1] if hasattr(estimator, "steps") else estimator
        if not hasattr(last, "history_"):
            msg = f"{type(last).__name__} has no history_: pass a fitted LatencyRegressor."
            raise ValueError(msg)
        return cls(last.history_, metric=metric).plot(ax=ax)

    def plot(self, *, ax: Any = None) -> LossCurveDisplay:
        """Draw, on a new figure where `ax` is None."""
        self.ax_ = _axes(ax)
        self.figure_ = self.ax_.figure
        for key, label in ((self.metric, "training"), (f"val_{self.metric}", "validation")):
            if key in self.history:
                epochs = np.arange(1, len(self.history[key]) + 1)
                self.ax_.plot(epochs, self.history[key], label=label)
        self.ax_.set(xlabel="epoch", ylabel=self.metric, yscale="log")
        self.ax_.legend()
        return self


class AbsoluteDeviationDisplay:
    """Violin and box plot of |measured - predicted|: Fig. 8 of Beglaryan and Ringhofer (2023).

    Parameters
    ----------
    deviations : dict of str to ndarray
        Absolute deviations in seconds by name of the estimator.

    Attributes
    ----------
    ax_, figure_
        Where it was drawn.
    """

    def __init__(self, deviations: dict[str, npt.NDArray[np.float64]]) -> None:
        self.deviations = deviations

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Any, y: npt.ArrayLike, *, ax: Any = None
    ) -> AbsoluteDeviationDisplay:
        """Predict `X` and draw against the latencies `y` in seconds."""
        name = type(estimator[-1] if hasattr(estimator, "steps") else estimator).__name__
        return cls.from_predictions(y, {name: estimator.predict(X)}, ax=ax)

    @classmethod
    def from_predictions(
        cls, y_true: npt.ArrayLike, y_pred: Any, *, ax: Any = None
    ) -> AbsoluteDeviationDisplay:
        """Draw predictions: an array, or a mapping or DataFrame of arrays by name, in seconds."""
        named = dict(y_pred.items()) if hasattr(y_pred, "items") else {"": y_pred}
        return cls(
            {name: absolute_deviations(y_true, values) for name, values in named.items()}
        ).plot(ax=ax)

    def plot(self, *, ax: Any = None) -> AbsoluteDeviationDisplay:
        """Draw, on a new figure where `ax` is None."""
        self.ax_ = _axes(ax)
        self.figure_ = self.ax_.figure
        values = [1e6 * deviations for deviations in self.deviations.values()]
        self.ax_.violinplot(values, showextrema=False)
        self.ax_.boxplot(values, widths=0.15, tick_labels=list(self.deviations))
        self.ax_.set(ylabel="|measured - predicted| (µs)")
        return self
