"""Architectures to graphs, for `GraphConvolutionRegressor`."""

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
    """Encode architectures as graphs: a node for each layer, padded to the deepest.

    A row holds the features of the global node, of layer 1 and so on, then the rows of the
    adjacency, as from `graphs_to_matrix`. Architectures are given and checked as by
    `ArchitectureEncoder`, whose ``features="graph"`` is this encoder with its defaults.

    Parameters
    ----------
    space : FCNNSpace or None, default=None
        The space that the architectures must lie in; None is ``FCNNSpace()``.
    signal_length : int, default=50
        Values that one inference reads; sets the rows of the workload.
    global_node : bool, default=True
        Whether the first node is one with an edge to every layer (Dudziak et al., "BRP-NAS:
        Prediction-based NAS using GCNs", 2020, section 3.1).
    normalize : bool, default=False
        Whether the rows of the adjacency are divided by their sums.

    Attributes
    ----------
    space_ : FCNNSpace
        The space in force.
    n_nodes_ : int
        Nodes of a row: the most layers of the space, one more with a global node.
    n_node_features_ : int
        Features of a node: `NODE_FEATURES`, one more with a global node.
    n_features_in_ : int
        Columns of the array or frame seen in `fit`; ``space_.max_layers`` for ragged input.

    Raises
    ------
    ValueError
        In `fit` and `transform`, if a row is not an architecture of the space; the message
        names the row, the layer and what would be right.

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
        """Check the parameters and the architectures; see `WidthsEncoder.fit`."""
        super().fit(X)
        self.n_nodes_ = self.space_.max_layers + bool(self.global_node)
        self.n_node_features_ = len(NODE_FEATURES) + bool(self.global_node)
        return self

    def encode(self, widths: Ints) -> Floats:
        """Encode zero-padded widths without checking them; see `WidthsEncoder.encode`.

        The result has shape (n_samples, nodes * features + nodes * nodes).
        """
        graphs = architecture_graphs(widths, self.signal_length)
        return graphs_to_matrix(*graphs, add_global_node=self.global_node, normalize=self.normalize)

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """Names of the columns: feature and node, then ``edge``, its source and its target."""
        check_is_fitted(self)
        return graph_feature_names(self.space_.max_layers, global_node=bool(self.global_node))
