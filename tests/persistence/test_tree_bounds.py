"""Nodes of decision trees at the bounds of their arrays, and one past them."""

from itertools import product
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingRegressor,
    HistGradientBoostingRegressor,
    RandomForestRegressor,
)
from sklearn.tree import DecisionTreeRegressor, ExtraTreeRegressor

from fcnn_latency import ModelFileError, load, save
from fcnn_latency.persistence._tree_bounds import check_trees
from helpers.model_files import fitted

#: Three features. Trees of two levels have seven nodes: the root, node 1 with the leaves 2 and 3,
#: and node 4 with the leaves 5 and 6.
ROWS = np.array(list(product(range(4), repeat=3)), dtype=np.float64)
LABELS = ROWS @ [1.0, 4.0, 16.0]
REFUSED = "points outside its tree"


def plain_tree():
    """A tree of scikit-learn, and the fields of its nodes."""
    model = DecisionTreeRegressor(max_depth=2).fit(ROWS, LABELS)
    tree = model.tree_
    fields = (tree.children_left, tree.children_right, tree.feature)
    return model, dict(zip(("left", "right", "feature"), fields, strict=True))


def histogram_tree():
    """A tree of histogram-based gradient boosting, and the fields of its nodes."""
    model = HistGradientBoostingRegressor(
        max_iter=1, max_depth=2, min_samples_leaf=1, categorical_features=[0, 1, 2]
    ).fit(ROWS, LABELS)
    nodes = model._predictors[0][0].nodes
    names = ("left", "right", "feature_idx", "bitset_idx")
    return model, {name.removesuffix("_idx"): nodes[name] for name in names}


of_each_kind = pytest.mark.parametrize("make", [plain_tree, histogram_tree])


@of_each_kind
def test_trees_as_fitted_are_accepted(make):
    model, fields = make()
    assert len(fields["left"]) == 7
    assert fields["right"][[0, 1, 4]].tolist() == [4, 3, 6]
    check_trees(model)


@of_each_kind
@pytest.mark.parametrize(
    ("field", "node", "value"),
    [
        ("left", 4, 6),
        ("left", 0, 6),
        ("right", 0, 6),
        ("right", 1, 2),
        ("right", 4, 5),
        ("feature", 0, 0),
        ("feature", 0, 2),
        ("feature", 4, 2),
    ],
)
def test_a_node_at_its_bound_is_accepted(make, field, node, value):
    model, fields = make()
    fields[field][node] = value
    check_trees(model)


@of_each_kind
@pytest.mark.parametrize("node", [0, 1, 4])
@pytest.mark.parametrize("field", ["left", "right"])
@pytest.mark.parametrize("past_the_end", [True, False], ids=["past the end", "itself"])
def test_a_child_past_the_end_and_a_node_as_its_own_child_are_refused(
    make, node, field, past_the_end
):
    model, fields = make()
    fields[field][node] = 7 if past_the_end else node
    with pytest.raises(ModelFileError, match=REFUSED):
        check_trees(model)


@of_each_kind
@pytest.mark.parametrize(
    ("field", "node", "value"),
    [
        ("left", 1, 0),
        ("right", 4, 3),
        ("right", 0, 2**16 + 6),
        ("feature", 0, 2**32 + 2),
        ("feature", 0, 3),
        ("feature", 4, 3),
        ("feature", 0, -1),
        ("feature", 4, -1),
    ],
)
def test_nodes_and_features_that_cannot_be_reached_are_refused(make, field, node, value):
    model, fields = make()
    fields[field][node] = value
    with pytest.raises(ModelFileError, match=REFUSED):
        check_trees(model)


def test_a_node_with_one_child_is_refused():
    model, fields = plain_tree()
    fields["right"][0] = -1  # the left child says whether a node is a leaf
    with pytest.raises(ModelFileError, match=REFUSED):
        check_trees(model)


