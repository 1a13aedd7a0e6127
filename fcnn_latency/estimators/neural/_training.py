"""Training of networks: one loop for all, based on scikeras' `KerasRegressor`.

Only this module uses scikeras, which restores the global seeds after training.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import check_random_state

from fcnn_latency._imports import import_keras
from fcnn_latency._validation import Array, Floats32, is_whole


class Trained(NamedTuple):
    """A trained network.

    Parameters
    ----------
    model : keras.Model
        Has the weights that were kept.
    recorded : dict of str to list of float
        Values that Keras recorded in each epoch.
    held_out : tuple of inputs and target, or None
        Validation rows, without their weights; None if there are none.
    callbacks : list of keras.callbacks.Callback
        Callbacks used in training.
    """

    model: Any
    recorded: dict[str, list[float]]
    held_out: tuple[Any, Any] | None
    callbacks: list[Any]


def seed_of(random_state: int | np.random.RandomState | None) -> int:
    """Return an integer seed, even for None: deterministic TensorFlow requires a seed."""
    if is_whole(random_state):
        return int(random_state)  # type: ignore[arg-type]
    return int(check_random_state(random_state).randint(2**31 - 1))


def _check_held_out(settings: Any, n_rows: int) -> None:
    """Raise ValueError if a setting needs validation rows and there are none.

    Raises
    ------
    ValueError
        If `early_stopping` or a decay on a plateau is set, but `validation_fraction` holds out no
        row.
    """
    needs = ["early_stopping=True"] if settings.early_stopping else []
    needs += ["learning_rate_decay='plateau'"] * (settings.learning_rate_decay == "plateau")
    if needs and n_rows * settings.validation_fraction < 1:
        raise ValueError(
            f"{' and '.join(needs)} {'need' if needs[1:] else 'needs'} validation rows: of "
            f"{n_rows} rows, validation_fraction={settings.validation_fraction!r} leaves none."
        )


def train(
    build: Callable[[], Any],
    inputs: Sequence[Floats32],
    target: Array,
    settings: Any,
    *,
    optimizer: str,
    optimizer_settings: Mapping[str, float] | None = None,
    loss: str,
    patience: int,
    seed: int,
    sample_weight: Array | None = None,
    callbacks: Sequence[Any] = (),
) -> Trained:
    """Train a network, with validation rows, learning rate decay and early stopping.

    Parameters
    ----------
    build : callable
        Returns the network, not compiled. It is called after the seeds are set.
    inputs : sequence of ndarray, each of shape (n_samples, ...)
        One array for each input of the network.
    target : ndarray of shape (n_samples,)
        Target of the output.
    settings : LatencyRegressor or GraphConvolutionRegressor
        Has the parameters `epochs`, `batch_size`, `validation_fraction`, `early_stopping`,
        `learning_rate`, `learning_rate_decay` and `verbose`.
    optimizer : str
        Keras name of the optimizer.
    optimizer_settings : mapping of str to float or None, default=None
        Settings of the optimizer in addition to the learning rate.
    loss : str
        Keras name of the loss.
    patience : int
        Number of epochs without improvement after which `early_stopping` ends training.
    seed : int
        Seed of the held-out rows, the weights and the batches.
    sample_weight : ndarray of shape (n_samples,) or None, default=None
        Weight of each row in the loss.
    callbacks : sequence of keras.callbacks.Callback, default=()
        Additional callbacks.

    Returns
    -------
    Trained
        The trained network and its record.

    Raises
    ------
    ValueError
        If a setting needs validation rows and there are none, or training diverges.
    """
    _check_held_out(settings, len(target))
    keras = import_keras()
    split = _splitter([array.shape[1:] for array in inputs])
    flat = np.hstack([array.reshape(len(array), -1) for array in inputs])
    rows = [flat, target] if sample_weight is None else [flat, target, sample_weight]
    validated = {}
    if len(target) * settings.validation_fraction >= 1:
        both = train_test_split(*rows, test_size=settings.validation_fraction, random_state=seed)
        rows, (unseen, *labels) = both[::2], both[1::2]
        validated = {"validation_data": (split(unseen), *labels)}
    rate: Any = float(settings.learning_rate)
    if settings.learning_rate_decay == "cosine":
        steps = int(settings.epochs) * -(-len(rows[0]) // int(settings.batch_size))
        rate = keras.optimizers.schedules.CosineDecay(rate, steps)

    def compiled() -> Any:
        network = build()
        metrics = ["mean_squared_error", "mean_absolute_error"]
        config = {"learning_rate": rate, **(optimizer_settings or {})}
        descent = keras.optimizers.get({"class_name": optimizer, "config": config})
        network.compile(optimizer=descent, loss=loss, metrics=metrics)
        return network

    callbacks = list(callbacks)
    if settings.early_stopping and validated:
        stopping = keras.callbacks.EarlyStopping(patience=patience, restore_best_weights=True)
        callbacks.append(stopping)
    if settings.learning_rate_decay == "plateau":
        callbacks.append(keras.callbacks.ReduceLROnPlateau(factor=0.5, patience=10))
    engine = _engine(split)(
        model=compiled,
        epochs=int(settings.epochs),
        batch_size=int(settings.batch_size),
        fit__callbacks=callbacks,
        random_state=seed,
        verbose=int(settings.verbose),
    )
    engine.fit(*rows, **validated)
    final = engine.history_["loss"][-1]
    if not np.isfinite(final):
        raise ValueError(
            f"Training diverged: the loss is {final}. Choose a lower learning_rate than "
            f"{settings.learning_rate!r}."
        )
    held_out = validated["validation_data"][:2] if validated else None
    return Trained(engine.model_, engine.history_, held_out, callbacks)


def _splitter(shapes: Sequence[tuple[int, ...]]) -> Callable[[Any], Any]:
    """Return a function that splits columns into network inputs of these shapes."""
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])[:-1]

    def split(rows: Any) -> Any:
        parts = zip(np.split(rows, ends, axis=1), shapes, strict=True)
        inputs = [part.reshape(-1, *shape) for part, shape in parts]
        return inputs if len(inputs) > 1 else inputs[0]  # Keras expects one input without a list

    return split


def _engine(split: Callable[[Any], Any]) -> Any:
    """Return the scikeras regressor class that splits columns into network inputs."""
    from scikeras.wrappers import KerasRegressor

    class Engine(KerasRegressor):
        @property
        def feature_encoder(self) -> Any:
            return FunctionTransformer(split)

    return Engine


def history_in_units(recorded: dict[str, list[float]], scale: float) -> dict[str, list[float]]:
    """Convert the losses of each epoch to the unit of the target.

    Parameters
    ----------
    recorded : dict of str to list of float
        Values that Keras recorded in each epoch, on the scaled target.
    scale : float
        Size of 1 on the scaled target, in the unit of the target.

    Returns
    -------
    dict of str to list of float
        ``loss`` as recorded; ``mse`` in the squared unit of the target; ``mae`` and ``rmse`` in
        the unit of the target. The prefix ``val_`` marks the same values on validation rows.
    """
    history: dict[str, list[float]] = {}
    for prefix in ("", "val_"):
        if f"{prefix}loss" in recorded:
            history[f"{prefix}loss"] = [float(v) for v in recorded[f"{prefix}loss"]]
            squared = recorded[f"{prefix}mean_squared_error"]
            history[f"{prefix}mse"] = [float(v) * scale**2 for v in squared]
            absolute = recorded[f"{prefix}mean_absolute_error"]
            history[f"{prefix}mae"] = [float(v) * scale for v in absolute]
            history[f"{prefix}rmse"] = [v**0.5 for v in history[f"{prefix}mse"]]
    return history
