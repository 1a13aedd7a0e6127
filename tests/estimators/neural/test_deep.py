"""LatencyRegressor: its parameters, its seeds, its memory."""

import pickle
import random
import subprocess
import sys
from functools import partial

import numpy as np
import pytest
from sklearn.metrics import r2_score

from fcnn_latency import FCNNSpace, LatencyRegressor
from fcnn_latency._validation import LARGEST_SEED
from fcnn_latency.estimators.neural._dense_network import ACTIVATIONS, DenseNetwork
from fcnn_latency.estimators.neural._parameters import DEEP_RULES
from fcnn_latency.estimators.neural._training import Trained

X = FCNNSpace().sample(40, random_state=0)
#: Seconds, in proportion to depth; learnable in a few epochs.
Y = 1e-4 * np.count_nonzero(X, axis=1) + 1e-7 * X.sum(axis=1)

quick = partial(LatencyRegressor, (4,), epochs=2, random_state=0)

WRONG = {
    "hidden_layer_sizes": [(), "64", 64, (64, 0), (64, 2.5), (True,), None, np.array(4)],
    "activation": ["reluu", None, 1, ["relu"]],
    "linear_part": [1, None, "yes"],
    "target": ["log", None, True],
    "n_networks": [0, 1.5, True, None],
    "batch_normalization": ["last", 1, None, [True]],
    "dropout": [-0.1, 1, 1.5, "0.1", np.nan, None, True],
    "l2": [-1e-3, np.inf, "0", None],
    "optimizer": ["adamm", "Optimizer", None, 3],
    "learning_rate": [0, -1.0, np.nan, "0.1", None],
    "learning_rate_decay": ["linear", False, 1],
    "loss": ["squared", "mean_absolute_percentage_error", None],
    "epochs": [0, 2.5, "10", True, None],
    "batch_size": [0, 8.0, None],
    "early_stopping": [1, "yes", None],
    "validation_fraction": [-0.1, 1, 1.0, np.nan, "0.1", None],
    "callbacks": [[1], "callback", {}, object()],
    "log_dir": [1, False],
    "random_state": [-1, 2**32, 0.5, "0"],
    "verbose": [-1, 3, None, "auto"],
}

NO_TENSORFLOW = """
import sys
from fcnn_latency import LatencyRegressor
for name, value in {"optimizer": "adamm", "activation": "reluu", "loss": "x", "epochs": 0}.items():
    try:
        LatencyRegressor(**{name: value}).fit([[1.0], [2.0]], [1.0, 2.0])
    except ValueError:
        continue
    sys.exit(f"{name}={value!r} was taken")
sys.exit("tensorflow" in sys.modules)
"""

IN_A_FRESH_PROCESS = """
import pickle, sys
from pathlib import Path
model, fitted_here, X, Y = pickle.loads(Path(sys.argv[1]).read_bytes())
fitted = (model.predict(X), fitted_here.fit(X, Y).predict(X))
Path(sys.argv[1]).write_bytes(pickle.dumps(fitted))
"""


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in WRONG.items() for value in values]
)
def test_wrong_parameter_is_named_with_what_is_right(name, value):
    with pytest.raises(
        ValueError, match=f"The '{name}' parameter of LatencyRegressor must be .*Got "
    ):
        LatencyRegressor(**{name: value}).fit(X, Y)


def test_every_parameter_has_a_rule_and_a_wrong_value_here():
    assert set(LatencyRegressor().get_params()) == set(DEEP_RULES) == set(WRONG)


def test_unknown_optimizer_lists_the_valid_ones():
    with pytest.raises(ValueError, match=r"one of .*'adam'.*'sgd'.*Got 'adamm' instead"):
        LatencyRegressor(optimizer="adamm").fit(X, Y)


def test_wrong_parameters_are_refused_before_tensorflow_is_loaded():
    subprocess.run([sys.executable, "-c", NO_TENSORFLOW], check=True)


def test_keras_knows_every_name_and_builds_every_optimizer():
    import keras

    # Words of the message: the valid names stand in quotes.
    names = {
        key: DEEP_RULES[key][0].split("'")[1::2] for key in ("activation", "loss", "optimizer")
    }
    assert all(callable(keras.activations.get(name)) for name in names["activation"])
    assert all(callable(keras.losses.get(name)) for name in names["loss"])
    schedule = keras.optimizers.schedules.CosineDecay(0.1, 10)
    for name in names["optimizer"]:
        for rate in (0.1, schedule):
            given = {"class_name": name, "config": {"learning_rate": rate}}
            assert keras.optimizers.get(given).name


@pytest.mark.parametrize(
    "parameters",
    [
        {"hidden_layer_sizes": [np.int64(4), 3]},
        {"hidden_layer_sizes": np.array([4, 3])},
        {"batch_normalization": np.True_, "dropout": np.float32(0.5), "l2": 0},
        {"epochs": np.int64(1), "batch_size": np.int64(500), "learning_rate": np.float64(0.1)},
        {"random_state": np.random.RandomState(0)},
        {"optimizer": "sgd", "loss": "huber", "activation": "tanh", "callbacks": []},
    ],
)
def test_right_parameters_of_other_types_are_taken(parameters):
    assert np.isfinite(quick().set_params(**parameters).fit(X, Y).predict(X)).all()


