"""Measure and predict the CPU inference latency of fully connected neural networks."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the same names, for type checkers and editors
    from fcnn_latency.architecture import FCNNSpace
    from fcnn_latency.capstone2023 import fetch_capstone2023
    from fcnn_latency.comparison import compare
    from fcnn_latency.dataset_files import load_dataset, save_dataset
    from fcnn_latency.datasets import make_dataset
    from fcnn_latency.displays import AbsoluteDeviationDisplay, LossCurveDisplay
    from fcnn_latency.encoding import ArchitectureEncoder
    from fcnn_latency.estimators.deep import LatencyRegressor
    from fcnn_latency.estimators.graph import GraphConvolutionRegressor
    from fcnn_latency.exceptions import MeasurementError, MeasurementWarning, StoreError
    from fcnn_latency.graph_encoding import GraphEncoder
    from fcnn_latency.graphs import graphs_to_matrix
    from fcnn_latency.measurement.protocol import MeasurementProtocol
    from fcnn_latency.measurement.runtimes.base import Runtime
    from fcnn_latency.metrics import SCORERS
    from fcnn_latency.pipeline import make_latency_pipeline

#: Where each public name lives; imported when first used, so that the package imports at once.
_HOMES = {
    "AbsoluteDeviationDisplay": "displays",
    "ArchitectureEncoder": "encoding",
    "FCNNSpace": "architecture",
    "GraphConvolutionRegressor": "estimators.graph",
    "GraphEncoder": "graph_encoding",
    "LatencyRegressor": "estimators.deep",
    "LossCurveDisplay": "displays",
    "MeasurementError": "exceptions",
    "MeasurementProtocol": "measurement.protocol",
    "MeasurementWarning": "exceptions",
    "Runtime": "measurement.runtimes.base",
    "SCORERS": "metrics",
    "StoreError": "exceptions",
    "compare": "comparison",
    "fetch_capstone2023": "capstone2023",
    "graphs_to_matrix": "graphs",
    "load_dataset": "dataset_files",
    "make_dataset": "datasets",
    "make_latency_pipeline": "pipeline",
    "save_dataset": "dataset_files",
}

__all__ = [
    "SCORERS",
    "AbsoluteDeviationDisplay",
    "ArchitectureEncoder",
    "FCNNSpace",
    "GraphConvolutionRegressor",
    "GraphEncoder",
    "LatencyRegressor",
    "LossCurveDisplay",
    "MeasurementError",
    "MeasurementProtocol",
    "MeasurementWarning",
    "Runtime",
    "StoreError",
    "compare",
    "fetch_capstone2023",
    "graphs_to_matrix",
    "load_dataset",
    "make_dataset",
    "make_latency_pipeline",
    "save_dataset",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
