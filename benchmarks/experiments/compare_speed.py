"""Speed of two checkouts: one prediction, a million, and the whole default space."""

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import numpy as np
import pandas as pd

from benchmarks import _options as options

MEASURED = """
import json, warnings
from statistics import median
from time import perf_counter
import numpy as np
from fcnn_latency import FCNNSpace, LatencyMap, make_latency_pipeline

def seconds(call, repeats):
    call()
    elapsed = []
    for _ in range(repeats):
        start = perf_counter()
        call()
        elapsed.append(perf_counter() - start)
    return median(elapsed)

space = FCNNSpace()
seen = space.sample(1000, random_state=0)
pipeline = make_latency_pipeline(random_state=0).fit(seen, 1e-7 + 1e-9 * seen.sum(axis=1))
encoder, model = pipeline[:-1], pipeline[-1]
one = encoder.transform(seen[:1])
many = space.sample(1_000_000, random_state=1, unique=False)
encoded = encoder.transform(many)
print(json.dumps({
    "one encoded": seconds(lambda: model.predict(one), 2000),
    "one from widths": seconds(lambda: pipeline.predict(seen[:1]), 500),
    "a million encoded": seconds(lambda: model.predict(encoded), 5),
    "a million from widths": seconds(lambda: pipeline.predict(many), 5),
    "default space, mapped": seconds(lambda: LatencyMap.from_estimator(pipeline), 2),
}))
"""


def run(tree):
    """Return the seconds of each operation, measured in one process of a tree."""
    environment = {**os.environ, "PYTHONPATH": str(tree), "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-c", MEASURED]
    done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


@click.command("compare_speed")
@click.option(
    "--against",
    required=True,
    type=click.Path(exists=True, file_okay=False, resolve_path=True, path_type=Path),
    help="The other tree.",
)
@options.repeats_option(4, "Turns.")
@options.save_option("compare_speed")
def compare_speed(against, repeats, save):
    """Speed of two checkouts: one prediction, a million, and the whole default space.

    Both run in separate processes, in turn, so that drift of the machine affects both equally.
    Prints the median seconds of each and the median of the ratios.
    """
    here = Path(__file__).resolve().parents[2]
    mine, other = [], []
    for _ in range(repeats):
        mine.append(run(here))
        other.append(run(against))
    mine, other = pd.DataFrame(mine), pd.DataFrame(other)
    table = pd.DataFrame(
        {
            "seconds": mine.median(),
            "seconds_against": other.median(),
            "ratio": np.exp(np.log(mine / other).median()),
        }
    )
    rows = table.rename_axis("operation").reset_index().to_dict("records")
    options.report("compare_speed", rows, ["operation"], save)
