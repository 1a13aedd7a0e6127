"""What a measuring process does, in which order, and where."""

import gc
import signal

import pytest

from fcnn_latency.measurement._protocol import MeasurementProtocol
from fcnn_latency.measurement._workload import Model, Workload
from fcnn_latency.measurement.machine._cpu_times import CpuTimes
from fcnn_latency.measurement.process import _session
from fcnn_latency.measurement.process._readings import REFERENCE, Block
from fcnn_latency.measurement.process._session import start_session
from helpers.fake_machine import LoggedRuntime

MODELS = [Model((5, 5)), Model((6, 6)), Model((7, 7)), Model((8, 8)), Model((9, 9))]
MILLISECOND = 1_000_000
SECOND = 1_000_000_000


def started(machine, *, signal_length=50, while_timing=False, **fields):
    """A session whose log begins after its start."""
    runtime, protocol = LoggedRuntime(machine), MeasurementProtocol("made up", **fields)
    start_session(runtime, protocol, Workload(signal_length), machine.cores, while_timing)
    return _session._Held.session


def built(machine, models=MODELS, **fields):
    """A session with a group, whose log begins after building."""
    session = started(machine, **fields)
    session.build(models, while_timing=False)
    machine.log.clear()
    return session


def letters(report):
    return "".join("R" if model == REFERENCE else "abcde"[model] for model in report.models)


# -- order ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("every", "order"),
    [
        (1, "RaRbRcRdReR"),
        (2, "RabRcdReR"),
        (4, "RabcdReR"),
        (5, "RabcdeR"),
        (6, "RabcdeR"),
        (0, "abcde"),
    ],
)
def test_reference_is_read_before_between_and_after_the_models(machine, every, order):
    session = built(machine, reference_every=every, reference_models=1, shuffle=False)
    assert letters(session.time_round(0, 7, Block(1, 1))) == order
    names = {25: "R", 5: "a", 6: "b", 7: "c", 8: "d", 9: "e"}
    assert "".join(names[width] for (width, _), _ in machine.calls()) == order


def test_instances_of_the_reference_are_read_in_turn_from_round_to_round(machine):
    session = built(machine, reference_every=2, reference_models=3)
    copies = []
    for number in range(3):
        machine.log.clear()
        session.time_round(number, 7, Block(1, 1))
        copies.append([copy for (width, copy), _ in machine.calls() if width == 25])
    assert copies == [[0, 1, 2, 0], [1, 2, 0, 1], [2, 0, 1, 2]]


def test_an_instance_of_the_reference_that_fails_leaves_its_turn_to_the_next(machine):
    session = built(machine, reference_every=2, reference_models=3)
    machine.broken = {(25, 1)}
    report = session.time_round(0, 7, Block(1, 1))
    assert [copy for (width, copy), _ in machine.calls() if width == 25] == [0, 1, 2, 0, 2]
    assert report.models.tolist().count(REFERENCE) == 4
    assert report.lost_references == ("RuntimeError: worn out",)
    assert session.time_round(1, 7, Block(1, 1)).lost_references == ()


def test_no_instance_of_the_reference_left_ends_the_round(machine):
    session = built(machine, reference_models=2)
    machine.broken = {(25, 0), (25, 1)}
    with pytest.raises(RuntimeError, match="no instance of the reference"):
        session.time_round(0, 7, Block(1, 1))


def test_each_round_has_an_order_of_its_own(machine):
    session = built(machine, reference_every=0)
    orders = [letters(session.time_round(number, 7, Block(1, 1))) for number in range(6)]
    assert {"".join(sorted(order)) for order in orders} == {"abcde"}
    assert len(set(orders)) > 4  # two of 120 orders may be the same


def test_order_of_a_round_follows_from_its_number_and_the_seed_of_the_group(machine):
    session = built(machine, reference_every=0)
    rounds = [(0, 7), (1, 7), (2, 7), (0, 8), (1, 8), (2, 8)]
    orders = [letters(session.time_round(*which, Block(1, 1))) for which in rounds]
    assert orders[:3] != orders[3:]
    assert [letters(session.time_round(*which, Block(1, 1))) for which in rounds] == orders


