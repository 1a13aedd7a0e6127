"""Check by measurement whether architectures meet a latency budget."""

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
    """Predicted and measured latencies of architectures, and whether they meet the budget.

    Attributes
    ----------
    report : DataFrame
        One row per architecture. Those that meet the budget come first, then rows are sorted by
        quality, best first, and by measured latency. Columns are ``widths``, ``quality``;
        in seconds ``predicted``, ``lower`` and ``upper`` ends of the prediction interval,
        ``measured``, ``standard_error`` (of the label and of the level that all labels share) and
        ``bound`` (upper confidence bound of the measured latency); ``keeps_budget`` and
        ``reason`` (why there is no measured latency; empty if there is one).
    direction : {"maximize", "minimize"}
        Whether higher or lower quality is better.
    max_latency : float or None
        The budget in seconds. None is no budget: every measured architecture meets it.
    confidence : float
        Confidence level of ``bound``.
    datasets : tuple of Bunch
        The measurements, as returned by `make_dataset`.
    """

    report: pd.DataFrame
    direction: str
    max_latency: float | None
    confidence: float
    datasets: tuple[Bunch, ...]

    @property
    def kept(self) -> pd.DataFrame:
        """The rows of the report that meet the budget."""
        return self.report[self.report["keeps_budget"]]

    @property
    def front(self) -> pd.DataFrame:
        """The Pareto front of quality and measured latency, among rows that meet the budget."""
        return front_of(self.kept, self.direction, "measured")

    @property
    def best(self) -> pd.Series[Any]:
        """The row of best quality among those that meet the budget.

        Raises
        ------
        SearchError
            If no architecture meets the budget; the message names the nearest.
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
        """Return the number of architectures, and of those that meet the budget."""
        return f"<Verification of {len(self.report)} architectures, {len(self.kept)} kept>"

    def __str__(self) -> str:
        """Return the report as text, and how many architectures meet the budget."""
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
    """Measure architectures on this machine, and report which meet a budget.

    An architecture meets the budget if the upper end of a one-sided confidence interval of its
    measured latency does: measured + t * standard error, where t is the quantile of Student's
    distribution for the number of passes. The standard error combines, in quadrature, the error
    of the label and the error of the level that all labels share. The latter is estimated from
    the differences in level between passes. Errors of labels leave it out, but a budget is
    absolute, so it counts here. So an architecture measured just below the budget does not count
    as meeting it. Neither does one that could not be measured.

    Parameters
    ----------
    architectures : SearchResult, or sequence of sequences, array or DataFrame
        Result of a search, whose finalists are measured, or widths.
    runtime : str or Runtime
        Runtime that executes the models. Use the one of the labels of the latency model.
    latency_model : fitted estimator or None, default=None
        Model whose predictions are reported. None is the model of the search; for given widths,
        None reports no predictions.
    space : FCNNSpace or None, default=None
        Space of given widths; None is ``FCNNSpace()``. Ignored for the result of a search.
    max_latency : float, str or None, default=None
        The budget, in seconds or as ``"2us"``. None is the budget of the search, if any.
    confidence : float, default=0.95
        Confidence level of the upper bound of the measured latency; above 0.5 and below 1.
    n_finalists : int, default=10
        Maximum number of architectures of a search to measure: its front, then the best of the
        others.
    protocol : str or MeasurementProtocol, default="reliable"
        How latencies are measured, as in `make_dataset`. It must have at least two passes.
    signal_length : int, default=50
        Number of values that one inference reads.
    **measuring
        Further parameters of `make_dataset`: `store`, `client`, `target_error`, `scale`, `wait`,
        `random_state`, `verbose`.

    Returns
    -------
    Verification
        The report, and the best and the front of the architectures that meet the budget.

    Raises
    ------
    ValueError
        If a parameter is wrong, or the latency model was made for another signal length.
    MeasurementError
        If no architecture could be measured, or labels have no standard error.

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
    # Predict before measuring, since prediction can fail too.
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
    """Update which rows meet the budget, and sort by that, quality and measured latency."""
    report, budget = verification.report, verification.max_latency
    limit = math.inf if budget is None else budget
    report = report.assign(keeps_budget=report["bound"] <= limit)
    best_first = verification.direction != "maximize"
    order = report.sort_values(
        ["keeps_budget", "quality", "measured"], ascending=[False, best_first, True], kind="stable"
    )
    return replace(verification, report=order.reset_index(drop=True))


def check_passes(protocol: Any) -> None:
    """Check before measuring that labels will have an uncertainty.

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
    """Check that a model predicts inferences of the signal length that is measured.

    Raises
    ------
    ValueError
        If the model was made for another signal length.
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
    """Return predicted latencies, lower and upper ends; NaN if the model has none."""
    predictions = np.full((len(rows), 3), np.nan)
    if model is not None:
        rows = as_fitted(rows, model)
        predictions[:, 0] = model.predict(rows)
    if hasattr(model, "predict_interval"):
        predictions[:, 1:] = model.predict_interval(rows, coverage=2 * confidence - 1)
    return predictions


def _measured(widths: pd.Series[Any], dataset: Bunch, confidence: float) -> pd.DataFrame:
    """Return measured latencies, standard errors, bounds and reasons, in the order of `widths`."""
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
    """Return the relative standard error of the level that the labels of a campaign share.

    With fewer than three architectures, level and noise cannot be separated: return 0, since the
    level then counts as noise of the labels.
    """
    logs = np.log(passes[:, ~np.isnan(passes).any(axis=0)])
    if len(logs) < 3 or logs.shape[1] < 2:
        return 0.0
    levels = np.median(logs - np.median(logs, axis=1, keepdims=True), axis=0)
    return float(np.std(levels, ddof=1) / math.sqrt(len(levels)))
