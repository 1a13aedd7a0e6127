"""Measuring processes: when they are started, replaced and stopped, and what is done again."""

from concurrent.futures.process import BrokenProcessPool

import pytest

from fcnn_latency.exceptions import MeasurementError
from fcnn_latency.measurement._protocol import MeasurementProtocol
from fcnn_latency.measurement._workload import Model, Workload
from fcnn_latency.measurement.machine._cores import Cores
from fcnn_latency.measurement.process._readings import (
    Block,
    BuildReport,
    ProcessReport,
    RoundReport,
)
from fcnn_latency.measurement.process._worker import WORKER_ENVIRONMENT, MeasuringWorker
from helpers.fake_machine import LoggedRuntime

MODELS = [Model((5, 5)), Model((6, 6)), Model((7, 7)), Model((8, 8))]
PAIRS = [[Model((width, 5)), Model((width + 1, 5))] for width in (30, 40, 50, 60, 70)]
ONE = Block(1, 1)


def make(machine, **fields):
    fields = {"reference_models": 1, "reference_every": 0} | fields
    protocol = MeasurementProtocol("made up", **fields)
    return MeasuringWorker(LoggedRuntime(machine), protocol, Workload(50))


def started(machine, **fields):
    worker = make(machine, **fields)
    worker.start()
    worker.wait()
    return worker


def done(executor):
    return [name for name, *_ in executor.tasks]


def read_of(reports):
    """How often each model was read in each round, by place and number."""
    rounds = [report for report in reports if isinstance(report, RoundReport)]
    return sorted((int(model), r.number) for r in rounds for model in r.models)


def failures_of(reports):
    built = [report for report in reports if isinstance(report, BuildReport)]
    return {place: why for report in built for place, why in report.failures.items()}


def test_a_group_is_built_read_in_each_round_and_released(machine):
    worker = started(machine)
    assert len(list(worker.measure(MODELS, (1, 3), 9, Block(2, 3)))) == 3
    (executor,) = machine.executors
    assert executor.tasks[1:] == [
        ("build", MODELS, False),
        ("time_round", 1, 9, Block(2, 3)),
        ("time_round", 3, 9, Block(2, 3)),
        ("release",),
    ]


def test_one_process_at_a_time_has_the_variables_that_are_set_before_frameworks(machine):
    worker = started(machine)
    worker.start()
    (executor,) = machine.executors
    assert (executor.max_workers, executor.environment) == (1, WORKER_ENVIRONMENT)
    worker.stop()
    assert executor.stopped == [{"wait": True, "kill_workers": True}]
    worker.start()
    assert len(machine.executors) == 2


@pytest.mark.parametrize(("pin", "cores"), [(True, Cores(3, 1)), (False, Cores())])
def test_processes_are_bound_to_cores_where_the_protocol_says_so(machine, pin, cores):
    worker = started(machine, pin=pin)
    list(worker.measure(MODELS, (0,), 9, ONE))
    assert machine.executors[0].tasks[0][3] == cores
    assert {event for event in machine.log if event[0] == "move"} == {("move", cores.timing)}


# -- calibration ---------------------------------------------------------------------------------


def test_numbers_of_the_protocol_are_not_calibrated(machine):
    worker = started(machine, samples_per_block=7, calls_per_sample=3)
    assert worker.calibrate() == Block(7, 3)
    assert done(machine.executors[0]) == ["start_session"]


@pytest.mark.parametrize(
    ("fields", "name", "number"),
    [
        ({}, "samples", 50),
        ({}, "calls_per_sample", 20),
        ({"samples_per_block": 7}, "samples", 7),
        ({"samples_per_block": 7}, "calls_per_sample", 20),
        ({"calls_per_sample": 3}, "calls_per_sample", 3),
    ],
)
def test_a_number_that_is_left_open_is_calibrated_in_the_process(machine, fields, name, number):
    worker = started(machine, reference_every=1, **fields)
    assert getattr(worker.calibrate(), name) == number
    assert done(machine.executors[0]) == ["start_session", "calibrate"]


def test_a_reference_that_fails_ends_the_measurement(machine):
    machine.refused = {25}
    with pytest.raises(MeasurementError, match=r"'logged' did not load, or .*\(25, 25, 25, 25\)"):
        started(machine)
    machine.refused, machine.broken = set(), {(25, 0)}
    worker = started(machine, warmup_calls=0)
    with pytest.raises(MeasurementError, match="worn out"):
        worker.calibrate()


# -- replacement ---------------------------------------------------------------------------------


def builds(machine):
    return [done(executor).count("build") for executor in machine.executors]


@pytest.mark.parametrize(
    ("most_models", "groups_of_each_process"),
    [(0, [5]), (1, [1] * 5), (3, [1] * 5), (4, [2, 2, 1]), (5, [2, 2, 1]), (6, [3, 2]), (10, [5])],
)
def test_a_process_builds_no_more_models_than_allowed(machine, most_models, groups_of_each_process):
    worker = started(machine, models_per_worker=most_models, worker_growth_bytes=0)
    for pair in PAIRS:
        list(worker.measure(pair, (0,), 9, ONE))
    assert builds(machine) == groups_of_each_process
    assert [len(executor.stopped) for executor in machine.executors[:-1]] == [1] * (
        len(groups_of_each_process) - 1
    )


