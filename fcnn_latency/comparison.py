"""Every estimator on the same splits of the same data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.model_selection import GroupKFold
from tqdm.auto import tqdm

from fcnn_latency.architecture import FCNNSpace
from fcnn_latency.metrics import latency_metrics
from fcnn_latency.pipeline import ESTIMATORS, make_latency_pipeline

__all__ = ["Comparison", "compare"]


@dataclass(frozen=True)
class Comparison:
    """What `compare` found.

    Parameters
    ----------
    table : DataFrame
        One row per estimator; columns as from `latency_metrics`, then ``fit_time`` (mean seconds
        of a fit) and ``predict_time`` (mean seconds of predicting one test fold).
    predictions : DataFrame
        Out-of-fold predictions of each estimator in seconds, in the order of the data.
    """

    table: pd.DataFrame
    predictions: pd.DataFrame

    def __str__(self) -> str:
        """The table as text."""
        return self.table.to_string(float_format=lambda value: f"{value:.4g}")


def compare(
    X: Any,
    y: npt.ArrayLike,
    *,
    estimators: Sequence[str] = tuple(ESTIMATORS),
    cv: int = 5,
    space: FCNNSpace | None = None,
    signal_length: int = 50,
    noise_floor: float | None = None,
    random_state: Any = 0,
    verbose: int = 0,
) -> Comparison:
    """Cross-validate estimators on the same splits; the mean is always among them.

    Repeats of an architecture are never divided between training and test.

    Parameters
    ----------
    X : sequence of sequences, array or DataFrame of shape (n_samples, <= max_layers)
        Architectures.
    y : array-like of shape (n_samples,)
        Latencies in seconds.
    estimators : sequence of str
        Names as in `make_latency_pipeline`.
    cv : int, default=5
        Number of folds.
    space : FCNNSpace or None, default=None
        The space of the architectures; None is ``FCNNSpace()``.
    signal_length : int, default=50
        Values that one inference reads.
    noise_floor : float or None, default=None
        Noise floor of the labels.
    random_state : int, default=0
        Seed of the folds and the estimators.
    verbose : int, default=0
        Whether to show progress with the time left.

    Raises
    ------
    ValueError
        If an architecture, a name or `cv` is wrong.
    """
    space = FCNNSpace() if space is None else space
    X, y = space.validate(X), np.asarray(y, dtype=np.float64)
    groups = pd.DataFrame(X).groupby(list(range(X.shape[1]))).ngroup().to_numpy()
    splitter = GroupKFold(n_splits=cv, shuffle=True, random_state=random_state)
    splits = list(splitter.split(X, y, groups))
    names = list(dict.fromkeys(["mean", *estimators]))
    for name in names:  # before the first fit
        make_latency_pipeline(name)
    predictions = pd.DataFrame(index=range(len(y)), columns=names, dtype=np.float64)
    rows = {}
    progress = tqdm(total=len(names) * cv, desc="comparing", unit="fit", disable=not verbose)
    for name in names:
        predicted, fit_times, predict_times = np.empty(len(y)), [], []
        for train, test in splits:
            pipeline = make_latency_pipeline(
                name, space=space, signal_length=signal_length, random_state=random_state
            )
            start = perf_counter()
            pipeline.fit(X[train], y[train])
            fitted = perf_counter()
            predicted[test] = pipeline.predict(X[test])
            fit_times.append(fitted - start)
            predict_times.append(perf_counter() - fitted)
            progress.update()
        predictions[name] = predicted
        rows[name] = {
            **latency_metrics(y, predicted, noise_floor=noise_floor),
            "fit_time": np.mean(fit_times),
            "predict_time": np.mean(predict_times),
        }
    progress.close()
    return Comparison(pd.DataFrame.from_dict(rows, orient="index"), predictions)
