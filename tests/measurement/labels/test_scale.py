"""The level that the labels of this machine share."""

import multiprocessing
import sqlite3
from contextlib import closing

import pytest

from fcnn_latency import MeasurementWarning
from fcnn_latency.measurement._protocol import get_protocol
from fcnn_latency.measurement.labels._scale import SCALE_VARIABLE, machine_scale, scale_file

ENVIRONMENT = {"cpu": "made up", "versions": {"keras": "3"}}


def scale(*latencies, runtime="keras", environment=ENVIRONMENT):
    return machine_scale(
        latencies,
        runtime=runtime,
        signal_length=50,
        protocol=get_protocol("reliable"),
        environment=environment,
    )


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    monkeypatch.setenv(SCALE_VARIABLE, str(tmp_path / "scale"))


def test_first_campaign_sets_the_scale():
    assert scale(1.0, 1.02).reference_latency == pytest.approx(1.01, rel=1e-3)


def test_later_campaigns_keep_it():
    first = scale(1.0, 1.0)
    second, third = scale(1.02, 1.02), scale(1.025)
    assert second.reference_latency == third.reference_latency == pytest.approx(1.0)
    assert second.campaign_latency == pytest.approx(1.02)
    assert second.set_at == first.set_at


def test_a_machine_that_changed_its_speed_sets_a_new_one_and_finds_the_old_one_again():
    scale(1.0)
    assert scale(1.5).reference_latency == pytest.approx(1.5)
    assert scale(1.52).reference_latency == pytest.approx(1.5)
    assert scale(1.02).reference_latency == pytest.approx(1.0)


@pytest.mark.parametrize(
    "other", [{"runtime": "keras-predict"}, {"environment": {**ENVIRONMENT, "cpu": "another"}}]
)
def test_what_was_measured_otherwise_does_not_count(other):
    scale(1.0, **other)
    assert scale(1.02).reference_latency == pytest.approx(1.02)


def test_unusable_file_is_said_and_the_campaign_kept():
    scale(1.0)
    scale_file().write_bytes(b"not a database, but long enough to be told from an empty one" * 20)
    with pytest.warns(MeasurementWarning, match="could not be kept"):
        assert scale(1.02).reference_latency == pytest.approx(1.02)


def test_campaigns_side_by_side_set_one_scale():
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        scales = pool.starmap(scale, [(1 + i / 1000,) for i in range(16)])
    assert len({found.reference_latency for found in scales}) == 1


def test_what_is_no_latency_does_not_count():
    scale(1.0)
    with closing(sqlite3.connect(scale_file())) as connection, connection:
        connection.execute("UPDATE scale SET reference_latency = 'fast'")
    assert scale(1.02).reference_latency == pytest.approx(1.02)
