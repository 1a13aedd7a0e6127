"""What a campaign measures, in which order, and what it keeps."""

import warnings
from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest

from fcnn_latency import MeasurementProtocol, MeasurementWarning, StoreError, load_dataset
from fcnn_latency.measurement import _campaign as campaign_module
from fcnn_latency.measurement._campaign import Task, measure_here, run_campaign
from fcnn_latency.measurement._store import Store
from fcnn_latency.measurement._workload import Model
from fcnn_latency.measurement.process._readings import Block, ProcessReport
from helpers.made_up_campaigns import ENVIRONMENT, MadeUp, NotedWorkers, begin
from helpers.numpy_runtime import NumPyRuntime
from helpers.short_campaigns import assert_read_once, measure

TWO_REFERENCES = MeasurementProtocol(
    "two references", rounds=3, group_size=4, reference_every=2, reference_models=2
)


class LosingRuntime(NumPyRuntime):
    """The first model that a process builds, which is a reference, fails in the first round.

    It does so once the others have been called more often than their warm-up does.
    """

    built = 0
    calls_of_others = 0

    def prepare(self, widths, inputs, seed):
        """Build a product; the first works some times only."""
        call = super().prepare(widths, inputs, seed)
        LosingRuntime.built += 1

        def counted():
            LosingRuntime.calls_of_others += 1
            return call()

        def failing():
            if LosingRuntime.calls_of_others > 100:
                raise RuntimeError("worn out")
            return call()

        return failing if LosingRuntime.built == 1 else counted


def test_a_lost_reference_warns_and_is_written_down(tmp_path):
    path = tmp_path / "latencies.sqlite"
    with pytest.warns(MeasurementWarning, match=r"reference architecture failed.*worn out"):
        measure(path, LosingRuntime(), protocol=TWO_REFERENCES)
    assert_read_once(load_dataset(path))


def test_no_reading_is_lost_where_warnings_are_errors(tmp_path):
    path = tmp_path / "latencies.sqlite"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(MeasurementWarning, match="worn out"):
            measure(path, LosingRuntime(), protocol=TWO_REFERENCES)
    with Store(path, read_only=True) as store:
        read = store.readings(1)
    # The round that lost an instance is there with its four models, and no other one is.
    models = read[read["architecture"] >= 0]
    assert models.groupby(["group", "round"]).size().tolist() == [4]


# -- passes --------------------------------------------------------------------------------------

#: Logarithms of the second pass over the first: the relative errors of the labels are 7.7 % for
#: the first two architectures, which share the noise of all, and 8.9 % for the other ones.
CHANGES = [0.0, 0.0, 0.2, -0.2]


def law_of(unit=1e-5):
    """Seconds of each pass; a third one lies between the first two."""

    def law(row, number):
        return (1 + row) * unit * np.exp(CHANGES[row] * {0: 0.0, 1: 1.0}.get(number, 0.5))

    return law


def noisy(row, number):
    """Seconds of each pass, of which none agrees with another one."""
    return (1 + row) * 1e-5 * np.exp(np.random.default_rng([row, number]).normal(0, 0.1))


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "made up.sqlite") as store:
        yield store


def rows_of(tasks, number):
    """Rows of the tasks of a pass."""
    return sorted(
        row for task in tasks if task.group.pass_number == number for row in task.group.members
    )


@pytest.mark.parametrize("unit", [1e-8, 1e-4], ids=["fast", "slow"])
@pytest.mark.parametrize(
    ("target", "rows"), [(0.07, [0, 1, 2, 3]), (0.08, [2, 3]), (0.1, []), (None, [])]
)
def test_a_pass_is_added_where_the_relative_error_is_above_the_target(store, unit, target, rows):
    made = MadeUp(law_of(unit))
    campaign = begin(store, target_error=target, max_passes=3)
    assert run_campaign(campaign, made) is False
    assert rows_of(made.tasks, 0) == rows_of(made.tasks, 1) == [0, 1, 2, 3]
    assert rows_of(made.tasks, 2) == rows
    assert rows_of(made.tasks, 3) == []


@pytest.mark.parametrize("most", [2, 3, 5])
def test_no_more_passes_are_added_than_allowed(store, most):
    made = MadeUp(noisy)
    run_campaign(begin(store, target_error=1e-9, max_passes=most), made)
    assert {task.group.pass_number for task in made.tasks} == set(range(most))


