"""Datasets of stores: what their readings tell of a disturbed machine."""

from pathlib import Path

import pytest

from fcnn_latency import MeasurementProtocol, load_dataset
from fcnn_latency.datasets import _from_store
from fcnn_latency.measurement.labels._reduction import reference_drift

STORE = Path(__file__).parent / "golden" / "0.1.0.dev0.sqlite"


@pytest.fixture(scope="module")
def dataset():
    return load_dataset(STORE)


def test_drift_is_that_of_the_references(dataset):
    protocol = MeasurementProtocol.from_dict(dataset.protocol)
    drift = reference_drift(dataset.readings, protocol)
    assert drift > 0
    assert dataset.reliability.reference_drift == drift


def test_stolen_time_is_the_mean_of_the_rounds(monkeypatch):
    rounds = _from_store.Store.rounds

    def stolen(store, number):
        found = rounds(store, number)
        return found.assign(stolen=[0.5] + [0.0] * (len(found) - 1))

    monkeypatch.setattr(_from_store.Store, "rounds", stolen)
    dataset = load_dataset(STORE)
    assert dataset.reliability.stolen_time == pytest.approx(0.5 / len(dataset.rounds))


@pytest.mark.parametrize(
    ("values", "worst"), [([0.1, None, 0.3], 0.3), ([0.3, 0.1], 0.3), ([0.0, None], 0.0)]
)
def test_the_worst_of_several_campaigns_counts(values, worst):
    assert _from_store._worst(values) == worst
    assert _from_store._worst([None]) is None
