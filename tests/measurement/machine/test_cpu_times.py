"""Stolen time and load, worked out by hand."""

import pytest

from fcnn_latency.measurement.machine import _cpu_times
from fcnn_latency.measurement.machine._cpu_times import CpuTimes, load_average, stolen_fraction


@pytest.mark.parametrize(
    ("before", "after", "fraction"),
    [
        ((5.0, 100.0), (30.0, 200.0), 0.25),
        ((5.0, 100.0), (5.0, 200.0), 0.0),
        ((0.0, 0.0), (3.0, 4.0), 0.75),
        ((5.0, 100.0), (4.0, 200.0), 0.0),  # a counter that falls, as when a machine moves
    ],
)
def test_stolen_time_is_a_share_of_the_time_between(before, after, fraction):
    assert stolen_fraction(CpuTimes(*before), CpuTimes(*after)) == fraction


def test_load_is_that_of_the_last_minute(monkeypatch):
    monkeypatch.setattr(_cpu_times.psutil, "getloadavg", lambda: (1.238, 5.0, 9.0))
    assert load_average() == 1.24
