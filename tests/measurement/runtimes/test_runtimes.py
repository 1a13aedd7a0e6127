"""What the runtimes compute, and what they say where they cannot."""

import cloudpickle
import numpy as np
import pytest

from fcnn_latency._imports import import_keras
from fcnn_latency.measurement._workload import Workload
from fcnn_latency.measurement.runtimes import RUNTIMES, get_runtime
from fcnn_latency.measurement.runtimes import _base as runtimes_base
from fcnn_latency.measurement.runtimes._base import make_weights, outputs_of
from fcnn_latency.measurement.runtimes._keras import build_model
from fcnn_latency.measurement.runtimes._litert import LiteRTRuntime
from fcnn_latency.measurement.runtimes._litert_flatbuffer import write_model
from fcnn_latency.measurement.runtimes._onnxruntime import ONNXRuntime

ARCHITECTURES = [
    (1, 1),
    (14, 21, 31, 14),
    (25, 1, 40, 25),
    (50, 256, 200, 256, 128, 3, 64, 256, 17, 50),
]


def infer(widths, inputs, weights):
    """The network in plain NumPy, as the runtimes are to run it."""
    for kernel, bias in weights[:-1]:
        inputs = np.maximum(inputs @ kernel + bias, 0)
    return inputs @ weights[-1][0] + weights[-1][1]


@pytest.fixture
def biased(monkeypatch):
    """Weights whose biases are not zero, in every runtime."""

    def make_biased(widths, seed):
        rng = np.random.default_rng(seed)
        return [
            (kernel, rng.uniform(0.1, 1, size=bias.shape).astype(np.float32))
            for kernel, bias in make_weights(widths, seed)
        ]

    for module in ("litert", "onnxruntime"):
        monkeypatch.setattr(
            f"fcnn_latency.measurement.runtimes._{module}.make_weights", make_biased
        )
    return make_biased


@pytest.mark.parametrize("widths", ARCHITECTURES, ids=str)
@pytest.mark.parametrize("runtime", [*RUNTIMES, ONNXRuntime(io_binding=True)], ids=str)
def test_runtimes_run_the_same_network(runtime, widths):
    inputs, weights = Workload().inputs(widths[0]), make_weights(widths, 0)
    outputs = outputs_of(get_runtime(runtime).prepare(widths, inputs, 0))
    expected = infer(widths, inputs, weights)
    assert outputs.shape == expected.shape
    assert outputs.dtype == np.float32
    np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-6)
    assert np.abs(outputs).max() > 0


@pytest.mark.parametrize("widths", ARCHITECTURES, ids=str)
@pytest.mark.parametrize("runtime", ["litert", "onnxruntime"])
def test_models_that_are_written_keep_their_biases(runtime, widths, biased):
    inputs = Workload().inputs(widths[0])
    outputs = outputs_of(get_runtime(runtime).prepare(widths, inputs, 0))
    expected = infer(widths, inputs, biased(widths, 0))
    np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-6)


def converted(widths, rows, weights):
    """The model that TensorFlow's converter makes of the Keras model."""
    from tensorflow import lite

    keras = import_keras()
    layers = build_model(widths, 0).layers
    model = keras.Sequential([keras.Input(batch_shape=(rows, widths[0])), *layers])
    model.set_weights([values for layer in weights for values in layer])
    return lite.TFLiteConverter.from_keras_model(model).convert()


def started(model, inputs):
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=model, num_threads=1)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], inputs)
    interpreter.invoke()
    return interpreter


def described(interpreter):
    """Operators in order, those that XNNPACK takes over among them, with their tensors' shapes.

    An operator of XNNPACK lists its tensors in any order.
    """

    def shapes(places):
        return [
            None if place < 0 else tuple(interpreter._get_tensor_details(place, 0)["shape"])
            for place in places
        ]

    operators = []
    for operator in interpreter._get_ops_details():
        name, inputs = operator["op_name"], shapes(operator["inputs"])
        if name == "DELEGATE":
            inputs.sort()
        operators.append((name, inputs, shapes(operator["outputs"])))
    return operators


@pytest.mark.parametrize("bias", [0, 1])
@pytest.mark.parametrize("widths", ARCHITECTURES, ids=str)
def test_litert_model_is_the_one_that_the_converter_makes(widths, bias, biased):
    inputs = Workload().inputs(widths[0])
    weights = biased(widths, 0) if bias else make_weights(widths, 0)
    ours = started(write_model(weights, len(inputs)), inputs)
    theirs = started(converted(widths, len(inputs), weights), inputs)
    assert described(ours) == described(theirs)
    names = [name for name, _, _ in described(ours)]
    assert names == ["FULLY_CONNECTED"] * (len(widths) - 1) + ["DELEGATE"]
    outputs = [
        interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
        for interpreter in (ours, theirs)
    ]
    np.testing.assert_array_equal(*outputs)


@pytest.mark.parametrize(
    ("runtime", "package"), [("litert", "ai-edge-litert"), ("onnxruntime", "onnx")]
)
def test_missing_package_is_named(runtime, package, monkeypatch):
    monkeypatch.setattr(runtimes_base, "find_spec", lambda name: None)
    extra = RUNTIMES[runtime].extra
    for given in (runtime, RUNTIMES[runtime]()):
        with pytest.raises(ImportError, match=rf"'{runtime}' needs .* {package}: .*\[{extra}\]"):
            get_runtime(given)
    assert get_runtime("keras").name == "keras"


@pytest.mark.parametrize("wrong", [0, 1.0, True, "1"])
@pytest.mark.parametrize(
    ("runtime", "parameter"),
    [(LiteRTRuntime, "num_threads"), (ONNXRuntime, "intra_op_num_threads")],
)
def test_wrong_number_of_threads_is_named(runtime, parameter, wrong):
    with pytest.raises(ValueError, match=f"'{parameter}' parameter of {runtime.__name__}"):
        runtime(**{parameter: wrong})


def test_wrong_io_binding_is_named():
    with pytest.raises(ValueError, match="'io_binding' parameter"):
        ONNXRuntime(io_binding=1)


def test_changed_runtimes_have_names_of_their_own():
    changed = [
        LiteRTRuntime(),
        LiteRTRuntime(num_threads=2),
        ONNXRuntime(),
        ONNXRuntime(io_binding=True),
        ONNXRuntime(intra_op_num_threads=2),
        ONNXRuntime(intra_op_num_threads=2, io_binding=True),
    ]
    names = [cloudpickle.loads(cloudpickle.dumps(runtime)).name for runtime in changed]
    assert len(set(names)) == len(changed)
    assert LiteRTRuntime.name == names[0]
