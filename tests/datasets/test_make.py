"""Datasets, measured on this machine and fetched."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
import warnings
from contextlib import closing
from time import monotonic, sleep
from typing import ClassVar

import numpy as np
import pandas as pd
import psutil
import pytest

from fcnn_latency import (
    FCNNSpace,
    MeasurementError,
    MeasurementProtocol,
    MeasurementWarning,
    load_dataset,
    make_dataset,
    make_latency_pipeline,
    save_dataset,
)
from fcnn_latency.measurement.runtimes._base import Runtime


class PickyRuntime(Runtime):
    """Runs a NumPy product, but refuses one width."""

    name: ClassVar[str] = "picky"

    def __init__(self, refused):
        self.refused = refused

    def prepare(self, widths, inputs, seed):
        """Refuse, or multiply."""
        if widths[0] == self.refused:
            msg = "no such width"
            raise ValueError(msg)
        kernel = np.ones((widths[0], widths[1]), dtype=np.float32)
        return lambda: inputs @ kernel


SHORT = MeasurementProtocol("short", passes=1, processes=1, rounds=2)


def test_measured_dataset_is_complete_and_repeatable(tmp_path):
    rows = [[14, 21, 31, 14], [41, 41], [2, 10, 18, 40, 2]]
    dataset = make_dataset(rows, runtime="litert", random_state=0)
    assert dataset.data.tolist()[1] == [41, 41, 0, 0, 0]
    assert np.isfinite(dataset.frame.to_numpy()).all()
    assert dataset.target[1] == dataset.target.min()
    assert (dataset.target_std > 0).all()
    assert np.isfinite(dataset.noise_floor)  # how large depends on what else the machine does
    path, _ = save_dataset(dataset, tmp_path / "latencies.csv")
    loaded = load_dataset(path)
    pd.testing.assert_frame_equal(loaded.frame, dataset.frame)
    assert loaded.noise_floor == pytest.approx(dataset.noise_floor)


def test_failing_architecture_is_named_and_the_others_kept():
    with pytest.warns(MeasurementWarning, match=r"\(7, 7\).*no such width"):
        dataset = make_dataset([[5, 5], [7, 7], [9, 9]], runtime=PickyRuntime(7), protocol=SHORT)
    assert dataset.data[:, 0].tolist() == [5, 9]
    assert dataset.missing.index.tolist() == [1]


class DeadlyRuntime(PickyRuntime):
    """Kills its process on one width."""

    name: ClassVar[str] = "deadly"

    def prepare(self, widths, inputs, seed):
        """Die, or multiply."""
        if widths[0] == self.refused:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().prepare(widths, inputs, seed)


def test_architecture_that_kills_the_process_is_found_and_the_others_kept():
    with pytest.warns(MeasurementWarning, match=r"\(7, 7\).*died twice"):
        dataset = make_dataset([[5, 5], [7, 7], [9, 9]], runtime=DeadlyRuntime(7), protocol=SHORT)
    assert dataset.data[:, 0].tolist() == [5, 9]


INTERRUPTED = """
import signal
import warnings
from fcnn_latency import MeasurementProtocol, make_dataset
# Tests that run in the background of a shell ignore Ctrl-C, and so would this process.
signal.signal(signal.SIGINT, signal.default_int_handler)
warnings.simplefilter("ignore")
protocol = MeasurementProtocol("short", group_size=5, rounds=2)
dataset = make_dataset(2000, protocol=protocol, random_state=0, verbose=1)
print(dataset.interrupted, len(dataset.data), len(dataset.missing))
"""


def test_ctrl_c_keeps_what_is_complete():
    run = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    shown = b""
    while not re.search(rb"[1-9]\d+/4000", shown):
        read = os.read(run.stderr.fileno(), 4096)
        assert read, shown.decode()
        shown += read
    os.killpg(run.pid, signal.SIGINT)
    try:
        output, _ = run.communicate()
    finally:  # it would hold the machine's lock
        run.kill()
    interrupted, kept, missing = output.split()
    assert interrupted == b"True"
    assert int(kept) > 0
    assert int(kept) + int(missing) == 2000


class QuittingRuntime(PickyRuntime):
    """Asks Python to end on one width."""

    name: ClassVar[str] = "quitting"

    def prepare(self, widths, inputs, seed):
        """Quit, or multiply."""
        if widths[0] == self.refused:
            sys.exit(3)
        return super().prepare(widths, inputs, seed)


def test_architecture_that_quits_is_named_and_the_others_kept():
    with pytest.warns(MeasurementWarning, match=r"\(7, 7\).*SystemExit: 3"):
        dataset = make_dataset([[5, 5], [7, 7], [9, 9]], runtime=QuittingRuntime(7), protocol=SHORT)
    assert dataset.data[:, 0].tolist() == [5, 9]
    assert not dataset.interrupted


ORPHANED = """
import os, signal
import psutil
from fcnn_latency import make_dataset
from fcnn_latency.measurement import _campaign as campaign
def kill(*arguments):
    print(*(child.pid for child in psutil.Process().children()), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
campaign.Campaign.add = kill
make_dataset(200, runtime="litert", random_state=0)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends them with their parent")
def test_no_process_outlives_a_killed_parent():
    with subprocess.Popen(
        [sys.executable, "-c", ORPHANED], stdout=subprocess.PIPE, text=True
    ) as run:
        children = [int(pid) for pid in run.stdout.readline().split()]
    assert children
    deadline = monotonic() + 120
    while any(map(psutil.pid_exists, children)):
        assert monotonic() < deadline
        sleep(0.1)


class TiringRuntime(PickyRuntime):
    """The first `n_tired` instances of the reference work for some calls and then no more."""

    name: ClassVar[str] = "tiring"

    def __init__(self, n_tired):
        super().__init__(0)
        self.n_tired, self.n_references = n_tired, 0

    def prepare(self, widths, inputs, seed):
        """Multiply, some times."""
        infer, left = super().prepare(widths, inputs, seed), [None] * 10
        self.n_references += widths[0] == 25
        tired = widths[0] == 25 and self.n_references <= self.n_tired

        def tiring():
            if tired:
                left.pop()
            return infer()

        return tiring


TIRING = MeasurementProtocol(
    "short", samples_per_block=5, calls_per_sample=1, reference_every=2, rounds=4
)


def test_instance_of_the_reference_that_fails_is_told_and_costs_its_readings_only():
    with pytest.warns(MeasurementWarning, match=r"1 instance\(s\) of the reference .*IndexError"):
        dataset = make_dataset([[5, 5], [9, 9]], runtime=TiringRuntime(1), protocol=TIRING)
    assert not len(dataset.missing)


def test_no_instance_of_the_reference_left_is_an_error():
    with pytest.raises(MeasurementError, match="reference architecture"):
        make_dataset([[5, 5], [9, 9]], runtime=TiringRuntime(3), protocol=TIRING)


def test_warning_raised_as_error_carries_the_dataset():
    with warnings.catch_warnings():
        warnings.simplefilter("error", MeasurementWarning)
        with pytest.raises(MeasurementWarning, match="no such width") as raised:
            make_dataset([[5, 5], [7, 7]], runtime=PickyRuntime(7))
    assert raised.value.dataset.data[:, 0].tolist() == [5]


@pytest.mark.parametrize(("target", "n_passes"), [(1e-9, 4), (1e3, 2)])
def test_passes_are_added_where_the_error_is_large(target, n_passes):
    protocol = MeasurementProtocol("short", rounds=2, max_passes=4)
    dataset = make_dataset(
        12, runtime=PickyRuntime(0), protocol=protocol, target_error=target, random_state=0
    )
    passes = dataset.frame.filter(like="pass_")
    assert passes.shape[1] == n_passes
    assert passes.notna().to_numpy().all()
    assert len(dataset.data) == 12


class LeakingRuntime(PickyRuntime):
    """Keeps a megabyte of every model."""

    name: ClassVar[str] = "leaking"
    kept: ClassVar[list] = []

    def prepare(self, widths, inputs, seed):
        """Keep, and multiply."""
        self.kept.append(np.ones(125_000))
        return super().prepare(widths, inputs, seed)


@pytest.mark.parametrize(
    "limit",
    [{"models_per_worker": 4}, {"worker_growth_bytes": 2_000_000}],
    ids=["count", "memory"],
)
def test_measuring_processes_are_replaced(limit):
    protocol = MeasurementProtocol("short", rounds=2, group_size=4, **limit)
    dataset = make_dataset(12, runtime=LeakingRuntime(0), protocol=protocol, random_state=0)
    assert dataset.readings["process"].nunique() > 2
    assert not len(dataset.missing)


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="no pinning there")
def test_models_are_timed_on_one_core():
    assert len(make_dataset([[5, 5]], runtime=PickyRuntime(0)).environment["affinity"]) == 1