def test_unshuffled_models_are_read_in_the_order_of_the_group(machine):
    session = built(machine, reference_every=0, shuffle=False)
    assert [letters(session.time_round(n, 7, Block(1, 1))) for n in (0, 1)] == ["abcde"] * 2


# -- calls ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("calls", [0, 1, 2, 5])
def test_models_and_references_are_warmed_up_as_often_as_asked(machine, calls):
    session = started(machine, warmup_calls=calls, reference_models=2)
    assert machine.calls() == [((25, 0), calls), ((25, 1), calls)] * (calls > 0)
    machine.log.clear()
    session.build(MODELS[:2], while_timing=False)
    assert machine.calls() == [((5, 0), calls), ((6, 0), calls)] * (calls > 0)


def test_first_call_of_a_model_is_told_and_is_no_reading(machine):
    machine.lasts = lambda model, number: (3 if number else 70) * MILLISECOND
    session = started(machine, warmup_calls=2)
    report = session.build(MODELS[:2], while_timing=False)
    assert report.first_calls == pytest.approx({0: 0.07, 1: 0.07})
    assert session.time_round(0, 7, Block(1, 1)).seconds == pytest.approx(0.003)


def test_without_warm_ups_the_first_call_is_a_reading(machine):
    machine.lasts = lambda model, number: (3 if number else 70) * MILLISECOND
    session = started(machine, warmup_calls=0, reference_every=0)
    assert session.build(MODELS[:1], while_timing=False).first_calls == {}
    assert session.time_round(0, 7, Block(1, 1)).seconds == pytest.approx([0.07])
    assert session.time_round(1, 7, Block(1, 1)).seconds == pytest.approx([0.003])


@pytest.mark.parametrize(
    ("statistic", "nanoseconds"), [("min", 200), ("low-mean", 250), ("median", 600), ("mean", 700)]
)
def test_readings_of_models_and_references_are_reduced_alike(machine, statistic, nanoseconds):
    samples = [800, 200, 400, 300, 900, 1600]
    machine.lasts = lambda model, number: samples[number % 6]
    report = built(machine, block_statistic=statistic).time_round(0, 7, Block(6, 1))
    assert len(report.seconds) == 7
    assert report.seconds == pytest.approx(nanoseconds * 1e-9)


def test_a_reading_has_as_many_samples_and_calls_as_the_block(machine):
    built(machine, MODELS[:1], reference_models=2).time_round(0, 7, Block(4, 3))
    assert machine.calls() == [((25, 0), 12), ((5, 0), 12), ((25, 1), 12)]


@pytest.mark.parametrize(
    ("latency", "sample_seconds", "calls"),
    [
        (4_900, 2e-5, 50),
        (5_100, 2e-5, 20),
        (5_100, 4e-5, 50),
        (9 * MILLISECOND, 2e-5, 1),
    ],
)
def test_a_slow_model_gets_fewer_calls_and_not_fewer_samples(
    machine, latency, sample_seconds, calls
):
    machine.lasts = lambda model, number: latency if model == (5, 0) else 1_100
    session = built(machine, MODELS[:1], reference_models=2, sample_seconds=sample_seconds)
    report = session.time_round(0, 7, Block(3, 50))
    assert machine.calls() == [((25, 0), 150), ((5, 0), 3 * calls), ((25, 1), 150)]
    assert report.seconds == pytest.approx([1.1e-6, latency * 1e-9, 1.1e-6])


@pytest.mark.parametrize("slow", [{0}, {2}, {0, 2}], ids=["first", "last", "first and last"])
def test_slow_warm_ups_do_not_shorten_a_block(machine, slow):
    machine.lasts = lambda model, number: 5 * MILLISECOND if number in slow else 1_100
    session = built(machine, MODELS[:1], reference_every=0, warmup_calls=3)
    session.time_round(0, 7, Block(3, 50))
    assert machine.calls() == [((5, 0), 150)]