def assert_each_once(store, expected):
    """Each row of each pass was read once in each of the two rounds."""
    read = store.readings(1)
    counts = read[read["architecture"] >= 0].groupby(["pass", "architecture", "round"]).size()
    assert list(counts.index) == [(*both, number) for both in expected for number in (0, 1)]
    assert (counts == 1).all()


@pytest.mark.parametrize("done", [0, 5, 8, 9])
def test_a_resumed_campaign_measures_what_was_left_and_nothing_else(store, done):
    campaign = begin(store, group_size=1, target_error=0.08, max_passes=3)
    assert run_campaign(campaign, MadeUp(law_of(), most=done)) is True
    rest = MadeUp(law_of())
    assert run_campaign(campaign, rest) is False
    assert len(rest.tasks) == 10 - done
    whole = [(number, row) for number in (0, 1) for row in range(4)]
    assert_each_once(store, [*whole, (2, 2), (2, 3)])


def test_a_finished_campaign_has_nothing_to_measure(store):
    campaign = begin(store, target_error=0.08, max_passes=3)
    run_campaign(campaign, MadeUp(law_of()))
    assert run_campaign(campaign, MadeUp(law_of(), most=0)) is False


class Progress:
    """Stands for tqdm; each bar that was shown is kept."""

    bars: ClassVar[list] = []

    def __init__(self, **settings):
        self.settings, self.updates = settings, []
        Progress.bars.append(self)

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        pass

    def update(self, n):
        self.updates.append(n)


@pytest.mark.parametrize("verbose", [0, 1])
def test_progress_counts_models_that_are_read_and_begins_where_it_was(store, monkeypatch, verbose):
    monkeypatch.setattr(campaign_module, "tqdm", Progress)
    monkeypatch.setattr(Progress, "bars", [])
    campaign = begin(store, 5)
    run_campaign(campaign, MadeUp(noisy, most=2), verbose)
    run_campaign(campaign, MadeUp(noisy), verbose)
    first, second = Progress.bars
    assert [(bar.settings["initial"], bar.settings["total"]) for bar in Progress.bars] == [
        (0, 10),
        (4, 10),
    ]
    assert (first.updates, sorted(second.updates)) == ([2, 2], [1, 1, 2, 2])
    assert {bar.settings["disable"] for bar in Progress.bars} == {not verbose}


@pytest.mark.parametrize("broken", [0, 1])
def test_an_architecture_without_the_first_passes_gets_no_further_ones(store, broken):
    made = MadeUp(noisy, broken={(1, broken)})
    run_campaign(begin(store, target_error=1e-9, max_passes=4), made)
    assert [rows_of(made.tasks, number) for number in (2, 3)] == [[0, 2, 3]] * 2


def test_what_failed_in_an_added_pass_is_not_tried_in_the_next_ones(store):
    made = MadeUp(noisy, broken={(1, 2)})
    run_campaign(begin(store, target_error=1e-9, max_passes=5), made)
    rows = [rows_of(made.tasks, number) for number in range(5)]
    assert rows == [[0, 1, 2, 3]] * 3 + [[0, 2, 3]] * 2


def test_tasks_are_the_rounds_that_lack(store):
    campaign = begin(store, 3, rounds=4, group_size=3, shuffle=False)
    group, other = next(campaign.phases())
    made = MadeUp(lambda row, number: 1e-5)
    for members, rounds in (((0, 1), (0, 1)), ((1, 2), (3,))):
        for task, report in made(campaign, [Task(replace(group, members=members), rounds)]):
            campaign.add(task, report)
    assert campaign.tasks([group, other]) == [
        Task(replace(group, members=(0,)), (2, 3)),
        Task(replace(group, members=(1,)), (2,)),
        Task(replace(group, members=(2,)), (0, 1, 2)),
        Task(other, (0, 1, 2, 3)),
    ]


# -- conditions ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "value", "difference"),
    [
        ("cpu", "another", "cpu: 'made up' and 'another'"),
        ("versions", {"numpy": "3.0"}, "numpy: 2.0 and 3.0"),
        ("variables", {"OMP_NUM_THREADS": "2"}, "OMP_NUM_THREADS: '1' and '2'"),
        ("affinity", [2, 3], r"affinity: 1 core\(s\) and 2 core\(s\)"),
        ("affinity", None, r"affinity: 1 core\(s\) and not pinned"),
        ("cpu_flags", ["avx2", "fma"], "cpu_flags: nothing more and fma"),
    ],
)
def test_a_process_in_another_environment_is_not_pooled(store, key, value, difference):
    campaign = begin(store)
    task = campaign.tasks(next(campaign.phases()))[0]
    campaign.add(task, ProcessReport("first", "host", ENVIRONMENT))
    with pytest.raises(StoreError, match=difference):
        campaign.add(task, ProcessReport("second", "host", {**ENVIRONMENT, key: value}))
    assert store.processes(1)["name"].tolist() == ["first"]


