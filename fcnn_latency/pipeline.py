"""Encoder and estimator, ready to fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from fcnn_latency.architecture import FCNNSpace
from fcnn_latency.encoding import ArchitectureEncoder
from fcnn_latency.estimators.deep import LatencyRegressor
from fcnn_latency.estimators.graph import GraphConvolutionRegressor
from fcnn_latency.graphs import LAYER_FEATURES

__all__ = ["ESTIMATORS", "make_latency_pipeline"]

#: Features and steps behind the encoder of each estimator, by name.
ESTIMATORS: dict[str, tuple[str, Callable[[Any], list[Any]]]] = {
    "mean": ("widths", lambda seed: [DummyRegressor()]),
    "flops": ("flops", lambda seed: [LinearRegression()]),
    "linear": ("costs", lambda seed: [StandardScaler(), LinearRegression()]),
    "paper": ("widths", lambda seed: [LatencyRegressor.paper(random_state=seed)]),
    "deep": ("costs", lambda seed: [LatencyRegressor(random_state=seed)]),
    "graph": (
        "graph",
        lambda seed: [
            # As many nodes as the columns tell, with the feature of the global node; the features
            # are costs, which add up.
            GraphConvolutionRegressor(
                n_node_features=len(LAYER_FEATURES) + 1, linear_part=True, random_state=seed
            )
        ],
    ),
}


def make_latency_pipeline(
    estimator: str = "deep",
    *,
    space: FCNNSpace | None = None,
    features: str | None = None,
    signal_length: int = 50,
    random_state: Any = None,
) -> Pipeline:
    """A scikit-learn pipeline from architectures to latencies in seconds.

    Parameters
    ----------
    estimator : {"deep", "graph", "paper", "linear", "flops", "mean"}, default="deep"
        ``"deep"``: `LatencyRegressor`. ``"paper"``: the network of Beglaryan and Ringhofer (2023).
        ``"linear"``: least squares on the encoding. ``"flops"``: latency = a FLOPs + b.
        ``"graph"``: `GraphConvolutionRegressor`. ``"mean"``: the mean of the training labels.
    space : FCNNSpace or None, default=None
        The space of the architectures; None is ``FCNNSpace()``.
    features : {"widths", "costs", "flops", "graph"} or None, default=None
        Features of the encoder; None is the estimator's own.
    signal_length : int, default=50
        Values that one inference reads.
    random_state : int or None, default=None
        Seed of the estimator.

    Raises
    ------
    ValueError
        If no estimator has that name; lists those that there are.

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
    encoder = ArchitectureEncoder(space, features or own_features, signal_length)
    return make_pipeline(encoder, *make_steps(random_state))
