"""The plan and the statistics of a measurement."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcnn_latency.measurement.campaign import process_references, relative_readings
from fcnn_latency.measurement.protocol import MeasurementProtocol, get_protocol, plan_groups
from fcnn_latency.measurement.timing import low_mean
from fcnn_latency.measurement.workload import Workload


@given(n=st.integers(1, 300), seed=st.integers(0, 9))
def test_plan_reads_each_model_once_in_each_pass(n, seed):
    groups = list(plan_groups(n, get_protocol("reliable"), np.random.RandomState(seed)))
    for pass_number in (0, 1):
        members = [m for g in groups if g.pass_number == pass_number for m in g.members]
        assert sorted(members) == list(range(n))
    assert max(len(group.members) for group in groups) <= 100


def test_paper_plan_keeps_the_order_given():
    groups = plan_groups(5, get_protocol("paper"), np.random.RandomState(0))
    assert [group.members for group in groups] == [(i,) for i in range(5)]


@pytest.mark.parametrize("wrong", [{"passes": 0}, {"block_statistic": "mode"}, {"rounds": 1.5}])
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
    assert process_references(readings, protocol).to_dict() == {7: 1.0, 8: 2.0}


def test_workload_cuts_the_signal_and_pads_with_zeros():
    inputs = Workload(50).inputs(14)
    assert inputs.shape == (4, 14)
    assert inputs.dtype == np.float32
    assert (inputs.ravel()[50:] == 0).all()
    assert (inputs.ravel()[:50] != 0).all()