def test_early_stopping_needs_validation_rows():
    with pytest.raises(ValueError, match="validation_fraction=0 leaves none"):
        quick(early_stopping=True, validation_fraction=0).fit(X, Y)
    with pytest.raises(ValueError, match=r"of 5 rows, validation_fraction=0.1 leaves none"):
        quick(early_stopping=True).fit(X[:5], Y[:5])


def test_without_validation_there_is_no_validation_history():
    model = quick(validation_fraction=0).fit(X, Y)
    assert set(model.history_) == {"loss", "mse", "mae", "rmse"}


def test_history_is_in_seconds():
    model = LatencyRegressor(
        (4,),
        epochs=3,
        learning_rate=1e-9,
        learning_rate_decay=None,
        l2=0,
        batch_size=40,
        validation_fraction=0,
        target="absolute",
        random_state=0,
    ).fit(X, Y)
    error = Y - model.predict(X)
    assert model.history_["mae"][-1] == pytest.approx(np.abs(error).mean(), rel=1e-3)
    assert model.history_["mse"][-1] == pytest.approx((error**2).mean(), rel=1e-3)
    assert model.history_["rmse"][-1] == pytest.approx((error**2).mean() ** 0.5, rel=1e-3)
    scaled = (error**2).mean() / model.target_scale_**2
    assert model.history_["loss"][-1] == pytest.approx(scaled, rel=1e-3)


def test_microseconds_and_seconds_are_learned_alike():
    micro, whole = quick().fit(X, 1e-6 * Y).predict(X), quick().fit(X, 1e4 * Y).predict(X)
    np.testing.assert_allclose(1e10 * micro, whole, rtol=1e-4)


def test_a_fresh_process_predicts_and_fits_the_same(tmp_path):
    model, path = quick(early_stopping=True).fit(X, Y), tmp_path / "model.pickle"
    path.write_bytes(pickle.dumps((model, quick(early_stopping=True), X, Y)))
    subprocess.run([sys.executable, "-c", IN_A_FRESH_PROCESS, str(path)], check=True)
    loaded, fitted_there = pickle.loads(path.read_bytes())
    np.testing.assert_allclose(loaded, model.predict(X), rtol=1e-12)
    np.testing.assert_allclose(fitted_there, model.predict(X), rtol=1e-6)


def test_a_model_with_logs_survives_pickling(tmp_path):
    model = quick(log_dir=tmp_path).fit(X, Y)
    kept = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(kept.predict(X), model.predict(X))


def test_another_seed_gives_another_network():
    assert not np.array_equal(
        quick().fit(X, Y).predict(X), quick(random_state=1).fit(X, Y).predict(X)
    )


def test_fit_leaves_the_global_seeds_alone():
    import tensorflow as tf

    def draws():
        return random.random(), np.random.random_sample(), float(tf.random.uniform(()))  # noqa: NPY002 - the global one is meant

    def seed():
        random.seed(5)
        np.random.seed(5)  # noqa: NPY002
        tf.random.set_seed(5)

    seed()
    expected = draws()
    seed()
    quick().fit(X, Y)
    assert draws() == expected


def test_a_fit_without_a_seed_works_after_one_with():
    for seed in (0, None):
        LatencyRegressor(epochs=1, random_state=seed).fit(X, Y)


@pytest.mark.parametrize("target", ["absolute", "relative"])
def test_linear_law_is_learnt_from_few_samples_and_the_rest_by_the_network(target):
    rng = np.random.default_rng(0)
    inputs = rng.uniform(-1, 1, (80, 3))
    line = 8 + inputs @ [1.0, 2.0, 3.0]
    model = LatencyRegressor(target=target, epochs=40, random_state=0)
    assert model.fit(inputs, line).score(inputs, line) > 0.9999
    bent = line + 3 * np.abs(inputs[:, 0])
    model.fit(inputs, bent)
    assert model.score(inputs, bent) > 0.98 > r2_score(bent, model.line_.predict(inputs))


def test_history_of_a_relative_target_is_of_relative_errors():
    y = Y * np.random.default_rng(0).lognormal(sigma=0.3, size=len(Y))
    model = quick(validation_fraction=0, learning_rate=1e-9, learning_rate_decay=None).fit(X, y)
    error = np.log(y / model.predict(X))
    assert model.history_["mae"][-1] == pytest.approx(np.abs(error).mean(), rel=1e-3)


def test_latency_of_zero_is_refused():
    with pytest.raises(ValueError, match=r"latencies above 0 seconds. Row 3 of y is 0"):
        quick().fit(X, np.where(np.arange(len(Y)) == 3, 0, Y))


def test_networks_that_learn_noise_get_no_weight():
    rng = np.random.default_rng(0)
    inputs = rng.uniform(-1, 1, (200, 3))
    noisy = (8 + inputs @ [1.0, 2.0, 3.0]) * rng.lognormal(sigma=0.01, size=200)
    model = LatencyRegressor(l2=0, random_state=0).fit(inputs, noisy)
    assert model.weights_[0] < 0.3


