"""Thirty kills at random moments of a campaign: what is lost, what is doubled.

``python -m benchmarks kills [runtime]`` measures 1,000 architectures into a store, kills the
campaign or one of its measuring processes with SIGKILL at a random moment, checks the store,
resumes, and so on; after 30 kills the campaign is finished and compared with one that nobody has
killed.
"""

import signal
import sqlite3
import subprocess
import sys
import tempfile
import warnings
from contextlib import closing
from pathlib import Path
from time import sleep

import numpy as np
import psutil

from fcnn_latency import FCNNSpace, MeasurementWarning, make_dataset
from fcnn_latency.measurement import get_protocol
from fcnn_latency.measurement.runtimes import get_runtime

N_KILLS, N_ARCHITECTURES = 30, 1000


def measure(runtime: str, path: str | Path):
    """The campaign, begun or resumed."""
    warnings.simplefilter("ignore", MeasurementWarning)
    architectures = FCNNSpace().sample(N_ARCHITECTURES, random_state=0)
    return make_dataset(architectures, runtime=runtime, random_state=0, store=path)


def readings(path: Path) -> list[tuple[object, ...]]:
    """Every reading that the store holds, after a check of the file."""
    if not path.exists():
        return []
    with closing(sqlite3.connect(path)) as connection:
        (verdict,) = connection.execute("PRAGMA integrity_check").fetchone()
        assert verdict == "ok", verdict
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'reading'").fetchall():
            return []
        return connection.execute(
            "SELECT round, place, architecture, seconds FROM reading"
        ).fetchall()


def main() -> None:
    """Kill, resume, compare."""
    runtime = sys.argv[1] if len(sys.argv) > 1 else "litert"
    if len(sys.argv) > 2:
        measure(runtime, sys.argv[2])
        return
    rng = np.random.default_rng(0)
    killed = {"parent": 0, "worker": 0}
    with tempfile.TemporaryDirectory() as folder:
        path, kept = Path(folder, "killed.sqlite"), set()
        while sum(killed.values()) < N_KILLS:
            with subprocess.Popen([sys.executable, __file__, runtime, str(path)]) as run:
                sleep(rng.uniform(1.0, 6.0))
                if run.poll() is not None:  # finished: go on with another campaign
                    check_finished(runtime, path, folder)
                    path, kept = path.with_name(f"{path.stem}-next.sqlite"), set()
                    continue
                kill_one(psutil.Process(run.pid), killed)
                run.kill()
            now = set(readings(path))
            assert kept <= now, "a reading is lost"
            kept = now
            print(f"{sum(killed.values())} kills, {len(now)} readings kept", flush=True)
        check_finished(runtime, path, folder)
    print(f"killed: {killed}; no reading lost, none doubled, every file intact")


def check_finished(runtime: str, path: Path, folder: str) -> None:
    """Finish a campaign that was killed, and compare it with one that nobody has killed."""
    dataset, whole = measure(runtime, path), measure(runtime, Path(folder, "whole.sqlite"))
    protocol = get_protocol("reliable", get_runtime(runtime).protocol_fields)
    models = dataset.readings[dataset.readings["architecture"] >= 0]
    counts = models.groupby(["architecture", "pass", "round"]).size()
    assert (counts == 1).all(), "a reading is doubled"
    assert len(counts) == N_ARCHITECTURES * protocol.passes * protocol.rounds
    assert (dataset.data == whole.data).all()
    apart = np.abs(np.log(dataset.target / whole.target)).mean()
    print(f"resumed against uninterrupted: same architectures and order, {100 * apart:.2f} % apart")


def kill_one(parent: psutil.Process, killed: dict[str, int]) -> None:
    """Kill the campaign or a measuring process, in turns; the campaign goes on after the latter."""
    workers = [c for c in parent.children(recursive=True) if "popen_loky" in str(c.cmdline())]
    if killed["worker"] < killed["parent"] and workers:
        workers[killed["worker"] % len(workers)].send_signal(signal.SIGKILL)
        killed["worker"] += 1
        sleep(1.5)
    else:
        parent.send_signal(signal.SIGKILL)
        killed["parent"] += 1


if __name__ == "__main__":
    main()
