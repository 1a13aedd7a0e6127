"""Agreement of two campaigns over the same architectures, in separate processes and orders."""

import os
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from time import perf_counter

import click
import numpy as np

from benchmarks import _options as options
from fcnn_latency import MeasurementWarning, load_dataset, make_dataset
from fcnn_latency.measurement import RUNTIMES

#: Maximum number of architectures for slow runtimes.
FEWER = {"keras-predict": 60}


def measure(runtime, protocol, space, n, seed, path):
    """Measure into a store, and save the wall time per architecture."""
    warnings.simplefilter("ignore", MeasurementWarning)
    architectures = options.SPACES[space].sample(n, random_state=0)
    start = perf_counter()
    dataset = make_dataset(
        architectures,
        space=options.SPACES[space],
        runtime=runtime,
        protocol=protocol,
        random_state=seed,
        store=path,
    )
    cost = (perf_counter() - start) / len(dataset.data)
    Path(path).with_suffix(".cost").write_text(str(cost), encoding="utf-8")


def agreement(runtime, protocol, space, n, folder):
    """Run both campaigns and return how well they agree."""
    paths = [Path(folder) / f"{runtime}-{protocol}-{seed}.sqlite" for seed in (1, 2)]
    for seed, path in enumerate(paths, start=1):
        arguments = [runtime, protocol, space, str(n), str(seed), str(path)]
        subprocess.run([sys.executable, "-m", __name__, *arguments], check=True)
    datasets = [load_dataset(path) for path in paths]
    first, second = (dataset.target for dataset in datasets)
    ratio = second / first
    costs = [float(path.with_suffix(".cost").read_text("utf-8")) for path in paths]
    for dataset in datasets:
        if dataset.reliability is not None:
            for warning in dataset.reliability.warnings(runtime):
                click.echo(f"    {warning}")
    return {
        "runtime": runtime,
        "protocol": protocol,
        "space": space,
        "n": n,
        "mean_latency": float(first.mean()),
        "r": float(np.corrcoef(first, second)[0, 1]),
        "mape": float(np.mean(np.abs(ratio - 1))),
        "mape_aligned": float(np.mean(np.abs(ratio / np.median(ratio) - 1))),
        "noise_floor": datasets[0].noise_floor,
        "wall_time": float(np.mean(costs)),
    }


@click.command()
@options.runtimes_option()
@options.space_option()
@options.n_option(200)
@options.protocol_option()
@options.save_option("retest")
def retest(n, protocol, space, runtimes, save):
    """Agreement of labels between two campaigns, and the wall time per architecture.

    The two campaigns share a temporary folder, so the reference latencies of this machine are
    measured again.
    """
    with tempfile.TemporaryDirectory() as folder:
        os.environ["FCNN_LATENCY_HOME"] = folder
        for runtime in runtimes or list(RUNTIMES):
            found = agreement(runtime, protocol, space, min(n, FEWER.get(runtime, n)), folder)
            options.report("retest", [found], ["runtime", "protocol", "space"], save)


if __name__ == "__main__":
    name, how, where, count, order, store = sys.argv[1:]
    measure(name, how, where, int(count), int(order), store)