def test_a_process_in_the_same_environment_is_pooled(store):
    campaign = begin(store)
    task = campaign.tasks(next(campaign.phases()))[0]
    campaign.add(task, ProcessReport("first", "host", ENVIRONMENT))
    campaign.add(task, ProcessReport("second", "host", {**ENVIRONMENT, "affinity": [2]}))
    assert store.processes(1)["name"].tolist() == ["first", "second"]


# -- processes -----------------------------------------------------------------------------------


@pytest.fixture
def workers(monkeypatch):
    workers = NotedWorkers()
    monkeypatch.setattr(campaign_module, "MeasuringWorker", workers)
    return workers


def all_tasks(campaign):
    return campaign.tasks(next(campaign.phases()))


@pytest.mark.parametrize(
    ("processes", "turns"),
    [
        (1, [0, 0, 0, 0, 0, 0]),
        (2, [0, 1, 0, 0, 1, 0]),
        (3, [0, 1, 2, 0, 1, 2]),
        (7, [0, 1, 2, 0, 1, 2]),
    ],
)
def test_passes_alternate_between_the_processes(store, workers, processes, turns):
    campaign = begin(store, passes=3, processes=processes)
    tasks = all_tasks(campaign)
    told = list(measure_here(campaign, tasks))
    measured = [event for event in workers.log if event[0] == "measure"]
    assert [event[1] for event in measured] == turns
    assert [task for task, _ in told[1:]] == tasks
    assert len(workers.workers) == len(set(turns))
    shared = (campaign.runtime, campaign.protocol, campaign.workload)
    assert [worker.shared for worker in workers.workers] == [shared] * len(set(turns))


def test_an_added_pass_needs_one_process(store, workers):
    campaign = begin(store, passes=3, processes=2)
    tasks = [task for task in all_tasks(campaign) if task.group.pass_number == 1]
    list(measure_here(campaign, tasks))
    assert {event[1] for event in workers.log} == {0}


def test_while_one_process_times_the_next_one_builds_the_next_group(store, workers):
    campaign = begin(store, passes=3, processes=2, conditions={"input_rows": [11, 12, 13, 14]})
    tasks = all_tasks(campaign)
    list(measure_here(campaign, tasks))
    groups = [[Model((5 + row, 5), 11 + row) for row in task.group.members] for task in tasks]
    rest = [((0, 1), task.group.seed, Block(50, 20)) for task in tasks]
    assert workers.log == [
        ("start", 0),
        ("ahead", 1, groups[1]),
        ("wait", 0),
        ("calibrate", 0),
        ("measure", 0, groups[0], *rest[0]),
        ("ahead", 0, groups[2]),
        ("measure", 1, groups[1], *rest[1]),
        ("measure", 0, groups[2], *rest[2]),
        ("ahead", 1, groups[4]),
        ("measure", 0, groups[3], *rest[3]),
        ("ahead", 0, groups[5]),
        ("measure", 1, groups[4], *rest[4]),
        ("measure", 0, groups[5], *rest[5]),
        ("stop", 1),
        ("stop", 0),
    ]


def test_a_new_campaign_is_calibrated_and_keeps_its_block(store, workers):
    campaign = begin(store)
    list(measure_here(campaign, all_tasks(campaign)))
    assert store.block(1) == Block(50, 20)


def test_a_resumed_campaign_reads_with_the_block_that_it_began_with(store, workers):
    campaign = begin(store)
    store.set_block(1, Block(7, 3))
    list(measure_here(campaign, all_tasks(campaign)))
    assert "calibrate" not in {event[0] for event in workers.log}
    measured = [event for event in workers.log if event[0] == "measure"]
    assert {event[-1] for event in measured} == {Block(7, 3)}
    assert store.block(1) == Block(7, 3)


def test_processes_are_stopped_after_an_error(store, workers):
    workers.fails = True
    campaign = begin(store)
    with pytest.raises(RuntimeError, match="out of order"):
        list(measure_here(campaign, all_tasks(campaign)))
    assert workers.log[-2:] == [("stop", 1), ("stop", 0)]
