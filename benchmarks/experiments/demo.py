"""``make demo`` on a fresh clone of this repository: first run, with set-up, and second run."""

import subprocess
import tempfile
from pathlib import Path
from time import perf_counter

import click

from benchmarks import _options as options

REPOSITORY = Path(__file__).resolve().parents[2]
#: Seconds that a run may take.
TARGETS = {"first run, with set-up": 240.0, "second run": 90.0}


@click.command()
@options.save_option("demo")
def demo(save):
    """``make demo`` on a fresh clone of this repository: first run, with set-up, and second run.

    Prints both wall times beside their targets and exits with 1 where one is missed or a run
    fails. It clones what is committed, and takes both cores for minutes.
    """
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder, "fcnn_latency")
        subprocess.run(["git", "clone", "--quiet", REPOSITORY, clone], check=True)
        for run, target in TARGETS.items():
            start = perf_counter()
            subprocess.run(["make", "demo"], cwd=clone, check=True)
            rows.append({"run": run, "seconds": perf_counter() - start, "target": target})
    options.report("demo", rows, ["run"], save)
    if any(row["seconds"] > row["target"] for row in rows):
        raise SystemExit(1)
