"""The level that the labels of this machine share."""

import multiprocessing
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pooch
import pytest

from fcnn_latency import MeasurementWarning
from fcnn_latency.measurement._protocol import get_protocol
from fcnn_latency.measurement.labels._scale import (
    SCALE_VARIABLE,
    campaign_scale,
    machine_scale,
    scale_file,
)

PROTOCOL = get_protocol("reliable")
ENVIRONMENT = {
    "cpu": "made up",
    "architecture": "x86_64",
    "cores": 4,
    "system": "Linux",
    "python": "3.13",
    "versions": {"keras": "3", "numpy": "2"},
    "variables": {"OMP_NUM_THREADS": "1"},
    "affinity": [0],
    "load": 0.5,
}


def scale(*latencies, **changes):
    conditions = {
        "runtime": "keras",
        "signal_length": 50,
        "protocol": PROTOCOL,
        "environment": ENVIRONMENT,
    }
    return machine_scale(latencies, **{**conditions, **changes})


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    monkeypatch.setenv(SCALE_VARIABLE, str(tmp_path / "scale"))


def test_first_campaign_sets_the_scale():
    assert scale(1.0, 1.02).reference_latency == pytest.approx(1.01, rel=1e-3)


def test_own_level_is_the_geometric_mean_over_processes():
    for own in (campaign_scale([1.0, 4.0, 16.0]), scale(1.0, 4.0, 16.0)):
        assert own.reference_latency == own.campaign_latency == pytest.approx(4.0)
    set_at = datetime.fromisoformat(own.set_at)
    assert abs(datetime.now(set_at.tzinfo) - set_at) < timedelta(hours=1)
    assert set_at.utcoffset() == timedelta(0)


def test_campaign_scale_keeps_nothing():
    campaign_scale([1.0])
    assert not scale_file().exists()


def test_later_campaigns_keep_it():
    first = scale(1.0, 1.0)
    second, third = scale(1.02, 1.02), scale(1.025)
    assert second.reference_latency == third.reference_latency == pytest.approx(1.0)
    assert second.campaign_latency == pytest.approx(1.02)
    assert second.set_at == first.set_at


@pytest.mark.parametrize(
    ("latency", "kept"), [(1.0299, True), (1.0301, False), (0.9701, True), (0.9699, False)]
)
def test_scale_holds_within_three_per_cent(latency, kept):
    scale(1.0)
    assert scale(latency).reference_latency == pytest.approx(1.0 if kept else latency, abs=1e-9)


@pytest.mark.parametrize(("first", "second"), [(1.0, 1.05), (1.05, 1.0)])
def test_older_of_two_scales_holds(first, second):
    set_at = {latency: scale(latency).set_at for latency in (first, second)}
    with closing(sqlite3.connect(scale_file())) as connection, connection:
        connection.execute("UPDATE scale SET set_at = 'later' WHERE rowid = 2")
    for latency in (1.022, 1.028):  # within 3 % of both
        found = scale(latency)
        assert found.reference_latency == pytest.approx(first)
        assert found.set_at == set_at[first]


def test_campaign_that_keeps_a_scale_adds_none():
    scale(1.0)
    scale(1.029)
    assert scale(1.05).reference_latency == pytest.approx(1.05)


def test_a_machine_that_changed_its_speed_sets_a_new_one_and_finds_the_old_one_again():
    scale(1.0)
    assert scale(1.5).reference_latency == pytest.approx(1.5)
    assert scale(1.52).reference_latency == pytest.approx(1.5)
    assert scale(1.02).reference_latency == pytest.approx(1.0)


OTHER_MACHINE = {
    "cpu": "another",
    "architecture": "arm64",
    "cores": 8,
    "system": "Darwin",
    "python": "3.14",
    "versions": {"keras": "3", "numpy": "3"},
    "variables": {"OMP_NUM_THREADS": "2"},
}
OTHER_FIELDS = {
    "samples_per_block": 7,
    "calls_per_sample": 3,
    "block_seconds": 1e-3,
    "sample_seconds": 1e-4,
    "least_samples": 6,
    "block_statistic": "median",
    "reference_widths": (5, 5),
    "reference_quantile": 0.2,
    "group_size": 99,
    "pin": False,
}


@pytest.mark.parametrize(
    "other",
    [
        {"runtime": "keras-predict"},
        {"signal_length": 51},
        *({"environment": {**ENVIRONMENT, key: value}} for key, value in OTHER_MACHINE.items()),
        *({"protocol": replace(PROTOCOL, **{key: value})} for key, value in OTHER_FIELDS.items()),
    ],
    ids=["runtime", "signal_length", *OTHER_MACHINE, *OTHER_FIELDS],
)
def test_what_was_measured_otherwise_does_not_count(other):
    scale(1.0, **other)
    assert scale(1.02).reference_latency == pytest.approx(1.02)
    assert scale(1.01, **other).reference_latency == pytest.approx(1.0)


@pytest.mark.parametrize(
    "other",
    [
        {"protocol": replace(PROTOCOL, name="longer", passes=4, rounds=20, target_error=0.01)},
        {"environment": {**ENVIRONMENT, "affinity": [1], "load": 3.0}},
        {"environment": {**ENVIRONMENT, "versions": {"numpy": "2", "keras": "3"}}},
    ],
    ids=["more readings", "another core", "another order"],
)
def test_what_leaves_the_reference_alone_keeps_the_scale(other):
    scale(1.0)
    assert scale(1.02, **other).reference_latency == pytest.approx(1.0)


def test_file_is_in_the_users_cache_unless_a_folder_is_named(monkeypatch, tmp_path):
    assert scale_file() == tmp_path / "scale" / "scale.sqlite"
    monkeypatch.delenv(SCALE_VARIABLE)
    assert scale_file() == Path(pooch.os_cache("fcnn_latency"), "scale.sqlite")


def test_unusable_file_is_said_and_the_campaign_kept():
    scale(1.0)
    scale_file().write_bytes(b"not a database, but long enough to be told from an empty one" * 20)
    with pytest.warns(MeasurementWarning, match="could not be kept"):
        assert scale(1.02).reference_latency == pytest.approx(1.02)


def test_campaigns_side_by_side_set_one_scale():
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        scales = pool.starmap(scale, [(1 + i / 1000,) for i in range(16)])
    assert len({found.reference_latency for found in scales}) == 1


@pytest.mark.parametrize("text", ["fast", "1.0 s"])
def test_what_is_no_latency_does_not_count(text):
    scale(1.0)
    with closing(sqlite3.connect(scale_file())) as connection, connection:
        connection.execute("UPDATE scale SET reference_latency = ?", (text,))
    assert scale(1.02).reference_latency == pytest.approx(1.02)
