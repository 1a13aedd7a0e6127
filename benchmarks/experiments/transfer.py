"""A predictor adapted to another runtime by a few measurements, against those measurements alone.

``python -m benchmarks transfer litert keras onnxruntime`` measures 1,000 architectures on each
runtime; ``--data NAME=FILE`` (repeatable) reads datasets instead. Each is the target in turn, of
which ``-n`` architectures are known (default 30), drawn at random or chosen by
`select_for_transfer`; printed is the MAPE on all others, in per cent, as mean and worst over
``--repeats`` draws: of the pipelines fitted on those few alone, of the laws without a source, and
adapted from each other dataset, whose predictor is fitted on all of it.
"""

import argparse

import numpy as np
import pandas as pd

from fcnn_latency import (
    TransferRegressor,
    load_dataset,
    make_dataset,
    make_latency_pipeline,
    select_for_transfer,
)


def read(arguments):
    """Datasets by name."""
    datasets = {
        name: make_dataset(1000, runtime=name, random_state=seed)
        for seed, name in enumerate(arguments.runtimes)
    }
    for named in arguments.data:
        name, path = named.split("=", 1)
        datasets[name] = load_dataset(path)
    return datasets


def few_of(X, how, n, seed):
    """The rows that are known."""
    order = np.random.RandomState(seed).permutation(len(X))
    if how == "random":
        return order[:n]
    pool = order[:1000]
    return pool[select_for_transfer(X[pool], n, random_state=seed)]


def main() -> None:
    """Choose, fit, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runtimes", nargs="*")
    parser.add_argument("--data", action="append", default=[], metavar="NAME=FILE")
    parser.add_argument("-n", type=int, default=30)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--estimator", action="append", help="pipelines on the few alone")
    parser.add_argument("--source", default="linear", help="pipeline of the sources")
    arguments = parser.parse_args()
    datasets = read(arguments)

    def make(name, dataset):
        return make_latency_pipeline(
            name, space=dataset.space, signal_length=dataset.signal_length, random_state=0
        )

    sources = {
        name: make(arguments.source, dataset).fit(dataset.data, dataset.target)
        for name, dataset in datasets.items()
    }
    for target, dataset in datasets.items():
        X, y = dataset.data, dataset.target
        length = dataset.signal_length
        models = {
            f"{name} alone": make(name, dataset) for name in arguments.estimator or ["linear"]
        }
        models["laws alone"] = TransferRegressor(signal_length=length)
        for name, source in sources.items():
            if name != target:
                models[f"{name} -> {target}"] = TransferRegressor(source, signal_length=length)
        found = []
        for how in ("random", "chosen"):
            for seed in range(arguments.repeats):
                few = few_of(X, how, arguments.n, seed)
                rest = np.setdiff1d(np.arange(len(y)), few)
                for name, model in models.items():
                    error = np.abs(model.fit(X[few], y[few]).predict(X[rest]) / y[rest] - 1)
                    found.append((name, how, 100 * error.mean()))
        table = pd.DataFrame(found, columns=["model", "architectures", "MAPE"])
        table = table.groupby(["model", "architectures"], sort=False)["MAPE"]
        table = table.agg(["mean", "median", "max"]).unstack()
        print(f"\n{target}, {arguments.n} measurements, {arguments.repeats} repeats, MAPE in %")
        print(table.to_string(float_format=lambda value: f"{value:.2f}"), flush=True)


if __name__ == "__main__":
    main()
