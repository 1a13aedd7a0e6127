"""Map of the whole default space: seconds, memory, counts, and sampling in a budget."""

import resource
from time import perf_counter, process_time

import click
import numpy as np

from benchmarks import _options as options
from fcnn_latency import FCNNSpace, IntervalRegressor, LatencyMap, make_latency_pipeline
from fcnn_latency._units import format_seconds
from fcnn_latency.nas._latency_map import DISTRIBUTIONS
from fcnn_latency.networks import layer_costs

BUDGET_SHARE, SAMPLED = 0.01, 1000


def made_up(n, seed):
    """Return random architectures and their made-up latencies."""
    seen = FCNNSpace().sample(n, random_state=seed)
    work = layer_costs(seen, 50)["macs"].sum(axis=1)
    return seen, 1e-7 * (3 + np.count_nonzero(seen, axis=1)) + 1e-11 * work


def most_memory():
    """Return the peak memory of this process in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def timed(call):
    """Return the result of a call, its wall seconds and its CPU seconds."""
    start, worked = perf_counter(), process_time()
    return call(), perf_counter() - start, process_time() - worked


def sampled(found, distribution, budget, predict):
    """Sample within the budget; return seconds and the number of samples over the budget."""
    rows, seconds, _ = timed(lambda: found.sample(SAMPLED, budget, distribution=distribution))
    depths = np.bincount(np.count_nonzero(rows, axis=1), minlength=6)[2:].tolist()
    beyond = int(np.count_nonzero(predict(rows) > budget))
    click.echo(f"{len(rows)} of them, distribution {distribution}: of 2 to 5 layers {depths}")
    return {f"sample_{distribution}_seconds": seconds, f"sample_{distribution}_beyond": beyond}


def explore(model, confidence):
    """Map the space, count and sample; return one row."""

    def predict(rows):
        return model.predict_upper(rows, confidence) if confidence else model.predict(rows)

    before = most_memory()
    found, seconds, worked = timed(lambda: LatencyMap.from_estimator(model, confidence=confidence))
    row = {"map_seconds": seconds, "map_core_seconds": worked}
    row |= {"memory_before": before, "memory_mapped": most_memory()}
    budget = float(found.quantile(BUDGET_SHARE))
    count, row["count_seconds"], _ = timed(lambda: found.count(budget))
    click.echo(f"{found}\nup to {format_seconds(budget, 4)}: {count:,}")
    for distribution in DISTRIBUTIONS:
        row |= sampled(found, distribution, budget, predict)
    extremes, row["extremes_seconds"], _ = timed(lambda: (found.fastest(1), found.slowest(1)))
    click.echo(f"fastest and slowest {np.concatenate(extremes).tolist()}")
    return {**row, "memory_end": most_memory()}


@click.command("latency_map")
@options.data_option()
@options.train_option(1000)
@options.seed_option()
@options.estimators_option(["deep"])
@click.option("--intervals", is_flag=True, help="Keep upper bounds of 95 %.")
@options.save_option("latency_map")
def latency_map(data, train, seed, names, intervals, save):
    """Map of the whole default space: seconds, memory, counts, and sampling in a budget.

    Fits a pipeline to made-up latencies, since the time of a prediction does not depend on the
    labels, or to the first TRAIN labels of --data. The memory is the peak of the process, so run
    one estimator at a time if memory matters.
    """
    if data:
        dataset = options.labels(train, data)
        options.enough(dataset, train)
        X, y = dataset.data[:train], dataset.target[:train]
    else:
        X, y = made_up(train, seed)
    for name in names:
        model = make_latency_pipeline(name, random_state=seed)
        model = (IntervalRegressor(model) if intervals else model).fit(X, y)
        about = {"estimator": name, "intervals": intervals, "n_train": len(X)}
        row = {**about, **explore(model, 0.95 if intervals else None)}
        key = ["estimator", "intervals", "n_train"]
        options.report("latency_map", [row], key, save)
