"""Settings of the tests of searches."""

import pytest

from helpers.measurements import MadeUpMeasurements


@pytest.fixture
def measurements(monkeypatch):
    """Measurements that are made up, in place of those of `verify`."""
    made_up = MadeUpMeasurements()
    monkeypatch.setattr("fcnn_latency.nas._verification.make_dataset", made_up)
    return made_up
