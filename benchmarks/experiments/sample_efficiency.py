"""Error against the number of measured architectures, by design."""

import click
import pandas as pd

from benchmarks import _options as options
from fcnn_latency import sample_efficiency as fit_designs
from fcnn_latency.datasets._design import DESIGNS
from fcnn_latency.evaluation import SampleEfficiency

KEYS = ["estimator", "design", "n_architectures"]


def summary(result):
    """Return mean and standard deviation of the MAPE over draws."""
    grouped = result.table.groupby(KEYS, sort=False)["mape"]
    found = grouped.agg(mape="mean", mape_std="std").reset_index()
    return found.rename(columns={"n_architectures": "n_train"}).to_dict("records")


@click.command("sample_efficiency")
@options.label_options
@click.option("-n", default=1000, show_default=True, help="Architectures to measure.")
@options.trains_option([25, 50, 100, 200])
@options.repeats_option(8, "Draws, two at least.")
@options.estimators_option(["linear"])
@options.save_option("sample_efficiency")
def sample_efficiency(n, train, repeats, names, save, data, seed, **given):
    """Error against the number of measured architectures, by design.

    Prints the mean MAPE over the draws of each design, and its standard deviation. A third of the
    architectures is held out for testing.
    """
    dataset = options.labels(n, data, seed=seed, **given)
    # Each draw has its own test set: a design may always choose the same rows from the same pool.
    draws = [
        fit_designs(
            dataset,
            estimators=names,
            sizes=train,
            designs=list(DESIGNS),
            n_repeats=1,
            test_size=1 / 3,
            random_state=draw,
        ).table.assign(repeat=draw)
        for draw in range(seed, seed + repeats)
    ]
    result = SampleEfficiency(pd.concat(draws), dataset.noise_floor)
    click.echo(f"{result}\n")
    about = {**options.about_labels(dataset), "n": len(dataset.target), "repeats": repeats}
    rows = [{**about, **row} for row in summary(result)]
    key = ["runtime", "space", "estimator", "design", "n_train"]
    shown = ["estimator", "design", "n_train", "mape", "mape_std"]
    options.report("sample_efficiency", rows, key, save, shown)
