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


@pytest.mark.parametrize(
    ("usual", "between", "interrupted"),
    [
        (1.0, 60.0, False),
        (1.0, 60.5, True),
        (10.0, 200.0, False),
        (10.0, 201.0, True),
    ],
)
def test_an_interruption_is_over_a_minute_and_twenty_times_the_usual(usual, between, interrupted):
    before = [0.0, usual, 2 * usual, 3 * usual]
    started = [*before, before[-1] + between]
    # Three rounds, the one in question, and the last one.
    expected = 3 * usual + (usual if interrupted else between) + usual
    assert measuring_time(rounds(*started), HOSTS) == pytest.approx(expected)


def test_hosts_with_one_round_add_nothing():
    single = [rounds(0.0, 2.0, process=1), rounds(7.0, process=3)]
    assert measuring_time(pd.concat(single), HOSTS) == pytest.approx(4.0)
