"""Shapes and costs of layers, worked out by hand."""

import numpy as np
import pytest

from fcnn_latency.networks import layer_costs, layer_shapes, signal_rows

#: A signal of 10 values: 2 rows of 7, and 10 rows of 1.
ARCHITECTURES = np.array([[7, 7, 0], [1, 2, 3]])


def test_the_last_row_may_be_short():
    assert signal_rows([1, 7, 49, 50, 51], 50).tolist() == [50, 8, 2, 1, 1]
    assert signal_rows(14, 50) == 4


def test_each_layer_reads_what_the_one_before_writes():
    assert layer_shapes(ARCHITECTURES, 10).tolist() == [
        [[2, 7, 7], [0, 0, 0]],
        [[10, 1, 2], [10, 2, 3]],
    ]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("macs", [[2 * 7 * 7, 0], [10 * 1 * 2, 10 * 2 * 3]]),
        ("parameters", [[7 * 7 + 7, 0], [1 * 2 + 2, 2 * 3 + 3]]),
        ("activations", [[14, 0], [20, 30]]),
        # Of each value four bytes: parameters, what is read, what is written.
        ("bytes", [[4 * (56 + 14 + 14), 0], [4 * (4 + 10 + 20), 4 * (9 + 20 + 30)]]),
    ],
)
def test_costs_are_those_of_the_products(name, expected):
    costs = layer_costs(ARCHITECTURES, 10)
    assert list(costs) == ["macs", "parameters", "activations", "bytes"]
    assert costs[name].tolist() == expected
    assert costs[name].dtype == np.int64