def test_wide_spaces_are_measured_and_predicted():
    space = FCNNSpace(max_layers=10, max_width=1024)
    dataset = make_dataset(8, space=space, runtime="litert", protocol="quick", random_state=0)
    assert dataset.target.max() / dataset.target.min() > 10  # arithmetic, not overhead
    model = make_latency_pipeline("flops", space=space).fit(dataset.data, dataset.target)
    assert np.isfinite(model.predict(space.sample(5, random_state=1))).all()


def test_failing_reference_is_an_error():
    with pytest.raises(MeasurementError, match="reference architecture"):
        make_dataset([[5, 5]], runtime=PickyRuntime(25))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"runtime": "tensorflow"}, "Unknown runtime 'tensorflow'. Valid ones: .*keras"),
        ({"protocol": "fast"}, "Unknown protocol 'fast'. Valid ones: .*paper.*reliable"),
        ({"architectures": 0}, "at least 1"),
        ({"wait": "yes"}, r"wait must be True or False. Got 'yes'"),
        ({"verbose": 3}, r"verbose must be True, False, 0, 1 or 2. Got 3"),
        ({"verbose": "loud"}, r"verbose must be .* Got 'loud'"),
        ({"random_state": -1}, r"random_state must be a whole number from 0 to 4294967295"),
        ({"random_state": 1.5}, r"random_state must be .* Got 1.5"),
        ({"store": 3}, r"store must be a path or None. Got 3"),
        ({"target_error": 10**400}, r"target_error must be a finite number above 0"),
        ({"target_error": True}, r"target_error must be a finite number above 0. Got True"),
        ({"client": 3}, r"client must be a distributed.Client or None. Got 3"),
        ({"scale": "world"}, r"scale must be one of \['machine', 'campaign'\]"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        make_dataset(**{"architectures": 2, **arguments})


def test_parquet_holds_what_csv_holds(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text("layer_1,layer_2,latency\n5,5,1e-6\n7,7,2e-6\n")
    dataset = load_dataset(path)
    save_dataset(dataset, tmp_path / "own.parquet")
    again = load_dataset(tmp_path / "own.parquet")
    pd.testing.assert_frame_equal(again.frame, dataset.frame)
    assert again.space == dataset.space


def test_own_table_without_passes_is_read(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text("layer_1,layer_2,latency\n5,5,1e-6\n7,7,2e-6\n")
    dataset = load_dataset(path)
    assert dataset.target.tolist() == [1e-6, 2e-6]
    assert dataset.noise_floor is None
    assert dataset.target_std is None
    assert "latency_std" not in dataset.frame


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("layer_1,layer_2\n5,5\n", "columns layer_1 to layer_k and latency"),
        ("layer_1,layer_2,latency\n5,5,-1\n", "row 0: latency"),
        ("layer_1,layer_2,latency,pass_1,pass_2\n5,5,1,2,2\n", "not of its pass_ columns"),
    ],
)
def test_wrong_tables_are_refused(tmp_path, table, message):
    path = tmp_path / "own.csv"
    path.write_text(table)
    with pytest.raises(ValueError, match=message):
        load_dataset(path)


@pytest.mark.parametrize("given", [{"samples_per_block": 7}, {"calls_per_sample": 3}])
def test_blocks_are_calibrated_where_no_reference_is_read(given):
    protocol = MeasurementProtocol("short", passes=1, rounds=2, reference_every=0, **given)
    dataset = make_dataset([[5, 5]], runtime=PickyRuntime(0), protocol=protocol)
    assert dataset.target[0] > 0


def test_numpy_numbers_are_settings_too():
    dataset = make_dataset(
        [[5, 5]], runtime=PickyRuntime(0), protocol="quick", target_error=np.float32(0.5)
    )
    assert dataset.protocol["target_error"] == 0.5


class Leaving(PickyRuntime):
    """A runtime whose import ends the program."""

    def load(self):
        raise SystemExit(3)


def test_a_runtime_that_exits_does_not_end_the_program():
    with pytest.raises(MeasurementError, match="did not load"):
        make_dataset([[5, 5]], runtime=Leaving(0))


def test_a_campaign_without_a_scale_gets_one(tmp_path):
    """As after a kill between the last reading and the scale."""
    settings = {"runtime": PickyRuntime(0), "protocol": "quick", "random_state": 0}
    settings["store"] = tmp_path / "readings.sqlite"
    make_dataset([[5, 5]], **settings)
    with closing(sqlite3.connect(settings["store"])) as connection, connection:
        connection.execute("UPDATE campaign SET scale = NULL")
    assert make_dataset([[5, 5]], **settings).scale is not None
    with closing(sqlite3.connect(settings["store"])) as connection:
        assert connection.execute("SELECT scale FROM campaign").fetchone()[0] is not None
