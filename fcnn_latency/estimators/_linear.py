"""Linear model of costs, fitted by relative error."""

from __future__ import annotations

import warnings

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LinearRegression, OrthogonalMatchingPursuitCV, RidgeCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from fcnn_latency._validation import Array, Floats, check_parameters, choice
from fcnn_latency.estimators._base import FeatureRegressor

_RULES = {"method": choice(["pursuit", "ridge", "nonnegative"])}

#: For pursuit: maximum number of selected costs, number of folds, minimum number of rows.
MOST_COSTS, FOLDS, LEAST_ROWS = 30, 5, 10

#: Candidate penalties.
PENALTIES = np.logspace(-8, 3, 23)

#: Predictions are at least this fraction of the smallest training latency.
LEAST_FRACTION = 0.1


class RelativeLinearRegressor(FeatureRegressor):
    """Linear regression of latency on costs, by least squares of the relative error.

    The analytical part of stacked models (Wess et al., "ANNETTE: Accurate neural network execution
    time estimation with stacked models", 2021, section IV). It minimizes sum ((y - f(X)) / y)^2,
    because predictions are judged by relative error and latencies span several decades.
    Predictions are at least a tenth of the smallest training latency.

    Parameters
    ----------
    method : {"pursuit", "ridge", "nonnegative"}, default="pursuit"
        ``"pursuit"``: orthogonal matching pursuit (Pati, Rezaiifar and Krishnaprasad, 1993), which
        selects one cost after the other. Cross-validation chooses how many, at most 30, so that
        a few labels suffice for many costs. With fewer than 10 rows it falls back to
        ``"ridge"``. ``"ridge"``: all costs, with a penalty chosen by leave-one-out.
        ``"nonnegative"``: nonnegative coefficients, without a penalty.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
        Seconds per unit of each cost.
    intercept_ : float
        Latency in seconds when all costs are 0.
    least_ : float
        Lower bound of the predictions, in seconds.

    Examples
    --------
    >>> model = RelativeLinearRegressor().fit([[1.0], [2.0], [4.0]], [2e-6, 3e-6, 5e-6])
    >>> model.predict([[3.0]]).round(8).tolist()
    [4e-06]
    """

    def __init__(self, method: str = "pursuit") -> None:
        self.method = method

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> RelativeLinearRegressor:
        """Fit the linear model.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Costs.
        y : array-like of shape (n_samples,)
            Latencies in seconds; must be positive.

        Returns
        -------
        RelativeLinearRegressor
            The estimator itself.

        Raises
        ------
        ValueError
            If `method` is unknown, or a latency is not positive.
        """
        check_parameters(self, _RULES)
        costs, latencies = self._checked(X, y)
        level = latencies.mean()
        weights = (level / latencies) ** 2
        scaler = StandardScaler().fit(costs, sample_weight=weights)
        target = latencies / level
        self.center_ = scaler.mean_
        if self.method == "nonnegative":
            law = LinearRegression(positive=True)
            law.fit(costs / scaler.scale_, target, sample_weight=weights)
            coefficients = law.coef_
            constant = law.intercept_ + coefficients @ (scaler.mean_ / scaler.scale_)
        else:
            constant = float(np.average(target, weights=weights))
            roots = np.sqrt(weights)
            rows = scaler.transform(costs) * roots[:, None]
            coefficients = _penalized(self.method, rows, (target - constant) * roots)
        self.coef_ = level * coefficients / scaler.scale_
        self.level_ = float(level * constant)
        self.least_ = float(LEAST_FRACTION * latencies.min())
        return self

    @property
    def intercept_(self) -> float:
        """Latency in seconds when all costs are 0."""
        return float(self.level_ - self.center_ @ self.coef_)

    def predict(self, X: npt.ArrayLike) -> Floats:
        """Predict latencies in seconds, shape (n_samples,)."""
        return self.law(self._checked_features(X))

    def law(self, costs: Array) -> Floats:
        """Return the predictions for costs that have already been checked."""
        used = np.flatnonzero(self.coef_)
        centered = np.take(costs, used, axis=1) - self.center_[used]
        return np.asarray(np.maximum(centered @ self.coef_[used] + self.level_, self.least_))


def ridge_line() -> Pipeline:
    """Return a ridge regression on standardized features, fitted by the absolute error."""
    return make_pipeline(StandardScaler(), RidgeCV(PENALTIES))


def _penalized(method: str, rows: Floats, target: Floats) -> Floats:
    """Return the coefficients fitted to centered, weighted rows."""
    if np.ptp(target) <= 1e-12:  # constant latencies, apart from rounding
        return np.zeros(rows.shape[1])
    if method == "pursuit" and len(rows) >= LEAST_ROWS:
        most = min(MOST_COSTS, rows.shape[1], len(rows) - -(-len(rows) // FOLDS) - 1)
        law = OrthogonalMatchingPursuitCV(cv=FOLDS, max_iter=most, fit_intercept=False)
        with warnings.catch_warnings():  # it ends early if no residual is left
            warnings.filterwarnings("ignore", message=r"\s*Orthogonal matching pursuit ended")
            return np.asarray(law.fit(rows, target).coef_)
    return np.asarray(RidgeCV(PENALTIES, fit_intercept=False).fit(rows, target).coef_)
