"""ONNX Runtime on its CPU execution provider."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from fcnn_latency._validation import BOOLEAN, Floats32, check_parameters, whole
from fcnn_latency.measurement.runtimes._base import COPIES_DIFFER, Inference, Runtime, make_weights

#: Versions that ONNX Runtime 1.12 (2022) and later can read.
OPSET, IR_VERSION = 17, 8


@dataclass
class ONNXRuntime(Runtime):
    """``session.run`` on a model of fixed shape, one operator after the other.

    Parameters
    ----------
    intra_op_num_threads : int, default=1
        Threads within an operator. With n other than 1, the name ends in ``"-n-threads"``.
    io_binding : bool, default=False
        Whether to bind input and output beforehand; the name is then ``"onnxruntime-bound"``. An
        inference then neither checks its input nor allocates its output.
    """

    name = "onnxruntime"
    packages: ClassVar[tuple[str, ...]] = ("onnx", "onnxruntime")
    extra: ClassVar[str | None] = "onnx"
    protocol_fields: ClassVar[dict[str, Any]] = {"passes": 4, "rounds": 6, **COPIES_DIFFER}

    intra_op_num_threads: int = 1
    io_binding: bool = False

    def __post_init__(self) -> None:
        check_parameters(self, {"intra_op_num_threads": whole(1), "io_binding": BOOLEAN})
        threads = self.intra_op_num_threads
        bound = "-bound" if self.io_binding else ""
        self.name = f"onnxruntime{bound}" + (f"-{threads}-threads" if threads != 1 else "")

    def load(self) -> None:
        """See `Runtime.load`."""
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401

    def prepare(self, widths: Sequence[int], inputs: Floats32, seed: int) -> Callable[[], Any]:
        """See `Runtime.prepare`."""
        session = self._start_session(write_model(make_weights(widths, seed), len(inputs)))
        if self.io_binding:
            return _bound(session, (len(inputs), widths[-1]), inputs)
        feed = {"inputs": inputs}
        return Inference.leaving(
            lambda: session.run(["outputs"], feed)[0], session.run, ["outputs"], feed
        )

    def _start_session(self, model: bytes) -> Any:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.intra_op_num_threads = self.intra_op_num_threads
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _bound(session: Any, shape: tuple[int, int], inputs: Floats32) -> Callable[[], Any]:
    from onnxruntime import OrtValue

    outputs = OrtValue.ortvalue_from_shape_and_type(shape, np.float32)
    binding = session.io_binding()
    binding.bind_ortvalue_input("inputs", OrtValue.ortvalue_from_numpy(inputs))
    binding.bind_ortvalue_output("outputs", outputs)
    return Inference.leaving(outputs.numpy, session.run_with_iobinding, binding)


def write_model(weights: Sequence[tuple[Floats32, Floats32]], rows: int) -> bytes:
    """Return the ONNX model of a fully connected network with ReLU and a linear output.

    Parameters
    ----------
    weights : sequence of (ndarray of shape (fan_in, fan_out), ndarray of shape (fan_out,))
        Kernel and bias of each layer, as returned by `make_weights`.
    rows : int
        Input rows of one inference.
    """
    from onnx import TensorProto, helper, numpy_helper

    nodes, constants, read = [], [], "inputs"
    for layer, (kernel, bias) in enumerate(weights, start=1):
        last = layer == len(weights)
        named = {f"kernel_{layer}": kernel, f"bias_{layer}": bias}
        constants += [numpy_helper.from_array(values, name) for name, values in named.items()]
        computed = "outputs" if last else f"layer_{layer}"
        nodes.append(helper.make_node("Gemm", [read, *named], [computed]))
        read = computed
        if not last:
            read = f"relu_{layer}"
            nodes.append(helper.make_node("Relu", [computed], [read]))
    ends = [("inputs", len(weights[0][0])), ("outputs", len(weights[-1][1]))]
    given, wanted = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, (rows, width))
        for name, width in ends
    )
    model = helper.make_model(
        helper.make_graph(nodes, "network", [given], [wanted], constants),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    serialized: bytes = model.SerializeToString()
    return serialized
