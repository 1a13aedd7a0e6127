"""Every estimator on architectures that none has seen, labels measured now."""

from time import perf_counter

import click
import pandas as pd

from benchmarks._results import save_result
from fcnn_latency import FCNNSpace, make_dataset, make_latency_pipeline
from fcnn_latency.estimators import ESTIMATORS
from fcnn_latency.metrics import latency_metrics

COLUMNS = ("mape", "within_1", "within_5", "within_10", "error_to_noise", "r2", "spearman")
SPACES = {"default": FCNNSpace(), "wide": FCNNSpace(max_layers=10, max_width=1024)}


def evaluate(name, dataset, train, test, again, seed):
    """One row of the table."""
    about = {"space": dataset.space, "signal_length": dataset.signal_length, "random_state": seed}
    if name == "measured":
        test = test[:again]
        about["runtime"] = dataset.runtime
    model = make_latency_pipeline(name, **about)
    start = perf_counter()
    model.fit(dataset.data[train], dataset.target[train])
    fitted = perf_counter()
    predicted = model.predict(dataset.data[test])
    metrics = latency_metrics(dataset.target[test], predicted, noise_floor=dataset.noise_floor)
    return {
        **{column: metrics[column] for column in COLUMNS},
        "fit_seconds": fitted - start,
        "predict_seconds": perf_counter() - fitted,
    }


@click.command()
@click.option("--runtime", default="litert", show_default=True)
@click.option("--train", multiple=True, type=int, default=[1000], help="Repeat for several.")
@click.option("--test", "n_test", default=1000, show_default=True, help="Architectures unseen.")
@click.option("--again", default=200, show_default=True, help='For "measured": as many of them.')
@click.option("--space", default="default", show_default=True, type=click.Choice(list(SPACES)))
@click.option("--protocol", default="reliable", show_default=True)
@click.option("--store", help="Keeps the readings, or has them already.")
@click.option("--seed", default=0, show_default=True)
@click.option("-e", "--estimator", "names", multiple=True, help="Repeat for several; all without.")
@click.option("--save", is_flag=True, help="Into benchmarks/results/accuracy.csv.")
def accuracy(runtime, train, n_test, again, space, protocol, store, seed, names, save):
    """Errors of every estimator on architectures that none has seen.

    Measures max(TRAIN) + TEST random architectures, learns from the first of them and predicts
    the last TEST.
    """
    dataset = make_dataset(
        max(train) + n_test,
        space=SPACES[space],
        runtime=runtime,
        protocol=protocol,
        store=store,
        random_state=seed,
        verbose=1,
    )
    click.echo(dataset.DESCR)
    # Sampled architectures come in random order.
    test = range(max(train), len(dataset.target))
    names = names or [name for name in ESTIMATORS if name != "measured"]
    for n in train:
        rows = {name: evaluate(name, dataset, range(n), test, again, seed) for name in names}
        click.echo(f"\n{runtime}, learnt from {n}, tested on {len(test)}")
        table = pd.DataFrame(rows).T
        click.echo(table.to_string(float_format=lambda value: f"{value:.4g}"))
        if save:
            about = {
                "runtime": runtime,
                "space": space,
                "n_train": n,
                "n_test": len(test),
                "noise_floor": dataset.noise_floor,
            }
            stored = [{**about, "estimator": name, **row} for name, row in rows.items()]
            save_result("accuracy", stored, key=["runtime", "space", "n_train", "estimator"])
