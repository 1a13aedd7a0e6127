"""Adapting a predictor to another runtime with few measurements, against these alone."""

import click
import numpy as np
import pandas as pd

from benchmarks import _options as options
from benchmarks._tables import labels_of
from fcnn_latency import TransferRegressor, make_latency_pipeline, select_for_transfer

COLUMNS = ("target", "architectures", "model", "mape", "mape_median", "mape_max")


def read(runtimes, n, files, space, seed):
    """Return datasets by name."""
    about = {"space": space}
    datasets = {
        labels_of({"runtime": name, **about}): options.labels(
            n, runtime=name, seed=seed + turn, **about
        )
        for turn, name in enumerate(runtimes)
    }
    for named in files:
        name, found, path = named.partition("=")
        if not found:
            raise click.UsageError(f"--data is NAME=FILE, not {named!r}")
        datasets[name] = options.labels(n, path)
    return datasets


def few_of(X, how, n, seed):
    """Return the rows that are known."""
    order = np.random.RandomState(seed).permutation(len(X))
    if how == "random":
        return order[:n]
    pool = order[:1000]
    return pool[select_for_transfer(X[pool], n, random_state=seed)]


def pipeline(name, dataset):
    """Return a pipeline for the architectures of a dataset."""
    about = {"space": dataset.space, "signal_length": dataset.signal_length}
    return make_latency_pipeline(name, **about, random_state=0)


def models_for(target, datasets, names, sources):
    """Return the models to compare on a target, by name."""
    length = datasets[target].signal_length
    models = {f"{name} alone": pipeline(name, datasets[target]) for name in names}
    models["laws alone"] = TransferRegressor(signal_length=length)
    for name, source in sources.items():
        if name != target:
            models[f"from {name}"] = TransferRegressor(source, signal_length=length)
    return models


def errors(dataset, models, train, seeds):
    """Return the MAPE of each model on unknown rows, by the choice of known rows."""
    X, y, found = dataset.data, dataset.target, []
    for how in ("random", "chosen"):
        for seed in seeds:
            few = few_of(X, how, train, seed)
            rest = np.setdiff1d(np.arange(len(y)), few)
            for name, model in models.items():
                error = np.abs(model.fit(X[few], y[few]).predict(X[rest]) / y[rest] - 1)
                found.append((how, name, error.mean()))
    table = pd.DataFrame(found, columns=["architectures", "model", "error"])
    grouped = table.groupby(["architectures", "model"], sort=False)["error"]
    found = grouped.agg(mape="mean", mape_median="median", mape_max="max")
    return found.reset_index().to_dict("records")


@click.command()
@options.runtimes_option(about="Measured now; repeat for several.")
@options.space_option()
@click.option("-n", default=1000, show_default=True, help="Architectures of each runtime.")
@click.option("--data", "files", multiple=True, metavar="NAME=FILE", help="Repeat for several.")
@options.train_option(30, "Measurements of the target.")
@options.repeats_option(20, "Draws.")
@options.seed_option()
@options.estimators_option(["linear"], "On the few alone; repeat for several.")
@click.option("--source", default="linear", show_default=True, help="Pipeline of the sources.")
@options.save_option("transfer")
def transfer(runtimes, space, n, files, train, repeats, seed, names, source, save):
    """Adapting a predictor to another runtime with few measurements, against these alone.

    Each dataset, measured now or loaded, is the target in turn. TRAIN of its architectures are
    known, drawn at random or chosen by `select_for_transfer`. Prints the MAPE on all others over
    the draws, for pipelines fitted on these few alone, for the laws without a source, and for
    predictors fitted on all of another dataset and adapted.
    """
    datasets = read(runtimes, n, files, space, seed)
    if len(datasets) < 2:
        raise click.UsageError("name two runtimes or files at least")
    sources = {
        name: pipeline(source, dataset).fit(dataset.data, dataset.target)
        for name, dataset in datasets.items()
    }
    for target, dataset in datasets.items():
        models = models_for(target, datasets, names, sources)
        found = errors(dataset, models, train, range(seed, seed + repeats))
        about = {"target": target, "n_train": train, "repeats": repeats, "source": source}
        rows = [{**about, **row} for row in found]
        key = ["target", "n_train", "architectures", "model"]
        options.report("transfer", rows, key, save, COLUMNS)
