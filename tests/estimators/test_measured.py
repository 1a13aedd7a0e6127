"""The measurement as an estimator."""

import numpy as np
import pytest
from sklearn.utils import Bunch

from fcnn_latency import (
    FCNNSpace,
    MeasuredLatency,
    MeasurementError,
    MeasurementProtocol,
    make_dataset,
    make_latency_pipeline,
)
from fcnn_latency.estimators._pipeline import ESTIMATORS
from helpers.numpy_runtime import PickyRuntime, SpinningRuntime

PROTOCOL = MeasurementProtocol("short", passes=1, processes=1, rounds=2)
X = np.array([[10, 20, 10, 0, 0], [50, 50, 0, 0, 0], [25, 1, 2, 3, 25]])


def test_predictions_are_measurements(tmp_path):
    how = {"protocol": PROTOCOL, "store": tmp_path / "latencies.sqlite", "random_state": 0}
    predicted = MeasuredLatency(SpinningRuntime(), scale="campaign", **how).fit(X).predict(X)
    np.testing.assert_allclose(predicted, 1e-4 + 2e-5 * np.array([10, 1, 8]), rtol=0.1)
    stored = make_dataset(X, runtime=SpinningRuntime(), scale="campaign", **how)
    np.testing.assert_array_equal(predicted, stored.target)


def test_what_takes_the_same_time_again_has_little_noise():
    protocol = MeasurementProtocol("short", passes=2, processes=1, rounds=3)
    dataset = make_dataset(X, runtime=SpinningRuntime(), protocol=protocol, random_state=0)
    assert 0 <= dataset.noise_floor < 0.1
    assert dataset.reliability.retest_r > 0.9


def test_labels_change_nothing(tmp_path):
    pipeline = make_latency_pipeline(
        "measured",
        space=FCNNSpace(tie_io=False),
        signal_length=100,
        random_state=0,
        runtime=SpinningRuntime(),
        protocol=PROTOCOL,
        scale="campaign",
    )
    predicted = pipeline.fit(X, [1.0, 2.0, 3.0]).predict([[50, 20]])
    np.testing.assert_allclose(predicted, [1e-4 + 2e-5 * 2], rtol=0.1)


def test_rows_that_are_no_architectures_are_refused():
    model = MeasuredLatency(SpinningRuntime(), PROTOCOL).fit(X)
    with pytest.raises(ValueError, match="Row 0, layer 2"):
        model.predict([[50, 50.5, 0, 0, 0]])


def test_architecture_without_a_latency_is_an_error():
    model = MeasuredLatency(PickyRuntime((50,)), PROTOCOL, scale="campaign").fit(X)
    with pytest.raises(MeasurementError, match=r"1 of 3 architectures have no .*row 1: .*width"):
        model.predict(X)


def test_pipelines_know_it_by_name():
    assert {"roofline", "lookup", "measured"} <= set(ESTIMATORS)


#: None of them is the default.
SETTINGS = {
    "runtime": "onnxruntime",
    "protocol": "quick",
    "signal_length": 80,
    "space": FCNNSpace(max_layers=6),
    "scale": "campaign",
    "target_error": 0.5,
    "store": "own.sqlite",
    "client": object(),
    "wait": False,
    "random_state": 7,
    "verbose": 1,
}


def test_every_setting_reaches_the_measurement(monkeypatch):
    asked = {}

    def answer(widths, **settings):
        asked.update(settings, widths=widths.tolist())
        return Bunch(interrupted=False, missing=[], target=[1e-6])

    monkeypatch.setattr("fcnn_latency.estimators._measured.make_dataset", answer)
    assert set(SETTINGS) == set(MeasuredLatency().get_params())
    assert MeasuredLatency(**SETTINGS).fit([[5, 5]]).predict([[7, 9]]).tolist() == [1e-6]
    assert asked == {"widths": [[7, 9]], **SETTINGS}


def test_an_interrupted_measurement_is_no_prediction(monkeypatch):
    part = Bunch(interrupted=True, missing=[], target=[1e-6])
    monkeypatch.setattr(
        "fcnn_latency.estimators._measured.make_dataset", lambda widths, **settings: part
    )
    with pytest.raises(KeyboardInterrupt):
        MeasuredLatency().fit([[5, 5]]).predict([[5, 5]])
