"""The graph convolutional network: in Keras to train it, in NumPy to predict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fcnn_latency._keras import import_keras

Floats = npt.NDArray[np.float32]

#: Arrays of each layer with weights, by the name of the layer.
Weights = dict[str, list[Floats]]

#: Added to the variance in layer normalization; PyTorch's default, which BRP-NAS has.
EPSILON = 1e-5


@dataclass(frozen=True)
class GraphNetwork:
    """What the network looks like.

    Its inputs are the node features (n, n_nodes, n_node_features), the adjacency
    (n, n_nodes, n_nodes) and the share of each node in the readout (n, n_nodes); its output is of
    shape (n, 1).

    Parameters
    ----------
    n_nodes, n_node_features : int
        Nodes of a graph, features of a node.
    n_convolutions : int
        Graph convolutions, one after the other.
    units : int
        Values that a node has after each.
    bidirectional : bool
        Whether a node also reads those whose edges lead to it, and itself once more.
    layer_normalization : bool
        Whether each convolution is normalized over the values of a node.
    dropout : float
        Fraction dropped after each convolution, in training.
    """

    n_nodes: int
    n_node_features: int
    n_convolutions: int
    units: int
    bidirectional: bool
    layer_normalization: bool
    dropout: float

    def build(self) -> Any:
        """The network in Keras, of built-in layers, with weights drawn anew."""
        keras = import_keras()
        layers = keras.layers
        nodes = keras.Input((self.n_nodes, self.n_node_features), name="node_features")
        adjacency = keras.Input((self.n_nodes, self.n_nodes), name="adjacency")
        shares = keras.Input((self.n_nodes,), name="readout_shares")
        values = nodes
        for i in range(1, self.n_convolutions + 1):
            values = self._read(layers, adjacency, values)
            values = layers.Dense(self.units, name=f"convolution_{i}")(values)
            if self.layer_normalization:
                normalize = layers.LayerNormalization(epsilon=EPSILON, name=f"normalization_{i}")
                values = normalize(values)
            values = layers.ReLU()(values)
            if self.dropout:
                values = layers.Dropout(self.dropout)(values)
        graph = layers.Dot(axes=(1, 1))([shares, values])
        # Starting from 0, training begins at the mean or the line rather than anywhere.
        output = layers.Dense(1, kernel_initializer="zeros", name="output")(graph)
        return keras.Model([nodes, adjacency, shares], output)

    def _read(self, layers: Any, adjacency: Any, values: Any) -> Any:
        ahead = layers.Dot(axes=(2, 1))([adjacency, values])
        if not self.bidirectional:
            return ahead
        behind = layers.Dot(axes=(1, 1))([adjacency, values])
        return layers.Concatenate()([values, ahead, behind])

    def predict(self, weights: Weights, nodes: Floats, adjacency: Floats, shares: Floats) -> Floats:
        """What the Keras network with these weights outputs, shape (n,)."""
        values = nodes
        for i in range(1, self.n_convolutions + 1):
            read = [adjacency @ values]
            if self.bidirectional:
                read = [values, *read, adjacency.swapaxes(1, 2) @ values]
            values = _dense(np.concatenate(read, axis=2), *weights[f"convolution_{i}"])
            if self.layer_normalization:
                values = _normalize(values, *weights[f"normalization_{i}"])
            np.maximum(values, 0, out=values)
        graph = (shares[:, None, :] @ values)[:, 0]
        return _dense(graph, *weights["output"])[:, 0]


def layer_weights(network: Any) -> Weights:
    """Weights of the layers of a Keras network that have some."""
    return {layer.name: layer.get_weights() for layer in network.layers if layer.weights}


def set_layer_weights(network: Any, weights: Mapping[str, list[Floats]]) -> None:
    """Put back what `layer_weights` took."""
    for name, arrays in weights.items():
        network.get_layer(name).set_weights(arrays)


def _dense(values: Floats, kernel: Floats, bias: Floats) -> Floats:
    # One product of two matrices is faster than one for each graph.
    flat = values.reshape(-1, values.shape[-1]) @ kernel
    flat += bias
    return flat.reshape(*values.shape[:-1], -1)


def _normalize(values: Floats, scale: Floats, shift: Floats) -> Floats:
    centered = values - values.mean(axis=-1, keepdims=True)
    variance = np.square(centered).mean(axis=-1, keepdims=True)
    normalized: Floats = centered / np.sqrt(variance + EPSILON) * scale + shift
    return normalized
