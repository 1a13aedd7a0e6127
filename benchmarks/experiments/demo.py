"""Time of ``make demo`` on a fresh clone: first run, with set-up, and second run."""

import subprocess
import tempfile
from pathlib import Path
from time import perf_counter

import click

from benchmarks import _options as options

REPOSITORY = Path(__file__).resolve().parents[2]
#: Maximum seconds of each run.
TARGETS = {"first run, with set-up": 240.0, "second run": 90.0}


@click.command()
@options.save_option("demo")
def demo(save):
    """Time of ``make demo`` on a fresh clone: first run, with set-up, and second run.

    Prints both wall times and their targets. Exits with 1 if a target is missed or a run fails.
    It clones the committed state, and uses both cores for minutes.
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
