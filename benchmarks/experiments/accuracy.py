"""Errors of all estimators on unseen architectures, with new labels."""

from time import perf_counter

import click

from benchmarks import _options as options
from fcnn_latency import make_latency_pipeline
from fcnn_latency.estimators import ESTIMATORS
from fcnn_latency.metrics import latency_metrics

COLUMNS = ("mape", "within_1", "within_5", "within_10", "error_to_noise", "r2", "spearman")
KEY = ("runtime", "space", "n_train", "estimator")


def evaluate(name, dataset, train, test, again, seed):
    """Return one row of the table."""
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
@options.label_options
@options.trains_option([1000])
@options.test_option(1000)
@click.option("--again", default=200, show_default=True, help='For "measured": as many of them.')
@options.protocol_option()
@options.estimators_option(about="Repeat for several; all without.")
@options.save_option("accuracy")
def accuracy(train, n_test, again, protocol, names, save, data, seed, **given):
    """Errors of all estimators on unseen architectures.

    Measures max(TRAIN) + TEST random architectures, fits on the first TRAIN and predicts the last
    TEST.
    """
    wanted = max(train) + n_test
    dataset = options.labels(wanted, data, seed=seed, protocol=protocol, **given)
    options.enough(dataset, max(train), 1)
    click.echo(dataset.DESCR)
    # Sampled architectures are in random order.
    test = range(max(train), min(wanted, len(dataset.target)))
    names = names or [name for name in ESTIMATORS if name != "measured"]
    about = options.about_labels(dataset)
    for n in train:
        click.echo(f"\n{about['runtime']}, learnt from {n}, tested on {len(test)}")
        about |= {"n_train": n, "n_test": len(test)}
        rows = [
            {**about, "estimator": name, **evaluate(name, dataset, range(n), test, again, seed)}
            for name in names
        ]
        shown = ["estimator", *COLUMNS, "fit_seconds", "predict_seconds"]
        options.report("accuracy", rows, list(KEY), save, shown)
