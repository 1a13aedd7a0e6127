"""GraphConvolutionRegressor: what it learns, and from which graphs."""

import pickle
import random
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from fcnn_latency import (
    FCNNSpace,
    GraphConvolutionRegressor,
    graphs_to_matrix,
    make_latency_pipeline,
)
from fcnn_latency.estimators.neural._parameters import GRAPH_RULES
from fcnn_latency.estimators.neural._training import Trained

quick = partial(
    GraphConvolutionRegressor, n_convolutions=1, units=8, epochs=2, batch_size=64, random_state=0
)

WRONG = {
    "n_nodes": [0, 2.5, "3"],
    "n_node_features": [0, True],
    "n_convolutions": [0, None],
    "units": [0, (64,)],
    "bidirectional": [1, "yes"],
    "layer_normalization": [None],
    "linear_part": [0],
    "dropout": [1, -0.1],
    "loss": ["mse", None, ["mean_absolute_error"]],
    "learning_rate": [0, np.nan],
    "learning_rate_decay": ["linear", False],
    "weight_decay": [-1, np.inf],
    "epochs": [0],
    "batch_size": [0, 2.0],
    "early_stopping": [1],
    "validation_fraction": [1, None],
    "random_state": [-1, "0"],
    "verbose": [3],
}


def random_graphs(n_graphs, n_nodes=5, n_kinds=3, seed=0):
    """Directed acyclic graphs of 2 to `n_nodes` nodes of several kinds, padded at the end."""
    rng = np.random.default_rng(seed)
    kinds = np.eye(n_kinds)[rng.integers(0, n_kinds, (n_graphs, n_nodes))]
    edges = np.triu(rng.integers(0, 2, (n_graphs, n_nodes, n_nodes)), 1)
    real = np.arange(n_nodes) < rng.integers(2, n_nodes + 1, n_graphs)[:, None]
    return kinds * real[..., None], edges * real[:, None] * real[..., None]


NODES, EDGES = random_graphs(120)
X = graphs_to_matrix(NODES, EDGES)
#: Seconds: each kind of node has its price, and an edge costs too.
Y = 1e-3 * (1 + NODES.sum(axis=1) @ [0.1, 0.5, 2.0] + 0.3 * EDGES.sum(axis=(1, 2)))


@pytest.fixture(scope="module", params=[True, False], ids=["global", "mean"])
def fitted(request):
    """A fitted model, the global node's or the mean's, and how its graphs become a matrix."""
    encode = partial(graphs_to_matrix, add_global_node=request.param)
    model = quick(n_nodes=5 + request.param, n_convolutions=2, epochs=20).fit(
        encode(NODES, EDGES), Y
    )
    assert model.readout_ == ("global" if request.param else "mean")
    return model, encode


@settings(max_examples=20)
@given(st.permutations(range(5)), st.integers(0, 100))
def test_the_order_of_nodes_changes_nothing(fitted, order, seed):
    model, encode = fitted
    nodes, edges = random_graphs(4, seed=seed)
    shuffled = encode(nodes[:, order], edges[:, order][:, :, order])
    np.testing.assert_allclose(
        model.predict(shuffled), model.predict(encode(nodes, edges)), rtol=1e-4
    )


@pytest.mark.parametrize("add_global_node", [True, False])
def test_padding_changes_neither_training_nor_prediction(add_global_node):
    nodes, edges = random_graphs(40, n_nodes=3)
    wide = np.pad(nodes, ((0, 0), (0, 2), (0, 0))), np.pad(edges, ((0, 0), (0, 2), (0, 2)))
    narrow = graphs_to_matrix(nodes, edges, add_global_node=add_global_node)
    padded = graphs_to_matrix(*wide, add_global_node=add_global_node)
    predicted = [
        # Dropout would draw for the padding too.
        quick(n_nodes=n_nodes + add_global_node, dropout=0).fit(X, Y[:40]).predict(X)
        for n_nodes, X in ((3, narrow), (5, padded))
    ]
    np.testing.assert_allclose(*predicted, rtol=1e-4)


