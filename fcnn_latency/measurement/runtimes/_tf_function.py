"""Keras models as TensorFlow graphs: by `tf.function`, and compiled by XLA."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, ClassVar

from fcnn_latency._imports import import_keras
from fcnn_latency._validation import Floats32
from fcnn_latency.measurement.runtimes._keras import KerasRuntime, build_model


class TFFunctionRuntime(KerasRuntime):
    """Keras model as a graph: ``tf.function(model)`` for one input shape, called on a tensor."""

    name = "tf-function"
    #: Building and tracing take longer than timing, so more rounds cost little.
    protocol_fields: ClassVar[dict[str, Any]] = {"rounds": 24}
    #: Whether XLA compiles the graph.
    jit_compile: ClassVar[bool] = False

    def prepare(self, widths: Sequence[int], inputs: Floats32, seed: int) -> Callable[[], Any]:
        """See `Runtime.prepare`."""
        tensor = import_keras().ops.convert_to_tensor(inputs)
        import tensorflow as tf

        infer = tf.function(
            build_model(widths, seed),
            input_signature=[tf.TensorSpec(tensor.shape, tensor.dtype)],
            jit_compile=self.jit_compile,
        )
        return partial(infer, tensor)


class XLARuntime(TFFunctionRuntime):
    """The graph of `TFFunctionRuntime`, compiled by XLA at its first call."""

    name = "xla"
    protocol_fields: ClassVar[dict[str, Any]] = {"rounds": 36}
    jit_compile: ClassVar[bool] = True
