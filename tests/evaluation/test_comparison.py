"""Estimators side by side."""

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import Bunch

from fcnn_latency import ArchitectureEncoder, FCNNSpace, compare
from fcnn_latency.evaluation import _comparison
from fcnn_latency.networks import layer_costs
from helpers.recorder import Recorder

X = FCNNSpace().sample(40, random_state=1)
#: A made-up law; real latencies are in test_datasets.
Y = 1e-4 * np.count_nonzero(X, axis=1) + 1e-9 * layer_costs(X, 50)["macs"].sum(axis=1)
DATASET = Bunch(
    data=X,
    target=Y,
    space=FCNNSpace(),
    signal_length=50,
    noise_floor=0.01,
    measuring_time=80.0,
    runtime="keras",
)


@pytest.fixture
def log():
    Recorder.log.clear()
    return Recorder.log


def test_comparison_has_the_mean_and_ranks_a_linear_law():
    result = compare(X, Y, estimators=["linear"], noise_floor=0.01, cv=4)
    assert list(result.table.index) == ["mean", "linear"]
    assert result.table.loc["linear", "mape"] < 0.01 < result.table.loc["mean", "mape"]
    assert result.table["error_to_noise"].notna().all()
    assert result.predictions.notna().to_numpy().all()


def test_dataset_brings_space_noise_floor_and_measuring_time():
    result = compare(DATASET, estimators=["flops"], cv=4)
    assert result.noise_floor == 0.01
    assert result.table.loc["flops", "measuring_time"] == pytest.approx(60.0)
    assert result.table.loc["flops", "n_train"] == 30
    same = compare(X, Y, estimators=["flops"], cv=4)
    pd.testing.assert_frame_equal(result.predictions, same.predictions)
    assert np.isnan(same.table.loc["flops", "measuring_time"])


@pytest.mark.parametrize(
    ("dataset", "given"),
    [(True, {}), (True, {"signal_length": 20}), (False, {"signal_length": 20})],
)
def test_estimators_have_the_signal_of_the_data_or_the_given_one(monkeypatch, dataset, given):
    monkeypatch.setattr(_comparison, "MOST_CALLS", 1)
    monkeypatch.setattr(_comparison, "MOST_BATCHED", 1)
    law = 1e-6 + 1e-9 * layer_costs(X, given.get("signal_length", 80))["macs"].sum(axis=1)
    data = (Bunch(**DATASET | {"target": law, "signal_length": 80}),) if dataset else (X, law)
    table = compare(*data, estimators=["flops"], cv=2, **given).table
    assert table.loc["flops", "mape"] < 1e-9


def test_repeats_count_once_among_training_architectures():
    table = compare(np.tile(X, (2, 1)), np.tile(Y, 2), estimators=[], cv=4).table
    assert table.loc["mean", "n_train"] == 30


def test_what_needs_no_labels_costs_none():
    class Fixed(Recorder):
        def __sklearn_tags__(self):
            tags = super().__sklearn_tags__()
            tags.target_tags.required = False
            return tags

    table = compare(DATASET, estimators={"fixed": Fixed()}, cv=4).table
    assert table.loc["fixed", ["n_train", "measuring_time"]].tolist() == [0, 0]


def test_architectures_are_never_shared_in_either_loop(log):
    twice = np.tile(X, (2, 1))
    result = compare(
        twice,
        np.tile(Y, 2),
        estimators={"own": Recorder()},
        param_grids={"own": {"quality": [0, 1]}},
        cv=4,
        inner_cv=3,
    )
    asked = [(known, rows) for what, known, rows in log if what == "predict"]
    asked = [(known, rows) for known, rows in asked if 1 < len(rows) <= len(X)]  # not the timings
    assert len(asked) == 4 * (3 * 2 + 1)
    assert not any(known & rows for known, rows in asked)
    fits = [known for what, known, _ in log if what == "fit"]
    for fold in range(4):
        test = {tuple(row) for row in twice[result.folds == fold]}
        of_fold = fits[fold * 7 : (fold + 1) * 7]
        assert len(of_fold) == 7
        assert not any(known & test for known in of_fold)


