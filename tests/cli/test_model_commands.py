"""What `fit`, `adapt` and `predict` do with their options and their data."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fcnn_latency import (
    FCNNSpace,
    IntervalRegressor,
    TransferRegressor,
    compare,
    load,
    load_dataset,
    make_latency_pipeline,
    read_manifest,
    save,
)
from fcnn_latency._units import format_seconds
from fcnn_latency.evaluation import _comparison
from fcnn_latency.metrics import latency_metrics
from helpers.calls import defaults, note_calls, run, settings_of

#: Neither the default space nor the default signal.
SPACE, SIGNAL = FCNNSpace(max_width=60), 80
X = SPACE.sample(12, random_state=0)
PIPELINE = defaults(
    make_latency_pipeline,
    estimator="deep",
    space=SPACE,
    signal_length=SIGNAL,
    random_state=0,
    parameters={},
)
#: Names of the errors with a known noise floor.
ERRORS = list(latency_metrics([1.0, 2.0], [1.0, 2.0], noise_floor=0.1))
FLOPS = ("fit", "own.csv", "-e", "flops")


@pytest.fixture(autouse=True)
def data(monkeypatch, tmp_path):
    """The table in the working folder, in two passes that differ by 2 %."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(_comparison, "MOST_CALLS", 1)
    monkeypatch.setattr(_comparison, "BATCH_SECONDS", 0)
    latency, apart = 1e-6 * X.sum(axis=1), 0.01 * (-1.0) ** np.arange(len(X))
    frame = pd.DataFrame(X, columns=[f"layer_{layer}" for layer in range(1, 6)])
    passes = {"pass_1": latency * (1 + apart), "pass_2": latency * (1 - apart)}
    frame.assign(latency=latency, **passes).to_csv("own.csv", index=False)
    about = {"signal_length": SIGNAL, "space": {"max_width": 60}}
    Path("own.json").write_text(json.dumps(about))
    return load_dataset("own.csv")


@pytest.fixture(scope="module")
def intervals(tmp_path_factory):
    """The file of a model that predicts intervals."""
    widths = [[width, width] for width in range(1, 41)]
    latency = 1e-6 * (1 + np.random.RandomState(0).rand(40))
    model = IntervalRegressor(make_latency_pipeline("mean"), adaptive=False)
    return str(save(model.fit(widths, latency), tmp_path_factory.mktemp("model") / "model.fcnn"))


@pytest.mark.parametrize(
    ("options", "settings"),
    [
        ((), {}),
        (("-e", "flops"), {"estimator": "flops"}),
        (("--seed", "4"), {"random_state": 4}),
    ],
)
def test_a_model_is_made_for_the_space_and_the_signal_of_its_data(monkeypatch, options, settings):
    noted = settings_of(monkeypatch, "make_latency_pipeline", "fit", "own.csv", *options)
    assert noted == PIPELINE | settings


def test_intervals_are_learnt_around_the_model_with_its_seed(monkeypatch):
    options = ("--intervals", "--seed", "4")
    noted = settings_of(monkeypatch, "IntervalRegressor", *FLOPS, *options)
    encoder = noted["estimator"][0]
    assert (encoder.features, encoder.space, encoder.signal_length) == ("flops", SPACE, SIGNAL)
    assert noted == defaults(IntervalRegressor, estimator=noted["estimator"], random_state=4)


def test_a_model_is_cross_validated_as_it_was_fitted(monkeypatch, data):
    noted = settings_of(monkeypatch, "compare", *FLOPS, "--folds", "3", "--seed", "4")
    np.testing.assert_array_equal(noted.pop("X"), data.data)
    np.testing.assert_array_equal(noted.pop("y"), data.target)
    expected = defaults(
        compare,
        estimators=["flops"],
        cv=3,
        noise_floor=data.noise_floor,
        space=SPACE,
        signal_length=SIGNAL,
        random_state=4,
    )
    assert noted == {key: expected[key] for key in expected if key not in ("X", "y")}
    assert data.noise_floor > 0


