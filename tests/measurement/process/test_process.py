"""The plan and the statistics of a measurement."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcnn_latency.measurement._plan import plan_groups
from fcnn_latency.measurement._protocol import MeasurementProtocol, get_protocol
from fcnn_latency.measurement._statistics import low_mean
from fcnn_latency.measurement._workload import Workload
from fcnn_latency.measurement.labels._reduction import (
    process_references,
    reduce_passes,
    relative_readings,
)
from fcnn_latency.measurement.process import _readings as timing
from fcnn_latency.measurement.process._readings import calibrate_block


def planned(architectures, protocol, seed):
    rows, passes = range(len(architectures)), range(protocol.passes)
    return plan_groups(architectures, protocol, seed, rows, passes, 0)


@given(n=st.integers(1, 300), seed=st.integers(0, 9))
def test_plan_reads_each_model_once_in_each_pass(n, seed):
    protocol = get_protocol("reliable")
    groups = planned([(5, 5)] * n, protocol, seed)
    assert groups == planned([(5, 5)] * n, protocol, seed)
    assert [group.number for group in groups] == list(range(len(groups)))
    for pass_number in range(protocol.passes):
        members = [m for g in groups if g.pass_number == pass_number for m in g.members]
        assert sorted(members) == list(range(n))
    assert max(len(group.members) for group in groups) <= 100


def test_paper_plan_keeps_the_order_given():
    groups = planned([(5, 5)] * 5, get_protocol("paper"), 0)
    assert [group.members for group in groups] == [(i,) for i in range(5)]


def test_presets_follow_what_serves_the_runtime():
    fields = {"passes": 5, "rounds": 8}
    reliable, quick, thorough = (
        get_protocol(name, fields) for name in ("reliable", "quick", "thorough")
    )
    assert (reliable.passes, reliable.rounds) == (5, 8)
    assert (quick.passes, quick.rounds) == (2, 4)
    assert (thorough.passes, thorough.max_passes) == (10, 20)
    assert thorough.target_error == 0.005
    assert get_protocol("paper", fields) == get_protocol("paper")


def test_protocol_survives_json():
    protocol = get_protocol("thorough")
    assert MeasurementProtocol.from_dict(json.loads(json.dumps(protocol.as_dict()))) == protocol


def test_wide_models_come_in_smaller_groups():
    protocol = MeasurementProtocol("small", group_bytes=10_000_000)
    groups = planned([(1000, 1000)] * 10, protocol, 0)
    assert {len(group.members) for group in groups} == {2, 3}


@pytest.mark.parametrize(
    "wrong",
    [
        {"passes": 0},
        {"block_statistic": "mode"},
        {"rounds": 1.5},
        {"block_seconds": 0},
        {"reference_quantile": 1.1},
        {"reference_widths": (3,)},
        {"target_error": -1},
        {"pin": 1},
    ],
)
def test_wrong_protocol_is_named(wrong):
    with pytest.raises(ValueError, match=f"'{next(iter(wrong))}' parameter"):
        MeasurementProtocol("wrong", **wrong)


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=20))
def test_low_mean_lies_between_the_lowest_and_the_mean(values):
    assert min(values) <= low_mean(values) * (1 + 1e-12)
    assert low_mean(values) <= np.mean(values) * (1 + 1e-12)


def test_groups_are_measured_relative_to_their_own_reference():
    readings = pd.DataFrame(
        {
            "architecture": [-1, 0, -1, 0],
            "pass": [0, 0, 1, 1],
            "group": [0, 0, 1, 1],
            "round": 0,
            "process": [7, 7, 8, 8],
            "seconds": [1.0, 3.0, 2.0, 6.0],
        }
    )
    protocol = get_protocol("reliable")
    assert relative_readings(readings, protocol)["relative"].tolist() == [3.0, 3.0]
    assert reduce_passes(readings, 1, replace(protocol, rounds=1)).tolist() == [[3.0, 3.0]]
    raw = reduce_passes(readings, 1, replace(protocol, rounds=1), corrected=False)
    assert raw.tolist() == [[3.0, 6.0]]
    assert process_references(readings, protocol).to_dict() == {7: 1.0, 8: 2.0}


def test_neighbouring_references_follow_a_machine_that_changes_its_speed():
    speed = np.repeat([1.0, 2.0], 20)
    architecture = np.tile([-1, 0, 1, 2], 10)
    readings = pd.DataFrame(
        {
            "architecture": architecture,
            "pass": 0,
            "group": 0,
            "round": np.arange(40) // 4,
            "process": 1,
            "seconds": speed * np.where(architecture < 0, 1.0, 3.0),
        }
    )
    protocol = replace(get_protocol("reliable"), rounds=10, reference_window=2)
    relative = relative_readings(readings, protocol)["relative"]
    assert np.count_nonzero(relative.to_numpy() != 3.0) <= 3  # those between the two speeds
    whole = relative_readings(readings, replace(protocol, reference_window=0))["relative"]
    assert np.count_nonzero(whole.to_numpy() != 3.0) >= 15


def test_a_pass_counts_once_all_its_rounds_are_read():
    readings = pd.DataFrame(
        {
            "architecture": [0, 0, 1],
            "pass": 0,
            "group": 0,
            "round": [0, 1, 0],
            "process": 1,
            "seconds": 1.0,
        }
    )
    protocol = replace(get_protocol("paper"), rounds=2)
    assert reduce_passes(readings, 2, protocol)[:, 0].tolist() == pytest.approx(
        [1.0, np.nan], nan_ok=True
    )


@pytest.mark.parametrize("latency", [1e-6, 4e-5, 1.4e-3])
def test_calibrated_blocks_last_as_long_as_asked(monkeypatch, latency):
    now = [0.0]

    def call():
        now[0] += latency

    monkeypatch.setattr(timing, "perf_counter_ns", lambda: round(now[0] * 1e9))
    protocol = MeasurementProtocol("test", block_seconds=5e-4, sample_seconds=2e-5, least_samples=5)
    block = calibrate_block(call, protocol)
    sample = block.calls_per_sample * latency
    assert sample >= 0.99 * 2e-5
    assert sample <= 1.01 * max(2.5 * 2e-5, latency)
    assert block.samples >= 5
    assert block.samples * sample >= 0.99 * 5e-4


def test_workload_cuts_the_signal_and_pads_with_zeros():
    inputs = Workload(50).inputs(14)
    assert inputs.shape == (4, 14)
    assert inputs.dtype == np.float32
    assert (inputs.ravel()[50:] == 0).all()
    assert (inputs.ravel()[:50] != 0).all()


def test_workload_has_as_many_rows_as_are_asked_for():
    inputs = Workload(50).inputs(14, rows=9)
    assert inputs.shape == (9, 14)
    assert np.count_nonzero(inputs) == inputs.size
