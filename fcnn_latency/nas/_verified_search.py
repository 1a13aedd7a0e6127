"""Search in rounds: search, measure the finalists, refit the latency model, repeat."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.utils import Bunch, check_random_state

from fcnn_latency._units import format_percent
from fcnn_latency._validation import check, whole
from fcnn_latency.evaluation._html import ShownAsTable
from fcnn_latency.exceptions import MeasurementError, SearchError, StoreError
from fcnn_latency.nas._candidates import Candidates, NothingLeftError
from fcnn_latency.nas._result import SearchResult
from fcnn_latency.nas._search import check_search, run_search
from fcnn_latency.nas._trial import Trial, trials_of
from fcnn_latency.nas._verification import Verification, check_signal_length, rank, verify
from fcnn_latency.spaces._fcnn import FCNNSpace
from fcnn_latency.spaces._widths import pad_widths

#: What ends the rounds once something is measured, instead of losing it.
ENDINGS = (NothingLeftError, SearchError, MeasurementError, StoreError, KeyboardInterrupt)


@dataclass(frozen=True, eq=False, repr=False)
class VerifiedSearch(ShownAsTable):
    """Result of `search_and_verify`.

    Attributes
    ----------
    verification : Verification
        All measured architectures: report, best and front.
    result : SearchResult
        The last search. It includes the trials of earlier rounds that are within its budget.
    latency_model : estimator
        The model, fitted on the labels of the dataset and all verified architectures.
    rounds : DataFrame
        One row per round: number of ``evaluated`` and of ``measured`` architectures, how many of
        these ``kept`` the budget, ``error`` (mean absolute relative error of the predictions, as a
        fraction) and ``front`` (size of the measured front after the round).
    stable : bool
        Whether the last round left the measured front unchanged.
    """

    verification: Verification
    result: SearchResult
    latency_model: Any
    rounds: pd.DataFrame
    stable: bool

    @property
    def best(self) -> pd.Series[Any]:
        """The row of best quality among measured architectures that meet the budget."""
        return self.verification.best

    @property
    def front(self) -> pd.DataFrame:
        """The Pareto front of measured architectures that meet the budget."""
        return self.verification.front

    def _shown(self) -> pd.DataFrame:
        return self.verification.report

    def __repr__(self) -> str:
        """Return the number of rounds and the size of the front."""
        return f"<VerifiedSearch of {len(self.rounds)} rounds, {len(self.front)} on the front>"

    def __str__(self) -> str:
        """Return the rounds and the report as text."""
        shown = self.rounds.assign(error=[format_percent(e) for e in self.rounds["error"]])
        end = "The front is stable." if self.stable else "The front may still change."
        return "\n".join([shown.to_string(), end, str(self.verification)])


def search_and_verify(
    objective: Callable[[tuple[int, ...]], float],
    *,
    dataset: Bunch,
    latency_model: Any,
    runtime: Any = None,
    space: FCNNSpace | None = None,
    max_latency: float | str | None = None,
    confidence: float | None = None,
    n_rounds: int = 3,
    n_trials: int = 100,
    n_finalists: int = 10,
    direction: str = "maximize",
    front: bool | None = None,
    sampler: Any = "tpe",
    storage: Any = None,
    study_name: str = "fcnn-latency",
    protocol: Any = "reliable",
    store: Any = None,
    random_state: Any = None,
    verbose: int = 0,
    **measuring: Any,
) -> VerifiedSearch:
    """Search in rounds, and refit the latency model on new measurements after each round.

    A round searches, measures the finalists that have not been measured yet, and refits the model
    on the labels and all these measurements. Later rounds reuse the quality of evaluated
    architectures, so the objective is called once per architecture. A measured latency replaces
    the prediction. An architecture that exceeded the budget when measured is not proposed again.
    The rounds end when one leaves the measured front unchanged.

    Parameters
    ----------
    objective, max_latency, confidence, direction, front, sampler, storage, study_name
        As in `search`. Each round is a separate study, named ``study_name-1`` and so on.
    dataset : Bunch
        Labels for the first fit, as from `make_dataset` or `load_dataset`.
    latency_model : estimator
        Pipeline or `IntervalRegressor`. Clones of it are fitted.
    runtime : str, Runtime or None, default=None
        Runtime that executes the models. None is the dataset's, by name.
    space : FCNNSpace or None, default=None
        The space to search. None is the dataset's.
    n_rounds : int, default=3
        Maximum number of rounds.
    n_trials : int, default=100
        Number of new architectures that each round evaluates.
    n_finalists : int, default=10
        Maximum number of architectures that each round measures.
    protocol, store
        How finalists are measured and where readings are stored, as in `make_dataset`. With a
        store and a storage, the same call resumes searches and measurements.
    random_state : int or None, default=None
        Seed of proposals and measurements.
    verbose : int, default=0
        Whether to show progress.
    **measuring
        Further parameters of `make_dataset`: `client`, `target_error`, `wait`.

    Returns
    -------
    VerifiedSearch
        Report, best and front as measured, the model, and the rounds.

    Raises
    ------
    ValueError, SearchError, ImportError
        As in `search`.
    MeasurementError, StoreError
        As in `verify`.

    Warns
    -----
    UserWarning
        If a later round cannot go on: nothing is left to evaluate, each trial or each measurement
        fails, or it is interrupted. The result has all that was measured before.
    """
    check_search(objective, n_trials, direction, study_name)
    check(n_rounds, whole(1), "n_rounds")
    check(n_finalists, whole(1), "n_finalists")
    check_signal_length(latency_model, dataset.signal_length)
    seed = int(check_random_state(random_state).randint(2**31 - 1))
    space = dataset.space if space is None else space
    front = max_latency is None if front is None else bool(front)
    model = clone(latency_model).fit(dataset.data, dataset.target)
    how = {"protocol": protocol, "store": store, "signal_length": dataset.signal_length} | {
        "runtime": dataset.runtime if runtime is None else runtime,
        "confidence": 0.95 if confidence is None else confidence,
    }
    run = partial(run_search, objective, direction=direction, front=front, sampler=sampler)
    run = partial(run, storage=storage, seed=seed, verbose=verbose)
    measured: Verification | None = None
    evaluated: dict[tuple[int, ...], Trial] = {}
    rounds: list[dict[str, Any]] = []
    stable = False
    try:
        while len(rounds) < n_rounds and not stable:
            bounds: dict[str, Any] = {"max_latency": max_latency, "confidence": confidence}
            candidates = Candidates(space, model, excluded=_broken(measured), **bounds)
            known = _known(evaluated, candidates, measured)
            result = run(
                candidates=candidates,
                n_trials=len(known) + n_trials,
                study_name=f"{study_name}-{len(rounds) + 1}",
                known=known,
            )
            n_before = len(evaluated)
            evaluated |= {trial.widths: trial for trial in trials_of(result.trials)}
            fresh = _unmeasured(result, n_finalists, measured)
            stable = fresh.empty
            if not stable:
                found = verify(
                    replace(result, trials=fresh, latency_model=model),
                    n_finalists=len(fresh),
                    random_state=seed,
                    verbose=verbose,
                    **how,
                    **measuring,
                )
                now = found if measured is None else _together(measured, found)
                # An empty front does not count as stable.
                stable = measured is not None and _front(measured) == _front(now) != set()
                measured = now
                model = clone(latency_model).fit(*_labels(dataset, measured))
            assert measured is not None
            rounds.append(_round(len(evaluated) - n_before, fresh, measured))
            if result.interrupted:
                break
    except ENDINGS as error:
        if measured is None:
            raise
        # What was measured is returned all the same.
        why = str(error) or "interrupted"
        warnings.warn(f"The search ended after round {len(rounds)}: {why}", stacklevel=2)
    assert measured is not None
    table = pd.DataFrame(rounds, index=pd.RangeIndex(1, len(rounds) + 1, name="round"))
    return VerifiedSearch(measured, result, model, table, stable)


def _broken(measured: Verification | None) -> frozenset[tuple[int, ...]]:
    """Return architectures that failed to measure, or measured over the budget."""
    if measured is None:
        return frozenset()
    return frozenset(measured.report.loc[~measured.report["keeps_budget"], "widths"])


def _known(
    evaluated: dict[tuple[int, ...], Trial], candidates: Candidates, measured: Verification | None
) -> list[Trial]:
    """Return trials of earlier rounds that are still within the budget, for a new round."""
    trials = [t for widths, t in evaluated.items() if widths not in candidates.excluded]
    if not trials:
        return []
    ends = candidates.predict([trial.widths for trial in trials])
    if measured is not None:
        kept = measured.kept
        known_ends = kept[["measured", "bound"]].to_numpy()
        bounds = dict(zip(kept["widths"], known_ends, strict=True))
        for i, trial in enumerate(trials):
            latency, bound = bounds.get(trial.widths, ends[i])
            ends[i] = latency, bound if candidates.confidence is not None else math.nan
    within = candidates.keep(ends)
    return [
        replace(trial, predicted=float(latency), upper=float(upper))
        for trial, (latency, upper), ok in zip(trials, ends, within, strict=True)
        if ok
    ]


def _unmeasured(result: SearchResult, n: int, measured: Verification | None) -> pd.DataFrame:
    """Return the finalists that have not been measured yet."""
    finalists = result.finalists(n)
    there = set() if measured is None else set(measured.report["widths"])
    return finalists[[widths not in there for widths in finalists["widths"]]]


def _together(one: Verification, other: Verification) -> Verification:
    report = pd.concat([one.report, other.report], ignore_index=True)
    return rank(replace(one, report=report, datasets=one.datasets + other.datasets))


def _front(measured: Verification) -> set[tuple[int, ...]]:
    return set(measured.front["widths"])


def _labels(dataset: Bunch, measured: Verification) -> tuple[Any, Any]:
    """Return the labels of the dataset and of all verified architectures."""
    X = np.asarray(dataset.data)
    found = measured.report[measured.report["measured"].notna()]
    more = pad_widths(list(found["widths"]), X.shape[1])
    return np.vstack([X, more]), np.concatenate([dataset.target, found["measured"]])


def _round(n_evaluated: int, fresh: pd.DataFrame, measured: Verification) -> dict[str, Any]:
    report = measured.report[measured.report["widths"].isin(set(fresh["widths"]))]
    known = report[report["measured"].notna()]
    return {
        "evaluated": n_evaluated,
        "measured": len(known),
        "kept": int(report["keeps_budget"].sum()),
        "error": float(np.abs(known["predicted"] / known["measured"] - 1).mean()),
        "front": len(measured.front),
    }
