"""A campaign on the workers of a Dask cluster: real processes, on loopback."""

import multiprocessing
import os
import signal
import threading
from collections import deque
from types import SimpleNamespace

import numpy as np
import pytest

from fcnn_latency import MeasurementError, StoreError, load_dataset
from fcnn_latency.measurement import _fleet as fleet
from fcnn_latency.measurement._fleet import Fleet, measure_on_host, release_host
from fcnn_latency.measurement._store import Store
from fcnn_latency.measurement._workload import Model
from fcnn_latency.measurement.machine._environment import describe_environment
from fcnn_latency.measurement.process._readings import Block, BuildReport, ProcessReport
from helpers.made_up_campaigns import ENVIRONMENT, NotedWorkers, begin
from helpers.short_campaigns import ARCHITECTURES, assert_read_once
from helpers.short_campaigns import measure as measure_into

distributed = pytest.importorskip("distributed")

# What Dask's own shutdown leaves behind is not this package's.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def client():
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=":0", resources={"timing": 1}
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def measure(client, store=None, **changes):
    return measure_into(store, client=client, **changes)


def test_fleet_measures_what_one_machine_does(client, tmp_path):
    path = tmp_path / "fleet.sqlite"
    dataset = measure(client, store=path)
    assert dataset.data.tolist() == ARCHITECTURES.tolist()
    assert not len(dataset.missing)
    assert_read_once(dataset)
    host = describe_environment()["host"]
    assert set(dataset.readings["host"]) == {host}
    again = measure(client, store=path)
    assert len(again.readings) == len(dataset.readings)


def test_killed_worker_costs_nothing(client, tmp_path):
    path = tmp_path / "killed.sqlite"
    pids = client.run(os.getpid)
    killer = threading.Timer(3.0, os.kill, (next(iter(pids.values())), signal.SIGKILL))
    killer.start()
    dataset = measure(client, path, architectures=40)
    killer.join()
    assert not len(dataset.missing)
    assert_read_once(dataset, 40)


def test_hosts_of_another_kind_are_not_pooled(client, monkeypatch):
    cluster = Fleet(client)
    monkeypatch.setattr(
        cluster.client,
        "run",
        lambda *arguments, **keywords: {
            address: {"cpu": f"kind {i}"} for i, address in enumerate(keywords["workers"])
        },
    )
    with pytest.raises(StoreError, match=r"cpu: 'kind 0' and 'kind 1'"):
        cluster._check_alike({"host 0": ["tcp://first"], "host 1": ["tcp://second"]}, ())


def test_cluster_without_workers_is_an_error():
    with (
        distributed.LocalCluster(n_workers=0, dashboard_address=":0", processes=False) as cluster,
        distributed.Client(cluster) as empty,
        pytest.raises(MeasurementError, match=r"has no workers.*dask worker"),
    ):
        measure(empty)


def test_what_is_no_client_is_named():
    with pytest.raises(ValueError, match=r"distributed.Client or None. Got 'tcp"):
        measure("tcp://localhost:8786")


def test_a_daemon_may_have_children_meanwhile(monkeypatch):
    process = multiprocessing.current_process()
    monkeypatch.setattr(process, "daemon", True)
    with fleet._children_allowed():
        assert not process.daemon
    assert process.daemon


def test_store_of_a_fleet_names_the_hosts(client, tmp_path):
    path = tmp_path / "fleet.sqlite"
    measure(client, store=path)
    assert load_dataset(path).readings["host"].notna().all()
    assert np.isfinite(load_dataset(path).target).all()


# -- distribution: a made-up cluster, on which what is submitted is done when it is waited for -----


BLOCK = Block(50, 20)


class Future:
    def __init__(self, host, answer):
        self.host, self.answer = host, answer
        self.status = "error" if isinstance(answer, Exception) else "finished"

    def result(self):
        return self.answer

    def exception(self):
        return self.answer


