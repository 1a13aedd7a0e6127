"""Comparison of estimators on the same splits of the same data."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from joblib import Parallel, delayed, effective_n_jobs
from sklearn.base import clone, is_regressor
from sklearn.model_selection import GridSearchCV, GroupKFold, RandomizedSearchCV
from sklearn.utils import get_tags
from tqdm.auto import tqdm

from fcnn_latency._files import write_whole
from fcnn_latency._validation import Floats, Ints
from fcnn_latency.datasets._labelled import LabelledArchitectures, as_labelled
from fcnn_latency.estimators._pipeline import ESTIMATORS, make_latency_pipeline
from fcnn_latency.evaluation._html import ShownAsTable
from fcnn_latency.evaluation._text import comparison_text
from fcnn_latency.metrics import SCORERS, latency_metrics
from fcnn_latency.spaces._fcnn import FCNNSpace

#: Measures again, which takes as long as for the dataset; compared only on request.
ON_REQUEST = ("measured",)
#: Time limits in seconds for timing predictions of single architectures, and of a batch.
SINGLE_SECONDS, BATCH_SECONDS = 0.2, 1.0
#: Maximum number of single predictions, and of architectures in the batch.
MOST_CALLS, MOST_BATCHED = 100, 10_000

Grid = Mapping[str, Any] | Sequence[Mapping[str, Any]]
Split = tuple[Ints, Ints]


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(ShownAsTable):
    """Result of `compare`.

    Parameters
    ----------
    table : DataFrame
        One row per estimator. Columns are those of `latency_metrics`, then ``n_train`` (mean
        number of training architectures over folds; 0 for an estimator that needs no labels),
        ``measuring_time`` (seconds that measuring these took; NaN if unknown), ``fit_time`` (mean
        seconds of a fit, including the search for its parameters), ``predict_time_single`` (median
        seconds for predicting one architecture) and ``predict_time_batch`` (seconds per
        architecture in a large batch).
    predictions : DataFrame
        Out-of-fold predictions of each estimator in seconds, in the order of the data.
    target : ndarray of shape (n_samples,)
        The measured latencies in seconds.
    noise_floor : float or None
        Noise floor of the labels, as a fraction; None if unknown.
    best_params : dict of str to list of dict
        Parameters that the inner cross-validation chose, one dict per fold, for each estimator
        with an entry in `param_grids`.
    folds : ndarray of int, shape (n_samples,)
        Number of the fold in which each row was tested.
    n_jobs : int
        Number of parallel fits. With more than one, times are longer than for a single fit.
    """

    table: pd.DataFrame
    predictions: pd.DataFrame
    target: Floats
    noise_floor: float | None = None
    best_params: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    folds: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    n_jobs: int = 1

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write the table as CSV, with estimator names in the column ``estimator``."""
        write_whole(path, self.table.to_csv(index_label="estimator").encode())

    def _shown(self) -> pd.DataFrame:
        return self.table

    def __repr__(self) -> str:
        """Return the numbers of estimators and architectures."""
        return f"<Comparison of {len(self.table)} estimators on {len(self.target)} architectures>"

    def __str__(self) -> str:
        """Return the table as text with units, 100 characters wide."""
        return comparison_text(self)


