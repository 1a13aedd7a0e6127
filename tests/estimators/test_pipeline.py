"""Pipelines from architectures to latencies."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone, is_regressor

from fcnn_latency import FCNNSpace, LatencyRegressor, make_latency_pipeline
from fcnn_latency.estimators._pipeline import ESTIMATORS
from fcnn_latency.networks import layer_costs
from fcnn_latency.spaces import surface_architectures, surface_grid

X = FCNNSpace().sample(60, random_state=0)
#: A made-up law; real latencies are in test_datasets.
Y = 1e-4 * np.count_nonzero(X, axis=1) + 1e-9 * layer_costs(X, 50)["macs"].sum(axis=1)


def test_unknown_estimator_lists_the_valid_ones():
    with pytest.raises(ValueError, match=r"must be one of .*'deep'.*'mean'.*Got 'forest' instead"):
        make_latency_pipeline("forest")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("estimator", ["deep"]),
        ("features", "pixels"),
        ("signal_length", 50.5),
        ("signal_length", True),
        ("random_state", -1),
    ],
)
def test_wrong_parameter_is_named_with_what_is_right(name, value):
    with pytest.raises(ValueError, match=rf"{name} must be .*Got .* instead"):
        make_latency_pipeline(**{name: value})


@pytest.mark.parametrize("layers", [(1, 2.5), (1, True), (1.0, 2), (1, 1)])
def test_layers_of_a_surface_are_different_whole_numbers(layers):
    with pytest.raises(ValueError, match="layers must be two different layers from 1 to 3"):
        surface_architectures((9, 9, 9), layers=layers)
    with pytest.raises(ValueError, match="layers must be two different layers from 1 to 3"):
        surface_grid([(9, 9, 9)], [1e-6], layers=layers)


@pytest.mark.parametrize("widths", [[5, 5.7], [5, np.nan], [True], ["5"]])
def test_widths_of_a_surface_are_not_cut(widths):
    with pytest.raises(ValueError, match="widths must be whole numbers"):
        surface_architectures((9, 9, 9), layers=(1, 2), widths=widths)


def test_linear_learns_a_linear_law():
    assert make_latency_pipeline("linear").fit(X, Y).score(X, Y) > 0.9999


def test_deep_repeats_with_a_seed_and_survives_pickling():
    model = make_latency_pipeline(random_state=0).set_params(latencyregressor__epochs=20)
    assert is_regressor(model.fit(X, Y))
    predicted = model.predict([[41, 41], [14, 21, 31, 14]])
    assert model.score(X, Y) > 0.9
    again = clone(model).fit(X, Y)
    np.testing.assert_array_equal(again.predict([[41, 41], [14, 21, 31, 14]]), predicted)
    kept = pickle.loads(pickle.dumps(model))
    np.testing.assert_allclose(kept.predict([[41, 41], [14, 21, 31, 14]]), predicted)


def test_history_has_training_and_validation_metrics():
    model = LatencyRegressor.paper(epochs=2, random_state=0).fit(X, Y)
    names = {"loss", "mse", "mae", "rmse"}
    assert set(model.history_) == names | {f"val_{name}" for name in names}
    assert all(len(values) == 2 for values in model.history_.values())


def test_early_stopping_callbacks_and_tensorboard_logs(tmp_path):
    import keras

    given = keras.callbacks.LambdaCallback()
    model = LatencyRegressor(
        epochs=60,
        early_stopping=True,
        validation_fraction=0.3,
        learning_rate=1e-12,
        callbacks=[given],
        log_dir=str(tmp_path),
        random_state=0,
    ).fit(X, Y)
    assert len(model.history_["loss"]) < 60
    assert len(model.callbacks_) == 3
    assert given not in model.callbacks_
    assert any(path.name.startswith("events") for path in tmp_path.rglob("*"))


@pytest.mark.parametrize("name", ESTIMATORS)
def test_settings_reach_both_steps(name):
    settings = {"space": FCNNSpace(max_layers=6), "signal_length": 80, "random_state": 7}
    pipeline = make_latency_pipeline(name, **settings)
    for _, step in pipeline.steps:
        for parameter, value in step.get_params().items():
            assert value == settings.get(parameter.removeprefix("regressor__"), value), parameter
    encoder = pipeline[0]
    assert (encoder.space, encoder.signal_length) == (settings["space"], 80)
