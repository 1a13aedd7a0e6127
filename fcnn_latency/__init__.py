"""Measure and predict the CPU inference latency of fully connected neural networks."""

from importlib import import_module
from typing import Any

#: Where each public name lives; imported when first used, so that the package imports at once.
_HOMES = {
    "AbsoluteDeviationDisplay": "displays",
    "ArchitectureEncoder": "encoding",
    "FCNNSpace": "architecture",
    "LatencyRegressor": "estimators.deep",
    "LossCurveDisplay": "displays",
    "MeasurementError": "exceptions",
    "MeasurementWarning": "exceptions",
    "compare": "comparison",
    "fetch_capstone2023": "capstone2023",
    "load_dataset": "datasets",
    "make_dataset": "datasets",
    "make_latency_pipeline": "pipeline",
    "save_dataset": "datasets",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
