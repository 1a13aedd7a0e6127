"""Measure and predict the CPU inference latency of fully connected neural networks."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the same names, for type checkers and editors
    from fcnn_latency.architecture import FCNNSpace
    from fcnn_latency.capstone2023 import fetch_capstone2023
    from fcnn_latency.comparison import compare
    from fcnn_latency.dataset_files import load_dataset, save_dataset
    from fcnn_latency.datasets import make_dataset
    from fcnn_latency.displays import (
        AbsoluteDeviationDisplay,
        ComparisonDisplay,
        LatencySurfaceDisplay,
        LossCurveDisplay,
        PredictedLatencyDisplay,
        QuintileErrorDisplay,
        SampleEfficiencyDisplay,
    )
    from fcnn_latency.encoding import ArchitectureEncoder
    from fcnn_latency.estimators.deep import LatencyRegressor
    from fcnn_latency.estimators.graph import GraphConvolutionRegressor
    from fcnn_latency.estimators.intervals import IntervalRegressor
    from fcnn_latency.estimators.linear import RelativeLinearRegressor
    from fcnn_latency.estimators.lookup import LookupTableRegressor
    from fcnn_latency.estimators.measured import MeasuredLatency
    from fcnn_latency.estimators.mixed import MixedLatencyRegressor
    from fcnn_latency.estimators.roofline import RooflineRegressor
    from fcnn_latency.estimators.transfer import TransferRegressor, select_for_transfer
    from fcnn_latency.exceptions import (
        MeasurementError,
        MeasurementWarning,
        ModelFileError,
        ModelFileWarning,
        StoreError,
    )
    from fcnn_latency.graph_encoding import GraphEncoder
    from fcnn_latency.graphs import graphs_to_matrix
    from fcnn_latency.latency_map import LatencyMap
    from fcnn_latency.layer_table import load_layer_table, make_layer_table, save_layer_table
    from fcnn_latency.learning_curves import sample_efficiency
    from fcnn_latency.measurement.protocol import MeasurementProtocol
    from fcnn_latency.measurement.runtimes.base import Runtime
    from fcnn_latency.metrics import SCORERS
    from fcnn_latency.persistence import load, read_manifest, save
    from fcnn_latency.pipeline import make_latency_pipeline
    from fcnn_latency.sampling import select_architectures

#: Where each public name lives; imported when first used, so that the package imports at once.
_HOMES = {
    "AbsoluteDeviationDisplay": "displays",
    "ArchitectureEncoder": "encoding",
    "ComparisonDisplay": "displays",
    "FCNNSpace": "architecture",
    "GraphConvolutionRegressor": "estimators.graph",
    "GraphEncoder": "graph_encoding",
    "IntervalRegressor": "estimators.intervals",
    "LatencyMap": "latency_map",
    "LatencyRegressor": "estimators.deep",
    "LatencySurfaceDisplay": "displays",
    "LookupTableRegressor": "estimators.lookup",
    "LossCurveDisplay": "displays",
    "MeasuredLatency": "estimators.measured",
    "MeasurementError": "exceptions",
    "MeasurementProtocol": "measurement.protocol",
    "MeasurementWarning": "exceptions",
    "MixedLatencyRegressor": "estimators.mixed",
    "ModelFileError": "exceptions",
    "ModelFileWarning": "exceptions",
    "PredictedLatencyDisplay": "displays",
    "QuintileErrorDisplay": "displays",
    "RelativeLinearRegressor": "estimators.linear",
    "RooflineRegressor": "estimators.roofline",
    "Runtime": "measurement.runtimes.base",
    "SCORERS": "metrics",
    "SampleEfficiencyDisplay": "displays",
    "StoreError": "exceptions",
    "TransferRegressor": "estimators.transfer",
    "compare": "comparison",
    "fetch_capstone2023": "capstone2023",
    "graphs_to_matrix": "graphs",
    "load": "persistence",
    "load_dataset": "dataset_files",
    "load_layer_table": "layer_table",
    "make_dataset": "datasets",
    "make_latency_pipeline": "pipeline",
    "make_layer_table": "layer_table",
    "read_manifest": "persistence",
    "sample_efficiency": "learning_curves",
    "save": "persistence",
    "save_dataset": "dataset_files",
    "save_layer_table": "layer_table",
    "select_architectures": "sampling",
    "select_for_transfer": "estimators.transfer",
}

__all__ = [
    "SCORERS",
    "AbsoluteDeviationDisplay",
    "ArchitectureEncoder",
    "ComparisonDisplay",
    "FCNNSpace",
    "GraphConvolutionRegressor",
    "GraphEncoder",
    "IntervalRegressor",
    "LatencyMap",
    "LatencyRegressor",
    "LatencySurfaceDisplay",
    "LookupTableRegressor",
    "LossCurveDisplay",
    "MeasuredLatency",
    "MeasurementError",
    "MeasurementProtocol",
    "MeasurementWarning",
    "MixedLatencyRegressor",
    "ModelFileError",
    "ModelFileWarning",
    "PredictedLatencyDisplay",
    "QuintileErrorDisplay",
    "RelativeLinearRegressor",
    "RooflineRegressor",
    "Runtime",
    "SampleEfficiencyDisplay",
    "StoreError",
    "TransferRegressor",
    "compare",
    "fetch_capstone2023",
    "graphs_to_matrix",
    "load",
    "load_dataset",
    "load_layer_table",
    "make_dataset",
    "make_latency_pipeline",
    "make_layer_table",
    "read_manifest",
    "sample_efficiency",
    "save",
    "save_dataset",
    "save_layer_table",
    "select_architectures",
    "select_for_transfer",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