@pytest.fixture(scope="module")
def ensemble():
    return LatencyRegressor((4,), n_networks=3, epochs=2, random_state=0).fit(X, Y)


def test_networks_of_an_ensemble_differ(ensemble):
    kernels = {network.kernels[0].tobytes() for network in ensemble.networks_}
    assert len(kernels) == 3


def test_prediction_is_the_weighted_mean_of_the_networks(ensemble):
    model = ensemble
    assert len(model.networks_) == len(model.weights_) == 3
    inputs = model._inputs(X.astype(float))
    left = np.mean(
        [w * n(inputs) for n, w in zip(model.networks_, model.weights_, strict=True)], axis=0
    )
    expected = model.line_.predict(X) * np.exp(model.target_scale_ * left)
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-6)


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_arrays_predict_what_keras_does(activation):
    keras_model = LatencyRegressor(
        (5, 4), activation=activation, batch_normalization=True, dropout=0.1
    )._build(3)
    rng = np.random.default_rng(0)
    keras_model.set_weights([rng.uniform(0.5, 1.5, w.shape) for w in keras_model.get_weights()])
    inputs = rng.normal(0, 3, (20, 3)).astype(np.float32)
    expected = np.ravel(keras_model(inputs, training=False))
    network = DenseNetwork.from_keras(keras_model, activation)
    np.testing.assert_allclose(network(inputs), expected, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("target", ["relative", "absolute"])
@pytest.mark.parametrize("n_networks", [1, 2])
def test_keras_model_outputs_what_is_added_to_the_line(target, n_networks):
    model = quick(
        target=target, n_networks=n_networks, batch_normalization=True, activation="tanh"
    ).fit(X, Y)
    model.set_params(activation="relu")  # says how the next fit is done, not what this one was
    columns = np.log1p(X[:, model.x_used_])
    inputs = (columns - model.x_mean_) / model.x_scale_
    added = np.ravel(model.to_keras()(inputs.astype(np.float32)))
    line = model.line_.predict(X)
    expected = line * np.exp(added) if target == "relative" else line + added
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-5)


def test_errors_of_the_history_have_the_unit_of_the_target():
    absolute = LatencyRegressor.paper(epochs=2, random_state=0).fit(X, Y)
    errors = np.abs(Y - absolute.predict(X)).mean()  # seconds, some 1e-4
    assert 0.1 * errors < absolute.history_["mae"][-1] < 10 * errors
    relative = quick(linear_part=False).fit(X, Y)
    errors = np.abs(np.log(Y / relative.predict(X))).mean()
    assert 0.3 * errors < relative.history_["mae"][-1] < 3 * errors


def test_many_rows_are_predicted_as_one_by_one():
    model = quick().fit(X, Y)
    many = np.tile(X, (300, 1)).astype(float)
    np.testing.assert_allclose(model.predict(many), np.tile(model.predict(X), 300), rtol=1e-6)


@pytest.mark.parametrize("n_samples", [1, 40])
def test_constant_latency_is_predicted_as_it_is(n_samples):
    constant = np.full(n_samples, 1e-4)
    model = quick().fit(X[:n_samples], constant)
    np.testing.assert_allclose(model.predict(X), 1e-4)


def test_divergence_is_an_error():
    with pytest.raises(ValueError, match="Training diverged"):
        quick(learning_rate=1e30, linear_part=False, epochs=5).fit(X, Y)


@pytest.fixture
def trainings(monkeypatch):
    """What each training was asked for; none of them takes a step."""
    asked = []

    def untrained(build, inputs, target, settings, **how):
        asked.append({"target": target, **how})
        return Trained(build(), {}, None, [])

    monkeypatch.setattr("fcnn_latency.estimators.neural._deep.train", untrained)
    return asked


def test_settings_reach_each_training(trainings):
    quick(n_networks=2, optimizer="sgd", loss="huber", epochs=29).fit(X, Y)
    for asked in trainings:
        assert (asked["optimizer"], asked["loss"], asked["patience"]) == ("sgd", "huber", 2)
    assert len(trainings) == 2


@pytest.mark.parametrize("random_state", [0, LARGEST_SEED])
def test_each_network_has_its_own_seed(trainings, random_state):
    quick(n_networks=3, random_state=random_state).fit(X, Y)
    seeds = {asked["seed"] for asked in trainings}
    assert len(seeds) == 3
    assert all(0 <= seed <= LARGEST_SEED for seed in seeds)


@pytest.mark.parametrize(
    ("target", "left"), [("relative", np.log(Y)), ("absolute", Y)], ids=["relative", "absolute"]
)
def test_target_of_the_networks_is_standardized(trainings, target, left):
    model = quick(target=target, linear_part=False).fit(X, Y)
    expected = (left - left.mean()) / left.std()
    np.testing.assert_allclose(trainings[0]["target"], expected, rtol=1e-4, atol=1e-4)
    assert model.target_scale_ == pytest.approx(left.std())
