"""One reading: samples, calls, clock and collector."""

import gc

import numpy as np
import pytest

from fcnn_latency.measurement._protocol import MeasurementProtocol
from fcnn_latency.measurement.process._readings import (
    REFERENCE,
    Block,
    BuildReport,
    RoundReport,
    calibrate_block,
    collector_off,
    time_block,
)

#: Nanoseconds of six samples: lowest 200, mean of the lowest third 250, median 600, mean 700.
SAMPLES = [800, 200, 400, 300, 900, 1600]


@pytest.mark.parametrize(
    ("statistic", "nanoseconds"), [("min", 200), ("low-mean", 250), ("median", 600), ("mean", 700)]
)
def test_samples_are_reduced_by_the_statistic_asked_for(machine, statistic, nanoseconds):
    machine.lasts = lambda model, number: SAMPLES[number // 2] // 2
    seconds = time_block(machine.call_of("model"), Block(6, 2), statistic)
    assert seconds == pytest.approx(nanoseconds / 2 * 1e-9)  # for one of two calls
    assert machine.calls() == [("model", 12)]


@pytest.mark.parametrize(
    ("fields", "block"),
    [
        ({}, (50, 20)),
        ({"least_samples": 70}, (70, 20)),
        ({"block_seconds": 2e-3}, (100, 20)),
        ({"sample_seconds": 1e-4}, (5, 100)),
        ({"sample_seconds": 1e-4, "least_samples": 6}, (6, 100)),
    ],
)
def test_calibration_follows_its_targets(machine, fields, block):
    protocol = MeasurementProtocol("made up", **fields)
    assert calibrate_block(machine.call_of("model"), protocol) == block


@pytest.mark.parametrize("least", [1, 4, 7])
def test_calibration_takes_the_least_number_of_samples(machine, least):
    calibrate_block(machine.call_of("model"), MeasurementProtocol("made up", least_samples=least))
    assert machine.calls() == [("model", least * 1 + least * 20)]


def test_calibration_sees_past_slow_samples(machine):
    machine.lasts = lambda model, number: 50_000 if number < 4 else 1_100
    protocol = MeasurementProtocol("made up", least_samples=5)
    assert calibrate_block(machine.call_of("model"), protocol) == (50, 20)


def test_calibration_goes_on_until_a_number_of_calls_was_measured_and_suffices(machine):
    machine.lasts = lambda model, number: 11_000 if number < 5 else 1_100
    protocol = MeasurementProtocol("made up", least_samples=5)
    assert calibrate_block(machine.call_of("model"), protocol) == (50, 20)
    assert machine.calls() == [("model", 5 * (1 + 2 + 20))]


@pytest.mark.parametrize(
    ("latency", "calls"), [(4.9e-6, 50), (5.1e-6, 20), (9.9e-5, 2), (1.01e-4, 1), (1e-2, 1)]
)
def test_calls_of_a_sample_are_fewest_that_fill_it(latency, calls):
    assert Block(3, 50).shortened(latency, 1e-4) == (3, calls)


def test_a_block_is_never_made_longer():
    assert Block(3, 50).shortened(1e-9, 1e-4) == (3, 50)


def test_collector_is_off_and_afterwards_as_before(collecting):
    with collector_off():
        assert not gc.isenabled()
    assert gc.isenabled() == collecting


def test_collector_is_as_before_after_an_error(collecting):
    with pytest.raises(RuntimeError, match="failed"), collector_off():
        raise RuntimeError("failed")
    assert gc.isenabled() == collecting


def test_reports_of_a_part_of_a_group_are_told_for_the_group():
    built = BuildReport("process", {0: 1.0, 2: 3.0}, {1: "too wide"}).shifted(5)
    assert built == BuildReport("process", {5: 1.0, 7: 3.0}, {6: "too wide"})
    seconds = np.array([1.0, 2.0, 3.0])
    read = RoundReport(
        "process", 4, np.array([REFERENCE, 0, 2]), seconds, 9.0, 0.5, 0.25, {1: "died"}, ("lost",)
    ).shifted(5)
    assert read.models.tolist() == [REFERENCE, 5, 7]
    assert read.failures == {6: "died"}
    assert (read.process, read.number, read.started_at) == ("process", 4, 9.0)
    assert (read.load, read.stolen, read.lost_references) == (0.5, 0.25, ("lost",))
    assert read.seconds.tolist() == [1.0, 2.0, 3.0]
