"""Write a network as a LiteRT model file, without TensorFlow's converter.

The converter needs a fifth of a second; this module writes the same operators on the same tensors
in milliseconds. It requires LiteRT's package, so it is imported only where LiteRT runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import flatbuffers
from ai_edge_litert import schema_py_generated as schema

from fcnn_latency._validation import Floats32

#: Alignment in bytes that the schema requires for the data of a buffer.
ALIGNMENT = 16

#: Index of an omitted input of an operator.
ABSENT = -1


def write_model(weights: Sequence[tuple[Floats32, Floats32]], rows: int) -> bytes:
    """Return the flatbuffer of a fully connected network with ReLU and a linear output.

    Parameters
    ----------
    weights : sequence of (ndarray of shape (fan_in, fan_out), ndarray of shape (fan_out,))
        Kernel and bias of each layer, as returned by `make_weights`.
    rows : int
        Input rows of one inference.
    """
    graph = _Graph()
    inputs = read = graph.add_tensor("inputs", (rows, weights[0][0].shape[0]))
    for layer, (kernel, bias) in enumerate(weights):
        last = layer == len(weights) - 1
        read = graph.add_layer(f"layer_{layer + 1}", rows, read, kernel, bias, linear=last)
    return graph.pack(inputs, outputs=read)


class _Buffer:
    """Replacement for the schema's own class, which does not align the data of the buffer."""

    def __init__(self, data: bytes = b"") -> None:
        self.data = data

    def Pack(self, builder: Any) -> Any:  # noqa: N802 - as the schema's classes have it
        if self.data:
            builder.Prep(ALIGNMENT, len(self.data))
            held = builder.CreateByteVector(self.data)
        schema.BufferStart(builder)
        if self.data:
            schema.BufferAddData(builder, held)
        return schema.BufferEnd(builder)


class _Graph:
    """Tensors, buffers and operators of a model that is being written."""

    def __init__(self) -> None:
        self.tensors: list[Any] = []
        self.operators: list[Any] = []
        self.buffers = [_Buffer()]  # the first is empty in every model

    def add_tensor(self, name: str, shape: Sequence[int], data: bytes = b"") -> int:
        """Add a tensor and return its index; a tensor without data is computed."""
        self.tensors.append(
            schema.TensorT(
                shape=[int(size) for size in shape],
                type=schema.TensorType.FLOAT32,
                buffer=len(self.buffers),
                name=name,
                hasRank=True,
            )
        )
        self.buffers.append(_Buffer(data))
        return len(self.tensors) - 1

    def add_layer(
        self, name: str, rows: int, read: int, kernel: Floats32, bias: Floats32, *, linear: bool
    ) -> int:
        """Add a layer that reads the tensor `read`; return the index of its output tensor."""
        weights = self.add_tensor(f"{name}/weights", kernel.T.shape, kernel.T.tobytes())
        biases = ABSENT  # the converter leaves out a bias of zeros
        if bias.any():
            biases = self.add_tensor(f"{name}/bias", bias.shape, bias.tobytes())
        computed = self.add_tensor(name, (rows, kernel.shape[1]))
        activation = schema.ActivationFunctionType
        options = schema.FullyConnectedOptionsT(
            fusedActivationFunction=activation.NONE if linear else activation.RELU
        )
        self.operators.append(
            schema.OperatorT(
                inputs=[read, weights, biases],
                outputs=[computed],
                builtinOptionsType=schema.BuiltinOptions.FullyConnectedOptions,
                builtinOptions=options,
            )
        )
        return computed

    def pack(self, inputs: int, outputs: int) -> bytes:
        code = schema.BuiltinOperator.FULLY_CONNECTED
        model = schema.ModelT(
            version=3,
            operatorCodes=[schema.OperatorCodeT(deprecatedBuiltinCode=code, builtinCode=code)],
            subgraphs=[
                schema.SubGraphT(
                    tensors=self.tensors,
                    inputs=[inputs],
                    outputs=[outputs],
                    operators=self.operators,
                    name="main",
                )
            ],
            buffers=self.buffers,
        )
        builder = flatbuffers.Builder(sum(len(buffer.data) for buffer in self.buffers) + 4096)
        builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
        return bytes(builder.Output())