def test_chosen_parameters_are_kept_and_printed(log):
    grids = {"own": {"quality": [0, 1]}}
    result = compare(X, Y, estimators={"own": Recorder()}, param_grids=grids, cv=4)
    assert result.best_params == {"own": [{"quality": 1}] * 4}
    assert "4 of 4 folds: quality=1" in str(result)


def test_parameters_are_drawn_from_distributions(log):
    from scipy.stats import bernoulli

    result = compare(
        X,
        Y,
        estimators={"own": Recorder()},
        param_grids={"own": {"quality": bernoulli(0.5)}},
        n_iter=6,
        cv=2,
        inner_cv=2,
    )
    assert [chosen["quality"] for chosen in result.best_params["own"]] == [1, 1]


def test_pipelines_of_ones_own_are_compared():
    own = make_pipeline(ArchitectureEncoder(features="costs"), StandardScaler(), Ridge(0.1))
    table = compare(X, Y, estimators={"ridge": own}, cv=4).table
    assert table.loc["ridge", "mape"] < table.loc["mean", "mape"]


def test_processes_predict_the_same_and_say_that_times_mislead():
    alone = compare(X, Y, estimators=["linear"], cv=3)
    beside = compare(X, Y, estimators=["linear"], cv=3, n_jobs=2)
    pd.testing.assert_frame_equal(alone.predictions, beside.predictions)
    assert "2 fits ran at a time" in str(beside)
    assert "at a time" not in str(alone)


def test_text_fits_100_columns_and_has_units():
    names = {f"an estimator {n}": DummyRegressor() for n in range(3)}
    text = str(compare(DATASET, estimators=names, cv=3))
    assert max(map(len, text.splitlines())) <= 100
    assert "Noise floor: a perfect predictor would show 1.00 %." in text
    for words in ("±10 %", "RMSE", "R²", "Spearman", "measuring", "53.3 s", "predict one", "µs"):
        assert words in text


def test_every_time_is_positive():
    columns = ["fit_time", "predict_time_single", "predict_time_batch"]
    times = compare(X, Y, estimators=["flops"], cv=2).table[columns]
    assert (times > 0).all(axis=None)
    assert times.loc["flops", "predict_time_batch"] < times.loc["flops", "predict_time_single"]


@pytest.mark.parametrize(
    ("arguments", "changes", "message"),
    [
        ((X,), {}, "y must be the latencies"),
        ((DATASET, Y), {}, "y must be None"),
        ((X, -Y), {}, "row 0"),
        ((X, Y[:-1]), {}, "inconsistent"),
        ((X, Y), {"estimators": "linear"}, "sequence of names"),
        ((X, Y), {"estimators": ["nope"]}, "one of"),
        ((X, Y), {"estimators": {"own": Recorder}}, "must be a scikit-learn regressor"),
        ((X, Y), {"estimators": {"own": ArchitectureEncoder()}}, "scikit-learn regressor"),
        ((X, Y), {"estimators": ["flops"], "param_grids": {"deep": {}}}, r"\['deep'\]"),
        ((X, Y), {"estimators": {"measured": Recorder()}, "n_jobs": 2}, "would disturb"),
    ],
)
def test_what_is_wrong_is_said_before_the_first_fit(log, arguments, changes, message):
    with pytest.raises(ValueError, match=message):
        compare(*arguments, **changes)
    assert not log


def test_results_compare_by_identity_and_have_a_short_repr():
    result, other = (compare(X, Y, estimators=["flops"], cv=2) for _ in range(2))
    assert result == result
    assert result != other
    assert repr(result) == "<Comparison of 2 estimators on 40 architectures>"
