"""A campaign on the workers of a Dask cluster: real processes, on loopback."""

import multiprocessing
import os
import signal
import threading

import numpy as np
import pytest

from fcnn_latency import MeasurementError, StoreError, load_dataset
from fcnn_latency.measurement import _fleet as fleet
from fcnn_latency.measurement._fleet import Fleet
from fcnn_latency.measurement.machine._environment import describe_environment
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