@pytest.mark.parametrize("bidirectional", [True, False])
def test_numpy_predicts_what_keras_does(bidirectional):
    model = quick(n_nodes=6, n_convolutions=2, bidirectional=bidirectional, linear_part=True)
    model.fit(X, Y)
    inputs = model._inputs(*model._graphs(X))
    n_nodes = np.array([len({*np.argwhere(n)[:, 0]}) for n in X[:, :24].reshape(-1, 6, 4)])
    sums = np.column_stack([X[:, :24].reshape(-1, 6, 4).sum(axis=1), n_nodes])
    scaled = np.asarray(model.to_keras()(inputs))[:, 0] + model.line_.predict(sums)
    np.testing.assert_allclose(model.predict(X), model.y_mean_ + model.y_scale_ * scaled, rtol=1e-5)


def test_keras_loads_the_network_in_safe_mode(fitted, tmp_path):
    import keras

    model, encode = fitted
    inputs = model._inputs(*model._graphs(encode(NODES, EDGES)))
    network = model.to_keras()
    network.save(tmp_path / "graph.keras")
    loaded = keras.saving.load_model(tmp_path / "graph.keras", safe_mode=True)
    np.testing.assert_array_equal(loaded(inputs), network(inputs))


def test_a_law_of_nodes_and_edges_is_learnt_for_unseen_graphs():
    train = slice(0, 90)
    model = GraphConvolutionRegressor(6, 4, n_convolutions=2, units=32, epochs=40, random_state=0)
    error = np.abs(model.fit(X[train], Y[train]).predict(X[90:]) / Y[90:] - 1)
    assert error.mean() < 0.05


def test_the_line_learns_what_adds_up_from_few_graphs():
    law = 1e-3 * (1 + NODES.sum(axis=1) @ [0.1, 0.5, 2.0])
    model = quick(n_nodes=6, linear_part=True).fit(X[:30], law[:30])
    np.testing.assert_allclose(model.predict(X[30:]), law[30:], rtol=0.01)


def test_a_fit_repeats_with_its_seed_alone_and_leaves_the_global_ones():
    random.seed(5)
    np.random.seed(5)  # noqa: NPY002 - the global one is meant
    expected = random.random(), np.random.random_sample()  # noqa: NPY002
    random.seed(5)
    np.random.seed(5)  # noqa: NPY002
    model = quick(n_nodes=6).fit(X, Y)
    assert (random.random(), np.random.random_sample()) == expected  # noqa: NPY002
    np.testing.assert_array_equal(clone(model).fit(X, Y).predict(X), model.predict(X))
    other = quick(n_nodes=6, random_state=1).fit(X, Y)
    assert not np.array_equal(other.predict(X), model.predict(X))


def test_pickling_keeps_the_predictions(fitted):
    model, encode = fitted
    kept = pickle.loads(pickle.dumps(model))
    encoded = encode(NODES, EDGES)
    np.testing.assert_array_equal(kept.predict(encoded), model.predict(encoded))


def test_blocks_of_predictions_join(fitted, monkeypatch):
    model, encode = fitted
    encoded = encode(NODES, EDGES)
    whole = model.predict(encoded)
    monkeypatch.setattr("fcnn_latency.estimators.neural._graph.BLOCK_VALUES", 1000)
    np.testing.assert_allclose(model.predict(encoded), whole, rtol=1e-5)


def test_history_is_relative_and_in_seconds():
    still = quick(n_nodes=6, learning_rate=1e-9, dropout=0.0).fit(X, Y)
    assert set(still.history_) == {"loss", "mse", "mae", "rmse"}
    assert len(still.history_["loss"]) == 2
    error = still.predict(X) - Y
    assert still.history_["loss"][-1] == pytest.approx(np.abs(error / Y).mean(), rel=1e-3)
    assert still.history_["mae"][-1] == pytest.approx(np.abs(error).mean(), rel=1e-3)
    assert still.history_["rmse"][-1] == pytest.approx((error**2).mean() ** 0.5, rel=1e-3)