def test_blocks_of_models_without_warm_ups_are_not_shortened(machine):
    machine.lasts = lambda model, number: MILLISECOND
    session = built(machine, MODELS[:1], reference_every=0, warmup_calls=0)
    session.time_round(0, 7, Block(3, 50))
    assert machine.calls() == [((5, 0), 150)]


@pytest.mark.parametrize(
    ("fields", "block"),
    [
        ({}, (50, 20)),
        ({"samples_per_block": 7}, (7, 20)),
        ({"least_samples": 70}, (70, 20)),
    ],
)
def test_what_the_protocol_leaves_open_is_calibrated(machine, fields, block):
    assert started(machine, **fields).calibrate() == block


@pytest.mark.parametrize("calls", [1, 3, 500])
def test_calls_of_a_sample_are_those_of_the_protocol(machine, calls):
    assert started(machine, calls_per_sample=calls).calibrate().calls_per_sample == calls


# -- conditions ----------------------------------------------------------------------------------


@pytest.mark.parametrize("work", ["round", "calibration"])
def test_collector_rests_while_models_are_timed_and_then_is_as_before(machine, collecting, work):
    states, session = [], built(machine)
    machine.lasts = lambda model, number: states.append(gc.isenabled()) or 1_100
    if work == "round":
        session.time_round(0, 7, Block(2, 2))
    else:
        session.calibrate()
    assert states
    assert not any(states)
    assert gc.isenabled() == collecting


def test_collector_is_as_before_after_a_round_that_fails(machine, collecting):
    session = built(machine, reference_models=1)
    machine.broken = {(25, 0)}
    with pytest.raises(RuntimeError, match="no instance"):
        session.time_round(0, 7, Block(1, 1))
    assert gc.isenabled() == collecting


def test_time_stolen_from_the_timing_core_during_a_round_is_told(machine):
    session, counters = built(machine), iter([CpuTimes(1.0, 10.0), CpuTimes(1.5, 12.0)])
    machine.cpu_times = lambda core: next(counters)
    assert session.time_round(0, 7, Block(1, 1)).stolen == 0.25
    events = [event for event in machine.log if event[0] != "move"]
    assert events[0] == events[-1] == ("counters", 3)
    assert [event[0] for event in events[1:-1]] == ["call"] * 7


def test_a_round_tells_its_process_number_start_and_load(machine):
    session = built(machine)
    machine.lasts = lambda model, number: 2 * SECOND
    start = machine.time()
    report = session.time_round(4, 7, Block(1, 1))
    assert (report.process, report.number, report.load) == (session.process, 4, 0.75)
    assert report.started_at == pytest.approx(start, abs=0.01)


@pytest.mark.parametrize("while_timing", [False, True])
def test_framework_starts_on_the_timing_core_and_is_imported_beside_it(machine, while_timing):
    started(machine, while_timing=while_timing, reference_models=2)
    events = [event for event in machine.log if event[0] not in ("call", "signal")]
    assert events == [
        *[("move", 1)] * while_timing,
        ("load",),
        ("move", 3),
        ("build", (25, 0)),
        ("build", (25, 1)),
        ("collect",),
        ("freeze",),
    ]


@pytest.mark.parametrize("while_timing", [False, True])
def test_models_are_built_beside_the_timing_core_while_another_process_times(machine, while_timing):
    session = started(machine)
    machine.log.clear()
    session.build(MODELS[:2], while_timing)
    events = [event for event in machine.log if event[0] != "call"]
    moves = [("move", 1)] * while_timing
    assert events == [*moves, ("build", (5, 0)), ("build", (6, 0)), ("collect",)]


