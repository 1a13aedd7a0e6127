"""Error against the number of measured architectures, or against their measuring time."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from fcnn_latency.displays._axes import axes_of, estimator_name, show_decades
from fcnn_latency.evaluation._sample_efficiency import SampleEfficiency, sample_efficiency

#: Columns for the horizontal axis, with their labels.
AXES = {"n_architectures": "measured architectures", "measuring_time": "time of measuring (s)"}
STYLES = ("-", "--", ":", "-.")


class SampleEfficiencyDisplay:
    """Error against the number of measured architectures, or against their measuring time.

    Lines are means over repeats. Bands range from the smallest to the largest repeat.

    Parameters
    ----------
    summary : DataFrame
        Errors, as from `SampleEfficiency.summary`.
    noise_floor : float or None, default=None
        Noise floor of the labels, as a fraction. None draws none.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the figure, after `plot`.
    figure_ : matplotlib Figure
        The figure, after `plot`.
    """

    def __init__(self, summary: pd.DataFrame, *, noise_floor: float | None = None) -> None:
        self.summary = summary
        self.noise_floor = noise_floor

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: npt.ArrayLike | None = None,
        *,
        x: str = "n_architectures",
        ax: Any = None,
        **settings: Any,
    ) -> SampleEfficiencyDisplay:
        """Fit clones of `estimator` on training sets of several sizes, and draw.

        `settings` are parameters of `fcnn_latency.evaluation.sample_efficiency`.
        """
        named = {estimator_name(estimator): estimator}
        result = sample_efficiency(X, y, estimators=named, **settings)
        return cls.from_result(result, x=x, ax=ax)

    @classmethod
    def from_result(
        cls, result: SampleEfficiency, *, x: str = "n_architectures", ax: Any = None
    ) -> SampleEfficiencyDisplay:
        """Draw the result of `sample_efficiency`.

        Parameters
        ----------
        result : SampleEfficiency
            Result of `sample_efficiency`.
        x : {"n_architectures", "measuring_time"}, default="n_architectures"
            As in `plot`.
        ax : matplotlib Axes or None, default=None
            Axes to draw on. None creates a new figure.
        """
        return cls(result.summary(), noise_floor=result.noise_floor).plot(x=x, ax=ax)

    def plot(self, *, x: str = "n_architectures", ax: Any = None) -> SampleEfficiencyDisplay:
        """Draw on `ax`, or on a new figure if `ax` is None.

        Parameters
        ----------
        x : {"n_architectures", "measuring_time"}, default="n_architectures"
            Quantity on the horizontal axis; measuring time is in seconds.
        ax : matplotlib Axes or None, default=None
            Axes to draw on. None creates a new figure.

        Raises
        ------
        ValueError
            If `x` is unknown, or is the measuring time and the data lack it.
        """
        if x not in AXES or self.summary[x].isna().any():
            known = [name for name in AXES if not self.summary[name].isna().any()]
            raise ValueError(f"x must be one of {known} for these data. Got {x!r} instead.")
        self.ax_ = axes_of(ax)
        self.figure_ = self.ax_.figure
        self._draw_lines(x)
        drawn = [*self.summary["mape"]]
        if self.noise_floor is not None:
            drawn.append(self.noise_floor)
            self.ax_.axhline(
                100 * self.noise_floor, color="black", linestyle="dashdot", label="noise floor"
            )
        show_decades(self.ax_, "y", drawn)
        self.ax_.set_xscale("log")
        places = np.unique(self.summary[x])
        self.ax_.set_xticks(places, [f"{value:.3g}" for value in places])
        self.ax_.set_xticks([], minor=True)
        self.ax_.set(xlabel=AXES[x], ylabel="MAPE (%)")
        self.ax_.legend()
        return self

    def _draw_lines(self, x: str) -> None:
        estimators = list(self.summary["estimator"].unique())
        designs = list(self.summary["design"].unique())
        for (estimator, design), part in self.summary.groupby(["estimator", "design"], sort=False):
            colour = f"C{estimators.index(estimator)}"
            style = STYLES[designs.index(design) % len(STYLES)]
            label = f"{estimator}, {design}"
            at = part[x]
            self.ax_.plot(at, 100 * part["mape"], style, marker="o", color=colour, label=label)
            self.ax_.fill_between(
                at, 100 * part["mape_min"], 100 * part["mape_max"], color=colour, alpha=0.12
            )
