"""The graph convolutional regressor: latencies of any graph."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.dummy import DummyRegressor
from sklearn.utils.validation import check_is_fitted

from fcnn_latency._validation import Bools, Floats, check_parameters
from fcnn_latency.encoding._graphs import matrix_to_graphs, nodes_of_columns, real_nodes
from fcnn_latency.estimators._base import FeatureRegressor, compress
from fcnn_latency.estimators._linear import ridge_line
from fcnn_latency.estimators.neural._graph_network import build_network, run_network
from fcnn_latency.estimators.neural._parameters import GRAPH_LOSSES, GRAPH_RULES
from fcnn_latency.estimators.neural._training import history_in_units, seed_of, train

#: float32 values of one layer that a block of predictions may hold: 64 MB.
BLOCK_VALUES = 2**24


#: Epochs without improvement after which training stops, as a share of all: 35 of 250 in BRP-NAS.
PATIENCE = 0.14


class GraphConvolutionRegressor(FeatureRegressor):
    r"""Graph convolutional network over graphs given as rows of a matrix.

    The predictor of Dudziak et al., "BRP-NAS: Prediction-based NAS using GCNs" (2020), section
    3.1: graph convolutions (Kipf and Welling, "Semi-supervised classification with graph
    convolutional networks", 2017, eq. 2), H' = ReLU(A H W + b), of which the values of the global
    node are read out into one fully connected output. Their training is `paper`; the defaults
    are what served better here. Unlike theirs, a node reads the nodes behind it as well as those
    ahead of it (`bidirectional`), errors are relative, and the step size falls along half a
    cosine. Node features are compressed by sign(x) log(1 + \|x\|) and standardized over all nodes
    but the padding; the target is standardized.

    Training runs in Keras, prediction in NumPy, on the same weights.

    Parameters
    ----------
    n_nodes : int or None, default=None
        Nodes of a graph, global node and padding included. None: as many as `n_node_features`
        leaves; without that either, each row is the only node of its graph, so that any matrix
        can be learnt.
    n_node_features : int or None, default=None
        Features of a node. None: as many as `n_nodes` leaves.
    n_convolutions : int, default=4
        Graph convolutions, one after the other.
    units : int, default=128
        Values that a node has after each convolution.
    bidirectional : bool, default=True
        Whether a node reads itself, the nodes its edges lead to and the nodes whose edges lead to
        it, each with weights of their own (Schlichtkrull et al., "Modeling relational data with
        graph convolutional networks", 2018, eq. 2), rather than those its edges lead to alone.
    layer_normalization : bool, default=True
        Whether each convolution is normalized over the values of a node, as in the code of BRP-NAS.
    linear_part : bool, default=False
        Whether the network learns what a ridge line on the number of nodes and the sums of their
        features leaves: the layer-wise sum. It serves where features are costs, as those of
        `GraphEncoder` are.
    dropout : float, default=0.002
        Fraction dropped after each convolution.
    loss : str, default="mean_absolute_percentage_error"
        "mean_absolute_percentage_error" or "mean_squared_percentage_error", of latencies, which
        must be above 0, or "mean_absolute_error" or "mean_squared_error", of the standardized
        target.
    learning_rate : float, default=3e-3
        Step size of AdamW; the first one, where it decays.
    learning_rate_decay : {"cosine", "plateau"} or None, default="cosine"
        ``"cosine"``: falls to 0 over the epochs along half a cosine. ``"plateau"``: halved when
        the validation loss has not improved for 10 epochs, as in the code of BRP-NAS.
    weight_decay : float, default=0.1
        Share of the weights, times the step size, that each step takes off (Loshchilov and Hutter,
        "Decoupled weight decay regularization", 2019).
    epochs : int, default=200
        Passes over the training data.
    batch_size : int, default=32
        Graphs of a gradient step.
    early_stopping : bool, default=False
        Stop when the validation loss has not improved for 14 % of `epochs` (35 of 250, as in the
        code of BRP-NAS), and keep the best weights.
    validation_fraction : float, default=0.0
        Fraction held out for validation; 0 for none.
    random_state : int, RandomState or None, default=None
        The same seed gives the same predictions on the same machine; the global seeds of random,
        NumPy and TensorFlow are put back after.
    verbose : {0, 1, 2}, default=0
        Verbosity of Keras.

    Attributes
    ----------
    n_nodes_, n_node_features_ : int
        Nodes of a graph, features of a node.
    readout_ : {"global", "mean"}
        Whether the first node is read out, or the mean over all nodes but the padding. The first
        node is taken for a global one if it has edges to all others in every graph of `fit`.
    weights_ : dict of str to list of ndarray
        Weights of the layers; `to_keras` puts them into a Keras model.
    line_ : estimator
        The linear part, on the standardized target; 0 without one.
    y_mean_, y_scale_ : float
        Mean and standard deviation of the training target, in seconds.
    history_ : dict of str to list of float
        Per epoch ``loss`` (as a fraction of the latency where it is a percentage error), ``mse``
        (seconds squared), ``mae`` and ``rmse`` (seconds), and the same with ``val_`` where rows
        were held out.

    See Also
    --------
    fcnn_latency.encoding.GraphEncoder : Architectures to graphs.
    fcnn_latency.encoding.graphs_to_matrix : Graphs of other kinds, such as cells.

    Examples
    --------
    Chains of one to three nodes of two kinds, whose latencies add up:

    >>> import numpy as np
    >>> from fcnn_latency.encoding import graphs_to_matrix
    >>> rng = np.random.default_rng(0)
    >>> kinds = np.eye(3)[rng.integers(0, 2, (40, 3))][..., :2]
    >>> kinds[::2, 2] = 0  # padding
    >>> edges = np.zeros((40, 3, 3))
    >>> edges[:, 0, 1] = edges[1::2, 1, 2] = 1
    >>> X = graphs_to_matrix(kinds, edges)
    >>> y = kinds.sum(axis=1) @ [1e-3, 5e-3]
    >>> model = GraphConvolutionRegressor(4, units=8, epochs=40, batch_size=5, random_state=0)
    >>> bool(np.abs(model.fit(X, y).predict(X) / y - 1).mean() < 0.1)
    True
    """

    def __init__(
        self,
        n_nodes: int | None = None,
        n_node_features: int | None = None,
        *,
        n_convolutions: int = 4,
        units: int = 128,
        bidirectional: bool = True,
        layer_normalization: bool = True,
        linear_part: bool = False,
        dropout: float = 0.002,
        loss: str = "mean_absolute_percentage_error",
        learning_rate: float = 3e-3,
        learning_rate_decay: str | None = "cosine",
        weight_decay: float = 0.1,
        epochs: int = 200,
        batch_size: int = 32,
        early_stopping: bool = False,
        validation_fraction: float = 0.0,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.n_nodes = n_nodes
        self.n_node_features = n_node_features
        self.n_convolutions = n_convolutions
        self.units = units
        self.bidirectional = bidirectional
        self.layer_normalization = layer_normalization
        self.linear_part = linear_part
        self.dropout = dropout
        self.loss = loss
        self.learning_rate = learning_rate
        self.learning_rate_decay = learning_rate_decay
        self.weight_decay = weight_decay
        self.epochs = epochs
        self.batch_size = batch_size
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.random_state = random_state
        self.verbose = verbose

    @classmethod
    def paper(cls, **parameters: Any) -> GraphConvolutionRegressor:
        """The latency predictor of BRP-NAS, trained as its authors did.

        Of Dudziak et al. (2020): four convolutions of 600 units, dropout, AdamW and its step size
        and weight decay, 250 epochs. Of their published code: the normalization after each
        convolution, the absolute error, the step size halved on a plateau, early stopping, 100 of
        1,000 graphs for validation. A batch is of 10 graphs rather than one, to train in
        reasonable time. Unlike theirs, weights are drawn as Glorot and Bengio (2010) do,
        features and target are standardized, and padding has no edge to the global node.
        """
        preset = {
            "units": 600,
            "bidirectional": False,
            "loss": "mean_absolute_error",
            "learning_rate": 4e-4,
            "learning_rate_decay": "plateau",
            "weight_decay": 5e-4,
            "epochs": 250,
            "batch_size": 10,
            "early_stopping": True,
            "validation_fraction": 0.1,
        }
        return cls(**{**preset, **parameters})

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> GraphConvolutionRegressor:
        """Train the network.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Graphs as from `GraphEncoder` or `graphs_to_matrix`.
        y : array-like of shape (n_samples,)
            Latencies in seconds.

        Returns
        -------
        GraphConvolutionRegressor
            Itself.

        Raises
        ------
        ValueError
            If data or a parameter are wrong, or training diverges.
        """
        check_parameters(self, GRAPH_RULES)
        encoded, latencies = self._checked(X, y)
        self.n_nodes_, self.n_node_features_ = self._sizes(encoded.shape[1])
        nodes, adjacency, real = self._graphs(encoded)
        has_global_node = (adjacency[:, 0] > 0)[real].all() and real[:, 0].all()
        self.readout_ = "global" if has_global_node else "mean"
        self._fit_scale(nodes, real)
        self.y_mean_, self.y_scale_ = float(latencies.mean()), float(latencies.std())
        target = (latencies - self.y_mean_) / (self.y_scale_ or 1.0)
        weights = self._weights(latencies)
        self.line_ = self._fit_line(_sums(nodes, real), target, weights)
        target -= self.line_.predict(_sums(nodes, real))
        # What the line leaves is standardized again, so that the step size fits it as well.
        scale = float(target.std()) or 1.0
        inputs = self._inputs(nodes, adjacency, real)
        loss, power = GRAPH_LOSSES[self.loss]
        trained = train(
            lambda: build_network(self),
            inputs,
            target / scale,
            self,
            optimizer="adamw",
            optimizer_settings={"weight_decay": float(self.weight_decay)},
            loss=loss,
            patience=max(1, round(PATIENCE * self.epochs)),
            seed=seed_of(self.random_state),
            sample_weight=weights * scale**power,
        )
        layers = [layer for layer in trained.model.layers if layer.weights]
        self.weights_ = {layer.name: layer.get_weights() for layer in layers}
        self.weights_["output"] = [scale * array for array in self.weights_["output"]]
        self.history_ = history_in_units(trained.recorded, self.y_scale_ * scale)
        return self

    def predict(self, X: npt.ArrayLike) -> Floats:
        """Predict latencies in seconds, shape (n_samples,)."""
        encoded = self._checked_features(X).astype(np.float64, copy=False)
        step = max(1, BLOCK_VALUES // (3 * self.n_nodes_ * self.units))
        predicted = np.empty(len(encoded))
        for start in range(0, len(encoded), step):
            nodes, adjacency, real = self._graphs(encoded[start : start + step])
            scaled = run_network(self, *self._inputs(nodes, adjacency, real))
            predicted[start : start + step] = scaled + self.line_.predict(_sums(nodes, real))
        return np.asarray(self.y_mean_ + self.y_scale_ * predicted)

    def to_keras(self) -> Any:
        """The trained network as a Keras model of built-in layers.

        Returns
        -------
        keras.Model
            Takes the scaled node features (n, n_nodes, n_node_features), the adjacency
            (n, n_nodes, n_nodes) and the share of each node in the readout (n, n_nodes); outputs
            what is added to the linear part, on the standardized target.
        """
        check_is_fitted(self)
        network = build_network(self)
        for name, arrays in self.weights_.items():
            network.get_layer(name).set_weights(arrays)
        return network

    def _sizes(self, n_columns: int) -> tuple[int, int]:
        """Nodes of a graph and features of a node."""
        n_nodes, n_node_features = self.n_nodes, self.n_node_features
        if n_nodes is not None:
            return n_nodes, n_node_features or max(1, (n_columns - n_nodes**2) // n_nodes)
        if n_node_features is not None:
            return nodes_of_columns(n_columns, n_node_features), n_node_features
        return 1, n_columns  # a row is the one node of its graph

    def _graphs(self, X: Floats) -> tuple[Floats, Floats, Bools]:
        """Node features, adjacency and which nodes are no padding."""
        if self.n_nodes is None and self.n_node_features is None:
            ones = np.ones((len(X), 1, 1))
            return X[:, None, :], ones, ones[:, 0] > 0
        nodes, adjacency = matrix_to_graphs(X, self.n_nodes_, self.n_node_features_)
        if (adjacency < 0).any():
            row = int(np.argwhere(adjacency < 0)[0][0])
            raise ValueError(
                f"Row {row}: an entry of the adjacency is negative. The last n_nodes * n_nodes = "
                f"{self.n_nodes_**2} columns are the adjacency; are n_nodes and n_node_features "
                "right?"
            )
        return nodes, adjacency, real_nodes(nodes, adjacency)

    def _inputs(self, nodes: Floats, adjacency: Floats, real: Bools) -> list[Any]:
        """What the network takes: scaled node features, adjacency, shares in the readout."""
        scaled = np.where(
            real[..., None], (compress(nodes) - self.node_mean_) / self.node_scale_, 0
        )
        shares = real / real.sum(axis=1, keepdims=True)
        if self.readout_ == "global":
            shares = np.arange(self.n_nodes_) == np.zeros((len(nodes), 1))
        return [values.astype(np.float32) for values in (scaled, adjacency, shares)]

    def _fit_scale(self, nodes: Floats, real: Bools) -> None:
        compressed = compress(nodes)[real]
        self.node_mean_ = compressed.mean(axis=0)
        scale = compressed.std(axis=0)
        self.node_scale_ = np.where(scale > 0, scale, 1.0)

    def _weights(self, y: Floats) -> Floats:
        """What makes a loss on the standardized target one of relative errors."""
        relative = self.y_scale_ / y if self.y_scale_ else np.ones(len(y))
        return np.asarray(relative ** GRAPH_LOSSES[self.loss][1])

    def _fit_line(self, sums: Floats, target: Floats, weights: Floats) -> Any:
        """The linear part; a constant 0, the mean of the target, without one."""
        if not self.linear_part or len(sums) == 1:
            return DummyRegressor(strategy="constant", constant=0.0).fit(sums, target)
        return ridge_line().fit(sums, target, ridgecv__sample_weight=weights)

    def _check_latencies(self, latencies: Floats) -> None:
        if GRAPH_LOSSES[self.loss][1] and (latencies <= 0).any():
            row = int(np.argmax(latencies <= 0))
            raise ValueError(
                f"Row {row} of y is {latencies[row]:g}: loss={self.loss!r} needs latencies above "
                "0. For others pass loss='mean_absolute_error' or 'mean_squared_error'."
            )

    def __sklearn_tags__(self) -> Any:
        """A relative loss takes positive targets only."""
        tags = super().__sklearn_tags__()
        tags.target_tags.positive_only = str(self.loss).endswith("percentage_error")
        return tags


def _sums(nodes: Floats, real: Bools) -> Floats:
    """What the linear part takes: sums of the features over the nodes, and how many there are."""
    return np.column_stack([nodes.sum(axis=1), real.sum(axis=1)])
