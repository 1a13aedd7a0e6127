"""What a comparison fits on, chooses by and passes on."""

import numpy as np
import pytest
from scipy.stats import bernoulli, uniform
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.dummy import DummyRegressor
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.utils import Bunch

from fcnn_latency import FCNNSpace, MeasuredLatency, compare, sample_efficiency
from fcnn_latency.datasets._labelled import as_labelled
from fcnn_latency.estimators._pipeline import ESTIMATORS
from fcnn_latency.evaluation import _comparison
from fcnn_latency.evaluation import _sample_efficiency as efficiency
from fcnn_latency.evaluation._comparison import _searches, named_estimators
from fcnn_latency.networks import layer_costs
from helpers.recorder import Recorder

#: Neither the default space nor the default signal.
WIDE = FCNNSpace(max_width=60)
X = WIDE.sample(40, random_state=1)


def law(signal_length):
    """Latencies that are linear in the operations on a signal."""
    return 1e-6 + 1e-9 * layer_costs(X, signal_length)["macs"].sum(axis=1)


Y = law(80)
DATASET = Bunch(
    data=X, target=Y, space=WIDE, signal_length=80, noise_floor=0.01, measuring_time=80.0
)
GIVEN = {"space": WIDE, "signal_length": 80}


@pytest.fixture(autouse=True)
def untimed(monkeypatch):
    """What is predicted is predicted once, and not again for the time that it takes."""
    monkeypatch.setattr(_comparison, "MOST_CALLS", 1)
    monkeypatch.setattr(_comparison, "BATCH_SECONDS", 0)


class Memory(RegressorMixin, BaseEstimator):
    """Knows the labels that it was fitted on; of others it guesses a second or more."""

    def __init__(self, guess=1.0):
        self.guess = guess

    def fit(self, X, y):
        self.known_ = dict(zip(map(tuple, X), y, strict=True))
        return self

    def predict(self, X):
        """Remember, or guess."""
        return np.array([self.known_.get(tuple(row), self.guess) for row in X])


@pytest.mark.parametrize(
    "grids",
    [None, {"memory": {"guess": [1.0, 2.0]}}, {"memory": {"guess": uniform(1, 1)}}],
    ids=["as it is", "grid", "distribution"],
)
def test_no_label_of_a_test_row_is_known(grids):
    settings = {"param_grids": grids, "cv": 4, "inner_cv": 2, "n_iter": 2, "space": WIDE}
    twice = np.tile(X, (2, 1)), np.tile(Y, 2)
    result = compare(*twice, estimators={"memory": Memory()}, **settings)
    assert (result.predictions["memory"] >= 1).all()
    assert result.table.loc["memory", "mape"] > 1


def test_each_measurement_of_a_repeated_architecture_takes_its_time():
    twice = Bunch(**{**DATASET, "data": np.tile(X, (2, 1)), "target": np.tile(Y, 2)})
    table = compare(twice, estimators=[], cv=4).table  # 80 rows in 80 s, 60 of them to train on
    assert table.loc["mean", "measuring_time"] == pytest.approx(60.0)
    assert table.loc["mean", "n_train"] == 30


def test_parameters_are_chosen_by_relative_error():
    """1 µs is 90 % too low for most; 10 µs is 900 % too high for the others."""
    latencies = np.where(np.arange(40) < 10, 1e-6, 1e-5)
    result = compare(
        X,
        latencies,
        space=WIDE,
        estimators={"constant": DummyRegressor(strategy="constant", constant=1.0)},
        param_grids={"constant": {"constant": [1e-5, 1e-6]}},
        cv=4,
    )
    assert result.best_params == {"constant": [{"constant": 1e-6}] * 4}


def test_each_draw_is_fitted_in_each_inner_fold_and_the_best_again():
    Recorder.log.clear()
    settings = {"param_grids": {"own": {"quality": bernoulli(0.5)}}, "space": WIDE}
    compare(X, Y, estimators={"own": Recorder()}, cv=2, inner_cv=4, n_iter=3, **settings)
    assert sum(what == "fit" for what, *_ in Recorder.log) == 2 * (3 * 4 + 1)


