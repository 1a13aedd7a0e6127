"""Graph convolutional network: in Keras for training, in NumPy for prediction."""

from __future__ import annotations

from typing import Any

import numpy as np

from fcnn_latency._imports import import_keras
from fcnn_latency._validation import Floats32

#: Added to the variance in layer normalization: the default of PyTorch, which BRP-NAS uses.
EPSILON = 1e-5


def build_network(settings: Any) -> Any:
    """Build the network in Keras from built-in layers, with newly initialized weights.

    Parameters
    ----------
    settings : GraphConvolutionRegressor
        Must have `n_nodes_` and `n_node_features_`.

    Returns
    -------
    keras.Model
        The inputs are the node features (n, n_nodes, n_node_features), the adjacency
        (n, n_nodes, n_nodes) and the weight of each node in the readout (n, n_nodes). The output
        is of shape (n, 1).
    """
    keras = import_keras()
    layers, n_nodes = keras.layers, settings.n_nodes_
    nodes = keras.Input((n_nodes, settings.n_node_features_), name="node_features")
    adjacency = keras.Input((n_nodes, n_nodes), name="adjacency")
    shares = keras.Input((n_nodes,), name="readout_shares")
    values = nodes
    for i in range(1, settings.n_convolutions + 1):
        read = layers.Dot(axes=(2, 1))([adjacency, values])
        if settings.bidirectional:
            behind = layers.Dot(axes=(1, 1))([adjacency, values])
            read = layers.Concatenate()([values, read, behind])
        values = layers.Dense(int(settings.units), name=f"convolution_{i}")(read)
        if settings.layer_normalization:
            normalize = layers.LayerNormalization(epsilon=EPSILON, name=f"normalization_{i}")
            values = normalize(values)
        values = layers.ReLU()(values)
        if settings.dropout:
            values = layers.Dropout(float(settings.dropout))(values)
    graph = layers.Dot(axes=(1, 1))([shares, values])
    # Zeros make training start at the mean or the linear part instead of a random function.
    output = layers.Dense(1, kernel_initializer="zeros", name="output")(graph)
    return keras.Model([nodes, adjacency, shares], output)


def run_network(settings: Any, nodes: Floats32, adjacency: Floats32, shares: Floats32) -> Floats32:
    """Return the output of the network with the weights `weights_`, shape (n,)."""
    weights, values = settings.weights_, nodes
    for i in range(1, settings.n_convolutions + 1):
        read = [adjacency @ values]
        if settings.bidirectional:
            read = [values, *read, adjacency.swapaxes(1, 2) @ values]
        values = _dense(np.concatenate(read, axis=2), *weights[f"convolution_{i}"])
        if settings.layer_normalization:
            values = _normalize(values, *weights[f"normalization_{i}"])
        np.maximum(values, 0, out=values)
    graph = (shares[:, None, :] @ values)[:, 0]
    return _dense(graph, *weights["output"])[:, 0]


def _dense(values: Floats32, kernel: Floats32, bias: Floats32) -> Floats32:
    # A single matrix product is faster than one for each graph.
    flat = values.reshape(-1, values.shape[-1]) @ kernel
    flat += bias
    return flat.reshape(*values.shape[:-1], -1)


def _normalize(values: Floats32, scale: Floats32, shift: Floats32) -> Floats32:
    centered = values - values.mean(axis=-1, keepdims=True)
    variance = np.square(centered).mean(axis=-1, keepdims=True)
    normalized: Floats32 = centered / np.sqrt(variance + EPSILON) * scale + shift
    return normalized
