"""How well and how fast `GraphConvolutionRegressor` learns cells and architectures.

Run as `python -m benchmarks graphs cells|DATASET.csv [default|paper|one-way|linear] [n_train]`.
The cells are of NAS-Bench-201's kind, with MADE-UP latencies: costs of operations that do work,
varying with their place, 60 % of them on the longest path besides, interactions, and 1 % noise.
"""

import itertools
import sys
from time import perf_counter

import numpy as np

from fcnn_latency import GraphConvolutionRegressor, GraphEncoder, graphs_to_matrix, load_dataset
from fcnn_latency.metrics import latency_metrics

EDGES = [(0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3)]


def working(cells):
    """Which operations lie on a path from input to output without "none" (0)."""
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


def load(name):
    if name != "cells":
        dataset = load_dataset(name)
        encoder = GraphEncoder(dataset.space, dataset.signal_length)
        return encoder.fit_transform(dataset.data), dataset.target, encoder.n_nodes_
    cells = np.array(list(itertools.product(range(5), repeat=6)))
    return cell_graphs(cells), made_up_latencies(cells, np.random.default_rng(0)), 9


def main(name, variant="default", n_train="900"):
    X, y, n_nodes = load(name)
    order, n_train = np.random.default_rng(1).permutation(len(y)), int(n_train)
    train, test = order[:n_train], order[n_train : n_train + 3000]
    model = {
        "default": GraphConvolutionRegressor,
        "paper": GraphConvolutionRegressor.paper,
        "one-way": lambda **given: GraphConvolutionRegressor(bidirectional=False, **given),
        "linear": lambda **given: GraphConvolutionRegressor(linear_part=True, **given),
    }[variant](n_nodes=n_nodes, random_state=0)
    start = perf_counter()
    model.fit(X[train], y[train])
    fitted = perf_counter()
    metrics = latency_metrics(y[test], model.predict(X[test]))
    print(f"{name}, {variant}, {n_train} to learn, {len(test)} unseen:")
    print(f"  MAPE {metrics['mape']:.2%}, R2 {metrics['r2']:.4f}, within 1, 5, 10 %:", end=" ")
    print(", ".join(f"{metrics[f'within_{bound}']:.1%}" for bound in (1, 5, 10)))
    print(f"  fit {fitted - start:.0f} s in {len(model.history_['loss'])} epochs,", end=" ")
    print(f"predicted {len(test) / (perf_counter() - fitted):.0f} graphs a second")


if __name__ == "__main__":
    main(*sys.argv[1:])
