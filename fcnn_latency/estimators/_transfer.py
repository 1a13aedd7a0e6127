"""Adaptation of a predictor to another machine or runtime with a few measurements."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import clone
from sklearn.linear_model import RidgeCV
from sklearn.utils.validation import check_is_fitted

from fcnn_latency._validation import Floats, check_latencies, check_parameters, whole
from fcnn_latency.estimators._base import WidthsRegressor
from fcnn_latency.networks._kernels import TRANSFER_TILES
from fcnn_latency.networks._layers import Layers, layers_of
from fcnn_latency.spaces._widths import pad_widths

#: Candidate penalties; they apply to standardized columns.
PENALTIES = np.logspace(-5, 1, 13)
#: Scale of the columns with almost no penalty: the constant and the number of layers.
FREE = 100.0
#: Linear models with less weight than this are dropped.
LEAST_WEIGHT = 0.01
LEAST_ROWS = 5
#: Number of columns that all linear models share.
SHARED = 5


class TransferRegressor(WidthsRegressor):
    """Latency model for another machine or runtime, from 10 to 50 measurements there.

    Latency is modelled as linear in these features, summed over layers:

    - the number of layers,
    - the number of layers that write a single neuron,
    - the values written,
    - the number of vector products (layers of a workload of one row, which other code computes),
    - the weights of these vector products,
    - the work and the number of the blocks in which a matrix product is computed,

    and in the prediction of the source. Neither the block size nor the usefulness of the source is
    known beforehand. So each block size of a table, with and without the source, gives one linear
    model: a ridge regression that minimizes relative errors, with a penalty chosen by
    leave-one-out. The models are averaged with weights from their leave-one-out errors
    (pseudo-Bayesian model averaging: Geisser and Eddy, "A predictive approach to model selection",
    1979). The average is again one linear model. A source without information about the target
    does almost no harm; an example is Keras, whose overhead hides the arithmetic.

    The choice of the measured architectures matters more than the source: see
    `select_for_transfer`.

    Parameters
    ----------
    source : estimator or None, default=None
        Fitted regressor or pipeline for the original machine or runtime. It is never fitted again,
        and `sklearn.base.clone` keeps it unchanged. None fits the target without a source.
    signal_length : int, default=50
        Number of values that one inference reads; determines the rows of the workload.

    Attributes
    ----------
    tiles_ : ndarray of int, shape (n_tiles, 2)
        Block sizes (rows, outputs) of the models that are kept.
    intercept_ : float
        Latency of an inference without layers, in seconds.
    coef_ : ndarray of shape (5 + 2 * n_tiles,)
        Seconds per layer, per layer that writes a single neuron, per value written, per vector
        product and per weight of a vector product; then, for each of `tiles_`, seconds per unit of
        work and per block.
    source_coef_ : float
        Seconds per second predicted by the source; 0 without a source.
    source_weight_ : float
        Total weight of the models with the source: 1 if they are better, 0 if they are worse,
        about 0.5 if the source makes no difference.

    Raises
    ------
    ValueError
        In `fit`, if the data are invalid, a latency is not positive, or there are fewer than 5
        rows.
    sklearn.exceptions.NotFittedError
        In `fit`, if the source is not fitted.

    Examples
    --------
    >>> from fcnn_latency import TransferRegressor, make_latency_pipeline
    >>> X = [[width, 10, width] for width in range(10, 50, 2)]
    >>> source = make_latency_pipeline("flops").fit(X, [1e-6 + 1e-8 * w[0] for w in X])
    >>> adapted = TransferRegressor(source).fit(X[::2], [3e-6 + 2e-8 * w[0] for w in X[::2]])
    >>> adapted.predict([[25, 10, 25]]).round(7).tolist()
    [3.5e-06]
    """

    def __init__(self, source: Any = None, *, signal_length: int = 50) -> None:
        self.source = source
        self.signal_length = signal_length

    def fit(self, X: Any, y: npt.ArrayLike) -> TransferRegressor:
        """Fit the model to measurements of the target.

        Parameters
        ----------
        X : sequence of sequences, array or DataFrame of shape (n_samples, max_layers)
            Architectures, ragged or zero-padded, as the source accepts them.
        y : array-like of shape (n_samples,)
            Their latencies in seconds on the target; must be positive.

        Returns
        -------
        TransferRegressor
            The estimator itself.
        """
        check_parameters(self, {"signal_length": whole(1)})
        padded = _pad_ragged(X, None)
        limits = {"ensure_min_samples": LEAST_ROWS, "ensure_min_features": 1}
        widths, latencies = self._checked(padded, y, **limits)
        check_latencies(latencies, self)
        sources = [np.zeros((len(latencies), 0))]
        if self.source is not None:
            check_is_fitted(self.source)
            sources.append(np.asarray(self.source.predict(X), dtype=np.float64)[:, None])
        layers, laws = layers_of(widths, self.signal_length), []
        for tile in TRANSFER_TILES:
            columns = _columns(layers, [tile])
            for source in sources:
                law = _fit_law(np.hstack([columns, source]), latencies)
                laws.append((tile, source.shape[1] == 1, *law))
        self._average(laws, len(latencies))
        return self

    def predict(self, X: Any) -> Floats:
        """Predict latencies of the target in seconds, shape (n_samples,)."""
        check_is_fitted(self)
        layers = self._layers(_pad_ragged(X, self.n_features_in_))
        predicted: Floats = self.intercept_ + _columns(layers, self.tiles_) @ self.coef_
        if self.source_coef_:
            predicted = predicted + self.source_coef_ * np.asarray(self.source.predict(X))
        return predicted

    def _average(self, laws: list[Any], n_samples: int) -> None:
        errors = np.array([law[2] for law in laws])
        likelihoods = -0.5 * n_samples * np.log(np.maximum(errors, 1e-20))
        weights = np.exp(likelihoods - likelihoods.max())
        weights[weights < LEAST_WEIGHT * weights.sum()] = 0
        weights /= weights.sum()
        kept = [(weight, law) for weight, law in zip(weights, laws, strict=True) if weight]
        self.tiles_ = np.array(sorted({law[0] for _, law in kept}))
        self.intercept_, self.source_coef_, self.source_weight_ = 0.0, 0.0, 0.0
        self.coef_ = np.zeros(SHARED + 2 * len(self.tiles_))
        for weight, (tile, has_source, _, intercept, coef) in kept:
            place = SHARED + 2 * int(np.argmax((self.tiles_ == tile).all(axis=1)))
            self.intercept_ += float(weight * intercept)
            self.coef_[:SHARED] += weight * coef[:SHARED]
            self.coef_[place : place + 2] += weight * coef[SHARED : SHARED + 2]
            if has_source:
                self.source_coef_ += float(weight * coef[-1])
                self.source_weight_ += float(weight)

    def __sklearn_clone__(self) -> TransferRegressor:
        """Return an unfitted copy with the same source object, like `FrozenEstimator`."""
        parameters = self.get_params(deep=False)
        source = parameters.pop("source")
        return type(self)(source, **{name: clone(v, safe=False) for name, v in parameters.items()})

    def __sklearn_tags__(self) -> Any:
        """Return the tags: latencies must be positive."""
        tags = super().__sklearn_tags__()
        tags.target_tags.positive_only = True
        return tags


def _pad_ragged(X: Any, max_layers: int | None) -> Any:
    """Return ragged rows padded to `max_layers` columns, or to the longest row if it is None."""
    if not isinstance(X, list | tuple) or not all(isinstance(row, list | tuple) for row in X):
        return X
    lengths = {len(row) for row in X}
    wanted = max_layers or max(lengths, default=0)
    return X if lengths <= {wanted} else pad_widths(X, wanted)


def _columns(layers: Layers, tiles: Any) -> Floats:
    """Return the features of the linear models, shape (n, 5 + 2 * n_tiles).

    The columns are: layers, layers that write a single neuron, values written, vector products and
    their weights; then, for each tile, the work and the number of its blocks. A block computes a
    tile of sums with one term for each input.
    """
    vector = layers.rows == 1
    weights = vector * layers.fan_in * layers.fan_out
    columns = [layers.fan_out > 0, layers.fan_out == 1, layers.activations, vector, weights]
    for rows, outputs in tiles:
        blocks = np.ceil(layers.rows / rows) * np.ceil(layers.fan_out / outputs)
        columns += [blocks * layers.fan_in, blocks]
    return np.column_stack([column.sum(axis=1) for column in columns]).astype(np.float64)


def _fit_law(columns: Floats, latencies: Floats) -> tuple[float, float, Floats]:
    """Return the mean squared relative leave-one-out error, intercept and coefficients.

    Intercept and coefficients are in seconds.
    """
    means, scales = columns.mean(axis=0), columns.std(axis=0)
    scales = np.where(scales > 0, scales, np.inf)  # a constant column has no effect
    scales[0] /= FREE
    constant = np.full((len(columns), 1), FREE)
    design = np.hstack([constant, (columns - means) / scales]) / latencies[:, None]
    typical = latencies.mean()
    ridge = RidgeCV(PENALTIES, fit_intercept=False, gcv_mode="svd")
    ridge.fit(design * typical, np.ones(len(latencies)))
    coef: Floats = ridge.coef_[1:] / scales * typical
    return -float(ridge.best_score_), float(ridge.coef_[0] * FREE * typical - means @ coef), coef
