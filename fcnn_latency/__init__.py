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
        FrontDisplay,
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
        SearchError,
        StoreError,
    )
    from fcnn_latency.graph_encoding import GraphEncoder
    from fcnn_latency.graphs import graphs_to_matrix
    from fcnn_latency.keras_tuner_budget import hold_budget, make_hypermodel
    from fcnn_latency.latency_map import LatencyMap
    from fcnn_latency.layer_table import load_layer_table, make_layer_table, save_layer_table
    from fcnn_latency.learning_curves import sample_efficiency
    from fcnn_latency.measurement.protocol import MeasurementProtocol
    from fcnn_latency.measurement.runtimes.base import Runtime
    from fcnn_latency.metrics import SCORERS
    from fcnn_latency.persistence import load, read_manifest, save
    from fcnn_latency.pipeline import make_latency_pipeline
    from fcnn_latency.sampling import select_architectures
    from fcnn_latency.search_result import SearchResult
    from fcnn_latency.searching import search
    from fcnn_latency.verification import Verification, verify
    from fcnn_latency.verified_search import VerifiedSearch, search_and_verify

#: Where each public name lives; imported when first used, so that the package imports at once.
_HOMES = {
    "AbsoluteDeviationDisplay": "displays",
    "ArchitectureEncoder": "encoding",
    "ComparisonDisplay": "displays",
    "FCNNSpace": "architecture",
    "FrontDisplay": "displays",
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
    "SearchError": "exceptions",
    "SearchResult": "search_result",
    "StoreError": "exceptions",
    "TransferRegressor": "estimators.transfer",
    "Verification": "verification",
    "VerifiedSearch": "verified_search",
    "compare": "comparison",
    "fetch_capstone2023": "capstone2023",
    "graphs_to_matrix": "graphs",
    "hold_budget": "keras_tuner_budget",
    "load": "persistence",
    "load_dataset": "dataset_files",
    "load_layer_table": "layer_table",
    "make_dataset": "datasets",
    "make_hypermodel": "keras_tuner_budget",
    "make_latency_pipeline": "pipeline",
    "make_layer_table": "layer_table",
    "read_manifest": "persistence",
    "sample_efficiency": "learning_curves",
    "save": "persistence",
    "save_dataset": "dataset_files",
    "save_layer_table": "layer_table",
    "search": "searching",
    "search_and_verify": "verified_search",
    "select_architectures": "sampling",
    "select_for_transfer": "estimators.transfer",
    "verify": "verification",
}

__all__ = [
    "SCORERS",
    "AbsoluteDeviationDisplay",
    "ArchitectureEncoder",
    "ComparisonDisplay",
    "FCNNSpace",
    "FrontDisplay",
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
    "SearchError",
    "SearchResult",
    "StoreError",
    "TransferRegressor",
    "Verification",
    "VerifiedSearch",
    "compare",
    "fetch_capstone2023",
    "graphs_to_matrix",
    "hold_budget",
    "load",
    "load_dataset",
    "load_layer_table",
    "make_dataset",
    "make_hypermodel",
    "make_latency_pipeline",
    "make_layer_table",
    "read_manifest",
    "sample_efficiency",
    "save",
    "save_dataset",
    "save_layer_table",
    "search",
    "search_and_verify",
    "select_architectures",
    "select_for_transfer",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
