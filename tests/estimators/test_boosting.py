"""The recipes for boosting of other libraries, with the one that the tests are run with."""

import numpy as np
import pytest
from lightgbm import LGBMRegressor
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.pipeline import make_pipeline

from fcnn_latency import (
    ArchitectureEncoder,
    FCNNSpace,
    MixedLatencyRegressor,
    ModelFileError,
    compare,
    load,
    make_latency_pipeline,
    save,
)

X = FCNNSpace().sample(300, random_state=0)
#: A made-up law, in seconds, with a step in it that no linear law of costs has.
Y = 1e-4 * (np.count_nonzero(X, axis=1) + 1e-2 * X.sum(axis=1)) * np.where(X[:, 0] > 25, 1.3, 1)
#: Of AVX-512, whichever CPU runs the tests.
TILE = (7, 16)
TREES = LGBMRegressor(
    n_estimators=100, num_leaves=8, min_child_samples=5, n_jobs=1, random_state=0, verbosity=-1
)
RECIPES = {
    "alone": TransformedTargetRegressor(TREES, func=np.log, inverse_func=np.exp),
    "mixed": MixedLatencyRegressor(correction=TREES, random_state=0),
}
TRUSTED = ["collections.OrderedDict", "lightgbm.basic.Booster", "lightgbm.sklearn.LGBMRegressor"]


@pytest.fixture(params=sorted(RECIPES))
def recipe(request):
    encoder = ArchitectureEncoder(features="tiles", tile=TILE)
    return make_pipeline(encoder, clone(RECIPES[request.param]))


def test_recipes_learn_what_the_linear_law_misses(recipe):
    linear = make_latency_pipeline("linear").set_params(architectureencoder__tile=TILE)
    models = {"recipe": recipe, "linear": linear}
    mape = compare(X, Y, estimators=models, cv=2).table["mape"]
    assert mape["recipe"] < 0.5 * mape["linear"]


def test_named_columns_change_nothing_and_warn_of_nothing(recipe):
    plain = clone(recipe).fit(X, Y).predict(X)
    named = recipe.set_output(transform="pandas").fit(X, Y).predict(X)
    np.testing.assert_array_equal(named, plain)


def test_saved_recipe_loads_once_its_types_are_trusted(recipe, tmp_path):
    path = save(recipe.fit(X, Y), tmp_path / "model.fcnn")
    with pytest.raises(ModelFileError) as refused:
        load(path)
    assert str(TRUSTED) in str(refused.value)
    with pytest.raises(ModelFileError, match="Booster"):
        load(path, trusted=TRUSTED[-1:])
    np.testing.assert_array_equal(load(path, trusted=TRUSTED).predict(X), recipe.predict(X))