def test_a_tree_of_one_leaf_is_accepted():
    check_trees(DecisionTreeRegressor().fit(ROWS, np.ones(len(ROWS))))


@pytest.mark.parametrize("node", [0, 1, 4])
def test_a_bitset_past_the_last_is_refused(node):
    model, fields = histogram_tree()
    assert fields["bitset"][[0, 1, 4]].tolist() == [0, 1, 2]
    fields["bitset"][node] = 2
    check_trees(model)
    fields["bitset"][node] = 3
    with pytest.raises(ModelFileError, match=REFUSED):
        check_trees(model)


def test_the_bitsets_of_raw_categories_are_those_that_count():
    model, _ = histogram_tree()
    predictor = model._predictors[0][0]
    predictor.raw_left_cat_bitsets = predictor.raw_left_cat_bitsets[:2]
    with pytest.raises(ModelFileError, match=REFUSED):
        check_trees(model)


def test_each_tree_of_each_iteration_is_checked():
    model = HistGradientBoostingRegressor(max_iter=3, max_depth=2, min_samples_leaf=1)
    model.fit(ROWS, LABELS)
    check_trees(model)
    model._predictors[2][0].nodes["right"][0] = 7
    with pytest.raises(ModelFileError, match=REFUSED):
        check_trees(model)


def test_a_tree_without_nodes_is_refused():
    model, _ = histogram_tree()
    predictor = model._predictors[0][0]
    predictor.nodes = predictor.nodes[:0]
    with pytest.raises(ModelFileError, match=REFUSED):
        check_trees(model)


@pytest.mark.parametrize(
    ("count", "capacity", "accepted"), [(7, 7, True), (7, 9, True), (7, 6, False), (0, 7, False)]
)
def test_a_tree_has_no_more_nodes_than_it_holds(count, capacity, accepted):
    _, fields = plain_tree()
    tree = SimpleNamespace(
        node_count=count,
        capacity=capacity,
        children_left=fields["left"],
        children_right=fields["right"],
        feature=fields["feature"],
        n_features=3,
    )
    model = SimpleNamespace(tree_=tree, n_features_in_=3)
    if accepted:
        check_trees(model)
    else:
        with pytest.raises(ModelFileError, match=REFUSED):
            check_trees(model)


@pytest.mark.parametrize("n_features", [2, 4])
@pytest.mark.parametrize(
    "model",
    [
        DecisionTreeRegressor(max_depth=2),
        RandomForestRegressor(2, max_depth=2),
        GradientBoostingRegressor(n_estimators=2),
    ],
    ids=lambda model: type(model).__name__,
)
def test_trees_of_another_number_of_features_are_refused(model, n_features):
    model.fit(ROWS, LABELS)
    check_trees(model)
    model.n_features_in_ = n_features
    with pytest.raises(ModelFileError, match=REFUSED):
        check_trees(model)


def test_a_histogram_tree_of_fewer_features_is_refused():
    model, _ = histogram_tree()
    model.n_features_in_ = 2
    with pytest.raises(ModelFileError, match=REFUSED):
        check_trees(model)


@pytest.mark.parametrize(
    "model",
    [
        DecisionTreeRegressor(max_depth=2),
        ExtraTreeRegressor(max_depth=2),
        RandomForestRegressor(2, max_depth=2),
        ExtraTreesRegressor(2, max_depth=2),
        GradientBoostingRegressor(n_estimators=2),
    ],
    ids=lambda model: type(model).__name__,
)
def test_a_right_child_past_the_end_is_refused_wherever_the_tree_is(model, tmp_path):
    pipeline = fitted(model)
    trees = [model] if hasattr(model, "tree_") else list(np.ravel(model.estimators_))
    tree = trees[-1].tree_
    tree.children_right[0] = tree.node_count
    with pytest.raises(ModelFileError, match=REFUSED):
        load(save(pipeline, tmp_path / "model.fcnn"))
