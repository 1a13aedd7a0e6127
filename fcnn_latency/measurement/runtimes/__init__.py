"""What executes a model; one file per runtime, what they share in `base`."""

from fcnn_latency.measurement.runtimes.base import Runtime
from fcnn_latency.measurement.runtimes.keras import KerasPredictRuntime, KerasRuntime

__all__ = ["RUNTIMES", "Runtime", "get_runtime"]

#: The runtimes by name.
RUNTIMES: dict[str, type[Runtime]] = {
    runtime.name: runtime for runtime in (KerasRuntime, KerasPredictRuntime)
}


def get_runtime(runtime: str | Runtime) -> Runtime:
    """A runtime by its name; an instance of `Runtime` is returned as it is.

    Raises
    ------
    ValueError
        If no runtime has that name, listing those that there are, or an instance has none.
    """
    if isinstance(runtime, Runtime):
        if not isinstance(getattr(runtime, "name", None), str):
            msg = f"{type(runtime).__name__} has no name: set name = '...' in its class."
            raise ValueError(msg)
        return runtime
    if not isinstance(runtime, str) or runtime not in RUNTIMES:
        msg = (
            f"Unknown runtime {runtime!r}. Valid ones: {sorted(RUNTIMES)}, or an instance of "
            "a subclass of Runtime."
        )
        raise ValueError(msg)
    return RUNTIMES[runtime]()
