"""Training and validation loss over the epochs."""

from __future__ import annotations

from typing import Any

import numpy as np

from fcnn_latency._validation import check, choice, or_none
from fcnn_latency.displays._axes import axes_of, show_decades

#: Axis labels of the entries of `history_`, without units.
LABELS = {
    "loss": "loss (standardized target)",
    "mse": "mean squared error",
    "mae": "mean absolute error",
    "rmse": "root mean squared error",
}
#: Units of the errors if the target is in seconds.
UNITS = {"mse": "s²", "mae": "s", "rmse": "s"}


class LossCurveDisplay:
    """Training and validation loss over the epochs: Fig. 7 of Beglaryan and Ringhofer (2023).

    The axis is logarithmic if the losses span a factor of ten.

    Parameters
    ----------
    history : dict of str to list of float
        `history_` of a fitted `LatencyRegressor`.
    metric : {"loss", "mse", "mae", "rmse"}, default="loss"
        Entry of `history` to draw.
    target : {"absolute", "relative"} or None, default=None
        `target` of the `LatencyRegressor`: errors are in seconds (``"absolute"``) or relative.
        None shows no unit.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the figure, after `plot`.
    figure_ : matplotlib Figure
        The figure, after `plot`.
    """

    def __init__(
        self, history: dict[str, list[float]], *, metric: str = "loss", target: str | None = None
    ) -> None:
        self.history = history
        self.metric = metric
        self.target = target

    @classmethod
    def from_estimator(
        cls, estimator: Any, *, metric: str = "loss", ax: Any = None
    ) -> LossCurveDisplay:
        """Draw the history of a fitted `LatencyRegressor`, or of a pipeline that ends in one.

        Parameters
        ----------
        estimator : estimator
            A fitted `LatencyRegressor`, or a pipeline that ends in one.
        metric : {"loss", "mse", "mae", "rmse"}, default="loss"
            Entry of `history_` to draw.
        ax : matplotlib Axes or None, default=None
            Axes to draw on. None creates a new figure.

        Raises
        ------
        ValueError
            If the estimator has no `history_`.
        """
        last = estimator[-1] if hasattr(estimator, "steps") else estimator
        if not hasattr(last, "history_"):
            raise ValueError(
                f"{type(last).__name__} has no history_: pass a fitted LatencyRegressor."
            )
        target = getattr(last, "target", "absolute")
        return cls(last.history_, metric=metric, target=target).plot(ax=ax)

    def plot(self, *, ax: Any = None) -> LossCurveDisplay:
        """Draw on `ax`, or on a new figure if `ax` is None.

        Raises
        ------
        ValueError
            If the history does not contain `metric`, or `target` is unknown.
        """
        check(self.target, or_none(choice(["absolute", "relative"])), "target", self)
        if self.metric not in self.history:
            raise ValueError(f"The history has no {self.metric!r}. It has {sorted(self.history)}.")
        self.ax_ = axes_of(ax)
        self.figure_ = self.ax_.figure
        drawn: list[float] = []
        for key, label in ((self.metric, "training"), (f"val_{self.metric}", "validation")):
            if key in self.history:
                drawn += self.history[key]
                epochs = np.arange(1, len(self.history[key]) + 1)
                self.ax_.plot(epochs, self.history[key], label=label)
        label = LABELS.get(self.metric, self.metric)
        if self.metric in UNITS and self.target == "absolute":
            label += f" ({UNITS[self.metric]})"
        elif self.metric in UNITS and self.target == "relative":
            label = label.replace("error", "relative error")
        self.ax_.set(xlabel="epoch", ylabel=label)
        show_decades(self.ax_, "y", drawn)
        self.ax_.legend()
        return self
