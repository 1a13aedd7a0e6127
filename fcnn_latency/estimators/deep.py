"""The deep fully connected regressor, trained through scikeras."""

from __future__ import annotations

import copy
import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils.validation import check_is_fitted, validate_data

from fcnn_latency.keras_import import import_keras

__all__ = ["LatencyRegressor"]


class LatencyRegressor(RegressorMixin, BaseEstimator):
    r"""Deep fully connected regressor on scikeras' `KerasRegressor`.

    Inputs are compressed by sign(x) log(1 + \|x\|), since costs range over decades, and
    standardized; so is the target, so that microseconds and seconds train alike.

    Parameters
    ----------
    hidden_layer_sizes : sequence of int, default=(64, 64, 64)
        Units of each hidden layer.
    activation : str, default="relu"
        Activation of the hidden layers.
    batch_normalization : bool or "first", default=False
        Whether each hidden layer, or the first only, is followed by batch normalization.
    dropout : float, default=0.0
        Fraction dropped after each hidden layer.
    l2 : float, default=1e-3
        Weight of the squared kernels in the loss.
    optimizer : str, default="adam"
        Name of a Keras optimizer.
    learning_rate : float, default=1e-2
        Step size; the first one, where it decays.
    learning_rate_decay : {"cosine"} or None, default="cosine"
        Whether the step size falls to 0 over the epochs along half a cosine (Loshchilov and Hutter,
        "SGDR: Stochastic gradient descent with warm restarts", 2017, eq. 5, without restarts).
    loss : str, default="mean_squared_error"
        Keras loss, on the standardized target.
    epochs : int, default=100
        Passes over the training data.
    batch_size : int, default=8
        Samples of a gradient step.
    early_stopping : bool, default=False
        Stop when the validation loss has not improved for a tenth of `epochs`, and keep the best
        weights.
    validation_fraction : float, default=0.1
        Fraction held out for validation; 0 for none.
    callbacks : list of keras.callbacks.Callback or None, default=None
        Further callbacks; copied before use, the used ones are `callbacks_`.
    log_dir : str or None, default=None
        Folder for TensorBoard logs; takes the package tensorboard.
    random_state : int or None, default=None
        The same seed gives the same predictions.
    verbose : int, default=0
        Verbosity of Keras.

    Attributes
    ----------
    regressor_ : scikeras.wrappers.KerasRegressor
        The trained engine.
    history_ : dict of str to list of float
        Per epoch ``loss`` (standardized target), ``mse`` (seconds squared), ``mae`` and ``rmse``
        (seconds), and the same with ``val_``.
    """

    def __init__(
        self,
        hidden_layer_sizes: Sequence[int] = (64, 64, 64),
        *,
        activation: str = "relu",
        batch_normalization: bool | str = False,
        dropout: float = 0.0,
        l2: float = 1e-3,
        optimizer: str = "adam",
        learning_rate: float = 1e-2,
        learning_rate_decay: str | None = "cosine",
        loss: str = "mean_squared_error",
        epochs: int = 100,
        batch_size: int = 8,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        callbacks: list[Any] | None = None,
        log_dir: str | None = None,
        random_state: int | None = None,
        verbose: int = 0,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
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
        """The network of Beglaryan and Ringhofer (2023), section V-B: 32-BN-16-8, 100 epochs.

        Their weight regularization is not stated; Keras' default of 0.01 is used.
        """
        preset = {
            "hidden_layer_sizes": (32, 16, 8),
            "batch_normalization": "first",
            "l2": 0.01,
            "learning_rate": 1e-3,
            "learning_rate_decay": None,
            "batch_size": 32,
            "validation_fraction": 0.2,
        }
        return cls(**{**preset, **parameters})

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> LatencyRegressor:
        """Train the network.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Encoded architectures.
        y : array-like of shape (n_samples,)
            Latencies in seconds.

        Raises
        ------
        ValueError
            If data or a parameter are wrong.
        """
        features, target = validate_data(self, X, y, dtype=np.float64, y_numeric=True)
        self._check_parameters()
        import_keras()
        from scikeras.wrappers import KerasRegressor

        self.x_scaler_ = make_pipeline(FunctionTransformer(_compress), StandardScaler())
        self.x_scaler_.fit(features)
        self.y_scaler_ = StandardScaler().fit(target[:, None])
        features = self.x_scaler_.transform(features).astype(np.float32)
        target = self.y_scaler_.transform(target[:, None]).astype(np.float32)[:, 0]
        held_out = {}
        if self.validation_fraction and len(features) * self.validation_fraction >= 1:
            features, X_val, target, y_val = train_test_split(
                features, target, test_size=self.validation_fraction, random_state=self.random_state
            )
            held_out = {"validation_data": (X_val, y_val)}
        self.callbacks_ = self._make_callbacks(validated=bool(held_out))
        self.regressor_ = KerasRegressor(
            model=_build_network,
            model__parameters=self.get_params(deep=False),
            epochs=self.epochs,
            batch_size=self.batch_size,
            callbacks=self.callbacks_ or None,
            random_state=self.random_state,
            verbose=self.verbose,
        ).fit(features, target, **held_out)
        self.history_ = self._history_in_seconds()
        return self

    def predict(self, X: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Predict latencies in seconds, shape (n_samples,)."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        scaled = self.regressor_.predict(self.x_scaler_.transform(X).astype(np.float32))
        seconds: npt.NDArray[np.float64] = self.y_scaler_.inverse_transform(
            np.reshape(scaled, (-1, 1))
        )[:, 0]
        return seconds

    def _check_parameters(self) -> None:
        sizes = self.hidden_layer_sizes
        if not all(isinstance(size, numbers.Integral) and size > 0 for size in sizes):
            raise ValueError(_wrong("hidden_layer_sizes", "whole numbers of at least 1", sizes))
        if self.batch_normalization not in (False, True, "first"):
            got = self.batch_normalization
            raise ValueError(_wrong("batch_normalization", 'False, True or "first"', got))
        if self.learning_rate_decay not in ("cosine", None):
            got = self.learning_rate_decay
            raise ValueError(_wrong("learning_rate_decay", '"cosine" or None', got))
        if not 0 <= self.validation_fraction < 1:
            raise ValueError(_wrong("validation_fraction", "in [0, 1)", self.validation_fraction))
        if self.early_stopping and not self.validation_fraction:
            msg = "early_stopping=True needs a validation_fraction above 0."
            raise ValueError(msg)

    def _make_callbacks(self, *, validated: bool) -> list[Any]:
        keras = import_keras()
        callbacks = copy.deepcopy(list(self.callbacks or []))
        if self.early_stopping and validated:
            patience = max(1, self.epochs // 10)
            callbacks.append(
                keras.callbacks.EarlyStopping(patience=patience, restore_best_weights=True)
            )
        if self.log_dir is not None:
            callbacks.append(keras.callbacks.TensorBoard(self.log_dir))
        return callbacks

    def _history_in_seconds(self) -> dict[str, list[float]]:
        scale = float(self.y_scaler_.scale_[0])
        history: dict[str, list[float]] = {}
        recorded = self.regressor_.history_
        for prefix in ("", "val_"):
            if f"{prefix}loss" in recorded:
                history[f"{prefix}loss"] = [float(v) for v in recorded[f"{prefix}loss"]]
                for short, long in (("mse", "mean_squared_error"), ("mae", "mean_absolute_error")):
                    values = recorded.get(prefix + long, recorded.get(prefix + short))
                    factor = scale**2 if short == "mse" else scale
                    history[prefix + short] = [float(v) * factor for v in values]
                history[f"{prefix}rmse"] = [v**0.5 for v in history[f"{prefix}mse"]]
        return history


def _compress(X: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.sign(X) * np.log1p(np.abs(X))


def _build_network(meta: dict[str, Any], parameters: dict[str, Any]) -> Any:
    keras = import_keras()
    layers: list[Any] = [keras.Input((meta["n_features_in_"],))]
    for i, size in enumerate(parameters["hidden_layer_sizes"]):
        regularizer = keras.regularizers.L2(parameters["l2"]) if parameters["l2"] else None
        layers.append(
            keras.layers.Dense(int(size), parameters["activation"], kernel_regularizer=regularizer)
        )
        normalized = parameters["batch_normalization"]
        if normalized is True or (normalized == "first" and i == 0):
            layers.append(keras.layers.BatchNormalization())
        if parameters["dropout"]:
            layers.append(keras.layers.Dropout(parameters["dropout"]))
    network = keras.Sequential([*layers, keras.layers.Dense(1)])
    rate = parameters["learning_rate"]
    if parameters["learning_rate_decay"] == "cosine":
        steps = parameters["epochs"] * -(-meta["X_shape_"][0] // parameters["batch_size"])
        rate = keras.optimizers.schedules.CosineDecay(rate, steps)
    network.compile(
        optimizer=keras.optimizers.get(
            {"class_name": parameters["optimizer"], "config": {"learning_rate": rate}}
        ),
        loss=parameters["loss"],
        metrics=["mean_squared_error", "mean_absolute_error"],
    )
    return network


def _wrong(name: str, expected: str, got: object) -> str:
    return f"The '{name}' parameter of LatencyRegressor must be {expected}. Got {got!r} instead."
