"""Accuracy and speed of `GraphConvolutionRegressor` on cells and architectures."""

import itertools
from time import perf_counter

import click
import numpy as np

from benchmarks import _options as options
from fcnn_latency import GraphConvolutionRegressor, GraphEncoder, graphs_to_matrix
from fcnn_latency.measurement import RUNTIMES
from fcnn_latency.metrics import latency_metrics

EDGES = [(0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3)]
#: Regressors and their parameters, by name.
VARIANTS = {
    "default": (GraphConvolutionRegressor, {}),
    "paper": (GraphConvolutionRegressor.paper, {}),
    "one-way": (GraphConvolutionRegressor, {"bidirectional": False}),
    "linear": (GraphConvolutionRegressor, {"linear_part": True}),
}
METRICS = ("mape", "within_1", "within_5", "within_10", "r2")


def working(cells):
    """Return which operations are on a path from input to output without "none" (0)."""
    used = cells > 0
    reached = np.zeros((len(cells), 4), dtype=bool)
    needed = reached.copy()
    reached[:, 0] = needed[:, 3] = True
    for edge, (source, target) in enumerate(EDGES):
        reached[:, target] |= reached[:, source] & used[:, edge]
    for edge, (source, target) in reversed(list(enumerate(EDGES))):
        needed[:, source] |= needed[:, target] & used[:, edge]
    sources, targets = np.transpose(EDGES)
    return used & reached[:, sources] & needed[:, targets]


def made_up_latencies(cells, rng):
    works = working(cells)
    costs = np.array([0, 0.06, 0.35, 1.0, 0.55])[cells] * (1 + 0.08 * rng.standard_normal(6))
    costs *= works
    longest = np.zeros((len(cells), 4))
    for edge, (source, target) in enumerate(EDGES):
        through = np.where(works[:, edge], longest[:, source] + costs[:, edge], 0)
        longest[:, target] = np.maximum(longest[:, target], through)
    total = 0.8 + 0.75 * costs.sum(axis=1) + 0.45 * longest[:, 3]
    pooled_after = (cells[:, 0] == 3) & (cells[:, 4] == 4)
    same_twice = (cells[:, 1] == 3) & (cells[:, 5] == 3)
    total *= 1 + 0.04 * (pooled_after | same_twice)
    total += 0.05 * (works.sum(axis=1) > 4)
    return 5e-3 * total * rng.lognormal(0, 0.01, len(cells))


def cell_graphs(cells):
    features = np.zeros((len(cells), 8, 7))
    features[:, 0, 5] = features[:, 7, 6] = 1
    adjacency = np.zeros((8, 8))
    for edge, (source, target) in enumerate(EDGES):
        features[np.arange(len(cells)), edge + 1, cells[:, edge]] = 1
        adjacency[0, edge + 1] = source == 0
        adjacency[edge + 1, 7] = target == 3
        for other, (other_source, _) in enumerate(EDGES):
            adjacency[edge + 1, other + 1] = other_source == target
    return graphs_to_matrix(features, adjacency)


def cells():
    """Return all cells, their made-up latencies, and the number of nodes of a graph."""
    found = np.array(list(itertools.product(range(5), repeat=6)))
    return cell_graphs(found), made_up_latencies(found, np.random.default_rng(0)), 9


def architectures(dataset):
    """Return the graphs of a dataset, its labels, and the number of nodes of a graph."""
    encoder = GraphEncoder(dataset.space, dataset.signal_length)
    return encoder.fit_transform(dataset.data), dataset.target, encoder.n_nodes_


def evaluate(model, X, y, train, test):
    """Return errors on unseen graphs, and seconds."""
    start = perf_counter()
    model.fit(X[train], y[train])
    fitted = perf_counter()
    metrics = latency_metrics(y[test], model.predict(X[test]))
    return {
        **{name: metrics[name] for name in METRICS},
        "epochs": len(model.history_["loss"]),
        "fit_seconds": fitted - start,
        "predict_seconds": perf_counter() - fitted,
    }


@click.command()
@click.option("--runtime", type=click.Choice(list(RUNTIMES)), help="Measure instead of cells.")
@options.space_option()
@options.store_option()
@options.data_option()
@options.train_option(900)
@options.test_option(3000)
@options.seed_option()
@options.estimators_option(["default"], choices=list(VARIANTS))
@click.option("--epochs", type=int, help="At most; the regressor's own number without.")
@options.save_option("graphs")
def graphs(runtime, space, store, data, train, n_test, seed, names, epochs, save):
    """Accuracy and speed of `GraphConvolutionRegressor` on cells and architectures.

    The cells are like those of NAS-Bench-201, with MADE-UP latencies. These add up costs of
    working operations that vary with their position, another 60 % of the costs on the longest
    path, interactions, and 1 % noise. With --runtime or --data, architectures are used instead.
    """
    if runtime or data:
        about = {"runtime": runtime, "space": space, "store": store, "seed": seed}
        dataset = options.labels(train + n_test, data, **about)
        X, y, n_nodes = architectures(dataset)
        found = options.about_labels(dataset)
        about = {"labels": found["runtime"], "space": found["space"]}
    else:
        X, y, n_nodes = cells()
        about = {"labels": "cells", "space": "cells"}
    order = np.random.default_rng(seed + 1).permutation(len(y))
    seen, unseen = order[:train], order[train : train + n_test]
    about |= {"n_train": train, "n_test": len(unseen)}
    rows = []
    for name in names:
        make, given = VARIANTS[name]
        model = make(n_nodes=n_nodes, random_state=seed, **given)
        if epochs:
            model.set_params(epochs=epochs)
        rows.append({**about, "estimator": name, **evaluate(model, X, y, seen, unseen)})
    options.report("graphs", rows, ["labels", "space", "n_train", "estimator"], save)
