"""Registry of the runtimes."""

from fcnn_latency.measurement.runtimes._base import Runtime
from fcnn_latency.measurement.runtimes._keras import KerasPredictRuntime, KerasRuntime
from fcnn_latency.measurement.runtimes._litert import LiteRTRuntime
from fcnn_latency.measurement.runtimes._onnxruntime import ONNXRuntime
from fcnn_latency.measurement.runtimes._tf_function import TFFunctionRuntime, XLARuntime

#: The runtimes by name.
RUNTIMES: dict[str, type[Runtime]] = {
    runtime.name: runtime
    for runtime in (
        KerasRuntime,
        KerasPredictRuntime,
        TFFunctionRuntime,
        XLARuntime,
        LiteRTRuntime,
        ONNXRuntime,
    )
}


def get_runtime(runtime: str | Runtime) -> Runtime:
    """Return a runtime by name; an instance of `Runtime` is returned unchanged.

    Raises
    ------
    ValueError
        If no runtime has that name (the message lists the valid ones), or an instance has no
        name.
    ImportError
        If a package that the runtime requires is not installed.
    """
    if isinstance(runtime, Runtime):
        if not isinstance(getattr(runtime, "name", None), str):
            raise ValueError(
                f"{type(runtime).__name__} has no name: set name = '...' in its class."
            )
        runtime.check_installed()
        return runtime
    if not isinstance(runtime, str) or runtime not in RUNTIMES:
        raise ValueError(
            f"Unknown runtime {runtime!r}. Valid ones: {sorted(RUNTIMES)}, or an instance of "
            "a subclass of Runtime."
        )
    return get_runtime(RUNTIMES[runtime]())