class Cluster:
    """Stands for a client; `together` has the hosts that were busy at each moment."""

    def __init__(self, *offering, others=(), answer=None):
        self.workers = {f"tcp://{host}": {"host": host} for host in others}
        for host in offering:
            self.workers[f"tcp://{host}"] = {"host": host, "resources": {"timing": 1}}
        self.answer = answer or (lambda order: (BLOCK, [BuildReport("made up")]))
        self.orders, self.resources, self.together = [], [], []
        self.cancelled, self.ran = [], []

    def scheduler_info(self, n_workers):
        return {"workers": self.workers}

    def submit(self, function, order, *, workers, resources, pure):
        assert function is measure_on_host
        assert not pure
        self.orders.append(order)
        self.resources.append(resources)
        return Future(*workers, self.answer(order))

    def wait(self, futures, timeout, return_when):
        self.together.append([future.host for future in futures])
        return SimpleNamespace(done={futures[0]})

    def run(self, function, *arguments, workers=(), on_error="raise"):
        self.ran.append((function, on_error))
        return dict.fromkeys(workers, ENVIRONMENT)

    def cancel(self, futures):
        self.cancelled += futures


@pytest.fixture
def campaign(tmp_path):
    with Store(tmp_path / "made up.sqlite") as store:
        yield begin(store, passes=3, processes=2)


def tasks_of(campaign):
    return campaign.tasks(next(campaign.phases()))


def distribute(monkeypatch, cluster, campaign):
    monkeypatch.setattr(distributed, "wait", cluster.wait)
    return list(Fleet(cluster).measure(campaign, tasks_of(campaign)))


def test_first_task_calibrates_alone_and_then_each_host_has_one_task(monkeypatch, campaign):
    cluster = Cluster("a", "b")
    told = distribute(monkeypatch, cluster, campaign)
    a, b = "a", "b"
    assert cluster.together == [[a], [a, b], [b, a], [a, b], [b, a], [a]]
    assert [order.block for order in cluster.orders] == [None] + [BLOCK] * 5
    assert campaign.store.block(campaign.number) == BLOCK
    assert {task for task, _ in told} == set(tasks_of(campaign))


def test_a_resumed_fleet_keeps_the_block_and_begins_on_all_hosts(monkeypatch, campaign):
    campaign.store.set_block(campaign.number, Block(7, 3))
    cluster = Cluster("a", "b", "c")
    distribute(monkeypatch, cluster, campaign)
    assert cluster.together[0] == ["a", "b", "c"]
    assert {order.block for order in cluster.orders} == {Block(7, 3)}
    assert campaign.store.block(campaign.number) == Block(7, 3)


def test_orders_are_the_tasks_with_passes_in_turn(monkeypatch, campaign):
    cluster, tasks = Cluster("a"), tasks_of(campaign)
    distribute(monkeypatch, cluster, campaign)
    models = campaign.models
    for order, task in zip(cluster.orders, tasks, strict=True):
        assert order.models == [models[row] for row in task.group.members]
        assert (order.rounds, order.seed) == (task.rounds, task.group.seed)
        assert order.shared == (campaign.runtime, campaign.protocol, campaign.workload)
    assert [order.turn for order in cluster.orders] == [0, 1, 0, 0, 1, 0]
    assert len({order.campaign for order in cluster.orders}) == 1
    distribute(monkeypatch, cluster, campaign)
    assert len({order.campaign for order in cluster.orders}) == 2


@pytest.mark.parametrize(
    ("offering", "others", "hosts", "resources"),
    [("ab", "c", "ab", {"timing": 1}), ("", "cd", "cd", None)],
)
def test_hosts_that_offer_to_time_are_preferred(
    monkeypatch, campaign, offering, others, hosts, resources
):
    cluster = Cluster(*offering, others=others)
    distribute(monkeypatch, cluster, campaign)
    assert {host for moment in cluster.together for host in moment} == set(hosts)
    assert all(asked == resources for asked in cluster.resources)


@pytest.mark.parametrize("which", [0, 3])
@pytest.mark.parametrize("n_errors", [1, 2, 3, 99])
def test_a_task_is_tried_three_times(monkeypatch, campaign, which, n_errors):
    tasks, left = tasks_of(campaign), [OSError("lost")] * n_errors

    def answer(order):
        return left.pop() if left and order.seed == tasks[which].group.seed else (BLOCK, [built])

    built = BuildReport("made up")
    cluster = Cluster("a", "b", answer=answer)
    told = dict(distribute(monkeypatch, cluster, campaign))
    assert set(told) == set(tasks)
    failures = told.pop(tasks[which]).failures
    assert len(cluster.orders) == 6 + min(n_errors, 2)
    assert list(failures) == ([0, 1] if n_errors >= 3 else [])
    assert all("failed on 3 hosts: OSError('lost')" in why for why in failures.values())
    assert all(report is built for report in told.values())


