"""Predict latencies of cells from graphs given as arrays.

Run as `python examples/cell_graphs.py [n]`: n cells to learn from, 900 unless told.

A cell of NAS-Bench-201 (Dong and Yang, 2020) has four tensors and an operation on each of the six
edges between them. Here each operation is a node, beside an input and an output: eight nodes. The
latencies are MADE UP, by a law with noise that stands in this script, so that it runs anywhere.
With measured ones the rest stays as it is.
"""

import sys

import numpy as np

from fcnn_latency import GraphConvolutionRegressor, graphs_to_matrix
from fcnn_latency.metrics import latency_metrics

n_train = int(sys.argv[1]) if len(sys.argv) > 1 else 900
n_test = 1000

OPERATIONS = ["none", "skip", "1x1 convolution", "3x3 convolution", "3x3 pooling"]
EDGES = [(0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3)]  # from tensor to tensor

rng = np.random.default_rng(0)
places = rng.choice(5**6, n_train + n_test, replace=False)
cells = np.stack(np.unravel_index(places, [5] * 6), axis=1)

# Node features: one column for each operation, then input and output.
features = np.zeros((len(cells), 8, 7))
features[:, 0, 5] = features[:, 7, 6] = 1
for edge in range(6):
    features[np.arange(len(cells)), edge + 1, cells[:, edge]] = 1

# An edge from each operation to those that read the tensor it writes; the same in all cells.
adjacency = np.zeros((8, 8))
for edge, (source, target) in enumerate(EDGES):
    adjacency[0, edge + 1] = source == 0
    adjacency[edge + 1, 7] = target == 3
    for other, (other_source, _) in enumerate(EDGES):
        adjacency[edge + 1, other + 1] = other_source == target

X = graphs_to_matrix(features, adjacency)

# The made-up law: operations that the output depends on cost time, more so on the longest path.
costs = np.array([0, 0.1, 0.4, 1.0, 0.6])[cells]
needed, longest = np.zeros((len(cells), 4), dtype=bool), np.zeros((len(cells), 4))
needed[:, 3] = True
for edge, (source, target) in reversed(list(enumerate(EDGES))):
    needed[:, source] |= needed[:, target] & (cells[:, edge] > 0)
    costs[:, edge] *= needed[:, target]
for edge, (source, target) in enumerate(EDGES):
    longest[:, target] = np.maximum(longest[:, target], longest[:, source] + costs[:, edge])
y = 1e-3 * (3 + 2 * costs.sum(axis=1) + longest[:, 3]) * rng.lognormal(0, 0.01, len(cells))

model = GraphConvolutionRegressor(n_nodes=9, n_node_features=8, random_state=0)
model.fit(X[:n_train], y[:n_train])
metrics = latency_metrics(y[n_train:], model.predict(X[n_train:]))
print(f"Made-up latencies with noise of 1 %, {n_train} cells learnt, {n_test} others predicted:")
print(f"  mean absolute percentage error {metrics['mape']:.2%}")
for bound in (1, 5, 10):
    print(f"  within ±{bound} %: {metrics[f'within_{bound}']:.1%}")
