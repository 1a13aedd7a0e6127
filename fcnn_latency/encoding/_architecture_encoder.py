"""Transformer from architectures to matrices, the first step of every pipeline."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import check_is_fitted

from fcnn_latency._validation import (
    Array,
    Floats32,
    Ints,
    Rule,
    are_whole,
    choice,
    or_none,
)
from fcnn_latency.encoding._base import WidthsEncoder
from fcnn_latency.encoding._graphs import architecture_graphs, graph_feature_names, graphs_to_matrix
from fcnn_latency.encoding._parallel import map_chunks
from fcnn_latency.encoding._tiles import TILE_FEATURES, tile_costs
from fcnn_latency.networks._kernels import register_tile
from fcnn_latency.networks._layers import layer_costs, layer_shapes, signal_rows
from fcnn_latency.spaces._fcnn import FCNNSpace

#: The values of `features`.
FEATURES = ("widths", "costs", "flops", "tiles", "layers", "graph")


class ArchitectureEncoder(WidthsEncoder):
    """Encode architectures as the feature matrix of an estimator.

    Architectures are passed as ragged sequences (``[[41, 41], [14, 21, 31, 14]]``), as zero-padded
    arrays or as DataFrames with the columns ``layer_1`` to ``layer_k``.

    Parameters
    ----------
    space : FCNNSpace or None, default=None
        Space that must contain the architectures; None means ``FCNNSpace()``.
    features : {"widths", "costs", "flops", "tiles", "layers", "graph"}, default="widths"
        ``"widths"``: zero-padded widths, the encoding of Beglaryan and Ringhofer (2023),
        section IV-A. ``"costs"``: the widths, followed by depth, rows of the workload, whether a
        layer has a single neuron (other code computes its product, a vector product), and
        multiply-accumulates, parameters, activations and bytes moved, for each layer and in total.
        ``"flops"``: one column, the floating-point operations of one inference (two for each
        multiply-accumulate). ``"tiles"``: the widths, followed by the costs of a blocked matrix
        product, summed over layers (see `tile_costs`); float32. ``"layers"``: rows, inputs and
        outputs of each layer, a flattened tensor of shape (layers, 3), with zeros for missing
        layers. ``"graph"``: node features and adjacency, as returned by `GraphEncoder`.
    signal_length : int, default=50
        Number of values that one inference reads; determines the rows of the workload.
    tile : (int, int) or None, default=None
        Rows and columns of the register block for ``"tiles"``. None means the block of the CPU on
        which `fit` runs (see `register_tile`). For labels from another machine, pass the block of
        that machine.

    Attributes
    ----------
    space_ : FCNNSpace
        The given space, or ``FCNNSpace()``.
    tile_ : (int, int)
        The given register block, or that of this CPU.
    n_features_in_ : int
        Number of columns seen in `fit`; ``space_.max_layers`` for ragged input.

    Raises
    ------
    ValueError
        In `fit` and `transform`, if a row is not an architecture of the space; the message
        names the row, the layer and the valid values.

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

    def _rules(self) -> dict[str, Rule]:
        sizes = Rule("two whole numbers of at least 1", lambda tile: are_whole(tile, 2))
        return {**super()._rules(), "features": choice(FEATURES), "tile": or_none(sizes)}

    def fit(self, X: Any, y: Any = None) -> Self:
        """Check the parameters and the architectures, and remember the space."""
        super().fit(X)
        rows, columns = register_tile() if self.tile is None else self.tile
        self.tile_: tuple[int, int] = (int(rows), int(columns))
        return self

    def encode(self, widths: Ints) -> Array:
        """Encode zero-padded widths without checking them.

        The result is float64, except float32 for ``"tiles"``.
        """
        if self.features == "widths":
            return widths.astype(np.float64)
        if self.features == "tiles":
            return map_chunks(self._tiles, widths)
        if self.features == "layers":
            shapes = layer_shapes(widths, self.signal_length)
            return shapes.reshape(len(widths), -1).astype(np.float64)
        if self.features == "graph":
            return graphs_to_matrix(*architecture_graphs(widths, self.signal_length))
        costs = layer_costs(widths, self.signal_length)
        totals = [cost.sum(axis=1, keepdims=True) for cost in costs.values()]
        if self.features == "flops":
            return np.asarray(2.0 * totals[0])
        depth = np.count_nonzero(widths, axis=1)[:, None]
        rows = signal_rows(widths[:, :1], self.signal_length)
        parts = [widths, depth, rows, widths == 1, *costs.values(), *totals]
        return np.hstack(parts).astype(np.float64)

    def _tiles(self, widths: Ints) -> Floats32:
        costs = tile_costs(widths, self.signal_length, self.tile_)
        return np.concatenate([widths.astype(np.float32), costs], axis=1)

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """Return the names of the columns that `transform` returns.

        Parameters
        ----------
        input_features : ignored
            The columns do not depend on the names of the input.

        Returns
        -------
        ndarray of str, shape (n_features,)
        """
        check_is_fitted(self)
        layers = range(1, self.space_.max_layers + 1)
        sizes, kinds = ("rows", "fan_in", "fan_out"), ("macs", "parameters", "activations", "bytes")
        widths = [f"layer_{layer}" for layer in layers]
        single = [f"single_{layer}" for layer in layers]
        costs = [f"{kind}_{layer}" for kind in kinds for layer in layers[1:]]
        names = {
            "widths": widths,
            "costs": [*widths, "depth", "rows", *single, *costs, *kinds],
            "flops": ["flops"],
            "tiles": [*widths, *TILE_FEATURES],
            "layers": [f"{size}_{layer}" for layer in layers[1:] for size in sizes],
            "graph": graph_feature_names(self.space_.max_layers),
        }
        return np.array(names[self.features], dtype=object)

    def __sklearn_tags__(self) -> Any:
        """Return the tags: tiles are float32 for any input."""
        tags = super().__sklearn_tags__()
        if self.features == "tiles":
            tags.transformer_tags.preserves_dtype = []
        return tags