@pytest.mark.parametrize(
    ("grid", "kind"),
    [({"quality": [0]}, GridSearchCV), ({"quality": uniform()}, RandomizedSearchCV)],
)
def test_searches_have_the_folds_draws_and_seed_asked_for(grid, kind):
    search = _searches({"own": Recorder()}, {"own": grid}, inner_cv=4, n_iter=6, random_state=7)[
        "own"
    ]
    assert type(search) is kind
    assert (search.cv.n_splits, search.cv.random_state) == (4, 7)
    if kind is RandomizedSearchCV:
        assert (search.n_iter, search.random_state) == (6, 7)


def test_the_seed_draws_the_folds():
    zero, again, one = (
        compare(DATASET, estimators=[], cv=4, random_state=seed).folds for seed in (0, 0, 1)
    )
    assert zero.tolist() == again.tolist() != one.tolist()
    assert np.bincount(zero).tolist() == [10] * 4


@pytest.mark.parametrize(
    ("data", "settings"),
    [
        ((DATASET,), {}),
        ((X, Y), GIVEN),
        ((Bunch(**{**DATASET, "space": FCNNSpace(), "signal_length": 50}),), GIVEN),
    ],
    ids=["of the dataset", "given", "given instead of the dataset's"],
)
def test_pipelines_are_made_for_the_signal_of_the_data(data, settings):
    exact = compare(*data, estimators=["flops"], cv=4, **settings)
    assert exact.table.loc["flops", "mape"] < 1e-9
    other = compare(*data, estimators=["flops"], cv=4, **settings | {"signal_length": 50})
    assert other.table.loc["flops", "mape"] > 1e-3


def test_named_estimators_are_set_up_for_the_data():
    models = named_estimators(None, as_labelled(DATASET, None), 7)
    assert list(models) == [name for name in ESTIMATORS if name != "measured"]
    for name, model in models.items():
        by_name = {}
        for parameter, value in model.get_params().items():
            by_name.setdefault(parameter.rpartition("__")[2], []).append(value)
        assert set(by_name["signal_length"]) == {80}, name
        assert set(by_name["space"]) == {WIDE}, name
        assert set(by_name.get("random_state", [7])) <= {7, None}, name
        assert "random_state" not in by_name or 7 in by_name["random_state"], name


@pytest.mark.parametrize(("runtime", "used"), [("litert", "litert"), (None, None)])
def test_measuring_again_uses_the_runtime_of_the_data(runtime, used):
    data = as_labelled(Bunch(**DATASET, runtime=runtime), None)
    measured = named_estimators(["measured"], data, 0)["measured"][-1]
    assert measured.runtime == (used or MeasuredLatency().runtime)


def test_samples_are_chosen_and_fitted_for_the_signal_of_the_data(monkeypatch):
    choose, asked = efficiency.select_architectures, []

    def noted(candidates, size, **settings):
        asked.append(settings)
        return choose(candidates, size, **settings)

    monkeypatch.setattr(efficiency, "select_architectures", noted)
    result = sample_efficiency(
        DATASET, estimators=["flops"], sizes=[10], designs=["random"], n_repeats=2
    )
    assert result.table["mape"].max() < 1e-9
    assert [(each["space"], each["signal_length"]) for each in asked] == [(WIDE, 80)] * 2
    assert len({each["random_state"] for each in asked}) == 2
    assert result.table["measuring_time"].tolist() == [20.0, 20.0]


@pytest.mark.parametrize(("test_size", "left"), [(0.3, 28), (0.5, 20)])
def test_a_fraction_is_left_to_test_on(test_size, left):
    with pytest.raises(ValueError, match=f"at most {left}, the architectures that are left"):
        sample_efficiency(DATASET, estimators=[], sizes=[left + 1], test_size=test_size)


def test_the_seed_draws_what_is_tested():
    tested = []
    for seed in (0, 0, 1):
        Recorder.log.clear()
        sample_efficiency(
            DATASET,
            estimators={"own": Recorder()},
            sizes=[10],
            designs=["random"],
            n_repeats=1,
            random_state=seed,
        )
        tested += [rows for what, _, rows in Recorder.log if what == "predict"]
    assert tested[0] == tested[1] != tested[2]
