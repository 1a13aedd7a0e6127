"""Results of a search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from fcnn_latency._units import format_seconds
from fcnn_latency._validation import check, whole
from fcnn_latency.evaluation._html import ShownAsTable
from fcnn_latency.spaces._fcnn import FCNNSpace

#: Valid values of `direction`.
DIRECTIONS = ("maximize", "minimize")
#: Maximum number of architectures of the front that are printed.
MOST_PRINTED = 12


def front_of(trials: pd.DataFrame, direction: str, latency: str = "predicted") -> pd.DataFrame:
    """Return the Pareto front of quality and latency, by ascending latency.

    Parameters
    ----------
    trials : DataFrame
        Table with columns ``quality`` and `latency`. Rows where either is NaN are left out.
    direction : {"maximize", "minimize"}
        Whether higher or lower quality is better.
    latency : str, default="predicted"
        Name of the column of latencies in seconds.

    Returns
    -------
    DataFrame
        Rows of `trials` with ascending latency and improving quality. The first of equal rows is
        kept.
    """
    least_first = direction == "minimize"
    known = trials.dropna(subset=["quality", latency])
    known = known.sort_values([latency, "quality"], ascending=[True, least_first])
    loss = known["quality"] * (1.0 if least_first else -1.0)
    return known[loss < loss.cummin().shift(fill_value=np.inf)]


def best_row(trials: pd.DataFrame, direction: str, latency: str = "predicted") -> pd.Series[Any]:
    """Return the row of best quality; among equals, the one of least latency."""
    return front_of(trials, direction, latency).iloc[-1]


@dataclass(frozen=True, eq=False, repr=False)
class SearchResult(ShownAsTable):
    """The architectures that a search has evaluated, the best one and the Pareto front.

    Attributes
    ----------
    trials : DataFrame
        One row per architecture, in the order of evaluation: ``widths`` (a tuple), ``quality``
        (NaN if the objective failed), ``predicted`` latency and ``upper`` end of its interval in
        seconds (``upper`` is NaN without `confidence`), ``state`` (``"complete"`` or
        ``"failed"``), ``error`` (what the objective raised or returned; empty if it did not fail)
        and ``duration`` of the objective in seconds (NaN if it failed).
    space : FCNNSpace
        The space that was searched.
    latency_model : estimator
        The model that predicted the latencies.
    direction : {"maximize", "minimize"}
        Whether higher or lower quality is better.
    max_latency : float or None
        The budget in seconds; None if there was none.
    confidence : float or None
        Confidence of the upper bounds that had to meet the budget; None if predictions had to.
    exhausted : bool
        Whether the search ended because all architectures within the budget were evaluated.
    interrupted : bool
        Whether Ctrl-C ended the search.
    study : optuna.Study
        The Optuna study, for its plots and parameter importances.
    """

    trials: pd.DataFrame
    space: FCNNSpace
    latency_model: Any
    direction: str
    max_latency: float | None
    confidence: float | None
    exhausted: bool
    interrupted: bool
    study: Any

    @property
    def best(self) -> pd.Series[Any]:
        """The row of `trials` of best quality; among equals, the one of least latency."""
        return best_row(self.trials, self.direction)

    @property
    def front(self) -> pd.DataFrame:
        """The rows of `trials` on the Pareto front of quality and predicted latency, by latency."""
        return front_of(self.trials, self.direction)

    @property
    def failed(self) -> pd.DataFrame:
        """The rows of `trials` whose objective failed."""
        return self.trials[self.trials["state"] == "failed"]

    def finalists(self, n: int = 10) -> pd.DataFrame:
        """Return the trials to verify: the front first, then the best of the others.

        Parameters
        ----------
        n : int, default=10
            Maximum number of trials. If the front is longer, those of best quality are kept.

        Returns
        -------
        DataFrame
            Rows of `trials`, best quality first; of equals the one of least latency first.

        Raises
        ------
        ValueError
            If `n` is not a whole number of at least 1.
        """
        check(n, whole(1), "the number of finalists")
        least_first = self.direction == "minimize"
        ranked = self.trials.dropna(subset=["quality"])
        ranked = ranked.sort_values(["quality", "predicted"], ascending=[least_first, True])
        others = ~ranked.index.isin(self.front.index)
        return ranked.iloc[np.sort(np.argsort(others, kind="stable")[:n])]

    def _shown(self) -> pd.DataFrame:
        return self.front

    def __repr__(self) -> str:
        """Return the number of trials and the size of the front."""
        return f"<SearchResult of {len(self.trials)} trials, {len(self.front)} on the front>"

    def __str__(self) -> str:
        """Return a summary: trials, budget, front and failures."""
        front = self.front
        complete = len(self.trials) - len(self.failed)
        lines = [
            f"{len(self.trials)} architectures evaluated, {complete} with a quality "
            f"({self.direction}).{' Interrupted.' if self.interrupted else ''}",
            *self._budget_lines(),
            f"Front of quality and predicted latency, {len(front)} architectures:",
            architecture_table(front.iloc[::-1].iloc[:MOST_PRINTED]),
        ]
        if len(front) > MOST_PRINTED:
            lines.append(f"... and {len(front) - MOST_PRINTED} faster ones (see .front)")
        if len(self.failed):
            lines.append(f"Failed, {len(self.failed)} (see .failed):")
            lines += [f"  {row.widths}: {row.error}" for row in self.failed[:3].itertuples()]
        return "\n".join(lines)

    def _budget_lines(self) -> list[str]:
        lines = []
        if self.max_latency is not None:
            what = (
                "predicted latency"
                if self.confidence is None
                else f"upper bound of {100 * self.confidence:g} %"
            )
            lines.append(f"Budget: {format_seconds(self.max_latency)}, held on the {what}.")
        if self.exhausted:
            lines.append("No other architecture lies within the budget: all were evaluated.")
        return lines


def architecture_table(
    frame: pd.DataFrame, latencies: Sequence[str] = ("predicted", "upper")
) -> str:
    """Format architectures, qualities and latencies as a table for people."""
    shown = pd.DataFrame(
        {
            "widths": [",".join(map(str, widths)) for widths in frame["widths"]],
            "quality": [f"{quality:.6g}" for quality in frame["quality"]],
        }
    )
    for name in latencies:
        if name in frame and frame[name].notna().any():
            shown[name] = [format_seconds(seconds) for seconds in frame[name]]
    return shown.to_string(index=False)
