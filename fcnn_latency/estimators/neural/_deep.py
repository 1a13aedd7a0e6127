"""Deep fully connected regressor, trained through scikeras."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.dummy import DummyRegressor
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted

from fcnn_latency._imports import import_keras
from fcnn_latency._validation import (
    LARGEST_SEED,
    Array,
    Floats,
    Floats32,
    check_parameters,
)
from fcnn_latency.encoding._parallel import map_chunks
from fcnn_latency.estimators._base import FeatureRegressor, compress, weight_of
from fcnn_latency.estimators._linear import RelativeLinearRegressor, ridge_line
from fcnn_latency.estimators.neural._dense_network import DenseNetwork
from fcnn_latency.estimators.neural._parameters import DEEP_RULES
from fcnn_latency.estimators.neural._training import history_in_units, seed_of, train


class LatencyRegressor(FeatureRegressor):
    r"""Deep fully connected regressor, trained through scikeras' `KerasRegressor`.

    A linear part is fitted first, on the untransformed inputs. The networks learn its residual.
    This is the wide and deep model of Cheng et al., "Wide & deep learning for recommender systems"
    (2016), section 3, with the parts fitted one after the other. With ``target="relative"`` the
    linear part is a `RelativeLinearRegressor` and the networks learn log(y / linear part), so all
    errors are relative.

    The networks' inputs are compressed by sign(x) log(1 + \|x\|), because costs span several
    decades, and then standardized. Their target is standardized too, so that training does not
    depend on the unit of time, and so that the `l2` penalty keeps the output of a network near 0
    if the residual is only noise. After training, the networks are kept as arrays: predictions do
    not call Keras.

    Parameters
    ----------
    hidden_layer_sizes : sequence of int, default=(64, 32)
        Number of units of each hidden layer.
    linear_part : bool, default=True
        Whether the networks learn the residual of a linear model instead of the whole latency.
    target : {"relative", "absolute"}, default="relative"
        Whether linear part and networks minimize relative errors or errors in seconds.
    n_networks : int, default=1
        Number of networks with different initial weights. The prediction is their mean
        (Lakshminarayanan et al., "Simple and scalable predictive uncertainty estimation using deep
        ensembles", 2017).
    activation : str, default="relu"
        Keras activation of the hidden layers; must be element-wise.
    batch_normalization : bool or "first", default=False
        Whether batch normalization follows each hidden layer, or only the first.
    dropout : float, default=0.0
        Fraction of values dropped after each hidden layer.
    l2 : float, default=3e-4
        Weight of the squared kernels in the loss.
    optimizer : str, default="adam"
        Keras optimizer: "adam", "adamw", "nadam", "adamax", "adagrad", "adadelta", "adafactor",
        "rmsprop", "sgd", "ftrl" or "lion".
    learning_rate : float, default=1e-2
        Learning rate; the initial one if it decays.
    learning_rate_decay : {"cosine"} or None, default="cosine"
        Whether the learning rate decays to 0 over the epochs as half a cosine (Loshchilov and
        Hutter, "SGDR: Stochastic gradient descent with warm restarts", 2017, eq. 5, without
        restarts).
    loss : str, default="mean_squared_error"
        Keras loss on the standardized target: "mean_squared_error", "mean_absolute_error",
        "huber" or "log_cosh". Relative losses are excluded because
        they would divide by targets close to 0.
    epochs : int, default=50
        Number of passes over the training data.
    batch_size : int, default=16
        Number of samples per gradient step.
    early_stopping : bool, default=False
        Whether to stop when the validation loss has not improved for a tenth of `epochs`. The best
        weights are kept.
    validation_fraction : float, default=0.1
        Fraction of rows held out for validation; 0 holds out none.
    callbacks : list of keras.callbacks.Callback or None, default=None
        Additional callbacks. They are copied before use; the used ones are `callbacks_`.
    log_dir : str, path or None, default=None
        Folder for TensorBoard logs; requires the package tensorboard.
    random_state : int, RandomState or None, default=None
        Seed. The same seed gives the same predictions on the same machine. The global seeds of
        random, NumPy and TensorFlow are restored after training.
    verbose : {0, 1, 2}, default=0
        Verbosity of Keras.

    Attributes
    ----------
    line_ : estimator
        The linear part. Without one, a constant: the mean of the training latencies, or their
        geometric mean with ``target="relative"``.
    target_scale_ : float
        Standard deviation of the target of the networks: log-residuals, or residuals in seconds.
    x_used_ : ndarray of int, shape (n_used,)
        Columns that the networks read: those that vary in the training data.
    x_mean_, x_scale_ : ndarray of shape (n_used,)
        Mean and standard deviation of these columns after compression.
    networks_ : list of DenseNetwork
        The trained networks.
    weights_ : list of float
        Factor for the output of each network. With a linear part and validation rows, it is the
        least-squares weight in [0, 1] on these rows, so a network that has learned only noise is
        left out. Otherwise it is 1.
    callbacks_ : list of keras.callbacks.Callback
        Callbacks of the last training; neither pickled nor saved.
    history_ : dict of str to list of float
        Values per epoch of the last training: ``loss`` (of the standardized target, with the
        weight penalty), ``mse``, ``mae`` and ``rmse`` (in units of the target: relative errors or
        seconds). The same keys with the prefix ``val_`` exist if rows were held out.
    """

    def __init__(
        self,
        hidden_layer_sizes: Sequence[int] = (64, 32),
        *,
        linear_part: bool = True,
        target: str = "relative",
        n_networks: int = 1,
        activation: str = "relu",
        batch_normalization: bool | str = False,
        dropout: float = 0.0,
        l2: float = 3e-4,
        optimizer: str = "adam",
        learning_rate: float = 1e-2,
        learning_rate_decay: str | None = "cosine",
        loss: str = "mean_squared_error",
        epochs: int = 50,
        batch_size: int = 16,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        callbacks: list[Any] | None = None,
        log_dir: str | os.PathLike[str] | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.linear_part = linear_part
        self.target = target
        self.n_networks = n_networks
        self.activation = activation
        self.batch_normalization = batch_normalization
        self.dropout = dropout
        self.l2 = l2
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.learning_rate_decay = learning_rate_decay
        self.loss = loss
        self.epochs = epochs
        self.batch_size = batch_size
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.callbacks = callbacks
        self.log_dir = log_dir
        self.random_state = random_state
        self.verbose = verbose

    @classmethod
    def paper(cls, **parameters: Any) -> LatencyRegressor:
        """Return the network of Beglaryan and Ringhofer (2023), trained for 100 epochs like theirs.

        Their section IV ("Description of the proposed estimator model") specifies three hidden
        layers, ReLU, regularization, normalization, Adam, squared error and the fraction of
        validation rows. Their published code specifies the widths, the position of the
        normalization and the epochs. The text does not specify batch size, learning rate and weight
        of the regularization; Keras' defaults are used. Unlike theirs, inputs are compressed and
        standardized and the target is standardized, as always in this class.

        Parameters
        ----------
        **parameters
            Parameters of the class that override the preset.

        Returns
        -------
        LatencyRegressor
            Not fitted.
        """
        preset = {
            "hidden_layer_sizes": (32, 16, 8),
            "linear_part": False,
            "target": "absolute",
            "batch_normalization": "first",
            "l2": 0.01,
            "learning_rate": 1e-3,
            "learning_rate_decay": None,
            "epochs": 100,
            "batch_size": 32,
            "validation_fraction": 0.2,
        }
        return cls(**{**preset, **parameters})

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> LatencyRegressor:
        """Train the networks.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Encoded architectures.
        y : array-like of shape (n_samples,)
            Latencies in seconds; must be positive if ``target="relative"``.

        Returns
        -------
        LatencyRegressor
            The estimator itself.

        Raises
        ------
        ValueError
            If the data or a parameter are invalid, or training diverges.
        """
        encoded, latencies = self._checked(X, y)
        check_parameters(self, DEEP_RULES)
        import_keras()
        # A column that never varies would keep its random initial weight.
        varies = np.flatnonzero(np.ptp(encoded, axis=0))
        self.x_used_ = varies if len(varies) else np.arange(1)
        scaler = StandardScaler().fit(compress(encoded[:, self.x_used_]))
        self.x_mean_, self.x_scale_ = scaler.mean_, scaler.scale_
        self.line_ = self._fit_line(encoded, latencies)
        line = self.line_.predict(encoded)
        left = np.log(latencies / line) if self.target == "relative" else latencies - line
        # Even if the linear part is exact, rounding leaves small residuals.
        exact = np.ptp(left) <= 1e-12 * (1.0 if self.target == "relative" else np.ptp(latencies))
        self.target_scale_ = 0.0 if exact else float(left.std())
        inputs = self._inputs(encoded)
        target = (left / (self.target_scale_ or 1.0)).astype(np.float32)
        seed = seed_of(self.random_state)
        self.networks_: list[DenseNetwork] = []
        self.weights_: list[float] = []
        for k in range(int(self.n_networks)):
            self._add_network(inputs, target, (seed + k) % (LARGEST_SEED + 1))
        return self

    def _add_network(self, inputs: Floats32, target: Floats32, seed: int) -> None:
        """Train and append one more network."""
        callbacks = copy.deepcopy(list(self.callbacks or []))
        if self.log_dir is not None:
            callbacks.append(import_keras().callbacks.TensorBoard(os.fspath(self.log_dir)))
        trained = train(
            lambda: self._build(inputs.shape[1]),
            [inputs],
            target,
            self,
            optimizer=self.optimizer,
            loss=self.loss,
            patience=max(1, self.epochs // 10),
            seed=seed,
            callbacks=callbacks,
        )
        self.callbacks_ = trained.callbacks
        network, weight = DenseNetwork.from_keras(trained.model, self.activation), 1.0
        if trained.held_out and self.linear_part:
            unseen, wanted = trained.held_out
            weight = weight_of(network(unseen).astype(np.float64), wanted)
        self.networks_.append(network)
        self.weights_.append(weight)
        self.history_ = history_in_units(trained.recorded, self.target_scale_)

    def _build(self, n_inputs: int) -> Any:
        """Return a network that is not compiled yet."""
        keras = import_keras()
        layers = keras.layers
        network = keras.Sequential([keras.Input((n_inputs,))])
        for i, size in enumerate(self.hidden_layer_sizes):
            penalty = keras.regularizers.L2(self.l2) if self.l2 else None
            network.add(layers.Dense(int(size), self.activation, kernel_regularizer=penalty))
            if self.batch_normalization and (self.batch_normalization != "first" or i == 0):
                network.add(layers.BatchNormalization())
            if self.dropout:
                network.add(layers.Dropout(self.dropout))
        network.add(layers.Dense(1))
        return network

    def to_keras(self) -> Any:
        r"""Return the trained networks as one Keras model of dense layers.

        Returns
        -------
        keras.Model
            The input, of shape (n, n_used), consists of the columns `x_used_` of the encoded
            architectures, compressed by sign(x) log(1 + \|x\|), minus `x_mean_`, divided by
            `x_scale_`. The output, of shape (n, 1), corrects the linear part: seconds to add, or
            with ``target="relative"`` the logarithm of a factor.
        """
        check_is_fitted(self)
        keras = import_keras()
        inputs = keras.Input((len(self.x_used_),))
        outputs = []
        for network, factor in self._weighted_networks():
            values, last = inputs, len(network.kernels) - 1
            for i, (kernel, bias) in enumerate(zip(network.kernels, network.biases, strict=True)):
                layer = keras.layers.Dense(len(bias), None if i == last else network.activation)
                values = layer(values)
                scale = factor if i == last else 1.0
                layer.set_weights([scale * kernel, scale * bias])
            outputs.append(values)
        return keras.Model(inputs, keras.layers.Add()(outputs) if len(outputs) > 1 else outputs[0])

    def predict(self, X: npt.ArrayLike) -> Floats:
        """Predict latencies in seconds, shape (n_samples,)."""
        return map_chunks(self._predict_chunk, self._checked_features(X))

    def _checked_features(self, X: npt.ArrayLike) -> Array:
        """Return features for `predict`, with a fast path for valid arrays."""
        if (
            isinstance(X, np.ndarray)
            and X.dtype in (np.float32, np.float64)
            and X.ndim == 2
            and len(X)
            and X.shape[1] == getattr(self, "n_features_in_", None)
            and not hasattr(self, "feature_names_in_")
            and np.isfinite(X.sum())
        ):
            return X
        return super()._checked_features(X)

    def _predict_chunk(self, encoded: Array) -> Floats:
        inputs = self._inputs(encoded)
        left = np.zeros(len(encoded))
        for network, factor in self._weighted_networks():
            left += factor * network(inputs)
        # `law` skips the checks, which are already done.
        line = getattr(self.line_, "law", self.line_.predict)(encoded)
        return np.asarray(line * np.exp(left) if self.target == "relative" else line + left)

    def _weighted_networks(self) -> Iterator[tuple[DenseNetwork, float]]:
        """Yield each network and the factor of its output in the sum."""
        for network, weight in zip(self.networks_, self.weights_, strict=True):
            yield network, weight / len(self.networks_) * self.target_scale_

    def _inputs(self, encoded: Array) -> Floats32:
        """Return the compressed and standardized inputs of the networks."""
        # For many rows, `take` is several times as fast as indexing.
        used = np.take(encoded, self.x_used_, axis=1)
        inputs = compress(used.astype(np.float32, copy=False))
        inputs -= self.x_mean_.astype(np.float32)
        inputs *= (1 / self.x_scale_).astype(np.float32)
        return inputs

    def _fit_line(self, X: Floats, y: Floats) -> Any:
        """Return the fitted linear part, or a constant without one."""
        line: Any = DummyRegressor()
        if self.linear_part and len(X) > 1:
            line = RelativeLinearRegressor() if self.target == "relative" else ridge_line()
        elif self.target == "relative":
            line = DummyRegressor(strategy="constant", constant=np.exp(np.log(y).mean()))
        return line.fit(X, y)

    def __getstate__(self) -> dict[str, Any]:
        """Return the state without callbacks, which may hold open files, as TensorBoard's does."""
        state = dict(super().__getstate__())
        state.pop("callbacks_", None)
        return state

    def __sklearn_tags__(self) -> Any:
        """Return the tags: relative errors require positive latencies."""
        tags = super().__sklearn_tags__()
        tags.target_tags.positive_only = self.target == "relative"
        return tags
