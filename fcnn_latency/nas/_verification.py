"""Whether architectures keep a latency budget when they are measured."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import t as student
from sklearn.utils import Bunch

from fcnn_latency._units import format_percent, format_seconds, parse_seconds
from fcnn_latency._validation import Floats, Ints, check, number, or_none, whole
from fcnn_latency.datasets._make import make_dataset
from fcnn_latency.evaluation._html import ShownAsTable
from fcnn_latency.exceptions import MeasurementError, SearchError
from fcnn_latency.measurement._protocol import get_protocol
from fcnn_latency.nas._result import SearchResult, architecture_table, best_row, front_of
from fcnn_latency.nas._space_prediction import as_fitted
from fcnn_latency.spaces._fcnn import SPACE, FCNNSpace
from fcnn_latency.spaces._widths import trim_widths

SINGLE_PASS = (
    "Latencies of a single pass have no uncertainty, so nobody can tell whether they keep "
    'a budget. Measure by protocol="reliable", or "quick" to try things.'
)


@dataclass(frozen=True, eq=False, repr=False)
class Verification(ShownAsTable):
    """Architectures with what was predicted and what was measured of them.

    Attributes
    ----------
    report : DataFrame
        A row for each architecture, those that keep the budget first, of these the best quality,
        or where there is none the shortest measured latency: ``widths``, ``quality``,
        ``predicted``, ``lower`` and ``upper`` ends of the prediction interval, ``measured``,
        ``standard_error`` (of the architecture, and of the level that all share), ``bound``
        (measured latency plus its own uncertainty), all in seconds, ``keeps_budget``, ``reason``
        (why there is no measured latency; empty where there is).
    direction : {"maximize", "minimize"}
        Which quality is better.
    max_latency : float or None
        The budget in seconds; None if there was none, and then every architecture keeps it.
    confidence : float
        With which confidence ``bound`` is one.
    datasets : tuple of Bunch
        What was measured, as of `make_dataset`.
    """

    report: pd.DataFrame
    direction: str
    max_latency: float | None
    confidence: float
    datasets: tuple[Bunch, ...]

    @property
    def kept(self) -> pd.DataFrame:
        """The rows of the report that keep the budget."""
        return self.report[self.report["keeps_budget"]]

    @property
    def front(self) -> pd.DataFrame:
        """Of those that keep the budget, what none beats in quality and measured latency."""
        return front_of(self.kept, self.direction, "measured")

    @property
    def best(self) -> pd.Series[Any]:
        """The row of the best quality among those that keep the budget.

        Raises
        ------
        SearchError
            If none keeps it; names the nearest.
        """
        if self.kept.empty:
            raise SearchError(self._none_keeps())
        if self.kept["quality"].isna().all():
            return self.kept.iloc[0]
        return best_row(self.kept, self.direction, "measured")

    def _none_keeps(self) -> str:
        nearest = self.report.sort_values("bound").iloc[0]
        assert self.max_latency is not None
        return (
            f"Not one of {len(self.report)} architectures keeps the budget of "
            f"{format_seconds(self.max_latency)}: the nearest, {nearest['widths']}, was measured "
            f"at {format_seconds(nearest['measured'])}, which may be "
            f"{format_seconds(nearest['bound'])}. Search with a confidence, or a smaller budget."
        )

    def _shown(self) -> pd.DataFrame:
        return self.report

    def __repr__(self) -> str:
        """How many architectures, and how many keep the budget."""
        return f"<Verification of {len(self.report)} architectures, {len(self.kept)} kept>"

    def __str__(self) -> str:
        """The report, and how many keep the budget."""
        known = self.report[self.report["measured"].notna()]
        shown = architecture_table(known, ("predicted", "lower", "upper", "measured"))
        relative = known["standard_error"] / known["measured"]
        lines = shown.splitlines()
        lines[0] += "  std. error"
        marks = ["keeps budget" if keeps else "OVER BUDGET" for keeps in known["keeps_budget"]]
        for i, (error, mark) in enumerate(zip(relative, marks, strict=True), start=1):
            lines[i] += f"  {format_percent(error):>10}"
            lines[i] += f"  {mark}" if self.max_latency is not None else ""
        if self.max_latency is not None:
            head = (
                f"{len(self.kept)} of {len(self.report)} architectures keep the budget of "
                f"{format_seconds(self.max_latency)} as measured, with a confidence of "
                f"{100 * self.confidence:g} %:"
            )
            lines.insert(0, head)
        for row in self.report[self.report["measured"].isna()].itertuples():
            lines.append(f"not measured: {row.widths}: {row.reason}")
        return "\n".join(lines)


def verify(
    architectures: SearchResult | Any,
    *,
    runtime: Any,
    latency_model: Any = None,
    space: FCNNSpace | None = None,
    max_latency: float | str | None = None,
    confidence: float = 0.95,
    n_finalists: int = 10,
    protocol: Any = "reliable",
    signal_length: int = 50,
    **measuring: Any,
) -> Verification:
    """Measure architectures on this machine, and tell which keep a budget.

    An architecture keeps it if its measured latency plus its uncertainty does: the upper end of a
    one-sided confidence interval, measured + t * standard error, t being the quantile of Student's
    distribution for the passes that it was measured in. The standard error is that of the label,
    and in quadrature that of the level of all labels, from how far the passes differ in it: errors
    of labels leave that out, as a budget may not. So what is measured just below the budget
    does not count as keeping it, nor does what could not be measured.

    Parameters
    ----------
    architectures : SearchResult, or sequence of sequences, array or DataFrame
        What a search has found, of which the finalists are measured, or widths.
    runtime : str or Runtime
        What executes the models: that of the labels of the latency model.
    latency_model : fitted estimator or None, default=None
        What predictions to report; None is that of the search, and none for given widths.
    space : FCNNSpace or None, default=None
        Space of given widths; None is ``FCNNSpace()``. A search brings its own.
    max_latency : float, str or None, default=None
        The budget, in seconds or as ``"2us"``; None is that of the search.
    confidence : float, default=0.95
        Confidence with which the measured latency is below its bound; above 0.5 and below 1.
    n_finalists : int, default=10
        Of a search, how many are measured: its front, then the best of the others.
    protocol : str or MeasurementProtocol, default="reliable"
        How it is measured, as in `make_dataset`; of more than one pass.
    signal_length : int, default=50
        Values that one inference reads.
    **measuring
        Further parameters of `make_dataset`: `store`, `client`, `target_error`, `scale`, `wait`,
        `random_state`, `verbose`.

    Returns
    -------
    Verification
        The report, best and front of what keeps the budget.

    Raises
    ------
    ValueError
        If a parameter is wrong, or the latency model was made for another signal length.
    MeasurementError
        If not one architecture could be measured, or measured labels have no standard error.

    Examples
    --------
    >>> checked = verify(  # doctest: +SKIP
    ...     [[41, 41], [50, 50, 50, 50, 50]], runtime="litert", max_latency="1us"
    ... )
    >>> checked.best["widths"]  # doctest: +SKIP
    (41, 41)
    """
    check(confidence, number(above=0.5, below=1), "confidence")
    check(n_finalists, whole(1), "n_finalists")
    check(space, or_none(SPACE), "space")
    budget = None if max_latency is None else parse_seconds(max_latency)
    direction = "maximize"
    if isinstance(architectures, SearchResult):
        found = architectures
        space, direction = found.space, found.direction
        budget = found.max_latency if budget is None else budget
        latency_model = found.latency_model if latency_model is None else latency_model
        finalists = found.finalists(n_finalists)
        rows = space.validate(list(finalists["widths"]))
        quality = finalists["quality"].to_numpy(dtype=np.float64)
    else:
        space = FCNNSpace() if space is None else space
        rows = space.validate(architectures)
        quality = np.full(len(rows), np.nan)
    check_signal_length(latency_model, signal_length)
    # Before anything is measured, since predicting can be refused too.
    predictions = _predictions(latency_model, rows, confidence)
    check_passes(protocol)
    dataset = make_dataset(
        rows,
        space=space,
        runtime=runtime,
        protocol=protocol,
        signal_length=signal_length,
        **measuring,
    )
    report = pd.DataFrame({"widths": trim_widths(rows), "quality": quality})
    report[["predicted", "lower", "upper"]] = predictions
    measured = _measured(report["widths"], dataset, confidence)
    report = pd.concat([report, measured], axis=1)
    verification = Verification(report, direction, budget, float(confidence), (dataset,))
    return rank(verification)


def rank(verification: Verification) -> Verification:
    """Decide anew which keep the budget, and order by that, quality and measured latency."""
    report, budget = verification.report, verification.max_latency
    limit = math.inf if budget is None else budget
    report = report.assign(keeps_budget=report["bound"] <= limit)
    best_first = verification.direction != "maximize"
    order = report.sort_values(
        ["keeps_budget", "quality", "measured"], ascending=[False, best_first, True], kind="stable"
    )
    return replace(verification, report=order.reset_index(drop=True))


def check_passes(protocol: Any) -> None:
    """Make sure, before anything is measured, that labels will have an uncertainty.

    Raises
    ------
    ValueError
        If the protocol is unknown.
    MeasurementError
        If the protocol has a single pass.
    """
    if get_protocol(protocol).passes < 2:
        raise MeasurementError(SINGLE_PASS)


def check_signal_length(latency_model: Any, signal_length: int) -> None:
    """Make sure that a model predicts the inferences that are measured.

    Raises
    ------
    ValueError
        If it was made for a signal of another length.
    """
    if not hasattr(latency_model, "get_params"):
        return
    known = {
        value
        for name, value in latency_model.get_params().items()
        if name.rpartition("__")[2] == "signal_length"
    }
    if known - {signal_length}:
        raise ValueError(
            f"latency_model predicts inferences of a signal of {sorted(known)} values, and "
            f"signal_length={signal_length!r} would be measured. Give both the same."
        )


def _predictions(model: Any, rows: Ints, confidence: float) -> Floats:
    """Predicted latency, lower and upper end; NaN where the model has none."""
    predictions = np.full((len(rows), 3), np.nan)
    if model is not None:
        rows = as_fitted(rows, model)
        predictions[:, 0] = model.predict(rows)
    if hasattr(model, "predict_interval"):
        predictions[:, 1:] = model.predict_interval(rows, coverage=2 * confidence - 1)
    return predictions


def _measured(widths: pd.Series[Any], dataset: Bunch, confidence: float) -> pd.DataFrame:
    """Measured latencies, their errors and bounds, in the order of `widths`."""
    frame = dataset.frame
    passes = frame.filter(like="pass_").notna().sum(axis=1).to_numpy()
    if dataset.target_std is None or (passes < 2).any() or np.isnan(dataset.target_std).any():
        raise MeasurementError(SINGLE_PASS)
    target = np.asarray(dataset.target)
    levels = target * _level_error(frame.filter(like="pass_").to_numpy(dtype=np.float64))
    errors = np.hypot(dataset.target_std, levels)
    columns = ["measured", "standard_error", "bound", "reason"]
    bounds = target + student.ppf(confidence, passes - 1) * errors
    values = zip(target.tolist(), errors.tolist(), bounds.tolist(), [""] * len(target), strict=True)
    known = dict(zip(trim_widths(dataset.data), values, strict=True))
    missing = trim_widths(dataset.missing[dataset.feature_names])
    nothing = (math.nan, math.nan, math.nan)
    reasons = zip(missing, dataset.missing["reason"], strict=True)
    known |= {row: (*nothing, reason) for row, reason in reasons}
    return pd.DataFrame([known[row] for row in widths], columns=columns)


def _level_error(passes: Floats) -> float:
    """Relative standard error of the level that the labels of a campaign share.

    Fewer than three architectures do not tell a level from noise, and then it counts as noise.
    """
    logs = np.log(passes[:, ~np.isnan(passes).any(axis=0)])
    if len(logs) < 3 or logs.shape[1] < 2:
        return 0.0
    levels = np.median(logs - np.median(logs, axis=1, keepdims=True), axis=0)
    return float(np.std(levels, ddof=1) / math.sqrt(len(levels)))
