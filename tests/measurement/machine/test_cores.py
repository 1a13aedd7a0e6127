"""Which core times, which one builds, and what is bound to them."""

import os
from types import SimpleNamespace

import pytest

from fcnn_latency.measurement.machine import _cores
from fcnn_latency.measurement.machine._cores import Cores, choose_cores, move_to


@pytest.mark.parametrize(
    ("allowed", "siblings", "cores"),
    [
        ({0, 1, 2, 3}, [3], Cores(3, 0)),
        ({16, 5, 2}, [16], Cores(16, 2)),
        ({0, 1, 2, 3}, [0, 3], Cores(3, 1)),
        ({2, 3}, [2, 3], Cores(3, 3)),
        ({4}, [4], Cores(4, 4)),
        ({0, 1}, None, Cores(1, 0)),
    ],
)
def test_last_core_times_and_the_first_of_another_physical_core_builds(
    monkeypatch, allowed, siblings, cores
):
    asked = []
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: allowed, raising=False)
    monkeypatch.setattr(_cores, "thread_siblings", lambda core: asked.append(core) or siblings)
    assert choose_cores() == cores
    assert asked == [cores.timing]


def test_a_system_that_binds_nothing_chooses_itself(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert choose_cores() == Cores(None, None)


@pytest.mark.parametrize(
    ("cores", "apart"),
    [
        (Cores(3, 0), True),
        (Cores(0, 3), True),
        (Cores(3, 3), False),
        (Cores(3, None), False),
        (Cores(None, 0), False),
        (Cores(), False),
    ],
)
def test_cores_are_apart_where_both_are_known_and_differ(cores, apart):
    assert cores.apart is apart


@pytest.fixture
def bound(monkeypatch):
    """What is bound to which cores, in a process with the threads 70, 71 and one that has ended."""
    bound = []

    def bind(thread, cores):
        if thread == 99:
            raise ProcessLookupError
        bound.append((thread, cores))

    threads = [SimpleNamespace(id=number) for number in (70, 99, 71)]
    process = SimpleNamespace(threads=lambda: threads)
    monkeypatch.setattr(os, "sched_setaffinity", bind, raising=False)
    monkeypatch.setattr(_cores, "psutil", SimpleNamespace(Process=lambda: process))
    return bound


@pytest.mark.parametrize("core", [0, 3])
def test_a_process_moves_with_all_of_its_threads(bound, core):
    move_to(core)
    assert bound == [(0, {core}), (70, {core}), (71, {core})]


def test_without_a_core_nothing_is_bound(bound):
    move_to(None)
    assert bound == []