def test_a_round_is_timed_on_the_timing_core(machine):
    session = started(machine)
    session.build(MODELS, while_timing=True)
    machine.log.clear()
    session.time_round(0, 7, Block(1, 1))
    assert machine.log[0] == ("move", 3)
    assert [event for event in machine.log if event[0] == "move"] == [("move", 3)]


def test_a_process_is_described_as_it_times(machine, monkeypatch):
    def describe(packages):
        machine.note("describe", packages)
        return {"cpu": "made up"}

    monkeypatch.setattr(_session, "describe_environment", describe)
    runtime, protocol = LoggedRuntime(machine), MeasurementProtocol("made up", reference_models=1)
    runtime.packages = ("numpy",)
    settings = runtime, protocol, Workload(50), machine.cores, True
    first, second = start_session(*settings), start_session(*settings)
    assert first.environment == {"cpu": "made up"}
    assert first.process != second.process
    assert _session._Held.session.process == second.process
    events = [event for event in machine.log if event[0] in ("move", "build", "describe")]
    once = [("move", 1), ("move", 3), ("build", (25, 0)), ("describe", ("numpy",))]
    assert events[:4] == once


def test_ctrl_c_is_left_to_the_parent(machine):
    started(machine)
    assert machine.log[0] == ("signal", signal.SIGINT, signal.SIG_IGN)


@pytest.mark.parametrize(
    ("fields", "n_references"),
    [
        ({"reference_models": 1}, 1),
        ({"reference_models": 4}, 4),
        ({"reference_every": 0}, 3),  # to calibrate
        ({"reference_every": 0, "samples_per_block": 1, "calls_per_sample": 1}, 0),
        ({"samples_per_block": 1, "calls_per_sample": 1}, 3),
    ],
)
def test_references_are_built_where_they_are_needed(machine, fields, n_references):
    assert len(started(machine, **fields).references) == n_references


def test_models_read_their_own_rows_and_references_the_signal(machine):
    session = started(machine, signal_length=43, reference_widths=(10, 10), reference_models=1)
    session.build([Model((5, 5)), Model((6, 6), 4)], while_timing=False)
    assert session.runtime.inputs == {(10, 0): (5, 10), (5, 0): (9, 5), (6, 0): (4, 6)}


# -- failures and release ------------------------------------------------------------------------


def test_a_model_that_is_not_built_is_not_read(machine):
    machine.refused = {6}
    session = started(machine, shuffle=False, reference_every=0)
    report = session.build(MODELS[:3], while_timing=False)
    assert report.failures == {1: "RuntimeError: no such width"}
    assert sorted(report.first_calls) == [0, 2]
    assert letters(session.time_round(0, 7, Block(1, 1))) == "ac"


def test_a_model_that_fails_while_timed_has_no_more_readings(machine):
    session = built(machine, MODELS[:3], shuffle=False, reference_every=0)
    machine.broken = {(6, 0)}
    report = session.time_round(0, 7, Block(2, 1))
    assert report.failures == {1: "RuntimeError: worn out"}
    assert letters(report) == "ac"
    machine.log.clear()
    assert letters(session.time_round(1, 7, Block(2, 1))) == "ac"
    assert machine.calls() == [((5, 0), 2), ((7, 0), 2)]


def test_a_group_of_which_nothing_is_left_needs_no_reference(machine):
    machine.refused = {5, 6}
    session = built(machine, MODELS[:2])
    assert len(session.time_round(0, 7, Block(1, 1)).models) == 0
    assert machine.calls() == []


def test_a_released_group_is_gone_and_growth_counts_from_the_start(machine):
    machine.resident = 1000
    session = started(machine)
    machine.bytes_per_model = 50
    machine.refused = {7}
    session.build(MODELS[:3], while_timing=False)
    machine.log.clear()
    assert session.release() == 100
    assert machine.log == [("release",), ("collect",), ("give back",)]
    assert len(session.time_round(0, 7, Block(1, 1)).models) == 0
    assert session.build(MODELS[3:], while_timing=False).failures == {}
    assert session.release() == 200
