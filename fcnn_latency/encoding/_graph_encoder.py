"""Transformer from architectures to graphs, for `GraphConvolutionRegressor`."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import check_is_fitted

from fcnn_latency._validation import BOOLEAN, Floats, Ints, Rule
from fcnn_latency.encoding._base import WidthsEncoder
from fcnn_latency.encoding._graphs import (
    NODE_FEATURES,
    architecture_graphs,
    graph_feature_names,
    graphs_to_matrix,
)
from fcnn_latency.spaces._fcnn import FCNNSpace


class GraphEncoder(WidthsEncoder):
    """Encode architectures as graphs with a node for each layer, padded to equal size.

    A row holds the features of the global node, of layer 1 and so on, followed by the rows of the
    adjacency, as returned by `graphs_to_matrix`. Architectures are passed and checked as in
    `ArchitectureEncoder`. Its ``features="graph"`` equals this encoder with default parameters.

    Parameters
    ----------
    space : FCNNSpace or None, default=None
        Space that must contain the architectures; None means ``FCNNSpace()``.
    signal_length : int, default=50
        Number of values that one inference reads; determines the rows of the workload.
    global_node : bool, default=True
        Whether to add a first node with an edge to every layer (Dudziak et al., "BRP-NAS:
        Prediction-based NAS using GCNs", 2020, section 3.1).
    normalize : bool, default=False
        Whether to divide the rows of the adjacency by their sums.

    Attributes
    ----------
    space_ : FCNNSpace
        The given space, or ``FCNNSpace()``.
    n_nodes_ : int
        Number of nodes: ``space_.max_layers``, plus one with a global node.
    n_node_features_ : int
        Number of features of a node: 20, plus one with a global node.
    n_features_in_ : int
        Number of columns seen in `fit`; ``space_.max_layers`` for ragged input.

    Raises
    ------
    ValueError
        In `fit` and `transform`, if a row is not an architecture of the space; the message
        names the row, the layer and the valid values.

    Examples
    --------
    >>> encoder = GraphEncoder(FCNNSpace(max_layers=3)).fit([[41, 41]])
    >>> encoder.transform([[41, 41], [14, 21, 14]]).shape
    (2, 100)
    >>> encoder.n_nodes_, encoder.n_node_features_
    (4, 21)
    """

    def __init__(
        self,
        space: FCNNSpace | None = None,
        signal_length: int = 50,
        *,
        global_node: bool = True,
        normalize: bool = False,
    ) -> None:
        self.space = space
        self.signal_length = signal_length
        self.global_node = global_node
        self.normalize = normalize

    def _rules(self) -> dict[str, Rule]:
        return {**super()._rules(), "global_node": BOOLEAN, "normalize": BOOLEAN}

    def fit(self, X: Any, y: Any = None) -> Self:
        """Check the parameters and the architectures, and remember the space."""
        super().fit(X)
        self.n_nodes_ = self.space_.max_layers + bool(self.global_node)
        self.n_node_features_ = len(NODE_FEATURES) + bool(self.global_node)
        return self

    def encode(self, widths: Ints) -> Floats:
        """Encode zero-padded widths without checking them.

        The result has shape (n_samples, nodes * features + nodes * nodes).
        """
        graphs = architecture_graphs(widths, self.signal_length)
        return graphs_to_matrix(*graphs, add_global_node=self.global_node, normalize=self.normalize)

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """Return the column names: feature and node, then ``edge`` with source and target."""
        check_is_fitted(self)
        return graph_feature_names(self.space_.max_layers, global_node=bool(self.global_node))
