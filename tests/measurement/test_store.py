"""The file that holds every reading: what is kept, what is refused."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from time import sleep

import numpy as np
import pandas as pd
import psutil
import pytest

from fcnn_latency import (
    MeasurementError,
    MeasurementProtocol,
    StoreError,
    load_dataset,
    save_dataset,
)
from fcnn_latency.measurement import _store_file as store_module
from fcnn_latency.measurement._store import Store
from fcnn_latency.measurement.machine import _lock as lock
from helpers import TESTS
from helpers.short_campaigns import ARCHITECTURES, SHORT, NumPyRuntime, assert_read_once, measure


class ForbiddenRuntime(NumPyRuntime):
    """Must not be used any more."""

    def prepare(self, widths, inputs, seed):
        """Refuse."""
        raise AssertionError("measured again")


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    path = tmp_path_factory.mktemp("store") / "latencies.sqlite"
    return path, measure(path)


@pytest.fixture
def path(measured, tmp_path):
    """A copy of a measured store."""
    return shutil.copy(measured[0], tmp_path / "latencies.sqlite")


def integrity(path):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("PRAGMA integrity_check").fetchone()[0]


def test_store_gives_back_what_was_measured(measured):
    path, dataset = measured
    loaded = load_dataset(path)
    pd.testing.assert_frame_equal(loaded.frame, dataset.frame)
    pd.testing.assert_frame_equal(loaded.readings, dataset.readings)
    assert loaded.DESCR == dataset.DESCR
    assert loaded.scale == dataset.scale
    assert loaded.space == dataset.space
    assert (dataset.frame["first_call"] > 0).all()


def test_every_reading_is_there_once(measured):
    assert_read_once(measured[1])


def test_the_same_call_measures_nothing_again(path):
    again = measure(path, ForbiddenRuntime())
    assert len(load_dataset(path).readings) == len(again.readings)


def test_raw_labels_are_the_seconds_that_were_read(measured):
    path, dataset = measured
    raw = load_dataset(path, corrected=False)
    models = dataset.readings[dataset.readings["architecture"] >= 0]
    lowest = models.groupby(["architecture", "pass"])["seconds"].min().unstack()
    assert raw.scale is None
    # Of three rounds the lowest third is one.
    np.testing.assert_allclose(raw.frame[["pass_1", "pass_2"]], lowest)


def test_measuring_time_is_kept(measured, tmp_path):
    path, dataset = measured
    assert dataset.measuring_time > 0
    assert "Measuring took" in dataset.DESCR
    save_dataset(dataset, tmp_path / "latencies.csv")
    for file in (path, tmp_path / "latencies.csv"):
        assert load_dataset(file).measuring_time == pytest.approx(dataset.measuring_time)


def test_export_as_table(path, tmp_path):
    save_dataset(load_dataset(path), tmp_path / "latencies.csv")
    table = load_dataset(tmp_path / "latencies.csv")
    pd.testing.assert_frame_equal(table.frame, load_dataset(path).frame)


def execute(path, sql):
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(sql)


def test_campaigns_measured_alike_are_pooled(path):
    measure(path, random_state=1)
    # This machine may have changed its speed meanwhile.
    execute(path, "UPDATE campaign SET scale = (SELECT scale FROM campaign WHERE id = 1)")
    pooled = load_dataset(path)
    assert len(pooled.data) == 2 * len(ARCHITECTURES)
    chosen = load_dataset(path, campaigns=pooled.readings["campaign"].unique()[1:])
    assert len(chosen.data) == len(ARCHITECTURES)
    execute(path, "UPDATE campaign SET scale = json_set(scale, '$.reference_latency', id)")
    with pytest.raises(StoreError, match=r"scale .*: 1 and 2"):
        load_dataset(path)


def test_refined_campaign_gets_further_passes_and_keeps_its_readings(path):
    before = load_dataset(path)
    refined = measure(path, target_error=1e-9)
    assert len(load_dataset(path, campaigns=[1]).data) == len(before.data)
    passes = refined.frame.filter(like="pass_")
    assert passes.shape[1] == SHORT.max_passes
    assert refined.protocol["target_error"] == 1e-9
    kept = refined.readings[refined.readings["pass"] < SHORT.passes]
    assert kept["seconds"].tolist() == before.readings["seconds"].tolist()


class FlakyRuntime(NumPyRuntime):
    """Fails while a file is there."""

    def __init__(self, file):
        self.file = file

    def prepare(self, widths, inputs, seed):
        """Fail on one input width, or multiply."""
        if widths[0] == ARCHITECTURES[0][0] and os.path.exists(self.file):
            raise OSError("passing trouble")
        return super().prepare(widths, inputs, seed)


def test_what_failed_is_tried_again(tmp_path):
    path, trouble = tmp_path / "latencies.sqlite", tmp_path / "trouble"
    trouble.touch()
    first = measure(path, FlakyRuntime(str(trouble)))
    assert first.missing["reason"].str.contains("passing trouble").all()
    assert "Missing: " in load_dataset(path).DESCR
    trouble.unlink()
    second = measure(path, FlakyRuntime(str(trouble)))
    assert len(second.data) == len(ARCHITECTURES)
    assert_read_once(second)


def test_finished_campaign_needs_no_machine(path, tmp_path, monkeypatch):
    monkeypatch.setattr(lock, "timing_lock_file", lambda: tmp_path / "lock" / "timing.lock")
    with lock.timing_lock(wait=False):
        assert len(measure(path, wait=False).data) == len(ARCHITECTURES)
        with pytest.raises(MeasurementError, match="Another campaign"):
            measure(path, wait=False, random_state=1)


@pytest.mark.parametrize("name", ["latencies.csv", "latencies", ":memory:", ""])
def test_names_that_could_not_be_read_again_are_refused(tmp_path, name):
    with pytest.raises(StoreError, match=r"ends in .sqlite"):
        measure(tmp_path / name)


def test_campaigns_measured_otherwise_are_not_pooled(path):
    measure(path, protocol=MeasurementProtocol("other", rounds=4, group_size=4))
    with pytest.raises(StoreError, match=r"protocol's rounds: 3 and 4"):
        load_dataset(path)
    with pytest.raises(ValueError, match=r"no campaigns \[7\]. Those that there are: \[1, 2\]"):
        load_dataset(path, campaigns=[7])
    with pytest.raises(ValueError, match="no campaign of runtime 'keras'"):
        load_dataset(path, runtime="keras")


def test_another_machine_does_not_resume(path):
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "UPDATE process SET environment = json_set(environment, '$.cpu', 'another')"
        )
    with pytest.raises(StoreError, match=r"cpu: 'another' and"):
        measure(path)
    assert integrity(path) == "ok"


def test_other_programs_files_are_refused_and_left_alone(tmp_path):
    database, text = tmp_path / "other.sqlite", tmp_path / "text.sqlite"
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("CREATE TABLE mine (a)")
    text.write_text("no database at all, and long enough to see that" * 30)
    for file, message in ((database, "no store"), (text, "not a database")):
        before = file.read_bytes()
        for read in (measure, load_dataset):
            with pytest.raises(StoreError, match=message):
                read(file)
        assert file.read_bytes() == before


def test_newer_schema_is_refused(path):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {store_module.SCHEMA_VERSION + 1}")
    for read in (measure, load_dataset):
        with pytest.raises(StoreError, match="update fcnn_latency"):
            read(path)


def test_second_writer_is_refused_and_readers_are_not(path):
    with Store(path):
        with pytest.raises(StoreError, match="being written by another process"):
            measure(path)
        assert len(load_dataset(path).data) == len(ARCHITECTURES)


FULL = """
import resource, sys
from fcnn_latency import StoreError
sys.path.insert(0, {tests!r})
from helpers.short_campaigns import measure
path = {path!r}
size = __import__("os").path.getsize(path)
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 4096 * 4, resource.RLIM_INFINITY))
try:
    measure(path, random_state=5)
