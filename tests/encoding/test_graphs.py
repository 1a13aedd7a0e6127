"""Architectures and other graphs as matrices."""

import numpy as np
import pytest
from hypothesis import given
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from fcnn_latency import (
    ArchitectureEncoder,
    FCNNSpace,
    GraphEncoder,
    LatencyMap,
    graphs_to_matrix,
)
from fcnn_latency.encoding._graphs import NODE_FEATURES, matrix_to_graphs, nodes_of_columns
from fcnn_latency.networks import layer_costs
from helpers.strategies import ragged, spaces

CHAIN = np.eye(3, k=1)
SPACE = FCNNSpace(max_layers=4)


@given(spaces().flatmap(lambda space: ragged(space).map(lambda rows: (space, rows))))
def test_widths_are_read_back(given):
    space, rows = given
    for global_node in (True, False):
        encoder = GraphEncoder(space, global_node=global_node).fit(rows)
        encoded = encoder.transform(rows)
        assert encoded.shape[1] == len(encoder.get_feature_names_out())
        np.testing.assert_array_equal(encoder.inverse_transform(encoded), space.validate(rows))


@given(spaces().flatmap(lambda space: ragged(space).map(lambda rows: (space, rows))))
def test_a_graph_has_an_edge_for_each_step_and_the_costs_of_its_layers(given):
    space, rows = given
    encoder = GraphEncoder(space).fit(rows)
    nodes, edges = matrix_to_graphs(
        encoder.transform(rows), encoder.n_nodes_, encoder.n_node_features_
    )
    padded = space.validate(rows)
    for i, row in enumerate(rows):
        depth = len(row)
        assert edges[i, 0].tolist() == [1.0] * (depth + 1) + [0.0] * (space.max_layers - depth)
        expected = np.zeros_like(edges[i, 1:, 1:])
        expected[:depth, :depth] = np.eye(depth) + np.eye(depth, k=1)
        np.testing.assert_array_equal(edges[i, 1:, 1:], expected)
        assert not nodes[i, depth + 1 :].any()
    for name, values in layer_costs(padded, 50).items():
        feature = nodes[:, :, NODE_FEATURES.index(name)]
        np.testing.assert_array_equal(feature[:, 2:], values)
        assert not feature[:, :2].any()


def test_nodes_tell_input_and_output():
    encoder = GraphEncoder(SPACE).fit([[5, 3, 5]])
    nodes, _ = matrix_to_graphs(encoder.transform([[5, 3, 5]]), 5, 21)
    assert nodes[0, :, NODE_FEATURES.index("input")].tolist() == [0, 1, 0, 0, 0]
    assert nodes[0, :, NODE_FEATURES.index("output")].tolist() == [0, 0, 0, 1, 0]
    assert nodes[0, :, -1].tolist() == [1, 0, 0, 0, 0]


def test_products_are_filled_up_to_whole_blocks():
    # 50 values in rows of 5 are 10 rows: (10 x 5) times (5 x 3), then (10 x 3) times (3 x 5).
    nodes, _ = matrix_to_graphs(GraphEncoder(SPACE).fit_transform([[5, 3, 5]]), 5, 21)
    feature = {name: nodes[0, 1:4, i].tolist() for i, name in enumerate(NODE_FEATURES)}
    assert feature["macs_in_1x8"] == [0, 10 * 5 * 8, 10 * 3 * 8]
    assert feature["macs_in_6x16"] == [0, 12 * 5 * 16, 12 * 3 * 16]
    assert feature["idle_rows_of_4"] == [0, 2, 2]
    assert feature["idle_columns_of_4"] == [0, 1, 3]


def test_architecture_encoder_gives_the_same_graphs():
    X = SPACE.sample(20, random_state=0)
    own = ArchitectureEncoder(SPACE, "graph", 7).fit(X)
    graph = GraphEncoder(SPACE, 7).fit(X)
    np.testing.assert_array_equal(own.transform(X), graph.transform(X))
    assert own.get_feature_names_out().tolist() == graph.get_feature_names_out().tolist()
    np.testing.assert_array_equal(own.inverse_transform(own.transform(X)), X)


