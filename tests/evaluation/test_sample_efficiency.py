"""Error against the number of measured architectures."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import Bunch

from fcnn_latency import (
    ArchitectureEncoder,
    FCNNSpace,
    sample_efficiency,
    select_architectures,
)
from fcnn_latency.evaluation import _sample_efficiency
from fcnn_latency.networks import layer_costs
from helpers.recorder import Recorder

X = FCNNSpace().sample(150, random_state=1)
Y = 1e-6 * (X**1.5).sum(axis=1)
DATASET = Bunch(
    data=X, target=Y, space=FCNNSpace(), signal_length=50, noise_floor=0.01, measuring_time=15.0
)
SIZES = (15, 40, 100)


@pytest.fixture(scope="module")
def result():
    """Of a law that is linear in nothing that the encoder gives."""
    ridge = make_pipeline(ArchitectureEncoder(features="costs"), StandardScaler(), Ridge(0.1))
    sizes = (*SIZES, 10**6)
    return sample_efficiency(DATASET, estimators={"ridge": ridge}, sizes=sizes, n_repeats=2)


def test_more_architectures_lower_the_error(result):
    summary = result.summary().set_index(["design", "n_architectures"])["mape"]
    for design in ("random", "maximin"):
        assert summary[design, 100] < summary[design, 15]


def test_every_fit_has_its_row_and_its_cost(result):
    assert len(result.table) == 2 * len(SIZES) * 2
    np.testing.assert_allclose(
        result.table["measuring_time"], 0.1 * result.table["n_architectures"]
    )
    summary = result.summary()
    assert (summary["mape_min"] <= summary["mape"]).all()
    assert (summary["mape"] <= summary["mape_max"]).all()


def test_text_has_numbers_seconds_and_the_floor(result):
    text = str(result)
    assert "100 (10 s)" in text
    assert "maximin" in text
    assert "Noise floor: 1.00 %" in text


def test_test_architectures_are_fixed_and_never_trained_on():
    Recorder.log.clear()
    sample_efficiency(
        np.tile(X, (2, 1)),
        np.tile(Y, 2),
        estimators={"own": Recorder()},
        sizes=(10, 50),
        designs=["random", "clusters"],
        n_repeats=2,
    )
    asked = [(known, rows) for what, known, rows in Recorder.log if what == "predict"]
    assert len(asked) == 2 * 2 * 2
    assert all(rows == asked[0][1] for _, rows in asked)
    assert not any(known & rows for known, rows in asked)
    assert sorted({len(known) for known, _ in asked}) == [10, 50]
    assert len({frozenset(known) for known, _ in asked}) == 8


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sizes": [10**6]}, "at most 105"),
        ({"sizes": [1, 10]}, "at least 2"),
        ({"designs": "random"}, "designs must be"),
        ({"designs": ["best"]}, "designs must be"),
        ({"n_repeats": 0}, "n_repeats"),
        ({"estimators": ["nope"]}, "one of"),
    ],
)
def test_wrong_requests_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        sample_efficiency(X, Y, **changes)


def test_signal_of_the_data_reaches_design_and_estimator(monkeypatch):
    asked = []

    def noted(*arguments, **settings):
        asked.append((settings["space"], settings["signal_length"]))
        return select_architectures(*arguments, **settings)

    monkeypatch.setattr(_sample_efficiency, "select_architectures", noted)
    space = FCNNSpace(max_layers=6)
    law = 1e-6 + 1e-9 * layer_costs(X, 80)["macs"].sum(axis=1)
    data = Bunch(**DATASET | {"target": law, "signal_length": 80, "space": space})
    result = sample_efficiency(
        data, estimators=["flops"], designs=["random"], sizes=[20], n_repeats=1
    )
    assert asked == [(space, 80)]
    assert result.table["mape"].item() < 1e-9
