"""The default space as a whole: seconds, memory, counts, and sampling under a budget.

``python -m benchmarks latency_map`` fits the default pipeline to a made-up law, since the time of
a prediction does not depend on what was learnt; ``--data FILE`` fits it to a dataset,
``--estimator NAME`` another one, and ``--intervals`` an interval regressor around it, whose bounds
of 95 % are kept.
"""

import argparse
import resource
from time import perf_counter, process_time

import numpy as np

from fcnn_latency import (
    FCNNSpace,
    IntervalRegressor,
    LatencyMap,
    load_dataset,
    make_latency_pipeline,
)
from fcnn_latency._units import format_seconds
from fcnn_latency.nas._latency_map import LAWS
from fcnn_latency.networks import layer_costs

BUDGET_SHARE, SAMPLED = 0.01, 1000


def made_up():
    """A thousand architectures, and a law."""
    seen = FCNNSpace().sample(1000, random_state=0)
    work = layer_costs(seen, 50)["macs"].sum(axis=1)
    return seen, 1e-7 * (3 + np.count_nonzero(seen, axis=1)) + 1e-11 * work


def megabytes():
    """Most memory that this process ever took."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def timed(call):
    """What a call returns, its seconds, and those that cores worked for it."""
    start, worked = perf_counter(), process_time()
    return call(), perf_counter() - start, process_time() - worked


def main() -> None:
    """Fit, predict everything, count, sample, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data")
    parser.add_argument("--estimator", default="deep")
    parser.add_argument("--intervals", action="store_true")
    arguments = parser.parse_args()
    if arguments.data:
        dataset = load_dataset(arguments.data)
        X, y = dataset.data, dataset.target
    else:
        X, y = made_up()
    model = make_latency_pipeline(arguments.estimator, random_state=0)
    model = (IntervalRegressor(model) if arguments.intervals else model).fit(X, y)
    confidence = 0.95 if arguments.intervals else None
    before = megabytes()
    found, seconds, worked = timed(lambda: LatencyMap.from_estimator(model, confidence=confidence))
    print(f"{found}: {seconds:.2f} s, of all cores {worked:.2f} s")
    print(f"most memory {before:.0f} MB before, {megabytes():.0f} MB after")
    budget = float(found.quantile(BUDGET_SHARE))
    count, seconds, _ = timed(lambda: found.count(budget))
    print(f"up to {format_seconds(budget, 4)}: {count:,}, counted in {1e3 * seconds:.0f} ms")
    for law in LAWS:
        rows, seconds, _ = timed(lambda law=law: found.sample(SAMPLED, budget, law=law))
        depths = np.bincount(np.count_nonzero(rows, axis=1), minlength=6)[2:].tolist()
        again = model.predict_upper(rows, confidence) if confidence else model.predict(rows)
        beyond = np.count_nonzero(again > budget)
        print(
            f"{len(rows)} of them, law {law}: {seconds:.2f} s; of 2 to 5 layers {depths}; "
            f"predicted anew, {beyond} beyond the budget"
        )
    extremes, seconds, _ = timed(lambda: (found.fastest(1), found.slowest(1)))
    print(f"fastest and slowest {np.concatenate(extremes).tolist()}: {seconds:.2f} s")
    print(f"most memory at the end {megabytes():.0f} MB")


if __name__ == "__main__":
    main()