except StoreError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no limit of file sizes there")
def test_full_disk_is_said_and_the_store_stays_intact(path):
    code = FULL.format(tests=TESTS, path=str(path))
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "cannot be used as a store" in run.stdout, run.stderr
    assert integrity(path) == "ok"
    assert len(load_dataset(path, campaigns=[1]).data) == len(ARCHITECTURES)


def test_unwritable_folder_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written"):
        measure(tmp_path / "file" / "latencies.sqlite")


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="permissions of POSIX")
def test_read_only_file_is_said(path):
    code = f"""
import os, sys
sys.path.insert(0, {TESTS!r})
from helpers.short_campaigns import measure
from fcnn_latency import StoreError
os.chmod({str(path)!r}, 0o444)
real = os.access
os.access = lambda file, mode: False if mode == os.W_OK else real(file, mode)
try:
    measure({str(path)!r})
except StoreError as error:
    print(error)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "read-only" in run.stdout, run.stderr


RESUMED = """
import sys, warnings
warnings.simplefilter("ignore")
sys.path.insert(0, {tests!r})
from helpers.short_campaigns import measure
measure({path!r})
"""


def test_killed_campaigns_resume_where_they_were(measured, tmp_path):
    """Kill the parent or a measuring process at random moments, resume, compare."""
    path, rng = tmp_path / "killed.sqlite", np.random.default_rng(0)
    code = RESUMED.format(tests=TESTS, path=str(path))
    kept = 0
    for kill in range(6):
        with subprocess.Popen([sys.executable, "-c", code]) as run:
            sleep(rng.uniform(1.5, 3.5))
            parent = psutil.Process(run.pid)
            victims = [parent] if kill % 2 else parent.children(recursive=True)
            for victim in victims[:1]:
                victim.send_signal(signal.SIGKILL)
        if path.exists():
            assert integrity(path) == "ok"
            with closing(sqlite3.connect(path)) as connection:
                (count,) = connection.execute(
                    "SELECT count(*) FROM sqlite_master WHERE name = 'reading'"
                ).fetchone()
                if count:
                    (readings,) = connection.execute("SELECT count(*) FROM reading").fetchone()
                    assert readings >= kept
                    kept = readings
    finished = measure(path)
    assert_read_once(finished)
    assert finished.data.tolist() == measured[1].data.tolist()
    assert not len(finished.missing)
