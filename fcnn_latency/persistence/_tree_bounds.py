"""Check that the nodes of loaded decision trees stay within their arrays.

scikit-learn follows the indices of its trees without checking them, so a manipulated file could
make it read foreign memory. For this reason skops does not trust trees.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn import ensemble
from sklearn.base import BaseEstimator

from fcnn_latency._validation import Array
from fcnn_latency.exceptions import ModelFileError

#: Ensembles that pass their input to their trees without checks.
ENSEMBLES = (
    ensemble.ExtraTreesClassifier,
    ensemble.ExtraTreesRegressor,
    ensemble.GradientBoostingClassifier,
    ensemble.GradientBoostingRegressor,
    ensemble.RandomForestClassifier,
    ensemble.RandomForestRegressor,
    ensemble.RandomTreesEmbedding,
)


def check_trees(estimator: BaseEstimator) -> None:
    """Raise ModelFileError if a tree that the estimator holds directly is out of bounds.

    Parameters
    ----------
    estimator : estimator
        Newly loaded estimator, with all of its parts.

    Raises
    ------
    ModelFileError
        If a node points outside its tree, back to a node before it, or to no feature.
    """
    name = type(estimator).__name__
    held = vars(estimator)
    if "tree_" in held:
        _require(held["tree_"].n_features == held["n_features_in_"], name)
        _require(_is_tree_bounded(held["tree_"]), name)
    if isinstance(estimator, ENSEMBLES) and "estimators_" in held:
        for tree in np.ravel(held["estimators_"]):
            _require(tree.n_features_in_ == held["n_features_in_"], name)
    for predictors in held.get("_predictors", ()):
        for predictor in predictors:
            _require(_is_predictor_bounded(predictor, held["n_features_in_"]), name)


def _require(bounded: bool, name: str) -> None:
    if not bounded:
        raise ModelFileError(f"The file holds a {name} with a node that points outside its tree.")


def _is_tree_bounded(tree: Any) -> bool:
    if not 0 < tree.node_count <= tree.capacity:
        return False
    inner = tree.children_left != -1
    children = np.stack([tree.children_left, tree.children_right])
    return _is_bounded(children, tree.feature, inner, tree.n_features)


def _is_predictor_bounded(predictor: Any, n_features: int) -> bool:
    """Return the same as `_is_tree_bounded` for a tree of histogram-based gradient boosting."""
    nodes = predictor.nodes
    inner = nodes["is_leaf"] == 0
    by_category = nodes[inner & (nodes["is_categorical"] != 0)]
    children = np.stack([nodes["left"], nodes["right"]])
    return _is_bounded(children, nodes["feature_idx"], inner, n_features) and bool(
        (by_category["bitset_idx"] < len(predictor.raw_left_cat_bitsets)).all()
    )


def _is_bounded(children: Array, feature: Array, inner: Array, n_features: int) -> bool:
    """Return whether inner nodes read a valid feature, and their children exist and come later.

    Then every path down the tree ends.
    """
    child, split = children.astype(np.int64)[:, inner], feature[inner]
    ahead = (child > np.flatnonzero(inner)) & (child < len(inner))
    return len(inner) > 0 and bool(ahead.all() and ((split >= 0) & (split < n_features)).all())