def test_a_model_file_states_the_errors_of_the_model(data):
    done = run(*FLOPS, "--folds", "3", "--seed", "4", "-o", "fitted.fcnn")
    assert done.exit_code == 0, done.output
    told = read_manifest("fitted.fcnn")["metrics"]
    table = compare(data, estimators=["flops"], cv=3, random_state=4).table
    for name in (*ERRORS, "n_train"):
        assert told["cross_validated"][name] == pytest.approx(table.loc["flops", name]), name
    own = make_latency_pipeline("flops", space=SPACE, signal_length=SIGNAL).fit(X, data.target)
    errors = latency_metrics(data.target, own.predict(X), noise_floor=data.noise_floor)
    assert told["training"] == pytest.approx(errors)
    assert told["training"]["mape"] < told["cross_validated"]["mape"]


def test_a_model_is_cross_validated_on_request_only(monkeypatch):
    compared = note_calls(monkeypatch, "compare")
    assert run(*FLOPS, "-o", "fitted.fcnn").exit_code == 0
    assert compared == []
    assert list(read_manifest("fitted.fcnn")["metrics"]) == ["training"]


def test_a_model_is_adapted_for_the_signal_of_the_data(monkeypatch):
    note_calls(monkeypatch, "load", lambda *_, **__: "the model")
    Path("model.fcnn").touch()
    noted = settings_of(monkeypatch, "TransferRegressor", "adapt", "model.fcnn", "own.csv")
    assert noted == {"source": "the model", "signal_length": SIGNAL}


def test_an_adapted_model_is_the_one_that_its_file_describes(data):
    assert run(*FLOPS, "-o", "here.fcnn").exit_code == 0
    done = run("adapt", "here.fcnn", "own.csv", "-o", "there.fcnn")
    assert done.exit_code == 0, done.output
    adapted, manifest = load("there.fcnn"), read_manifest("there.fcnn")
    assert isinstance(adapted, TransferRegressor)
    assert adapted.signal_length == SIGNAL
    errors = latency_metrics(data.target, adapted.predict(X))
    assert manifest["metrics"] == {"training": pytest.approx(errors)}
    assert manifest["dataset"]["n_architectures"] == 12


@pytest.mark.parametrize(("options", "coverage"), [((), 0.9), (("--coverage", "0.8"), 0.8)])
def test_intervals_have_the_coverage_that_was_asked_for(intervals, options, coverage):
    widths = [[41, 41], [5, 7, 5]]
    done = run("predict", intervals, "41,41", "5,7,5", "-o", "x.csv", *options)
    assert done.exit_code == 0, done.output
    ends = load(intervals).predict_interval(widths, coverage)
    np.testing.assert_allclose(pd.read_csv("x.csv")[["lower", "upper"]], ends)
    lower, upper = map(format_seconds, ends[0])
    printed = run("predict", intervals, "41,41", *options).output
    assert printed.rstrip().endswith(f"{lower} to {upper} ({coverage:.0%})")


def test_intervals_of_less_coverage_are_narrower(intervals):
    widths = []
    for coverage in ("0.8", "0.9"):
        run("predict", intervals, "41,41", "--coverage", coverage, "-o", "x.csv")
        frame = pd.read_csv("x.csv")
        widths.append(frame["upper"][0] - frame["lower"][0])
    assert widths[0] < 0.95 * widths[1]


def test_architectures_of_a_file_are_predicted_with_exactly_their_layers():
    assert run(*FLOPS, "-o", "fitted.fcnn").exit_code == 0
    Path("given.csv").write_text("layer_1,layer_2,layer_3\n14,21,14\n41,41,\n")
    done = run("predict", "fitted.fcnn", "--architectures", "given.csv", "-o", "x.csv")
    assert done.exit_code == 0, done.output
    frame = pd.read_csv("x.csv")
    assert frame[["layer_1", "layer_2", "layer_3"]].to_numpy().tolist() == [
        [14, 21, 14],
        [41, 41, 0],
    ]
    expected = load("fitted.fcnn").predict([[14, 21, 14], [41, 41]])
    np.testing.assert_allclose(frame["latency"], expected)
