"""What the encoders of architectures share: their input, checked and zero-padded."""

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

#: Names of the columns that hold the width of a layer, in whatever form.
WIDTH_COLUMN = re.compile(r"(width_)?layer_\d+|fan_in_2|fan_out_\d+")


class WidthsEncoder(TransformerMixin, BaseEstimator):
    """Base of the transformers from architectures to matrices.

    Architectures come as ragged sequences (``[[41, 41], [14, 21, 31, 14]]``), as zero-padded
    arrays or as DataFrames with the columns ``layer_1`` to ``layer_k``. A subclass has the
    parameters `space` and `signal_length`, further `_rules`, and encodes zero-padded widths in
    `encode`, which is all that `transform` does after checking its input. It names the columns in
    `get_feature_names_out`.
    """

    space: FCNNSpace | None
    signal_length: int

    def _rules(self) -> dict[str, Rule]:
        """What the parameters must be."""
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
        """
        check_is_fitted(self)
        return self.encode(self._validate(X, reset=False))

    @abstractmethod
    def encode(self, widths: Ints) -> Array:
        """Encode architectures that are known to lie in the space, as those it enumerates.

        Parameters
        ----------
        widths : ndarray of int64, shape (n_samples, max_layers)
            Zero-padded widths, which are not checked.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            As from `transform`.
        """

    def inverse_transform(self, X: npt.ArrayLike) -> Ints:
        """Read the architectures back from their encoding.

        Parameters
        ----------
        X : array of shape (n_samples, n_features)
            What `transform` returned.

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
        """Zero-padded widths of `X`; ragged lists have no fixed number of columns to check."""
        # Ragged rows in an object array have no columns either.
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
            return self.space_.validate(checked)  # names the row of the whole

    def __sklearn_tags__(self) -> Any:
        """Widths are whole numbers, never negative; rows may differ in length."""
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = True
        tags.requires_fit = True
        return tags