def test_the_published_training_stops_early_and_validates():
    model = GraphConvolutionRegressor.paper(
        n_nodes=6, units=4, epochs=40, learning_rate=1e-12, batch_size=60, random_state=0
    ).fit(X, Y)
    assert len(model.history_["val_loss"]) < 40


def test_pipeline_learns_architectures_of_any_space():
    space = FCNNSpace(max_layers=3, max_width=9)
    X = space.sample(30, random_state=0)
    model = make_latency_pipeline("graph", space=space, random_state=0)
    model.set_params(graphconvolutionregressor__epochs=1, graphconvolutionregressor__units=4)
    assert model.fit(X, 1e-6 * X.sum(axis=1)).predict(X[:2]).shape == (2,)
    assert model[-1].n_nodes_ == 4


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in WRONG.items() for value in values]
)
def test_wrong_parameter_is_named_with_what_is_right(name, value):
    message = f"The '{name}' parameter of GraphConvolutionRegressor must be .*Got "
    with pytest.raises(ValueError, match=message):
        GraphConvolutionRegressor(**{name: value}).fit(X, Y)


def test_every_parameter_has_a_rule_and_a_wrong_value_here():
    assert set(GraphConvolutionRegressor().get_params()) == set(GRAPH_RULES) == set(WRONG)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_nodes": 7}, "7 nodes of 1 features take a matrix of 56 columns"),
        ({"n_nodes": 6, "n_node_features": 5}, "6 nodes of 5 features take a matrix of 66 columns"),
        ({"n_node_features": 6}, "No graph of nodes with 6 features has 60 columns"),
        ({"early_stopping": True}, "needs validation rows: of 120 rows"),
        ({"learning_rate_decay": "plateau"}, "needs validation rows"),
    ],
)
def test_what_does_not_fit_is_explained(parameters, message):
    with pytest.raises(ValueError, match=message):
        quick(**parameters).fit(X, Y)


def test_columns_that_are_no_adjacency_are_refused():
    with pytest.raises(ValueError, match="Row 0: an entry of the adjacency is negative"):
        quick(n_nodes=6).fit(-X, Y)


def test_relative_errors_need_positive_latencies():
    with pytest.raises(ValueError, match=r"Row 3 of y is -1: .*latencies above 0"):
        quick(n_nodes=6).fit(X, np.where(np.arange(len(Y)) == 3, -1, Y))


def test_divergence_is_an_error():
    with pytest.raises(ValueError, match="Training diverged"):
        quick(n_nodes=6, learning_rate=1e30, layer_normalization=False, epochs=5).fit(X, Y)


@pytest.mark.parametrize(
    ("loss", "keras_loss", "power"),
    [
        ("mean_absolute_percentage_error", "mean_absolute_error", 1),
        ("mean_squared_percentage_error", "mean_squared_error", 2),
        ("mean_absolute_error", "mean_absolute_error", 0),
        ("mean_squared_error", "mean_squared_error", 0),
    ],
)
def test_errors_are_relative_where_the_loss_says_so(monkeypatch, loss, keras_loss, power):
    asked = {}

    def untrained(build, inputs, target, settings, **how):
        asked.update(how, target=target)
        return Trained(build(), {}, None, [])

    monkeypatch.setattr("fcnn_latency.estimators.neural._graph.train", untrained)
    quick(n_nodes=6, loss=loss, weight_decay=0.25, epochs=250, random_state=7).fit(X, Y)
    np.testing.assert_allclose(asked["target"], (Y - Y.mean()) / Y.std())
    np.testing.assert_allclose(asked["sample_weight"], (Y.std() / Y) ** power)
    assert (asked["loss"], asked["optimizer"]) == (keras_loss, "adamw")
    assert asked["optimizer_settings"] == {"weight_decay": 0.25}
    assert (asked["patience"], asked["seed"]) == (35, 7)