@pytest.mark.parametrize(
    ("most_bytes", "groups_of_each_process"),
    [(0, [5]), (99, [1] * 5), (100, [2, 2, 1]), (199, [2, 2, 1]), (200, [3, 2]), (400, [5])],
)
def test_a_process_that_has_grown_is_replaced(machine, most_bytes, groups_of_each_process):
    worker = started(machine, models_per_worker=0, worker_growth_bytes=most_bytes)
    machine.bytes_per_model = 50
    for pair in PAIRS:
        list(worker.measure(pair, (0,), 9, ONE))
    assert builds(machine) == groups_of_each_process


def test_each_process_is_told_once(machine):
    worker = started(machine, models_per_worker=4)
    reports = [report for pair in PAIRS for report in worker.measure(pair, (0,), 9, ONE)]
    names = [report.process for report in reports if isinstance(report, ProcessReport)]
    assert len(machine.executors) == 3
    assert len(names) == len(set(names)) == 2  # the first was told by `wait`


# -- building ahead ------------------------------------------------------------------------------


def test_a_group_built_ahead_is_built_on_the_other_core_and_once(machine):
    worker = make(machine)
    worker.build_ahead(MODELS)
    assert [event[1] for event in machine.log if event[0] == "move"] == [1, 3, 1]
    list(worker.measure(MODELS, (0,), 9, ONE))
    (executor,) = machine.executors
    assert executor.tasks[0][-1] is True
    assert executor.tasks[1:3] == [("build", MODELS, True), ("time_round", 0, 9, ONE)]
    list(worker.measure(MODELS, (1,), 9, ONE))  # what was built is gone: built again
    assert executor.tasks[4:6] == [("build", MODELS, False), ("time_round", 1, 9, ONE)]


def test_another_group_than_the_one_built_ahead_is_built(machine):
    worker = make(machine)
    worker.build_ahead(PAIRS[0])
    reports = list(worker.measure(PAIRS[1], (0,), 9, ONE))
    assert machine.executors[0].tasks[2] == ("build", PAIRS[1], False)
    assert read_of(reports) == [(0, 0), (1, 0)]


@pytest.mark.parametrize(
    ("fields", "cores"),
    [
        ({"build_ahead": False}, Cores(3, 1)),
        ({"pin": False}, Cores(3, 1)),
        ({}, Cores(3, 3)),
        ({}, Cores(None, None)),
    ],
)
def test_nothing_is_built_ahead_without_leave_or_another_core(machine, fields, cores):
    machine.cores = cores
    make(machine, **fields).build_ahead(MODELS)
    assert machine.executors == []


@pytest.mark.parametrize("told", ["at once", "later"])
def test_a_process_that_dies_while_building_ahead_is_replaced(machine, told):
    def kills(task, arguments):
        dies = len(machine.executors) == 1 and task.__name__ == "build"
        if dies and told == "at once":
            raise BrokenProcessPool("died before")
        return dies

    machine.kills = kills
    worker = make(machine)
    worker.build_ahead(MODELS)
    reports = list(worker.measure(MODELS, (0,), 9, ONE))
    assert failures_of(reports) == {}
    assert read_of(reports) == [(place, 0) for place in range(4)]


# -- death ---------------------------------------------------------------------------------------


def test_rounds_read_before_a_process_died_are_not_read_again(machine):
    machine.kills = lambda task, arguments: (
        len(machine.executors) == 1 and task.__name__ == "time_round" and arguments[1] == 2
    )
    worker = started(machine, rounds=4)
    reports = list(worker.measure(MODELS, range(4), 9, ONE))
    assert read_of(reports) == [(place, number) for place in range(4) for number in range(4)]
    assert failures_of(reports) == {}
    assert len(machine.executors) == 2
    assert sum(isinstance(report, ProcessReport) for report in reports) == 1


@pytest.mark.parametrize("deadly", range(4))
def test_the_model_that_kills_is_found_and_the_others_are_read(machine, deadly):
    machine.kills = lambda task, arguments: (
        task.__name__ == "build" and MODELS[deadly] in arguments[1]
    )
    reports = list(started(machine).measure(MODELS, (0, 1), 9, ONE))
    others = [place for place in range(4) if place != deadly]
    assert read_of(reports) == [(place, number) for place in others for number in (0, 1)]
    assert list(failures_of(reports)) == [deadly]
    assert "died twice" in failures_of(reports)[deadly]


def test_a_single_model_may_kill_one_process(machine):
    machine.kills = lambda task, arguments: len(machine.executors) == 1 and task.__name__ == "build"
    reports = list(started(machine).measure(MODELS[:1], (0, 1), 9, ONE))
    assert failures_of(reports) == {}
    assert read_of(reports) == [(0, 0), (0, 1)]


def test_models_fail_where_no_new_process_starts(machine):
    def kills(task, arguments):
        machine.refused = {25}  # from now on
        return len(machine.executors) == 1

    worker = started(machine)
    machine.kills = kills
    reports = list(worker.measure(MODELS[:2], (0,), 9, ONE))
    assert read_of(reports) == []
    assert sorted(failures_of(reports)) == [0, 1]
    assert "the measuring process failed: RuntimeError" in failures_of(reports)[0]
