"""Coverage and width of prediction intervals on unseen architectures."""

import click
import numpy as np
import pandas as pd

from benchmarks import _options as options
from fcnn_latency import IntervalRegressor, make_latency_pipeline

COVERAGES = (0.5, 0.8, 0.9, 0.95)
KEY = ("runtime", "space", "estimator", "adaptive", "n_train", "part")
COLUMNS = ("mape", "upper_95", *(f"within_{100 * c:.0f}" for c in COVERAGES))


def parts_of(X, y):
    """Return masks of all rows, of each fifth by latency, and of each depth."""
    fifth, depth = pd.qcut(y, 5, labels=False) + 1, np.count_nonzero(X, axis=1)
    return {
        "all": np.ones(len(y), dtype=bool),
        **{f"latency quintile {value}": fifth == value for value in np.unique(fifth)},
        **{f"depth {value}": depth == value for value in np.unique(depth)},
    }


def one_split(model, X, y):
    """Return coverages and widths on unseen rows, one row per part."""
    predicted = model.predict(X)
    figures = {"mape": np.abs(predicted / y - 1), "upper_95": y <= model.predict_upper(X, 0.95)}
    widths = {}
    for coverage in COVERAGES:
        low, high = model.predict_interval(X, coverage).T
        name = f"{100 * coverage:.0f}"
        figures[f"within_{name}"] = (low <= y) & (y <= high)
        widths[f"width_{name}"] = (high - low) / predicted
    return [
        {
            "part": part,
            **{name: np.mean(values[mask]) for name, values in figures.items()},
            **{name: np.median(values[mask]) for name, values in widths.items()},
        }
        for part, mask in parts_of(X, y).items()
    ]


def coverage_rows(dataset, make, train, n_test, splits):
    """Return the mean of each figure over splits, and the range of the coverage at 90 %."""
    found = []
    for seed in splits:
        order = np.random.RandomState(seed).permutation(len(dataset.target))
        seen, unseen = order[:train], order[train : train + n_test]
        model = make().fit(dataset.data[seen], dataset.target[seen])
        found += one_split(model, dataset.data[unseen], dataset.target[unseen])
    grouped = pd.DataFrame(found).groupby("part", sort=False)
    ends = grouped["within_90"].agg(within_90_min="min", within_90_max="max")
    return grouped.mean().join(ends).reset_index().to_dict("records")


@click.command()
@options.label_options
@click.option("-n", default=3000, show_default=True, help="Architectures to measure.")
@options.train_option(1000)
@options.test_option(1000)
@options.repeats_option(20, "Random splits.")
@options.estimators_option(["linear"])
@click.option("--cv", default=10, show_default=True, help="Folds of an interval regressor.")
@click.option("--constant", is_flag=True, help="Intervals that do not adapt.")
@options.save_option("intervals")
def intervals(n, train, n_test, repeats, names, cv, constant, save, data, seed, **given):
    """Coverage and width of prediction intervals on unseen architectures.

    Fits on TRAIN architectures and tests on TEST unseen ones. Prints means over random splits: the
    fraction of architectures within intervals of 50 to 95 %, and the width of the intervals as a
    fraction of the prediction. Then prints the same by latency quintile and by depth.
    """
    dataset = options.labels(n, data, seed=seed, **given)
    options.enough(dataset, train, n_test)
    about = options.about_labels(dataset)
    about |= {"adaptive": not constant, "n_train": train, "n_test": n_test, "repeats": repeats}
    for name in names:

        def make(name=name):
            pipeline = make_latency_pipeline(
                name, space=dataset.space, signal_length=dataset.signal_length, random_state=seed
            )
            return IntervalRegressor(pipeline, cv=cv, adaptive=not constant)

        found = coverage_rows(dataset, make, train, n_test, range(seed, seed + repeats))
        rows = [{**about, "estimator": name, **row} for row in found]
        click.echo(f"\n{about['runtime']}, {name}, {train} training rows, {repeats} splits")
        shown = ["part", *COLUMNS, "within_90_min", "within_90_max", "width_90"]
        options.report("intervals", rows, list(KEY), save, shown)
