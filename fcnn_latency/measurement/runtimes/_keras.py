"""Keras models: called directly, and through `model.predict`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, ClassVar

from fcnn_latency._imports import import_keras
from fcnn_latency._validation import Floats32
from fcnn_latency.measurement.runtimes._base import Runtime, make_weights


def build_model(widths: Sequence[int], seed: int) -> Any:
    """Build a `keras.Sequential` of dense layers with ReLU between them and a linear output.

    This is the network of Beglaryan and Ringhofer (2023), section IV-A.
    """
    keras = import_keras()
    layers = []
    for kernel, _ in make_weights(widths, seed):
        # An initializer returns the weights, since setting them later takes 10 % of the build time.
        given = partial(_given, keras.ops.convert_to_tensor(kernel))
        layers.append(keras.layers.Dense(kernel.shape[1], "relu", kernel_initializer=given))
    layers[-1].activation = keras.activations.linear
    return keras.Sequential([keras.Input((int(widths[0]),)), *layers])


def _given(kernel: Any, shape: Any, dtype: Any = None) -> Any:
    return kernel


class KerasRuntime(Runtime):
    """Keras model called directly on a tensor: ``model(inputs)``."""

    name = "keras"
    packages: ClassVar[tuple[str, ...]] = ("tensorflow", "keras")

    def load(self) -> None:
        """See `Runtime.load`."""
        import_keras()

    def release(self) -> None:
        """See `Runtime.release`; Keras' graph keeps 0.3 MB for every model."""
        import_keras().backend.clear_session()

    def prepare(self, widths: Sequence[int], inputs: Floats32, seed: int) -> Callable[[], Any]:
        """See `Runtime.prepare`."""
        model = build_model(widths, seed)
        return partial(model, import_keras().ops.convert_to_tensor(inputs))


class KerasPredictRuntime(KerasRuntime):
    """Keras model called by ``model.predict(inputs)``, Keras' batched prediction loop."""

    name = "keras-predict"
    #: A call takes tens of milliseconds.
    protocol_fields: ClassVar[dict[str, Any]] = {"least_samples": 1, "rounds": 8}

    def prepare(self, widths: Sequence[int], inputs: Floats32, seed: int) -> Callable[[], Any]:
        """See `Runtime.prepare`."""
        return partial(build_model(widths, seed).predict, inputs, verbose=0)
