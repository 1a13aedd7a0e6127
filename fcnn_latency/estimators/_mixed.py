"""Linear model of costs, corrected by a statistical model: the stacked model of ANNETTE."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.model_selection import KFold, cross_val_predict
from sklearn.utils import check_random_state
from threadpoolctl import threadpool_limits

from fcnn_latency._validation import Floats, check_latencies, check_parameters, whole
from fcnn_latency.estimators._base import FeatureRegressor, weight_of
from fcnn_latency.estimators._linear import RelativeLinearRegressor

#: Parameters that avoid fitting noise: few leaves and a penalty on each.
SMALL_TREES = {
    "max_iter": 200,
    "learning_rate": 0.05,
    "max_leaf_nodes": 8,
    "l2_regularization": 1.0,
}


class MixedLatencyRegressor(FeatureRegressor):
    """Analytical latency model, corrected by a statistical model of its log-residual.

    This is a mixed model as in Wess et al., "ANNETTE: Accurate neural network execution time
    estimation with stacked models" (2021), section IV-C: y = a(X) exp(w c(X)). The correction c
    learns log(y / a(X)). Its weight w in [0, 1] is the least-squares weight of its out-of-fold
    predictions, so a correction that only learns noise is left out. This is stacking as in Wolpert,
    "Stacked generalization" (1992).

    Parameters
    ----------
    analytical : {"pursuit", "ridge", "nonnegative"} or estimator, default="pursuit"
        The analytical part a. A name means `RelativeLinearRegressor` with this method.
    correction : estimator or None, default=None
        The statistical part c. None means scikit-learn's `HistGradientBoostingRegressor` with
        small trees.
    cv : int, default=5
        Number of folds for the weight of the correction. With fewer than ``2 * cv`` rows there is
        no correction.
    random_state : int, RandomState or None, default=None
        Seed of the folds and of the default correction.

    Attributes
    ----------
    analytical_ : estimator
        The fitted analytical part.
    correction_ : estimator or None
        The fitted statistical part; None if its weight is 0.
    weight_ : float
        Weight of the correction, in [0, 1].

    Examples
    --------
    >>> import numpy as np
    >>> costs = np.random.default_rng(0).uniform(1, 2, (80, 2))
    >>> latencies = 1e-6 * costs @ [1, 2] * np.where(costs[:, 0] > 1.5, 1.2, 1.0)
    >>> model = MixedLatencyRegressor(random_state=0).fit(costs, latencies)
    >>> bool(model.weight_ > 0.5)
    True
    """

    def __init__(
        self,
        analytical: Any = "pursuit",
        correction: Any = None,
        *,
        cv: int = 5,
        random_state: Any = None,
    ) -> None:
        self.analytical = analytical
        self.correction = correction
        self.cv = cv
        self.random_state = random_state

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> MixedLatencyRegressor:
        """Fit the analytical part, then the correction and its weight.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Encoded architectures.
        y : array-like of shape (n_samples,)
            Latencies in seconds; must be positive.

        Returns
        -------
        MixedLatencyRegressor
            The estimator itself.

        Raises
        ------
        ValueError
            If a parameter is invalid, or a latency is not positive.
        """
        check_parameters(self, {"cv": whole(2)})
        encoded, latencies = self._checked(X, y)
        # With so few rows, OpenMP threads cost more than they gain, above all on a busy machine.
        with threadpool_limits(1, user_api="openmp"):
            return self._fit(encoded, latencies)

    def _fit(self, encoded: Floats, latencies: Floats) -> MixedLatencyRegressor:
        seed = check_random_state(self.random_state).randint(2**31 - 1)
        analytical = self.analytical
        if isinstance(analytical, str):
            analytical = RelativeLinearRegressor(analytical)
        self.analytical_: Any = clone(analytical).fit(encoded, latencies)
        law = self.analytical_.predict(encoded)
        check_latencies(law, self.analytical_)
        residual = np.log(latencies / law)
        correction = self.correction
        if correction is None:
            correction = HistGradientBoostingRegressor(**SMALL_TREES, random_state=seed)
        self.weight_: float = self._weigh(correction, encoded, residual, seed)
        self.correction_: Any = clone(correction).fit(encoded, residual) if self.weight_ else None
        return self

    def _weigh(self, correction: Any, encoded: Floats, residual: Floats, seed: int) -> float:
        if len(encoded) < 2 * self.cv:
            return 0.0
        folds = KFold(int(self.cv), shuffle=True, random_state=seed)
        return weight_of(cross_val_predict(correction, encoded, residual, cv=folds), residual)

    def predict(self, X: npt.ArrayLike) -> Floats:
        """Predict latencies in seconds, shape (n_samples,)."""
        encoded = self._checked_features(X)
        predicted = np.asarray(self.analytical_.predict(encoded), dtype=np.float64)
        if self.correction_ is not None:
            predicted *= np.exp(self.weight_ * self.correction_.predict(encoded))
        return predicted
