"""What measuring has cost, from the starts of its rounds."""

import pandas as pd
import pytest

from fcnn_latency.measurement.labels._reduction import measuring_time

HOSTS = pd.Series({1: "one", 2: "one", 3: "other"})


def rounds(*started, process=1):
    return pd.DataFrame({"process": process, "started_at": started})


def test_rounds_follow_each_other():
    assert measuring_time(rounds(0.0, 2.0, 3.0, 4.0), HOSTS) == pytest.approx(5.0)


def test_an_interruption_is_no_measuring():
    assert measuring_time(rounds(0.0, 1.0, 2.0, 90_000.0, 90_001.0), HOSTS) == pytest.approx(5.0)


def test_a_slow_build_is_measuring():
    assert measuring_time(rounds(0.0, 1.0, 2.0, 42.0, 43.0), HOSTS) == pytest.approx(44.0)


def test_processes_of_a_host_take_turns_and_hosts_add_up():
    both = [rounds(0.0, 2.0, process=1), rounds(1.0, 3.0, process=2), rounds(0.0, 3.0, process=3)]
    assert measuring_time(pd.concat(both), HOSTS) == pytest.approx(4.0 + 6.0)


def test_one_round_does_not_tell():
    assert measuring_time(rounds(5.0), HOSTS) is None
