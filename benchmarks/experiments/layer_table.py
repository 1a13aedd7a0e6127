"""Predictions of whole networks from single layers, and from other whole networks."""

import click

from benchmarks import _options as options
from fcnn_latency import (
    LookupTableRegressor,
    RooflineRegressor,
    load_layer_table,
    make_layer_table,
)
from fcnn_latency.metrics import latency_metrics

STRICT = {"call_overhead": 0, "layer_overhead": 0, "tiles": None}
COLUMNS = ("mape", "within_1", "within_5", "within_10", "error_to_noise")


def estimators(table):
    """Return rooflines and layer tables by name."""
    nearest = {"interpolation": "nearest"}
    return {
        "roofline, eq. 1": RooflineRegressor(**STRICT),
        "roofline with overheads": RooflineRegressor(tiles=None),
        "roofline, refined": RooflineRegressor(),
        "table, nearest": LookupTableRegressor(table, **nearest),
        "table, linear": LookupTableRegressor(table),
        "table, nearest, rescaled": LookupTableRegressor(table, **nearest, rescale=True),
        "table, linear, rescaled": LookupTableRegressor(table, rescale=True),
        "table estimated": LookupTableRegressor(),
    }


def layers(dataset, path, nodes, seed):
    """Load the layer table of a file, or measure one now."""
    if path:
        return load_layer_table(path)
    return make_layer_table(
        *(3 * [nodes or None]),
        space=dataset.space,
        runtime=dataset.runtime,
        signal_length=dataset.signal_length,
        random_state=seed,
        verbose=1,
    )


def print_roofline(refined):
    """Print the parameters of the machine that the refined roofline fitted."""
    click.echo(
        f"tile {refined.tiles_}, {refined.peak_flops_:.3g} FLOP/s, "
        f"{refined.peak_bandwidth_:.3g} bytes/s, call {refined.call_overhead_:.3g} s, "
        f"layer {refined.layer_overhead_:.3g} s"
    )


@click.command("layer_table")
@options.label_options
@options.train_option(100)
@options.test_option(300)
@click.option("--table", type=options.FILE, help="A layer table's file, instead of measuring.")
@click.option(
    "--node",
    "nodes",
    multiple=True,
    type=int,
    help="Of rows, inputs and outputs in the table; repeat for several, all that serve without.",
)
@options.save_option("layer_table")
def layer_table(train, n_test, table, nodes, save, data, seed, **given):
    """Predictions of whole networks from single layers, and from other whole networks.

    Measures random architectures and a table of layers. Prints how well rooflines and tables
    predict TEST of the architectures. The table as measured uses no architectures. Fitted or
    rescaled estimators use TRAIN others. The layers are measured even with --data.
    """
    dataset = options.labels(train + n_test, data, seed=seed, **given)
    options.enough(dataset, train, n_test)
    table = layers(dataset, table, nodes, seed)
    click.echo(f"{dataset.DESCR}\n{table.DESCR}")
    about = {**options.about_labels(dataset), "n_train": train, "n_test": n_test}
    X, y, rows = dataset.data, dataset.target, []
    models = estimators(table)
    test = slice(train, train + n_test)
    for name, model in models.items():
        predicted = model.fit(X[:train], y[:train]).predict(X[test])
        found = latency_metrics(y[test], predicted, noise_floor=dataset.noise_floor)
        rows.append({**about, "estimator": name, **{column: found[column] for column in COLUMNS}})
    key = ["runtime", "space", "n_train", "estimator"]
    options.report("layer_table", rows, key, save, ["estimator", *COLUMNS])
    print_roofline(models["roofline, refined"])
