"""LiteRT, the successor of TensorFlow Lite; its XNNPACK kernels run the whole network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from fcnn_latency._imports import without_chatter
from fcnn_latency._validation import Floats32, check_parameters, whole
from fcnn_latency.measurement.runtimes._base import COPIES_DIFFER, Inference, Runtime, make_weights


@dataclass
class LiteRTRuntime(Runtime):
    """LiteRT's interpreter on a model of fixed shape; an inference is its invocation.

    Setting the input and reading the output copy data, which takes as long as a small network.
    The input is therefore set once, and the output is only read on request.

    Parameters
    ----------
    num_threads : int, default=1
        Threads of the interpreter. With n other than 1, the name is ``"litert-n-threads"``.
    """

    name = "litert"
    packages: ClassVar[tuple[str, ...]] = ("ai-edge-litert",)
    extra: ClassVar[str | None] = "litert"
    #: Latency varies mostly with a copy's place in memory: many copies, few rounds.
    protocol_fields: ClassVar[dict[str, Any]] = {"passes": 10, "rounds": 4, **COPIES_DIFFER}

    num_threads: int = 1

    def __post_init__(self) -> None:
        check_parameters(self, {"num_threads": whole(1)})
        if self.num_threads != 1:
            self.name = f"litert-{self.num_threads}-threads"

    def load(self) -> None:
        """See `Runtime.load`."""
        import ai_edge_litert.interpreter  # noqa: F401

        import fcnn_latency.measurement.runtimes._litert_flatbuffer  # noqa: F401

    def prepare(self, widths: Sequence[int], inputs: Floats32, seed: int) -> Callable[[], Any]:
        """See `Runtime.prepare`."""
        from ai_edge_litert.interpreter import Interpreter

        from fcnn_latency.measurement.runtimes._litert_flatbuffer import write_model

        model = write_model(make_weights(widths, seed), len(inputs))
        interpreter = Interpreter(model_content=model, num_threads=self.num_threads)
        with without_chatter():
            interpreter.allocate_tensors()
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], inputs)
        read = partial(interpreter.get_tensor, interpreter.get_output_details()[0]["index"])
        # Not interpreter.invoke: on (14, 21, 31, 14) its checks in Python took 0.32 microseconds
        # and the wrapped call 0.54.
        return Inference.leaving(read, interpreter._interpreter.Invoke)
