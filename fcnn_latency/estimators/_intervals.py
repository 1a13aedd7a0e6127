"""Prediction intervals around any regressor."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, MetaEstimatorMixin, RegressorMixin, clone
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import Pipeline
from sklearn.utils import check_array, column_or_1d, get_tags
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from fcnn_latency._validation import (
    BOOLEAN,
    Floats,
    Ints,
    check,
    check_latencies,
    check_parameters,
    number,
    whole,
)
from fcnn_latency.spaces._widths import pad_widths

#: Relative residuals are clipped from below at this fraction of their mean, because smaller ones
#: are no evidence of an easier architecture.
LEAST_RESIDUAL = 1e-3


class IntervalRegressor(MetaEstimatorMixin, RegressorMixin, BaseEstimator):
    r"""Prediction intervals around the predictions of any regressor.

    The method is normalized cross-conformal prediction:

    1. Clones of the estimator are each fitted without one fold and predict that fold. So every
       label gets a residual that is typical of unseen architectures. These are the residuals of
       CV+ (Barber et al., "Predictive inference with the jackknife+", 2021, section 3), used here
       around the single estimator that is fitted on all rows.
    2. Each residual is divided by the difficulty of its architecture, so that intervals are narrow
       where predictions are good and wide where they are poor (Papadopoulos et al., "Regression
       conformal prediction with nearest neighbours", 2011, eq. 21). Here the difficulty is the
       prediction times the relative error that boosted trees expect for the encoded architecture.
    3. The ends of an interval are the prediction plus quantiles of these ratios times the
       difficulty of the new architecture. This is the conformal predictive system of Boström et
       al., "Mondrian conformal predictive distributions" (2021), computed by the package crepes.

    Both ends leave out the same share: the upper end of a 90 % interval is a 95 % bound. The
    clones are fitted on fewer rows than the estimator, so intervals tend to be too wide rather
    than too narrow. More folds reduce this effect.

    Parameters
    ----------
    estimator : estimator
        Regressor or pipeline.
    cv : int, default=10
        Number of folds. Repeats of an architecture are kept in the same fold.
    adaptive : bool, default=True
        Whether the difficulty is learned. If False, all intervals have the same width relative
        to the prediction.
    random_state : int, RandomState or None, default=0
        Seed of the folds.
    n_jobs : int or None, default=None
        Number of folds fitted in parallel, as in `sklearn.model_selection.cross_val_predict`.

    Attributes
    ----------
    estimator_ : estimator
        The estimator, fitted on all rows.
    difficulty_ : GradientBoostingRegressor or None
        Predicts log \|relative residual\| from encoded architectures. None if `adaptive` is False,
        or if all residuals are 0.
    floor_ : float
        Smallest training label in seconds. Relative errors of shorter latencies refer to it.
    residuals_ : ndarray of shape (n_samples,)
        Label minus out-of-fold prediction, in seconds.
    residual_scales_ : ndarray of shape (n_samples,)
        Difficulty of each row in seconds, learned without the fold of the row.

    Raises
    ------
    ValueError
        In `fit`, if the data or a parameter are invalid, or there are fewer different
        architectures than folds.

    Examples
    --------
    >>> import numpy as np
    >>> from fcnn_latency import IntervalRegressor, make_latency_pipeline
    >>> X = [[width, width] for width in range(1, 50)]
    >>> y = 1e-6 * (1 + 0.1 * np.random.RandomState(0).rand(49))
    >>> model = IntervalRegressor(make_latency_pipeline("mean")).fit(X, y)
    >>> model.predict_interval([[41, 41]], coverage=0.9).round(8).tolist()
    [[9.9e-07, 1.12e-06]]
    >>> model.predict_upper([[41, 41]], confidence=0.95).round(8).tolist()
    [1.12e-06]
    """

    def __init__(
        self,
        estimator: Any,
        *,
        cv: int = 10,
        adaptive: bool = True,
        random_state: int | np.random.RandomState | None = 0,
        n_jobs: int | None = None,
    ) -> None:
        self.estimator = estimator
        self.cv = cv
        self.adaptive = adaptive
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: npt.ArrayLike) -> IntervalRegressor:
        """Fit the estimator on all rows, and a clone of it for each fold.

        Parameters
        ----------
        X : any input of the estimator
            Architectures, `n_samples` rows.
        y : array-like of shape (n_samples,)
            Latencies in seconds; must be positive.

        Returns
        -------
        IntervalRegressor
            The estimator itself.
        """
        check_parameters(self, {"cv": whole(2), "adaptive": BOOLEAN})
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None."
            )
        if issparse(X):
            raise TypeError("Sparse X was passed, but architectures are dense.")
        latencies = check_array(y, ensure_2d=False, dtype=np.float64, input_name="y")
        latencies = column_or_1d(latencies, warn=True)
        self.estimator_ = clone(self.estimator).fit(X, latencies)
        check_consistent_length(X, latencies)
        check_latencies(latencies, self)
        folds = self._folds(X)
        predicted = cross_val_predict(self.estimator, X, latencies, cv=folds, n_jobs=self.n_jobs)
        self.floor_ = float(latencies.min())
        self.residuals_ = latencies - predicted
        self.residual_scales_ = np.maximum(predicted, self.floor_)
        self.difficulty_ = None
        if self.adaptive:
            self.residual_scales_ = self.residual_scales_ * self._learn_difficulty(X, folds)
        return self

    def predict(self, X: Any) -> Floats:
        """Predict latencies in seconds with `estimator_`, shape (n_samples,)."""
        check_is_fitted(self)
        return np.asarray(self.estimator_.predict(X))

    def predict_interval(self, X: Any, coverage: float = 0.9) -> Floats:
        """Predict intervals that contain the latency of a fraction `coverage` of architectures.

        Parameters
        ----------
        X : any input of the estimator
            Architectures, `n_samples` rows.
        coverage : float, default=0.9
            Fraction of latencies that lie within their interval, above 0 and below 1. It can
            change from call to call without fitting again. Coverage c needs at least
            2 / (1 - c) - 1 training rows.

        Returns
        -------
        ndarray of float64, shape (n_samples, 2)
            Lower and upper ends in seconds; lower ends are at least 0.

        Raises
        ------
        ValueError
            If `coverage` is invalid, or `fit` had too few rows for it.
        """
        check_is_fitted(self)
        check(coverage, number(above=0, below=1), "coverage")
        # Slightly less, because rounding of 1 - coverage could otherwise require one residual more.
        coverage = float(coverage) - 1e-12
        needed = math.ceil(2 / (1 - coverage)) - 1
        if len(self.residuals_) < needed:
            raise ValueError(
                f"coverage={coverage:.6g} (an upper bound of {(1 + coverage) / 2:.6g}) needs at "
                f"least {needed} rows in fit. Got {len(self.residuals_)}: fit more or ask for less."
            )
        predicted, scales = self._predict_with_scales(X)
        system = _conformal_predictive_system().fit(self.residuals_, self.residual_scales_)
        # Only for a prediction of 0 and a difficulty of 1, because crepes needs 2 µs per row.
        ratios = system.predict_int(np.zeros(1), np.ones(1), confidence=coverage)
        return np.asarray(np.maximum(predicted[:, None] + scales[:, None] * ratios, 0.0))

    def predict_upper(self, X: Any, confidence: float = 0.95) -> Floats:
        """Predict upper bounds that a fraction `confidence` of architectures does not exceed.

        Parameters
        ----------
        X : any input of the estimator
            Architectures, `n_samples` rows.
        confidence : float, default=0.95
            Fraction of latencies that do not exceed their bound, above 0.5 and below 1.

        Returns
        -------
        ndarray of float64, shape (n_samples,)
            Bounds in seconds: the upper ends of intervals of coverage ``2 * confidence - 1``.

        Raises
        ------
        ValueError
            If `confidence` is invalid, or `fit` had too few rows for it.
        """
        check(confidence, number(above=0.5, below=1), "confidence")
        return np.asarray(self.predict_interval(X, 2 * confidence - 1)[:, 1])

    def _folds(self, X: Any) -> list[tuple[Ints, Ints]]:
        groups = _repeats(X)
        found = int(groups.max()) + 1
        if found < self.cv:
            msg = f"cv={self.cv} needs at least {self.cv} different rows. Got {found} of them."
            if len(groups) == 1:
                msg += " n_samples=1 is too few."
            raise ValueError(msg)
        splitter = GroupKFold(self.cv, shuffle=True, random_state=self.random_state)
        return list(splitter.split(groups, groups=groups))

    def _learn_difficulty(self, X: Any, folds: Any) -> Floats:
        """Fit `difficulty_`, and return the relative error expected for each row out of fold."""
        errors = np.abs(self.residuals_) / self.residual_scales_
        if not errors.any():
            return np.ones(len(errors))
        errors = np.log(np.maximum(errors, LEAST_RESIDUAL * errors.mean()))
        encoded = self._split()[0](X)
        trees = GradientBoostingRegressor(
            n_estimators=30, max_leaf_nodes=4, min_samples_leaf=20, random_state=0
        )
        self.difficulty_ = clone(trees).fit(encoded, errors)
        expected = cross_val_predict(trees, encoded, errors, cv=folds, n_jobs=self.n_jobs)
        return np.asarray(np.exp(expected))

    def _split(self) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
        """Return the function that encodes architectures, and the one that predicts from these."""
        if isinstance(self.estimator_, Pipeline) and len(self.estimator_) > 1:
            return self.estimator_[:-1].transform, self.estimator_[-1].predict
        return (lambda X: X), self.estimator_.predict

    def _predict_with_scales(self, X: Any) -> tuple[Floats, Floats]:
        encode, predict = self._split()
        encoded = encode(X)  # once for both
        predicted = np.asarray(predict(encoded))
        scales = np.maximum(predicted, self.floor_)
        if self.difficulty_ is not None:
            scales = scales * np.exp(self.difficulty_.predict(encoded))
        return predicted, scales

    @property
    def n_features_in_(self) -> int:
        """Number of columns of the array or DataFrame seen in `fit`."""
        return int(self._fitted("n_features_in_"))

    @property
    def feature_names_in_(self) -> npt.NDArray[np.object_]:
        """Column names of the DataFrame seen in `fit`."""
        return np.asarray(self._fitted("feature_names_in_"))

    def _fitted(self, attribute: str) -> Any:
        if "estimator_" not in self.__dict__:
            raise AttributeError(f"{type(self).__name__} has no {attribute} before fit.")
        return getattr(self.estimator_, attribute)

    def __sklearn_tags__(self) -> Any:
        """Return the tags: same input as the estimator, dense; latencies must be positive."""
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self.estimator).input_tags
        tags.input_tags.sparse = False
        tags.target_tags.positive_only = True
        return tags


def _conformal_predictive_system() -> Any:
    with warnings.catch_warnings():  # importing crepes enables all UserWarnings
        from crepes import ConformalPredictiveSystem
    return ConformalPredictiveSystem()


def _repeats(X: Any) -> Ints:
    """Return a group number for each row; equal rows share one, however they are padded."""
    if not isinstance(X, pd.DataFrame):
        rows = list(X if isinstance(X, list | tuple) else np.asarray(X))
        same = len({len(row) for row in rows}) == 1
        X = pd.DataFrame(rows if same else pad_widths(rows))
    return np.asarray(X.groupby(list(X.columns), dropna=False).ngroup())