def test_normalized_rows_add_up_to_one_or_are_padding():
    encoder = GraphEncoder(SPACE, normalize=True).fit([[5, 5]])
    _, edges = matrix_to_graphs(encoder.transform([[5, 5]]), 5, 21)
    np.testing.assert_allclose(edges[0].sum(axis=1), [1, 1, 1, 0, 0])


def test_architectures_outside_the_space_are_named():
    with pytest.raises(ValueError, match="Row 1, layer 2: 51 neurons"):
        GraphEncoder().fit([[5, 5], [5, 51, 5]])


@pytest.mark.parametrize(
    ("name", "value"),
    [("space", 3), ("signal_length", 0), ("global_node", "yes"), ("normalize", 1)],
)
def test_wrong_parameters_of_the_encoder_are_named(name, value):
    with pytest.raises(ValueError, match=f"The '{name}' parameter of GraphEncoder must be .*Got"):
        GraphEncoder(**{name: value}).fit([[5, 5]])


def test_edges_common_to_all_graphs_are_given_once():
    nodes = np.random.default_rng(0).random((4, 3, 2))
    np.testing.assert_array_equal(
        graphs_to_matrix(nodes, CHAIN), graphs_to_matrix(nodes, np.stack([CHAIN] * 4))
    )


def test_without_global_node_the_arrays_come_back_with_loops():
    nodes = np.random.default_rng(0).random((4, 3, 2))
    nodes[0, 1] = 0  # still a node: it has edges
    back, edges = matrix_to_graphs(graphs_to_matrix(nodes, CHAIN, add_global_node=False), 3, 2)
    np.testing.assert_array_equal(back, nodes)
    np.testing.assert_array_equal(edges[0], CHAIN + np.eye(3))


def test_weights_of_given_loops_are_kept():
    edges = CHAIN + 0.5 * np.eye(3)
    _, back = matrix_to_graphs(graphs_to_matrix(np.ones((1, 3, 1)), edges), 4, 2)
    np.testing.assert_array_equal(back[0, 1:, 1:], edges)


@pytest.mark.parametrize(
    ("nodes", "edges", "message"),
    [
        (np.ones((3, 2)), CHAIN, r"node_features must be of shape .*Got \(3, 2\).*\[node_features"),
        (np.ones((0, 3, 2)), CHAIN, r"node_features must be of shape .*Got \(0, 3, 2\)"),
        (np.ones((5, 4, 2)), CHAIN, r"adjacency must be of shape \(5, 4, 4\).*Got \(3, 3\)"),
        (np.ones((5, 3, 2)), np.ones((4, 3, 3)), r"\(5, 3, 3\).*Got \(4, 3, 3\)"),
        (np.ones((1, 3, 2)), -CHAIN, r"adjacency\[0, 1\] is -1; .*at least 0"),
        (np.full((1, 3, 2), np.nan), CHAIN, r"node_features\[0, 0, 0\] is nan; .*finite"),
        ([[[1, 0]], [[1, 0], [0, 1]]], CHAIN, r"node_features must be numbers.*Pad graphs"),
        ([[["conv", "pool"]]], [[0]], r"node_features must be numbers"),
        (np.eye(3)[:2, :, None] * [[[1]], [[0]]], np.zeros((3, 3)), "Graph 1 has no node"),
    ],
)
def test_wrong_arrays_are_told_apart(nodes, edges, message):
    with pytest.raises(ValueError, match=message):
        graphs_to_matrix(nodes, edges)


def test_wrong_numbers_of_columns_are_explained():
    with pytest.raises(ValueError, match=r"3 nodes of 2 features take a matrix of 15 columns.*14"):
        matrix_to_graphs(np.ones((2, 14)), 3, 2)
    with pytest.raises(ValueError, match="No graph of nodes with 2 features has 14 columns"):
        nodes_of_columns(14, 2)


