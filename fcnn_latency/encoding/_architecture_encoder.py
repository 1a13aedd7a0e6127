"""Architectures to matrices: the transformer that every pipeline starts with."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from fcnn_latency._parallel import map_blocks
from fcnn_latency.encoding._graphs import architecture_graphs, graph_feature_names, graphs_to_matrix
from fcnn_latency.encoding._tiles import TILE_FEATURES, register_tile, tile_costs
from fcnn_latency.networks._layers import layer_costs, layer_shapes, signal_rows
from fcnn_latency.spaces._fcnn import FCNNSpace

__all__ = ["FEATURES", "ArchitectureEncoder"]

#: The values of `features`.
FEATURES = ("widths", "costs", "flops", "tiles", "layers", "graph")


class ArchitectureEncoder(TransformerMixin, BaseEstimator):
    """Encode architectures as the matrix that an estimator learns from.

    Architectures come as ragged sequences (``[[41, 41], [14, 21, 31, 14]]``), as zero-padded
    arrays or as DataFrames with the columns ``layer_1`` to ``layer_k``.

    Parameters
    ----------
    space : FCNNSpace or None, default=None
        The space that the architectures must lie in; None is ``FCNNSpace()``.
    features : {"widths", "costs", "flops", "tiles", "layers", "graph"}, default="widths"
        ``"widths"``: zero-padded widths, the encoding of Beglaryan and Ringhofer (2023),
        section IV-A. ``"costs"``: the widths, then what latency depends on: depth, rows of the
        workload, whether a layer has a single neuron (its product is one of vectors, which other
        code computes), and multiply-accumulates, parameters, activations and bytes moved of each
        layer and in total. ``"flops"``: one column, floating-point operations of one
        inference (two for each multiply-accumulate). ``"tiles"``: the widths, then what the layers
        cost together as a blocked matrix product sees them (see `tile_costs`),
        float32. ``"layers"``: a tensor of shape (layers, 3), rows, inputs and outputs of each
        layer, flattened, zero where an architecture has no such layer. ``"graph"``: node features
        and adjacency, as from `GraphEncoder`.
    signal_length : int, default=50
        Values that one inference reads; sets the rows of the workload.
    tile : (int, int) or None, default=None
        Rows and columns of the register block that ``"tiles"`` counts in; None is that of the CPU
        on which `fit` runs (see `register_tile`). For labels of another machine
        give that machine's.

    Attributes
    ----------
    space_ : FCNNSpace
        The space in force.
    tile_ : (int, int)
        The register block in force.
    n_features_in_ : int
        Columns of the array or frame seen in `fit`; ``space_.max_layers`` for ragged input.

    Raises
    ------
    ValueError
        In `fit` and `transform`, if a row is not an architecture of the space; the message
        names the row, the layer and what would be right.

    Examples
    --------
    >>> encoder = ArchitectureEncoder().fit([[41, 41]])
    >>> encoder.transform([[41, 41], [14, 21, 31, 14]])
    array([[41., 41.,  0.,  0.,  0.],
           [14., 21., 31., 14.,  0.]])
    >>> ArchitectureEncoder(features="flops").fit_transform([[41, 41]])
    array([[6724.]])
    """

    def __init__(
        self,
        space: FCNNSpace | None = None,
        features: str = "widths",
        signal_length: int = 50,
        tile: tuple[int, int] | None = None,
    ) -> None:
        self.space = space
        self.features = features
        self.signal_length = signal_length
        self.tile = tile

    def fit(self, X: Any, y: Any = None) -> ArchitectureEncoder:
        """Check the parameters and the architectures.

        Parameters
        ----------
        X : sequence of sequences, array or DataFrame of shape (n_samples, <= max_layers)
            Architectures.
        y : ignored

        Returns
        -------
        ArchitectureEncoder
            Itself.
        """
        if self.space is not None and not isinstance(self.space, FCNNSpace):
            raise ValueError(_wrong(self, "space", "an FCNNSpace or None", self.space))
        if self.features not in FEATURES:
            raise ValueError(_wrong(self, "features", f"one of {list(FEATURES)}", self.features))
        length = self.signal_length
        if not isinstance(length, numbers.Integral) or length < 1:
            raise ValueError(_wrong(self, "signal_length", "a whole number of at least 1", length))
        if self.tile is not None and not _is_tile(self.tile):
            expected = "two whole numbers of at least 1, or None"
            raise ValueError(_wrong(self, "tile", expected, self.tile))
        self.tile_: tuple[int, int] = register_tile() if self.tile is None else tuple(self.tile)
        self.space_: FCNNSpace = FCNNSpace() if self.space is None else self.space
        self._validate(X, reset=True)
        return self

    def transform(self, X: Any) -> npt.NDArray[np.float64]:
        """Encode architectures.

        Parameters
        ----------
        X : sequence of sequences, array or DataFrame of shape (n_samples, <= max_layers)
            Architectures.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            Columns as named by `get_feature_names_out`; float64, but float32 for ``"tiles"``.
        """
        check_is_fitted(self)
        return self.encode(self._validate(X, reset=False))

    def encode(self, widths: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
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
        if self.features == "widths":
            return widths.astype(np.float64)
        if self.features == "tiles":
            return map_blocks(self._tiles, widths)
        if self.features == "layers":
            shapes = layer_shapes(widths, self.signal_length)
            return shapes.reshape(len(widths), -1).astype(np.float64)
        if self.features == "graph":
            return graphs_to_matrix(*architecture_graphs(widths, self.signal_length))
        costs = layer_costs(widths, self.signal_length)
        totals = [cost.sum(axis=1, keepdims=True) for cost in costs.values()]
        if self.features == "flops":
            flops: npt.NDArray[np.float64] = 2.0 * totals[0]
            return flops
        depth = np.count_nonzero(widths, axis=1)[:, None]
        rows = signal_rows(widths[:, :1], self.signal_length)
        parts = [widths, depth, rows, widths == 1, *costs.values(), *totals]
        return np.hstack(parts).astype(np.float64)

    def _tiles(self, widths: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        costs = tile_costs(widths, self.signal_length, self.tile_)
        encoded = np.empty((len(widths), widths.shape[1] + costs.shape[1]), dtype=np.float32)
        encoded[:, : widths.shape[1]] = widths
        encoded[:, widths.shape[1] :] = costs
        return encoded

    def inverse_transform(self, X: npt.ArrayLike) -> npt.NDArray[np.int64]:
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
            If `features` is ``"flops"``, which does not tell the widths, or if the number of
            columns is not that of `get_feature_names_out`.
        """
        check_is_fitted(self)
        if self.features == "flops":
            msg = 'features="flops" cannot be inverted: many architectures share a FLOP count.'
            raise ValueError(msg)
        X = np.asarray(X)
        names = self.get_feature_names_out()
        expected = len(names)
        if X.ndim != 2 or X.shape[1] != expected:
            msg = f"Expected an array of shape (n_samples, {expected}). Got {X.shape} instead."
            raise ValueError(msg)
        if self.features == "layers":
            shapes = X.reshape(len(X), -1, 3)
            return self.space_.validate(np.hstack([shapes[:, :1, 1], shapes[:, :, 2]]))
        if self.features == "graph":
            X = X[:, [name.startswith("width_layer_") for name in names]]
        return self.space_.validate(X[:, : self.space_.max_layers])

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """Names of the columns that `transform` returns.

        Parameters
        ----------
        input_features : ignored
            The columns do not depend on the names of the input.

        Returns
        -------
        ndarray of str, shape (n_features,)
        """
        check_is_fitted(self)
        if self.features == "flops":
            return np.array(["flops"], dtype=object)
        if self.features == "graph":
            return graph_feature_names(self.space_.max_layers)
        layers = range(1, self.space_.max_layers + 1)
        if self.features == "layers":
            shape = ("rows", "fan_in", "fan_out")
            return np.array([f"{k}_{layer}" for layer in layers[1:] for k in shape], dtype=object)
        names = [f"layer_{layer}" for layer in layers]
        if self.features == "costs":
            kinds = ("macs", "parameters", "activations", "bytes")
            names += ["depth", "rows"]
            names += [f"single_{layer}" for layer in layers]
            names += [f"{kind}_{layer}" for kind in kinds for layer in layers[1:]]
            names += list(kinds)
        if self.features == "tiles":
            names += TILE_FEATURES
        return np.array(names, dtype=object)

    def _validate(self, X: Any, *, reset: bool) -> npt.NDArray[np.int64]:
        """Zero-padded widths of `X`; ragged lists have no fixed number of columns to check."""
        if isinstance(X, (list, tuple)):
            widths = self.space_.validate(X)
            if not len(widths):
                msg = "Found array with 0 sample(s) while a minimum of 1 is required."
                raise ValueError(msg)
            if reset:
                self.n_features_in_ = self.space_.max_layers
                self.__dict__.pop("feature_names_in_", None)
            return widths
        # Ragged rows in an object array have no columns either.
        if isinstance(X, np.ndarray) and X.dtype == object and X.ndim == 1:
            return self._validate(list(X), reset=reset)
        if not isinstance(X, np.ndarray) or X.dtype.kind not in "biuf":
            checked = validate_data(self, X, reset=reset, ensure_all_finite=False)
        else:
            checked = validate_data(self, X, reset=reset, dtype=None, ensure_all_finite=False)
        if isinstance(X, pd.DataFrame):
            return self.space_.validate(X)
        try:
            return map_blocks(self.space_.validate, checked)
        except ValueError:
            return self.space_.validate(checked)  # names the row of the whole

    def __sklearn_tags__(self) -> Any:
        """Widths are whole numbers, never negative; rows may differ in length."""
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = True
        tags.requires_fit = True
        if self.features == "tiles":
            tags.transformer_tags.preserves_dtype = []
        return tags


def _is_tile(value: object) -> bool:
    return (
        isinstance(value, tuple | list)
        and len(value) == 2
        and all(isinstance(v, int | np.integer) and v >= 1 for v in value)
    )


def _wrong(encoder: Any, name: str, expected: str, got: object) -> str:
    owner = type(encoder).__name__
    return f"The '{name}' parameter of {owner} must be {expected}. Got {got!r} instead."
