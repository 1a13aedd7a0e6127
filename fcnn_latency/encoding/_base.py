"""Base class of the encoders: checks and zero-pads the input."""

from __future__ import annotations

import re
from abc import abstractmethod
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from fcnn_latency._validation import (
    Array,
    Ints,
    Rule,
    check_parameters,
    or_none,
    whole,
)
from fcnn_latency.encoding._parallel import map_chunks
from fcnn_latency.spaces._fcnn import SPACE, FCNNSpace

#: Names of the columns that hold layer widths, in all encodings.
WIDTH_COLUMN = re.compile(r"(width_)?layer_\d+|fan_in_2|fan_out_\d+")


class WidthsEncoder(TransformerMixin, BaseEstimator):
    """Base class of the transformers from architectures to matrices.

    Architectures are passed as ragged sequences (``[[41, 41], [14, 21, 31, 14]]``), as zero-padded
    arrays or as DataFrames with the columns ``layer_1`` to ``layer_k``. A subclass has
    the parameters `space` and `signal_length`, extends `_rules` for further parameters, and
    implements `encode` and `get_feature_names_out`. `transform` checks its input and calls
    `encode` on the zero-padded widths.
    """

    space: FCNNSpace | None
    signal_length: int

    def _rules(self) -> dict[str, Rule]:
        """Return the rule for each parameter."""
        return {"space": or_none(SPACE), "signal_length": whole(1)}

    def fit(self, X: Any, y: Any = None) -> Self:
        """Check the parameters and the architectures.

        Parameters
        ----------
        X : sequence of sequences, array or DataFrame of shape (n_samples, <= max_layers)
            Architectures.
        y : ignored

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If a parameter is invalid, or a row is not an architecture of the space.
        """
        check_parameters(self, self._rules())
        self.space_: FCNNSpace = FCNNSpace() if self.space is None else self.space
        self._validate(X, reset=True)
        return self

    def transform(self, X: Any) -> Array:
        """Encode architectures.

        Parameters
        ----------
        X : sequence of sequences, array or DataFrame of shape (n_samples, <= max_layers)
            Architectures.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            Columns as named by `get_feature_names_out`.

        Raises
        ------
        ValueError
            If a row is not an architecture of the space, or the columns differ from those in `fit`.
        """
        check_is_fitted(self)
        return self.encode(self._validate(X, reset=False))

    @abstractmethod
    def encode(self, widths: Ints) -> Array:
        """Encode architectures that are known to lie in the space, such as enumerated ones.

        Parameters
        ----------
        widths : ndarray of int64, shape (n_samples, max_layers)
            Zero-padded widths, which are not checked.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            As returned by `transform`.
        """

    def inverse_transform(self, X: npt.ArrayLike) -> Ints:
        """Return the architectures of encoded rows.

        Parameters
        ----------
        X : array of shape (n_samples, n_features)
            Output of `transform`.

        Returns
        -------
        ndarray of int64, shape (n_samples, max_layers)
            Zero-padded widths.

        Raises
        ------
        ValueError
            If the features do not determine the widths (``"flops"``), or if the number of
            columns is not that of `get_feature_names_out`.
        """
        check_is_fitted(self)
        X = np.asarray(X)
        names = self.get_feature_names_out()
        if X.ndim != 2 or X.shape[1] != len(names):
            raise ValueError(
                f"Expected an array of shape (n_samples, {len(names)}). Got {X.shape} instead."
            )
        kept = [bool(WIDTH_COLUMN.fullmatch(name)) for name in names]
        if not any(kept):
            raise ValueError(
                'features="flops" cannot be inverted: many architectures share a FLOP count.'
            )
        return self.space_.validate(X[:, kept])

    def _validate(self, X: Any, *, reset: bool) -> Ints:
        """Return zero-padded widths of `X`; ragged lists have no number of columns to check."""
        # An object array of ragged rows has no number of columns either.
        if isinstance(X, np.ndarray) and X.dtype == object and X.ndim == 1:
            X = list(X)
        if isinstance(X, (list, tuple)):
            widths = self.space_.validate(X)
            if not len(widths):
                raise ValueError("Found array with 0 sample(s) while a minimum of 1 is required.")
            if reset:
                self.n_features_in_ = self.space_.max_layers
                self.__dict__.pop("feature_names_in_", None)
            return widths
        checked = validate_data(self, X, reset=reset, ensure_all_finite=False)
        if isinstance(X, pd.DataFrame):
            return self.space_.validate(X)
        try:
            return map_chunks(self.space_.validate, checked)
        except ValueError:
            return self.space_.validate(checked)  # names the row of the whole array, not of a chunk

    def __sklearn_tags__(self) -> Any:
        """Return the tags: widths are not negative; fitting is required."""
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = True
        tags.requires_fit = True
        return tags