def test_the_next_task_calibrates_where_the_first_one_failed(monkeypatch, campaign):
    left = [OSError("lost")]
    cluster = Cluster(
        "a", "b", answer=lambda order: left.pop() if left else (BLOCK, [BuildReport("made up")])
    )
    distribute(monkeypatch, cluster, campaign)
    assert cluster.together[:3] == [["a"], ["a"], ["a", "b"]]
    assert [order.block for order in cluster.orders] == [None, None] + [BLOCK] * 5


def test_a_fleet_that_is_given_up_leaves_nothing_running(monkeypatch, campaign):
    cluster = Cluster("a", "b")
    monkeypatch.setattr(distributed, "wait", cluster.wait)
    told = Fleet(cluster).measure(campaign, tasks_of(campaign))
    next(told)
    next(told)
    told.close()
    assert [future.host for future in cluster.cancelled] == ["b"]
    assert cluster.ran[-1] == (release_host, "ignore")


def test_tasks_of_a_host_that_stays_away_are_taken_back(monkeypatch, campaign):
    now, tasks = [1000.0], tasks_of(campaign)
    monkeypatch.setattr(fleet, "time", SimpleNamespace(monotonic=lambda: now[0]))
    cluster, left = Cluster("a", "b"), deque()
    here, away = Future("a", None), Future("b", None)
    running = {here: ("a", tasks[0]), away: ("b", tasks[1])}
    hosts = Fleet(cluster)
    hosts._give_up_lost_hosts(left, running)
    del cluster.workers["tcp://b"]
    now[0] += fleet.PATIENCE
    hosts._give_up_lost_hosts(left, running)
    assert list(running) == [here, away]
    now[0] += 0.5
    hosts._give_up_lost_hosts(left, running)
    assert (list(running), list(left), cluster.cancelled) == ([here], [tasks[1]], [away])
    cluster.workers.clear()
    running.clear()
    with pytest.raises(MeasurementError, match="lost its last worker"):
        hosts._give_up_lost_hosts(left, running)


@pytest.fixture
def workers(monkeypatch):
    """Measuring processes of a Dask worker that only tell what they are asked."""
    workers = NotedWorkers()
    dask_worker = SimpleNamespace()
    monkeypatch.setattr(fleet, "MeasuringWorker", workers)
    monkeypatch.setattr(distributed, "get_worker", lambda: dask_worker)
    workers.release = lambda: release_host(dask_worker)
    return workers


def asked(workers, name, turn, block=None):
    """What an order makes the processes do, and the block that was used."""
    workers.log.clear()
    models = [Model((5, 5))]
    used, reports = measure_on_host(
        fleet._Order(name, ("runtime", "protocol", "workload"), turn, models, (0, 1), 9, block)
    )
    assert [type(report) for report in reports] == [ProcessReport, BuildReport]
    assert workers.log[-1] == ("measure", workers.log[-1][1], models, (0, 1), 9, used)
    return [event[:2] for event in workers.log], used


def test_a_host_calibrates_unless_it_is_told_the_block(workers):
    first = [("start", 0), ("wait", 0), ("calibrate", 0), ("measure", 0)]
    assert asked(workers, "one", 0) == (first, BLOCK)
    told = [("start", 0), ("wait", 0), ("measure", 0)]
    assert asked(workers, "one", 0, Block(7, 3)) == (told, Block(7, 3))


def test_a_host_keeps_a_process_for_each_turn_of_one_campaign(workers):
    turns = [("one", 0), ("one", 1), ("one", 0), ("one", 1)]
    used = [asked(workers, *turn, BLOCK)[0][-1][1] for turn in turns]
    assert used[0] != used[1]
    assert used[2:] == used[:2]
    other, _ = asked(workers, "other", 0, BLOCK)
    assert other[:2] == [("stop", used[0]), ("stop", used[1])]
    assert other[-1][1] not in used
    workers.log.clear()
    workers.release()
    assert workers.log == [("stop", other[-1][1])]


def test_a_process_that_failed_is_stopped_and_not_used_again(workers):
    workers.fails = True
    with pytest.raises(RuntimeError, match="out of order"):
        asked(workers, "one", 0, BLOCK)
    failed = workers.log[0][1]
    assert workers.log[-1] == ("stop", failed)
    workers.fails = False
    assert asked(workers, "one", 0, BLOCK)[0][0] != ("start", failed)