def compare(
    X: Any,
    y: npt.ArrayLike | None = None,
    *,
    estimators: Sequence[str] | Mapping[str, Any] | None = None,
    param_grids: Mapping[str, Grid] | None = None,
    cv: int = 5,
    inner_cv: int = 3,
    n_iter: int = 20,
    space: FCNNSpace | None = None,
    signal_length: int | None = None,
    noise_floor: float | None = None,
    measuring_time: float | None = None,
    random_state: Any = 0,
    n_jobs: int | None = None,
    verbose: int = 0,
) -> Comparison:
    """Cross-validate estimators on the same splits, always including the mean as a baseline.

    Repeats of an architecture are never split between training and test parts, nor between
    training and validation parts of the inner cross-validation. The inner cross-validation chooses
    parameters on the training part alone, so the cross-validation is nested (Varma and Simon,
    "Bias in error estimation when using cross-validation for model selection", 2006).

    Parameters
    ----------
    X : Bunch, or sequence of sequences, array or DataFrame of shape (n_samples, <= max_layers)
        A dataset as from `make_dataset`, or architectures.
    y : array-like of shape (n_samples,) or None, default=None
        Latencies in seconds. None with a dataset, which contains them.
    estimators : sequence of str, mapping of str to estimator, or None, default=None
        Names as in `make_latency_pipeline`, or a mapping from custom names to regressors that
        accept architectures. None is all names except ``"measured"``, which measures again.
    param_grids : mapping of str to grid or None, default=None
        Candidate parameters by name of the estimator: a grid as in `GridSearchCV`, or
        distributions (objects with `rvs`) as in `RandomizedSearchCV`.
    cv : int, default=5
        Number of folds.
    inner_cv : int, default=3
        Number of folds of the inner cross-validation.
    n_iter : int, default=20
        Number of draws from distributions, as in `RandomizedSearchCV`.
    space : FCNNSpace or None, default=None
        The space of the architectures. None is the dataset's, or ``FCNNSpace()``.
    signal_length : int or None, default=None
        Number of values that one inference reads. None is the dataset's, or 50.
    noise_floor : float or None, default=None
        Noise floor of the labels, as a fraction. None is the dataset's.
    measuring_time : float or None, default=None
        Seconds that measuring all labels took. None is the dataset's.
    random_state : int, default=0
        Seed of the folds and the estimators.
    n_jobs : int or None, default=None
        Number of parallel fits, each in its own process; -1 is one per core. With more than one,
        the fits slow each other down, so times in the table are longer.
    verbose : int, default=0
        Whether to show progress with the remaining time.

    Returns
    -------
    Comparison
        Use its `table` in programs; print it to read.

    Raises
    ------
    ValueError
        If an architecture, a latency, a name, a grid, `cv` or `inner_cv` is wrong, or
        ``"measured"`` is compared with more than one parallel fit.

    Examples
    --------
    >>> from fcnn_latency import FCNNSpace, compare
    >>> X = FCNNSpace().sample(30, random_state=0)
    >>> result = compare(X, 1e-6 * X.sum(axis=1), estimators=["linear"], cv=3)
    >>> result.table["mape"].idxmin()
    'linear'
    """
    data = as_labelled(
        X,
        y,
        space=space,
        signal_length=signal_length,
        noise_floor=noise_floor,
        measuring_time=measuring_time,
    )
    models = named_estimators(estimators, data, random_state)
    models = {"mean": make_latency_pipeline("mean", space=data.space), **models}
    searches = _searches(models, param_grids or {}, inner_cv, n_iter, random_state)
    workers = effective_n_jobs(n_jobs)
    if workers > 1 and set(ON_REQUEST) & set(models):
        raise ValueError(
            '"measured" measures, and other fits would disturb it: compare it with n_jobs=None.'
        )
    splitter = GroupKFold(n_splits=cv, shuffle=True, random_state=random_state)
    splits = list(splitter.split(data.widths, groups=data.groups))
    batch = data.space.sample(MOST_BATCHED, random_state=0, unique=False)
    tasks = [
        delayed(_run_fold)(name, searches.get(name, model), name in searches, data, split, batch)
        for name, model in sorted(models.items(), key=_is_quick)
        for split in splits
    ]
    finished = Parallel(n_jobs=workers, return_as="generator")(tasks)
    bar = tqdm(finished, total=len(tasks), desc="comparing", unit="fit", disable=not verbose)
    return _collect(pd.DataFrame(list(bar)), models, data, splits, workers)


def named_estimators(
    estimators: Sequence[str] | Mapping[str, Any] | None,
    data: LabelledArchitectures,
    random_state: Any,
) -> dict[str, Any]:
    """Return unfitted estimators by name, set up for `data`.

    Raises
    ------
    ValueError
        If a name is unknown, or an estimator is not a regressor.
    """
    if isinstance(estimators, Mapping):
        for name, model in estimators.items():
            if isinstance(model, type) or not hasattr(model, "fit") or not is_regressor(model):
                raise ValueError(
                    f"estimators[{name!r}] must be a scikit-learn regressor. Got {model!r}."
                )
        return dict(estimators)
    if isinstance(estimators, str):
        raise ValueError(
            f"estimators must be a sequence of names, as [{estimators!r}], or a mapping."
        )
    if estimators is None:
        estimators = [name for name in ESTIMATORS if name not in ON_REQUEST]
    models = {
        name: make_latency_pipeline(
            name, space=data.space, signal_length=data.signal_length, random_state=random_state
        )
        for name in estimators
    }
    if "measured" in models and data.runtime is not None:
        models["measured"][-1].set_params(runtime=data.runtime)
    return models


