"""Pipelines of an encoder and an estimator, ready to fit."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline, make_pipeline

from fcnn_latency._validation import SEED, check, choice, or_none, whole
from fcnn_latency.encoding._architecture_encoder import FEATURES, ArchitectureEncoder
from fcnn_latency.encoding._graphs import NODE_FEATURES
from fcnn_latency.estimators._linear import RelativeLinearRegressor
from fcnn_latency.estimators._lookup import LookupTableRegressor
from fcnn_latency.estimators._measured import MeasuredLatency
from fcnn_latency.estimators._mixed import MixedLatencyRegressor
from fcnn_latency.estimators._roofline import RooflineRegressor
from fcnn_latency.estimators.neural._deep import LatencyRegressor
from fcnn_latency.estimators.neural._graph import GraphConvolutionRegressor
from fcnn_latency.spaces._fcnn import FCNNSpace

#: Gradient boosting on the logarithm of the latency, so that errors are relative.
_TREES = HistGradientBoostingRegressor(max_iter=500, learning_rate=0.05)
_boosting = partial(TransformedTargetRegressor, _TREES, func=np.log, inverse_func=np.exp)

#: The number of nodes follows from the number of columns. One more feature marks the global node.
#: The features are costs, which add up, so a linear part helps.
_graph = partial(
    GraphConvolutionRegressor, n_node_features=len(NODE_FEATURES) + 1, linear_part=True
)

#: Default features and factory of each estimator, by name.
ESTIMATORS: dict[str, tuple[str, Callable[[], Any]]] = {
    "mean": ("widths", DummyRegressor),
    "flops": ("flops", LinearRegression),
    "linear": ("tiles", RelativeLinearRegressor),
    "boosting": ("tiles", _boosting),
    "mixed": ("tiles", MixedLatencyRegressor),
    "paper": ("widths", LatencyRegressor.paper),
    "deep": ("tiles", LatencyRegressor),
    "roofline": ("widths", RooflineRegressor),
    "lookup": ("widths", LookupTableRegressor),
    "graph": ("graph", _graph),
    "measured": ("widths", MeasuredLatency),
}

#: Estimators that accept no features other than widths.
OF_WIDTHS = ("roofline", "lookup", "measured")


def make_latency_pipeline(
    estimator: str = "deep",
    *,
    space: FCNNSpace | None = None,
    features: str | None = None,
    signal_length: int = 50,
    random_state: Any = None,
    **parameters: Any,
) -> Pipeline:
    """Make a scikit-learn pipeline from architectures to latencies in seconds.

    Parameters
    ----------
    estimator : str, default="deep"
        ``"mixed"``: `MixedLatencyRegressor`. ``"deep"``: `LatencyRegressor`. ``"paper"``: the
        network of Beglaryan and Ringhofer (2023). ``"linear"``: `RelativeLinearRegressor` on tile
        costs. ``"boosting"``: scikit-learn's histogram gradient boosting on the logarithm of the
        latency. ``"graph"``: `GraphConvolutionRegressor`. ``"roofline"``: `RooflineRegressor`.
        ``"lookup"``: `LookupTableRegressor`, which estimates its table unless `table` is given.
        ``"flops"``: latency = a FLOPs + b. ``"mean"``: the mean of the training labels.
        ``"measured"``: `MeasuredLatency`, whose predictions are measurements.
    space : FCNNSpace or None, default=None
        Space of the architectures; None means ``FCNNSpace()``.
    features : {"widths", "costs", "flops", "tiles", "layers", "graph"} or None, default=None
        Features of the encoder; None means the estimator's default features.
    signal_length : int, default=50
        Number of values that one inference reads.
    random_state : int or None, default=None
        Seed of the estimator.
    **parameters
        Parameters of the estimator, such as ``table`` for ``"lookup"``.

    Raises
    ------
    ValueError
        If a parameter is invalid, or the estimator does not accept these features or this
        parameter. For an unknown estimator the message lists the known ones.

    Examples
    --------
    >>> pipeline = make_latency_pipeline("flops").fit([[41, 41], [10, 10]], [2e-6, 1e-6])
    >>> pipeline.predict([[41, 41]]).round(8).tolist()
    [2e-06]
    """
    check(estimator, choice(sorted(ESTIMATORS)), "estimator")
    check(features, or_none(choice(FEATURES)), "features")
    check(signal_length, whole(1), "signal_length")
    check(random_state, SEED, "random_state")
    own_features, make = ESTIMATORS[estimator]
    if estimator in OF_WIDTHS and features not in (None, "widths"):
        raise ValueError(
            f"Estimator {estimator!r} requires features='widths'. Got {features!r} instead."
        )
    encoder = ArchitectureEncoder(space, features or own_features, signal_length)
    pipeline = make_pipeline(encoder, clone(make()))
    shared = {
        "space": space,
        "signal_length": signal_length,
        "random_state": random_state,
        "regressor__random_state": random_state,  # of the boosted trees
    }
    taken = pipeline[-1].get_params()
    pipeline[-1].set_params(**{k: v for k, v in shared.items() if k in taken}, **parameters)
    return pipeline
