"""Encoder and estimator, ready to fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.compose import TransformedTargetRegressor
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline, make_pipeline

from fcnn_latency.encoding._architecture_encoder import ArchitectureEncoder
from fcnn_latency.encoding._graphs import NODE_FEATURES
from fcnn_latency.estimators._linear import RelativeLinearRegressor
from fcnn_latency.estimators._lookup import LookupTableRegressor
from fcnn_latency.estimators._measured import MeasuredLatency
from fcnn_latency.estimators._mixed import MixedLatencyRegressor
from fcnn_latency.estimators._roofline import RooflineRegressor
from fcnn_latency.estimators.neural._deep import LatencyRegressor
from fcnn_latency.estimators.neural._graph import GraphConvolutionRegressor
from fcnn_latency.spaces._fcnn import FCNNSpace

#: Features and steps behind the encoder of each estimator, by name.
ESTIMATORS: dict[str, tuple[str, Callable[[Any], list[Any]]]] = {
    "mean": ("widths", lambda seed: [DummyRegressor()]),
    "flops": ("flops", lambda seed: [LinearRegression()]),
    "linear": ("tiles", lambda seed: [RelativeLinearRegressor()]),
    "boosting": ("tiles", lambda seed: [_boosting(seed)]),
    "mixed": ("tiles", lambda seed: [MixedLatencyRegressor(random_state=seed)]),
    "paper": ("widths", lambda seed: [LatencyRegressor.paper(random_state=seed)]),
    "deep": ("tiles", lambda seed: [LatencyRegressor(random_state=seed)]),
    "roofline": ("widths", lambda seed: [RooflineRegressor()]),
    "lookup": ("widths", lambda seed: [LookupTableRegressor()]),
    "graph": (
        "graph",
        lambda seed: [
            # As many nodes as the columns tell, with the feature of the global node; the features
            # are costs, which add up.
            GraphConvolutionRegressor(
                n_node_features=len(NODE_FEATURES) + 1, linear_part=True, random_state=seed
            )
        ],
    ),
    "measured": ("widths", lambda seed: [MeasuredLatency(random_state=seed)]),
}

#: Estimators that compute from widths and accept no other features.
OF_WIDTHS = ("roofline", "lookup", "measured")


def _boosting(seed: Any) -> TransformedTargetRegressor:
    """Gradient boosting on the logarithm, so that errors are relative ones."""
    trees = HistGradientBoostingRegressor(max_iter=500, learning_rate=0.05, random_state=seed)
    return TransformedTargetRegressor(trees, func=np.log, inverse_func=np.exp)


def make_latency_pipeline(
    estimator: str = "deep",
    *,
    space: FCNNSpace | None = None,
    features: str | None = None,
    signal_length: int = 50,
    random_state: Any = None,
    **parameters: Any,
) -> Pipeline:
    """A scikit-learn pipeline from architectures to latencies in seconds.

    Parameters
    ----------
    estimator : str, default="deep"
        ``"mixed"``: `MixedLatencyRegressor`. ``"deep"``: `LatencyRegressor`. ``"paper"``: the
        network of Beglaryan and Ringhofer (2023). ``"linear"``: `RelativeLinearRegressor` on tile
        costs. ``"boosting"``: scikit-learn's histogram gradient boosting on the logarithm of the
        latency. ``"graph"``: `GraphConvolutionRegressor`. ``"roofline"``: `RooflineRegressor`.
        ``"lookup"``: `LookupTableRegressor`, whose table is estimated unless `table` is given.
        ``"flops"``: latency = a FLOPs + b. ``"mean"``: the mean of the training labels.
        ``"measured"``: `MeasuredLatency`, whose predictions are measurements.
    space : FCNNSpace or None, default=None
        The space of the architectures; None is ``FCNNSpace()``.
    features : {"widths", "costs", "flops", "graph"} or None, default=None
        Features of the encoder; None is the estimator's own.
    signal_length : int, default=50
        Values that one inference reads.
    random_state : int or None, default=None
        Seed of the estimator.
    **parameters
        Parameters of the estimator, such as ``table`` for ``"lookup"``.

    Raises
    ------
    ValueError
        If no estimator has that name or parameter (lists those that there are), or it takes no
        such features.

    Examples
    --------
    >>> pipeline = make_latency_pipeline("flops").fit([[41, 41], [10, 10]], [2e-6, 1e-6])
    >>> pipeline.predict([[41, 41]]).round(8).tolist()
    [2e-06]
    """
    if estimator not in ESTIMATORS:
        msg = f"Unknown estimator {estimator!r}. Valid ones: {sorted(ESTIMATORS)}."
        raise ValueError(msg)
    own_features, make_steps = ESTIMATORS[estimator]
    if estimator in OF_WIDTHS and features not in (None, "widths"):
        msg = f"Estimator {estimator!r} requires features='widths'. Got {features!r} instead."
        raise ValueError(msg)
    encoder = ArchitectureEncoder(space, features or own_features, signal_length)
    pipeline = make_pipeline(encoder, *make_steps(random_state))
    taken = pipeline[-1].get_params(deep=False)
    shared = {"space": space, "signal_length": signal_length}
    pipeline[-1].set_params(**{k: v for k, v in shared.items() if k in taken}, **parameters)
    return pipeline
