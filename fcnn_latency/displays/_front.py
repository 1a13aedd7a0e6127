"""Quality over latency of a search, with its front and budget."""

from __future__ import annotations

from typing import Any

import numpy as np

from fcnn_latency._units import format_seconds
from fcnn_latency.displays._axes import axes_of, show_seconds
from fcnn_latency.nas._result import SearchResult, front_of

BUDGET = {"color": "tab:red", "linestyle": "--", "zorder": 1}


class FrontDisplay:
    """Quality over latency of a search: evaluated architectures, front and measurements.

    Parameters
    ----------
    trials : DataFrame
        Columns ``quality`` and ``predicted`` latency in seconds, as in `SearchResult.trials`.
    direction : {"maximize", "minimize"}
        Whether higher or lower quality is better.
    max_latency : float or None, default=None
        Budget in seconds. None draws no line.
    report : DataFrame or None, default=None
        `Verification.report`. A line joins each measured latency to its prediction. None draws
        no measured latencies.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the figure, after `plot`.
    figure_ : matplotlib Figure
        The figure, after `plot`.
    """

    def __init__(
        self, trials: Any, direction: str, *, max_latency: float | None = None, report: Any = None
    ) -> None:
        self.trials = trials
        self.direction = direction
        self.max_latency = max_latency
        self.report = report

    @classmethod
    def from_result(
        cls, result: SearchResult, verification: Any = None, *, ax: Any = None
    ) -> FrontDisplay:
        """Draw a `SearchResult`, and the measured latencies of a `Verification` if given.

        Parameters
        ----------
        result : SearchResult
            Result of `search`.
        verification : Verification or None, default=None
            Result of `verify`. None draws no measured latencies.
        ax : matplotlib Axes or None, default=None
            Axes to draw on. None creates a new figure.
        """
        report = None if verification is None else verification.report
        display = cls(
            result.trials, result.direction, max_latency=result.max_latency, report=report
        )
        return display.plot(ax=ax)

    def plot(self, *, ax: Any = None) -> FrontDisplay:
        """Draw on `ax`, or on a new figure if `ax` is None.

        Returns
        -------
        FrontDisplay
            This display.
        """
        self.ax_ = axes_of(ax)
        self.figure_ = self.ax_.figure
        known = self.trials.dropna(subset=["quality"])
        front = front_of(known, self.direction)
        self.ax_.plot(known["predicted"], known["quality"], ".", label="evaluated", color="silver")
        self.ax_.plot(front["predicted"], front["quality"], "o-", label="front, predicted")
        if self.report is not None:
            self._draw_measured()
        if self.max_latency is not None:
            label = f"budget, {format_seconds(self.max_latency)}"
            self.ax_.axvline(self.max_latency, label=label, **BUDGET)
        show_seconds(self.ax_.xaxis)
        self.ax_.set(xlabel="Latency", ylabel=f"Quality ({self.direction})")
        self.ax_.legend()
        return self

    def _draw_measured(self) -> None:
        report = self.report.dropna(subset=["measured", "quality"])
        ends = report[["predicted", "measured"]].to_numpy().T
        heights = np.vstack([report["quality"]] * 2)
        self.ax_.plot(ends, heights, "-", color="gray", linewidth=1)
        for keeps, style, label in ((True, "s", "measured"), (False, "x", "measured, over budget")):
            rows = report[report["keeps_budget"] == keeps]
            if len(rows):
                color = "tab:green" if keeps else "tab:red"
                self.ax_.plot(rows["measured"], rows["quality"], style, label=label, color=color)