def _searches(
    models: dict[str, Any],
    param_grids: Mapping[str, Grid],
    inner_cv: int,
    n_iter: int,
    random_state: Any,
) -> dict[str, Any]:
    """Return parameter searches (GridSearchCV or RandomizedSearchCV) by estimator name."""
    unknown = sorted(set(param_grids) - set(models))
    if unknown:
        raise ValueError(
            f"param_grids has {unknown}, which are not compared. Those compared: {list(models)}."
        )
    common = {
        "scoring": SCORERS["neg_mean_absolute_percentage_error"],
        "cv": GroupKFold(n_splits=inner_cv, shuffle=True, random_state=random_state),
    }
    drawn = {"n_iter": n_iter, "random_state": random_state}
    searches: dict[str, Any] = {}
    for name, grid in param_grids.items():
        grids = [grid] if isinstance(grid, Mapping) else grid
        if any(hasattr(values, "rvs") for each in grids for values in each.values()):
            searches[name] = RandomizedSearchCV(models[name], grid, **drawn, **common)
        else:
            searches[name] = GridSearchCV(models[name], grid, **common)
    return searches


def _is_quick(named: tuple[str, Any]) -> bool:
    """Whether no network is trained: those start first, since they take longest.

    A worker that loads TensorFlow later is taken by joblib for one that leaks memory.
    """
    return not any(key.endswith("epochs") for key in named[1].get_params())


def _run_fold(
    name: str, model: Any, is_search: bool, data: LabelledArchitectures, split: Split, batch: Ints
) -> dict[str, Any]:
    """Fit, test and time one estimator on one fold."""
    train, test = split
    model = clone(model)
    known = {"groups": data.groups[train]} if is_search else {}
    start = perf_counter()
    model.fit(data.widths[train], data.latencies[train], **known)
    fitted = perf_counter()
    predicted = np.asarray(model.predict(data.widths[test]), dtype=np.float64)
    each = (perf_counter() - fitted) / len(test)
    return {
        "estimator": name,
        "predicted": predicted,
        "fit_time": fitted - start,
        "predict_time_single": _single_time(model, data.widths[test]),
        "predict_time_batch": _batch_time(model, batch, each, len(test)),
        "best_params": model.best_params_ if is_search else None,
    }


def _single_time(model: Any, architectures: Ints) -> float:
    """Return the median seconds for predicting one architecture, over different ones."""
    times: list[float] = []
    while len(times) < MOST_CALLS and sum(times) < SINGLE_SECONDS:
        row = len(times) % len(architectures)
        start = perf_counter()
        model.predict(architectures[row : row + 1])
        times.append(perf_counter() - start)
    return float(np.median(times))


def _batch_time(model: Any, batch: Ints, each: float, n_predicted: int) -> float:
    """Return seconds per architecture in a batch as large as the time limit allows.

    If this batch would not be larger than the `n_predicted` architectures already predicted,
    return `each`, their time per architecture.
    """
    size = min(len(batch), int(BATCH_SECONDS / each))
    if size <= n_predicted:
        return each
    start = perf_counter()
    model.predict(batch[:size])
    return (perf_counter() - start) / size


def _needs_labels(model: Any) -> bool:
    last = model[-1] if hasattr(model, "steps") else model
    return bool(get_tags(last).target_tags.required)


def _collect(
    runs: pd.DataFrame,
    models: dict[str, Any],
    data: LabelledArchitectures,
    splits: list[Split],
    n_jobs: int,
) -> Comparison:
    tested = np.concatenate([test for _, test in splits])
    folds = np.empty(len(tested), dtype=np.int64)
    folds[tested] = np.repeat(np.arange(len(splits)), [len(test) for _, test in splits])
    n_train = np.mean([len(np.unique(data.groups[train])) for train, _ in splits])
    n_rows = np.mean([len(train) for train, _ in splits])
    predictions, rows, best = pd.DataFrame(index=range(len(tested))), {}, {}
    for name, model in models.items():
        of_folds = runs[runs["estimator"] == name]
        predictions.loc[tested, name] = np.concatenate(list(of_folds["predicted"]))
        learns = _needs_labels(model)
        rows[name] = {
            **latency_metrics(data.latencies, predictions[name], noise_floor=data.noise_floor),
            "n_train": learns * n_train,
            "measuring_time": learns * n_rows * data.seconds_each,
            "fit_time": of_folds["fit_time"].mean(),
            "predict_time_single": of_folds["predict_time_single"].median(),
            "predict_time_batch": of_folds["predict_time_batch"].median(),
        }
        if any(of_folds["best_params"]):
            best[name] = list(of_folds["best_params"])
    table = pd.DataFrame.from_dict(rows, orient="index")
    return Comparison(table, predictions, data.latencies, data.noise_floor, best, folds, n_jobs)
