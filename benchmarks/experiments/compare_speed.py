"""Two checkouts side by side: one prediction, a million, the whole default space.

``--against CHECKOUT`` is the other tree. Both run in processes of their own, in turn, so that the
machine's drift hits them alike; what is printed is the median of each and the median of the ratios.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks._results import save_result

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
    """Seconds of each operation in one process of a tree."""
    environment = {**os.environ, "PYTHONPATH": str(tree), "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-c", MEASURED]
    done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def main():
    """Run both in turn and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", required=True, type=Path)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--save", action="store_true")
    given = parser.parse_args()
    here = Path(__file__).resolve().parents[2]
    mine, other = [], []
    for _ in range(given.rounds):
        mine.append(run(here))
        other.append(run(given.against.resolve()))
    mine, other = pd.DataFrame(mine), pd.DataFrame(other)
    table = pd.DataFrame(
        {
            "seconds": mine.median(),
            "seconds_against": other.median(),
            "ratio": np.exp(np.log(mine / other).median()),
        }
    )
    print(table.to_string(float_format=lambda value: f"{value:.4g}"))
    if given.save:
        rows = table.rename_axis("operation").reset_index().to_dict("records")
        save_result("compare_speed", rows, key=["operation"])


if __name__ == "__main__":
    main()
