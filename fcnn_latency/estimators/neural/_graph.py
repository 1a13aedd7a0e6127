"""Graph convolutional regressor for latencies of arbitrary graphs."""

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

#: Maximum number of float32 values per layer in a block of predictions: 64 MB.
BLOCK_VALUES = 2**24


#: Fraction of all epochs without improvement after which training stops: 35 of 250 in BRP-NAS.
PATIENCE = 0.14


class GraphConvolutionRegressor(FeatureRegressor):
    r"""Graph convolutional network over graphs given as rows of a matrix.

    The predictor of Dudziak et al., "BRP-NAS: Prediction-based NAS using GCNs" (2020), section
    3.1: graph convolutions (Kipf and Welling, "Semi-supervised classification with graph
    convolutional networks", 2017, eq. 2), H' = ReLU(A H W + b), followed by a fully connected
    output that reads the values of the global node. `paper` gives their settings; the defaults are
    those that worked better here. Unlike theirs, by default a node reads its predecessors as well
    as its successors (`bidirectional`), errors are relative, and the learning rate decays as half a
    cosine. Node features are compressed by sign(x) log(1 + \|x\|) and standardized over all nodes
    except padding. The target is standardized.

    Training runs in Keras and prediction in NumPy, with the same weights.

    Parameters
    ----------
    n_nodes : int or None, default=None
        Number of nodes of a graph, including global node and padding. None infers it from
        `n_node_features` and the number of columns. If both are None, each row is a graph of a
        single node, so that the estimator accepts any matrix.
    n_node_features : int or None, default=None
        Number of features of a node. None infers it from `n_nodes` and the number of columns.
    n_convolutions : int, default=4
        Number of successive graph convolutions.
    units : int, default=128
        Number of values of a node after each convolution.
    bidirectional : bool, default=True
        If True, a node reads itself, its successors and its predecessors, each with separate
        weights (Schlichtkrull et al., "Modeling relational data with graph convolutional networks",
        2018, eq. 2). If False, it reads only the nodes that its edges lead to.
    layer_normalization : bool, default=True
        Whether the output of each convolution is normalized over the values of a node, as in the
        code of BRP-NAS.
    linear_part : bool, default=False
        Whether the network learns the residual of a ridge regression on the number of nodes and
        the sums of their features, which is a sum over layers. This helps if features are costs,
        as those of `GraphEncoder` are.
    dropout : float, default=0.002
        Fraction of values dropped after each convolution.
    loss : str, default="mean_absolute_percentage_error"
        "mean_absolute_percentage_error" or "mean_squared_percentage_error" of the latencies, which
        must then be positive; or "mean_absolute_error" or "mean_squared_error" of the standardized
        target.
    learning_rate : float, default=3e-3
        Learning rate of AdamW; the initial one if it decays.
    learning_rate_decay : {"cosine", "plateau"} or None, default="cosine"
        ``"cosine"``: decays to 0 over the epochs as half a cosine. ``"plateau"``: is halved when
        the validation loss has not improved for 10 epochs, as in the code of BRP-NAS; requires
        validation rows.
    weight_decay : float, default=0.1
        Decoupled weight decay: each step shrinks the weights by this fraction times the learning
        rate (Loshchilov and Hutter, "Decoupled weight decay regularization", 2019).
    epochs : int, default=200
        Number of passes over the training data.
    batch_size : int, default=32
        Number of graphs per gradient step.
    early_stopping : bool, default=False
        Whether to stop when the validation loss has not improved for 14 % of `epochs` (35 of 250,
        as in the code of BRP-NAS). The best weights are kept. Requires validation rows.
    validation_fraction : float, default=0.0
        Fraction of rows held out for validation; 0 holds out none.
    random_state : int, RandomState or None, default=None
        Seed. The same seed gives the same predictions on the same machine. The global seeds of
        random, NumPy and TensorFlow are restored after training.
    verbose : {0, 1, 2}, default=0
        Verbosity of Keras.

    Attributes
    ----------
    n_nodes_, n_node_features_ : int
        Number of nodes of a graph, and number of features of a node.
    readout_ : {"global", "mean"}
        Whether the output reads the first node, or the mean over all nodes except padding. The
        first node is treated as global if it has edges to all others in every graph of `fit`.
    weights_ : dict of str to list of ndarray
        Weights of each layer; `to_keras` returns a Keras model with these weights.
    line_ : estimator
        The linear part, which predicts the standardized target; constant 0 without one.
    y_mean_, y_scale_ : float
        Mean and standard deviation of the training target, in seconds.
    history_ : dict of str to list of float
        Values per epoch: ``loss`` (as a fraction of the latency if it is a percentage error),
        ``mse`` (seconds squared), ``mae`` and ``rmse`` (seconds). The same keys with the prefix
        ``val_`` exist if rows were held out.

    See Also
    --------
    fcnn_latency.encoding.GraphEncoder : Encode architectures as graphs.
    fcnn_latency.encoding.graphs_to_matrix : Encode graphs of other kinds, such as cells.

    Examples
    --------
    Chains of two or three nodes of two kinds, where the latencies of the nodes add up:

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
        """Return the latency predictor of BRP-NAS, trained as by its authors.

        From Dudziak et al. (2020): four convolutions of 600 units, dropout, AdamW with its learning
        rate and weight decay, and 250 epochs. From their published code: normalization after each
        convolution, absolute error, a learning rate halved on a plateau, early stopping, and 100
        of 1,000 graphs for validation. A batch has 10 graphs instead of one, to train in
        reasonable time. Unlike theirs, weights are initialized as in Glorot and Bengio (2010),
        features and target are standardized, and padding has no edge to the global node.

        Parameters
        ----------
        **parameters
            Parameters of the class that override the preset.

        Returns
        -------
        GraphConvolutionRegressor
            Not fitted.
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
            Graphs as returned by `GraphEncoder` or `graphs_to_matrix`.
        y : array-like of shape (n_samples,)
            Latencies in seconds; must be positive for a percentage error.

        Returns
        -------
        GraphConvolutionRegressor
            The estimator itself.

        Raises
        ------
        ValueError
            If the data or a parameter are invalid, or training diverges.
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
        # The residual is standardized again, so that the same learning rate suits it.
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
        """Return the trained network as a Keras model of built-in layers.

        Returns
        -------
        keras.Model
            The inputs are the scaled node features (n, n_nodes, n_node_features), the adjacency
            (n, n_nodes, n_nodes) and the weight of each node in the readout (n, n_nodes). The
            output, of shape (n, 1), is added to the linear part, in units of the standardized
            target.
        """
        check_is_fitted(self)
        network = build_network(self)
        for name, arrays in self.weights_.items():
            network.get_layer(name).set_weights(arrays)
        return network

    def _sizes(self, n_columns: int) -> tuple[int, int]:
        """Return the number of nodes of a graph and of features of a node."""
        n_nodes, n_node_features = self.n_nodes, self.n_node_features
        if n_nodes is not None:
            return n_nodes, n_node_features or max(1, (n_columns - n_nodes**2) // n_nodes)
        if n_node_features is not None:
            return nodes_of_columns(n_columns, n_node_features), n_node_features
        return 1, n_columns  # each row is the only node of its graph

    def _graphs(self, X: Floats) -> tuple[Floats, Floats, Bools]:
        """Return node features, adjacency and a mask of the nodes that are not padding."""
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
        """Return the network inputs: scaled node features, adjacency and readout weights."""
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
        """Return the row weights that make a loss on the standardized target relative."""
        relative = self.y_scale_ / y if self.y_scale_ else np.ones(len(y))
        return np.asarray(relative ** GRAPH_LOSSES[self.loss][1])

    def _fit_line(self, sums: Floats, target: Floats, weights: Floats) -> Any:
        """Return the fitted linear part, or without one the constant 0, the mean of the target."""
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
        """Return the tags: a relative loss requires positive targets."""
        tags = super().__sklearn_tags__()
        tags.target_tags.positive_only = str(self.loss).endswith("percentage_error")
        return tags


def _sums(nodes: Floats, real: Bools) -> Floats:
    """Return the inputs of the linear part: features summed over nodes, and number of nodes."""
    return np.column_stack([nodes.sum(axis=1), real.sum(axis=1)])
