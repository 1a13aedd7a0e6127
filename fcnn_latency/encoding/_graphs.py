"""Graphs to matrices: padded node features and adjacency, one row per graph."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from fcnn_latency._validation import Array, Bools, Floats, Ints, refuse_first
from fcnn_latency.networks._kernels import GRAPH_BLOCKS, GRAPH_COLUMNS, GRAPH_ROWS, fill_up
from fcnn_latency.networks._layers import layer_costs, signal_rows


def architecture_graphs(padded: Ints, signal_length: int) -> tuple[Floats, Bools]:
    """Convert architectures to graphs: a node for each layer, an edge from each to the next.

    Parameters
    ----------
    padded : ndarray of int, shape (n, max_layers)
        Zero-padded widths.
    signal_length : int
        Number of values of the signal, which is cut into ceil(signal_length / w_1) rows.

    Returns
    -------
    node_features : ndarray of float64, shape (n, max_layers, 20)
        The width of the layer and of the previous one, rows of the workload,
        whether the layer has a single neuron; multiply-accumulates, parameters, activations and
        bytes moved of the product that computes the layer; its multiply-accumulates with rows and
        columns padded to whole blocks, and the number of padded rows and columns; whether the
        layer is the input, and whether it is the output. Features of a product are 0 at the input.
        All features are 0 for a missing layer.
    adjacency : ndarray of bool, shape (n, max_layers, max_layers)
        Entry [i, j] is True if layer j follows layer i.

    Examples
    --------
    >>> features, adjacency = architecture_graphs(np.array([[41, 20, 41], [7, 7, 0]]), 50)
    >>> features.shape, adjacency[1].astype(int).tolist()
    ((2, 3, 20), [[0, 1, 0], [0, 0, 0], [0, 0, 0]])
    """
    place = np.arange(padded.shape[1])
    adjacency = np.zeros((*padded.shape, padded.shape[1]), dtype=bool)
    adjacency[:, place[:-1], place[1:]] = padded[:, 1:] > 0
    features = list(_node_features(padded, signal_length).values())
    return np.stack(features, axis=2).astype(np.float64), adjacency


def _node_features(padded: Ints, signal_length: int) -> dict[str, Any]:
    """Return each of `NODE_FEATURES` by name, each of shape (n, max_layers)."""
    layers = padded > 0
    place = np.arange(padded.shape[1])
    costs = layer_costs(padded, signal_length)
    rows = signal_rows(padded[:, :1], signal_length) * layers
    fan_in = _after_the_input(padded[:, :-1]) * layers
    work = {(m, n): fill_up(rows, m) * fan_in * fill_up(padded, n) for m, n in GRAPH_BLOCKS}
    product = fan_in > 0
    return {
        "width": padded,
        "fan_in": fan_in,
        "rows": rows,
        "single": padded == 1,
        **{name: _after_the_input(cost) for name, cost in costs.items()},
        **{f"macs_in_{m}x{n}": macs for (m, n), macs in work.items()},
        **{f"idle_rows_of_{m}": (fill_up(rows, m) - rows) * product for m in GRAPH_ROWS},
        **{f"idle_columns_of_{n}": (fill_up(padded, n) - padded) * product for n in GRAPH_COLUMNS},
        "input": (place == 0) & layers,
        "output": place == layers.sum(axis=1)[:, None] - 1,
    }


def _after_the_input(values: Array) -> Array:
    """Return values of products, each at the layer that it computes; 0 at the input."""
    return np.pad(values, ((0, 0), (1, 0)))


#: Names of the features of a layer node, in order.
NODE_FEATURES = tuple(_node_features(np.ones((1, 2), dtype=np.int64), 1))


def graphs_to_matrix(
    node_features: npt.ArrayLike,
    adjacency: npt.ArrayLike,
    *,
    add_global_node: bool = True,
    normalize: bool = False,
) -> Floats:
    """Convert arbitrary graphs to the feature matrix of `GraphConvolutionRegressor`.

    Pad smaller graphs with nodes without features and edges, at any position; padding does not
    change predictions. Every other node gets an edge to itself if it has none. The global node of
    Dudziak et al., "BRP-NAS: Prediction-based NAS using GCNs" (2020), section 3.1, comes first. It
    has an edge to every node except padding. An additional last feature is 1 for the global node
    and 0 for the others.

    Parameters
    ----------
    node_features : array-like of shape (n_graphs, n_nodes, n_node_features)
        Features of each node, such as its operation in one-hot form. A node whose features are all
        0 is still not padding if it has an edge.
    adjacency : array-like of shape (n_graphs, n_nodes, n_nodes) or (n_nodes, n_nodes)
        Entry [i, j] is the weight of the edge from node i to node j, usually 0 or 1. Pass
        two dimensions if all graphs have the same edges.
    add_global_node : bool, default=True
        Whether to add the global node. Without one, predictions use the mean over nodes.
    normalize : bool, default=False
        Whether to divide the rows of the adjacency by their sums, so that a node reads the mean
        over its neighbours and itself instead of the sum (Kipf and Welling, "Semi-supervised
        classification with graph convolutional networks", 2017, here for directed edges). BRP-NAS
        does not.

    Returns
    -------
    ndarray of float64, shape (n_graphs, N F + N N)
        Each row holds the features of the first node, of the second and so on, followed by the
        rows of the adjacency. N and F are the given numbers of nodes and features, each plus one
        with a global node.

    Raises
    ------
    ValueError
        If shapes do not match, a value is not finite, a weight is negative, or a graph has no node.

    Examples
    --------
    A graph of two nodes of different operations, then one with a single node:

    >>> features = [[[1, 0], [0, 1]], [[1, 0], [0, 0]]]
    >>> edges = [[[0, 1], [0, 0]], [[0, 0], [0, 0]]]
    >>> X = graphs_to_matrix(features, edges)
    >>> X.shape
    (2, 18)
    >>> nodes, adjacency = matrix_to_graphs(X, n_nodes=3, n_node_features=3)
    >>> adjacency[1].tolist()
    [[1.0, 1.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]
    """
    nodes, edges = _check_graphs(node_features, adjacency)
    real = real_nodes(nodes, edges)
    message = "Graph {row} has no node: all of its features and edges are 0."
    refuse_first(np.asarray(~real.any(axis=1)), real, message)
    if add_global_node:
        nodes = np.pad(nodes, ((0, 0), (1, 0), (0, 1)))
        nodes[:, 0, -1] = 1
        edges = np.pad(edges, ((0, 0), (1, 0), (1, 0)))
        edges[:, 0, 1:] = real
        real = np.pad(real, ((0, 0), (1, 0)), constant_values=True)
    diagonal = np.arange(edges.shape[1])
    loops = edges[:, diagonal, diagonal]
    edges[:, diagonal, diagonal] = np.where(real & (loops == 0), 1, loops)
    if normalize:
        edges /= np.maximum(edges.sum(axis=2, keepdims=True), np.finfo(np.float64).tiny)
    n_graphs = len(nodes)
    return np.hstack([nodes.reshape(n_graphs, -1), edges.reshape(n_graphs, -1)])


def real_nodes(nodes: Array, edges: Array) -> Bools:
    """Return whether each node has a feature or an edge (is not padding), shape (n, n_nodes)."""
    real: Bools = (nodes != 0).any(axis=2)
    real |= (edges != 0).any(axis=1) | (edges != 0).any(axis=2)
    return real


def matrix_to_graphs(X: npt.ArrayLike, n_nodes: int, n_node_features: int) -> tuple[Any, Any]:
    """Return node features and adjacency of the rows of a matrix, as views if possible.

    Parameters
    ----------
    X : array-like of shape (n_graphs, n_nodes n_node_features + n_nodes n_nodes)
        As returned by `graphs_to_matrix` or `GraphEncoder`.
    n_nodes, n_node_features : int
        Number of nodes of a graph and of features of a node, including those of a global node.

    Returns
    -------
    node_features : ndarray, shape (n_graphs, n_nodes, n_node_features)
    adjacency : ndarray, shape (n_graphs, n_nodes, n_nodes)

    Raises
    ------
    ValueError
        If the number of columns does not match these numbers.
    """
    X = np.asarray(X)
    split = n_nodes * n_node_features
    expected = split + n_nodes * n_nodes
    if X.ndim != 2 or X.shape[1] != expected:
        raise ValueError(
            f"{n_nodes} nodes of {n_node_features} features take a matrix of {expected} columns: "
            f"{n_nodes} * {n_node_features} features, then {n_nodes} * {n_nodes} of the "
            f"adjacency. Got an array of shape {X.shape} instead."
        )
    nodes = X[:, :split].reshape(len(X), n_nodes, n_node_features)
    return nodes, X[:, split:].reshape(len(X), n_nodes, n_nodes)


def nodes_of_columns(n_columns: int, n_node_features: int) -> int:
    """Return the n_nodes for which n_nodes n_node_features + n_nodes^2 equals `n_columns`.

    Raises
    ------
    ValueError
        If there is no such number.

    Examples
    --------
    >>> nodes_of_columns(18, 3)
    3
    """
    root = math.isqrt(n_node_features**2 + 4 * n_columns)
    n_nodes = (root - n_node_features) // 2
    if n_nodes < 1 or n_nodes * (n_nodes + n_node_features) != n_columns:
        raise ValueError(
            f"No graph of nodes with {n_node_features} features has {n_columns} columns: n_nodes "
            f"nodes have n_nodes * {n_node_features} + n_nodes * n_nodes. Pass the matrix of "
            "GraphEncoder or graphs_to_matrix, and its number of features of a node, that of the "
            "global node included."
        )
    return n_nodes


def graph_feature_names(max_layers: int, *, global_node: bool = True) -> npt.NDArray[np.object_]:
    """Return the column names of `graphs_to_matrix` for the graphs of architectures.

    Examples
    --------
    >>> names = graph_feature_names(2)
    >>> names[0], names[21], names[-1]
    ('width_global', 'width_layer_1', 'edge_layer_2_layer_2')
    """
    nodes = [f"layer_{layer}" for layer in range(1, max_layers + 1)]
    features = list(NODE_FEATURES)
    if global_node:
        nodes, features = ["global", *nodes], [*features, "global"]
    names = [f"{feature}_{node}" for node in nodes for feature in features]
    names += [f"edge_{source}_{target}" for source in nodes for target in nodes]
    return np.array(names, dtype=object)


def _check_graphs(node_features: npt.ArrayLike, adjacency: npt.ArrayLike) -> tuple[Floats, Floats]:
    nodes = _as_floats("node_features", node_features)
    edges = _as_floats("adjacency", adjacency)
    if nodes.ndim != 3 or 0 in nodes.shape:
        raise ValueError(
            "node_features must be of shape (n_graphs, n_nodes, n_node_features), each at least "
            f"1. Got {nodes.shape} instead. For a single graph pass [node_features]."
        )
    n_graphs, n_nodes = nodes.shape[:2]
    if edges.shape not in [(n_graphs, n_nodes, n_nodes), (n_nodes, n_nodes)]:
        raise ValueError(
            f"With node_features of shape {nodes.shape}, adjacency must be of shape "
            f"{(n_graphs, n_nodes, n_nodes)}, or {(n_nodes, n_nodes)} where all graphs have the "
            f"same edges. Got {edges.shape} instead."
        )
    message = "adjacency{place} is {value:g}; the weight of an edge is at least 0."
    refuse_first(edges < 0, edges, message)
    return nodes, np.array(np.broadcast_to(edges, (n_graphs, n_nodes, n_nodes)))


def _as_floats(name: str, values: npt.ArrayLike) -> Floats:
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{name} must be numbers in an array. Pad graphs of fewer nodes with zeros, for their "
            f"features as for their edges. ({error})"
        ) from error
    message = f"{name}{{place}} is {{value}}; all values must be finite."
    refuse_first(~np.isfinite(array), array, message)
    return array
