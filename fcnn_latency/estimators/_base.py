"""Shared by the estimators: data checks, tags, feature scaling and error weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted, check_non_negative, validate_data

from fcnn_latency._validation import Array, Floats, check_latencies
from fcnn_latency.networks._layers import Layers, layers_of

#: Fewest columns of widths: input and output.
LEAST_COLUMNS = 2
#: Labels below this fraction of the mean label get the weight of a label of this size.
LEAST_LABEL = 1e-3


class FeatureRegressor(RegressorMixin, BaseEstimator):
    """Base class of the estimators that read encoded architectures; latencies are positive."""

    def _checked(self, X: npt.ArrayLike, y: npt.ArrayLike) -> tuple[Floats, Floats]:
        """Return validated features and latencies for `fit`."""
        features, latencies = validate_data(self, X, y, dtype=np.float64, y_numeric=True)
        self._check_latencies(latencies)
        return features, latencies

    def _check_latencies(self, latencies: Floats) -> None:
        if get_tags(self).target_tags.positive_only:
            check_latencies(latencies, self)

    def _checked_features(self, X: npt.ArrayLike) -> Array:
        """Return validated features for `predict`."""
        check_is_fitted(self)
        features: Array = validate_data(self, X, dtype=[np.float64, np.float32], reset=False)
        return features

    def __sklearn_tags__(self) -> Any:
        """Return the tags: latencies must be positive."""
        tags = super().__sklearn_tags__()
        tags.target_tags.positive_only = True
        return tags


class WidthsRegressor(RegressorMixin, BaseEstimator):
    """Base class of the estimators that read zero-padded widths."""

    signal_length: int

    def _checked(self, X: Any, y: Any, **limits: int) -> tuple[Floats, Floats]:
        """Return validated widths and labels for `fit`; limits are passed to `validate_data`."""
        limits = {"ensure_min_features": LEAST_COLUMNS, **limits}
        widths, labels = validate_data(self, X, y, dtype=np.float64, y_numeric=True, **limits)
        check_non_negative(widths, type(self).__name__)
        return widths, np.asarray(labels, dtype=np.float64)

    def _checked_widths(self, X: Any, *, reset: bool = False) -> Floats:
        """Return validated widths for `predict`, or with ``reset=True`` for a `fit` without y."""
        if not reset:
            check_is_fitted(self)
        least = LEAST_COLUMNS if reset else 1  # in predict, let the wrong column count raise
        widths: Floats = validate_data(
            self, X, reset=reset, dtype=np.float64, ensure_min_features=least
        )
        check_non_negative(widths, type(self).__name__)
        return widths

    def _layers(self, X: Any) -> Layers:
        """Return the layers of the widths passed to `predict`."""
        return layers_of(self._checked_widths(X), self.signal_length)

    def __sklearn_tags__(self) -> Any:
        """Return the tags: widths are not negative; data that are no networks fit poorly."""
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = True
        tags.regressor_tags.poor_score = True
        return tags


def compress(X: Array) -> Array:
    """Return sign(x) log(1 + abs(x)) of each value, since costs span several decades."""
    compressed: Array = np.abs(X)
    np.log1p(compressed, out=compressed)
    if (X < 0).any():  # costs are never negative
        np.copysign(compressed, X, out=compressed)
    return compressed


def relative_weights(y: Floats) -> Floats:
    r"""Return the weights 1 / \|y\| that make errors relative, bounded where y is close to 0."""
    size = np.abs(y)
    return np.asarray(1.0 / np.maximum(size, LEAST_LABEL * size.mean() or 1.0))


def weight_of(correction: Array, wanted: Array) -> float:
    """Return the least-squares weight in [0, 1] of a correction predicted on unseen rows."""
    power = float(correction @ correction)
    return float(np.clip(wanted @ correction / power, 0, 1)) if power > 0 else 0.0
