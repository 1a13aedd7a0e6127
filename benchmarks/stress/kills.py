"""Readings lost and doubled when a campaign is killed at random moments."""

import signal
import sqlite3
import subprocess
import sys
import tempfile
import warnings
from contextlib import closing
from pathlib import Path
from time import sleep

import click
import numpy as np
import psutil

from benchmarks import _options as options
from fcnn_latency import FCNNSpace, MeasurementWarning, make_dataset
from fcnn_latency.measurement import get_protocol
from fcnn_latency.measurement.runtimes import get_runtime


def measure(runtime, n, path):
    """Start or resume the campaign."""
    warnings.simplefilter("ignore", MeasurementWarning)
    architectures = FCNNSpace().sample(n, random_state=0)
    return make_dataset(architectures, runtime=runtime, random_state=0, store=path)


def readings(path):
    """Check the file of the store, and return all its readings."""
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


def kill_one(parent, killed):
    """Kill the campaign or a measuring process, in turn; the latter does not end the campaign."""
    workers = [c for c in parent.children(recursive=True) if "popen_loky" in str(c.cmdline())]
    if killed["worker"] < killed["parent"] and workers:
        workers[killed["worker"] % len(workers)].send_signal(signal.SIGKILL)
        killed["worker"] += 1
        sleep(1.5)
    else:
        parent.send_signal(signal.SIGKILL)
        killed["parent"] += 1


def finished(runtime, n, path, folder):
    """Finish a killed campaign, and compare it with an uninterrupted one."""
    dataset, whole = measure(runtime, n, path), measure(runtime, n, Path(folder, "whole.sqlite"))
    protocol = get_protocol("reliable", get_runtime(runtime).protocol_fields)
    models = dataset.readings[dataset.readings["architecture"] >= 0]
    counts = models.groupby(["architecture", "pass", "round"]).size()
    assert (dataset.data == whole.data).all(), "other architectures"
    return {
        "doubled": int((counts > 1).sum()),
        "missing": n * protocol.passes * protocol.rounds - len(counts),
        "difference": float(np.abs(np.log(dataset.target / whole.target)).mean()),
    }


def kill_campaign(runtime, n, path, rng, killed):
    """Resume a campaign and kill it; return False if it was already finished."""
    command = [sys.executable, "-m", __name__, runtime, str(n), str(path)]
    with subprocess.Popen(command) as run:
        sleep(rng.uniform(1.0, 6.0))
        if run.poll() is not None:
            if run.returncode:
                raise click.ClickException(f"the campaign ended with {run.returncode}")
            return False
        kill_one(psutil.Process(run.pid), killed)
        run.kill()
    return True


@click.command()
@options.runtime_option()
@options.n_option(1000)
@click.option("--kills", "n_kills", default=30, show_default=True)
@options.seed_option()
@options.save_option("kills")
def kills(runtime, n, n_kills, seed, save):
    """Readings lost and doubled when a campaign is killed at random moments.

    Measures architectures into a store. Kills the campaign or one of its measuring processes with
    SIGKILL at a random moment, checks the store, resumes, and repeats. In the end it finishes the
    campaign and compares it with an uninterrupted one. Exits with 1 if a reading is lost, doubled
    or missing.
    """
    rng, killed = np.random.default_rng(seed), {"parent": 0, "worker": 0}
    lost, campaigns = 0, []
    with tempfile.TemporaryDirectory() as folder:
        path, kept = Path(folder, "killed.sqlite"), set()
        while sum(killed.values()) < n_kills:
            if not kill_campaign(runtime, n, path, rng, killed):
                # This campaign is finished: start another one.
                campaigns.append(finished(runtime, n, path, folder))
                path, kept = path.with_name(f"{path.stem}-next.sqlite"), set()
                continue
            now = set(readings(path))
            lost, kept = lost + len(kept - now), now
            click.echo(f"{sum(killed.values())} kills, {len(now)} readings kept, {lost} lost")
        campaigns.append(finished(runtime, n, path, folder))
    row = {"runtime": runtime, "n": n, "campaigns": len(campaigns)}
    row |= {f"kills_of_{what}": number for what, number in killed.items()}
    row |= {"lost": lost}
    row |= {name: sum(one[name] for one in campaigns) for name in ("doubled", "missing")}
    row |= {"difference": float(np.mean([one["difference"] for one in campaigns]))}
    options.report("kills", [row], ["runtime"], save)
    if row["lost"] or row["doubled"] or row["missing"]:
        raise SystemExit(1)


if __name__ == "__main__":
    measure(sys.argv[1], int(sys.argv[2]), sys.argv[3])