@pytest.mark.parametrize("global_node", [True, False])
@pytest.mark.parametrize("normalize", [True, False])
def test_encode_is_transform_without_checks(global_node, normalize):
    space = FCNNSpace(max_layers=3, max_width=6)
    encoder = GraphEncoder(space, global_node=global_node, normalize=normalize).fit([[4, 4]])
    widths = space.sample(20, random_state=0)
    np.testing.assert_array_equal(encoder.encode(widths), encoder.transform(widths))


def test_map_of_a_space_predicts_from_the_matrix_of_the_pipeline():
    space = FCNNSpace(max_layers=3, max_width=6)
    widths = space.sample(30, random_state=0)
    latencies = 1e-6 * (1 + widths.sum(axis=1))
    model = make_pipeline(GraphEncoder(space, normalize=True), Ridge()).fit(widths, latencies)
    mapped = LatencyMap.from_estimator(model, space).predict(widths)
    np.testing.assert_allclose(mapped, model.predict(widths), rtol=1e-6)


def test_a_single_number_is_no_graph():
    for value in (np.nan, 1.0):
        with pytest.raises(ValueError, match="node_features"):
            graphs_to_matrix(value, value)


#: 80 values are 3 rows of 30, and 4 rows of 20; 50 values would be 2 and 3.
UNTIED = FCNNSpace(max_layers=3, max_width=90, tie_io=False)
NODES = {
    "width": [[30, 1, 7], [20, 9, 0]],
    "fan_in": [[0, 30, 1], [0, 20, 0]],
    "rows": [[3, 3, 3], [4, 4, 0]],
    "single": [[0, 1, 0], [0, 0, 0]],
    "macs": [[0, 90, 21], [0, 720, 0]],
    "parameters": [[0, 31, 14], [0, 189, 0]],
    "activations": [[0, 3, 21], [0, 36, 0]],
    "bytes": [[0, 4 * (31 + 3 + 90), 4 * (14 + 21 + 3)], [0, 4 * (189 + 36 + 80), 0]],
    "macs_in_1x8": [[0, 3 * 30 * 8, 3 * 1 * 8], [0, 4 * 20 * 16, 0]],
    "macs_in_4x16": [[0, 4 * 30 * 16, 4 * 1 * 16], [0, 4 * 20 * 16, 0]],
    "macs_in_6x8": [[0, 6 * 30 * 8, 6 * 1 * 8], [0, 6 * 20 * 16, 0]],
    "macs_in_6x16": [[0, 6 * 30 * 16, 6 * 1 * 16], [0, 6 * 20 * 16, 0]],
    "idle_rows_of_4": [[0, 1, 1], [0, 0, 0]],
    "idle_rows_of_5": [[0, 2, 2], [0, 1, 0]],
    "idle_rows_of_6": [[0, 3, 3], [0, 2, 0]],
    "idle_columns_of_4": [[0, 3, 1], [0, 3, 0]],
    "idle_columns_of_8": [[0, 7, 1], [0, 7, 0]],
    "idle_columns_of_16": [[0, 15, 9], [0, 7, 0]],
    "input": [[1, 0, 0], [1, 0, 0]],
    "output": [[0, 0, 1], [0, 1, 0]],
}


@pytest.mark.parametrize(
    "encoder",
    [
        GraphEncoder(UNTIED, 80),
        GraphEncoder(UNTIED, 80, global_node=False),
        ArchitectureEncoder(UNTIED, "graph", 80),
    ],
    ids=["global", "without", "architectures"],
)
def test_features_of_nodes_are_those_worked_out_by_hand(encoder):
    architectures = [[30, 1, 7], [20, 9]]
    encoded = encoder.fit(architectures).transform(architectures)
    names = encoder.get_feature_names_out().tolist()
    assert list(NODES) == list(NODE_FEATURES)
    for feature, expected in NODES.items():
        columns = [names.index(f"{feature}_layer_{layer}") for layer in (1, 2, 3)]
        assert encoded[:, columns].tolist() == expected, feature
