"""Search for architectures of high quality within a latency budget."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sklearn.utils import check_random_state

from fcnn_latency._imports import import_extra
from fcnn_latency._validation import NAME, check, choice, whole
from fcnn_latency.exceptions import SearchError
from fcnn_latency.nas._candidates import Candidates, NothingLeftError
from fcnn_latency.nas._result import DIRECTIONS, SearchResult
from fcnn_latency.nas._trial import Trial, trial_frame
from fcnn_latency.spaces._fcnn import FCNNSpace

#: Number of architectures whose predictions identify a latency model.
FINGERPRINT = 3


def search(
    objective: Callable[[tuple[int, ...]], float],
    *,
    space: FCNNSpace | None = None,
    latency_model: Any,
    max_latency: float | str | None = None,
    confidence: float | None = None,
    n_trials: int = 100,
    direction: str = "maximize",
    front: bool | None = None,
    sampler: Any = "tpe",
    storage: Any = None,
    study_name: str = "fcnn-latency",
    random_state: Any = None,
    verbose: int = 0,
) -> SearchResult:
    """Search for architectures of high quality and low predicted latency.

    Optuna proposes architectures (Akiba et al., "Optuna: A next-generation hyperparameter
    optimization framework", 2019). Only architectures with a predicted latency within the budget
    are evaluated, each once. The others cost a prediction, but no trial.

    Parameters
    ----------
    objective : callable
        ``objective(widths)`` returns the quality of an architecture as a finite number. Widths
        are a tuple of ints, input first, output last. If it raises or returns anything else, the
        trial fails and the search goes on.
    space : FCNNSpace or None, default=None
        The space to search. None is ``FCNNSpace()``, or the space of a `LatencyMap`.
    latency_model : fitted estimator or LatencyMap
        Predicts seconds from architectures, such as ``make_latency_pipeline(...).fit(X, y)``.
    max_latency : float, str or None, default=None
        The budget, in seconds or as ``"2us"`` or ``"0.5 ms"``. None is no limit.
    confidence : float or None, default=None
        With ``0.95``, the upper bound of the prediction must meet the budget; 5 % of random
        architectures exceed this bound. This rate does not hold for architectures that a search
        selected. Requires an `IntervalRegressor`. With None, the prediction itself must meet the
        budget.
    n_trials : int, default=100
        Total number of architectures to evaluate, including those of earlier calls with the same
        storage. Fewer are evaluated if the budget allows no more.
    direction : {"maximize", "minimize"}, default="maximize"
        Whether higher or lower quality is better.
    front : bool or None, default=None
        Whether to minimize latency as a second objective, so that the search covers the Pareto
        front. None is True without `max_latency`, and False with it.
    sampler : {"gain", "tpe", "nsga2", "random"} or optuna.samplers.BaseSampler, default="tpe"
        How architectures are proposed. ``"gain"`` learns quality with a Gaussian process and uses
        the latency model for latency. The others are Optuna's samplers, which know neither
        beforehand.
    storage : path, str, optuna.storages.BaseStorage or None, default=None
        Where each trial is saved: an SQLite file (``.sqlite``, ``.sqlite3``, ``.db``), a journal
        (``.journal``, ``.log``, ``.jsonl``; also for machines that share a network file system),
        the URL of a database, or an Optuna storage. Repeat the same call to resume a search, or
        run it on several machines at once to share the work. None keeps trials in memory only.
    study_name : str, default="fcnn-latency"
        Name of the study in the storage.
    random_state : int, RandomState or None, default=None
        Seed of the proposals. The same seed gives the same architectures, even if the search was
        stopped and resumed.
    verbose : int, default=0
        Whether to show progress.

    Returns
    -------
    SearchResult
        Trials, best and front.

    Raises
    ------
    ValueError
        If a parameter is wrong; if no architecture meets the budget (raised before any trial;
        the message states the least latency of the space); or if the storage holds a study with
        other settings.
    SearchError
        If all trials failed; the message names the first.
    ImportError
        If optuna is not installed.
    KeyboardInterrupt
        If Ctrl-C is pressed before the first trial is complete. Later, Ctrl-C ends the search and
        returns the trials so far.

    Examples
    --------
    >>> from fcnn_latency import FCNNSpace, make_latency_pipeline, search
    >>> X = FCNNSpace().sample(50, random_state=0)
    >>> model = make_latency_pipeline("linear").fit(X, 1e-6 + 1e-8 * X.sum(axis=1))  # made up
    >>> found = search(sum, latency_model=model, max_latency="1.8us", n_trials=20, random_state=0)
    >>> bool((found.trials["predicted"] <= 1.8e-6).all()), len(found.trials)
    (True, 20)
    """
    check_search(objective, n_trials, direction, study_name)
    candidates = Candidates(space, latency_model, max_latency=max_latency, confidence=confidence)
    return run_search(
        objective,
        candidates,
        n_trials=n_trials,
        direction=direction,
        front=max_latency is None if front is None else bool(front),
        sampler=sampler,
        storage=storage,
        study_name=study_name,
        seed=int(check_random_state(random_state).randint(2**31 - 1)),
        verbose=verbose,
    )


def run_search(
    objective: Callable[[tuple[int, ...]], float],
    candidates: Candidates,
    *,
    n_trials: int,
    direction: str,
    front: bool,
    sampler: Any,
    storage: Any,
    study_name: str,
    seed: int,
    verbose: int,
    known: Sequence[Trial] = (),
) -> SearchResult:
    """Run `search` on given candidates.

    Parameters
    ----------
    objective, n_trials, direction, front, sampler, storage, study_name, verbose
        As in `search`.
    candidates : Candidates
        The architectures that may be evaluated.
    seed : int
        Seed of the proposals.
    known : sequence of Trial
        Earlier trials to add to a new study.
    """
    import_extra("optuna", "search", "search")
    from fcnn_latency.nas import _optuna

    sampling = _optuna.BudgetSampler(sampler, candidates, seed)
    candidates.check_possible()
    about = {
        "direction": direction,
        "max_latency": candidates.max_latency,
        "confidence": candidates.confidence,
        "front": front,
        "latency_model": _fingerprint(candidates),
    }
    directions = [direction, "minimize"] if front else [direction]
    with _optuna.quiet_optuna():
        study = _optuna.open_study(storage, study_name, sampling, directions, about)
        _optuna.add_known(study, known, candidates.space)
        ended = _optuna.run_study(study, candidates, objective, n_trials, verbose)
    trials = trial_frame(_optuna.finished_trials(study, candidates.space))
    if not (trials["state"] == "complete").any():
        if ended == "interrupted":
            raise KeyboardInterrupt
        if trials.empty:
            raise NothingLeftError("No architecture within the budget is left to evaluate.")
        first = trials.iloc[0]
        raise SearchError(
            f"All {len(trials)} trials failed, the first, {first['widths']}, by {first['error']}"
        )
    return SearchResult(
        trials=trials,
        space=candidates.space,
        latency_model=candidates.latency_model,
        direction=direction,
        max_latency=candidates.max_latency,
        confidence=candidates.confidence,
        exhausted=ended == "exhausted",
        interrupted=ended == "interrupted",
        study=study,
    )


def check_search(objective: Any, n_trials: Any, direction: Any, study_name: Any) -> None:
    """Raise ValueError if a parameter that all searches share is wrong."""
    if not callable(objective):
        raise ValueError(
            f"objective must be a function of widths to a number. Got {objective!r} instead."
        )
    check(n_trials, whole(1), "n_trials")
    check(direction, choice(DIRECTIONS), "direction")
    check(study_name, NAME, "study_name")


def _fingerprint(candidates: Candidates) -> str:
    """Return predictions for some architectures, rounded to digits that agree across machines."""
    count = min(FINGERPRINT, candidates.space.size)
    predicted = candidates.predict(candidates.space.sample(count, random_state=0))
    return " ".join(f"{seconds:.4g}" for seconds in predicted[:, 0])
