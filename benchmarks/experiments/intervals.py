"""Coverage and width of prediction intervals on unseen architectures.

``python -m benchmarks intervals litert`` measures 3,000 architectures and prints, as mean and range
over 20 random splits, how many of 1,000 unseen ones lie within intervals of 50 to 95 %, fitted on
1,000, and how wide these are in per cent of the prediction; then the coverage of those of 90 % by
quintile of latency and by depth. ``--data FILE`` reads a dataset instead, ``--estimator`` names
pipelines, ``-n`` the training rows, ``--unseen`` the others, ``--splits`` the splits.
"""

import argparse

import numpy as np
import pandas as pd

from fcnn_latency import (
    FCNNSpace,
    IntervalRegressor,
    load_dataset,
    make_dataset,
    make_latency_pipeline,
)

COVERAGES = (0.5, 0.8, 0.9, 0.95)
#: What is measured, by the name of the labels.
LABELS = {
    "litert": ("litert", FCNNSpace()),
    "onnx": ("onnxruntime", FCNNSpace()),
    "keras": ("keras", FCNNSpace()),
    "wide": ("litert", FCNNSpace(max_layers=10, max_width=1024)),
}


def one_split(dataset, make, train, test):
    """Coverages, widths and parts of the coverage at 90 %."""
    model = make().fit(dataset.data[train], dataset.target[train])
    X, y = dataset.data[test], dataset.target[test]
    predicted = model.predict(X)
    found = {"MAPE": np.mean(np.abs(predicted / y - 1))}
    for coverage in COVERAGES:
        ends = model.predict_interval(X, coverage)
        inside = (ends[:, 0] <= y) & (y <= ends[:, 1])
        found[f"within {coverage:.0%}"] = inside.mean()
        found[f"median width {coverage:.0%}"] = np.median(np.ptp(ends, axis=1) / predicted)
        if coverage == 0.9:
            parts = {
                "latency quintile": pd.qcut(y, 5, labels=False) + 1,
                "depth": np.count_nonzero(X, axis=1),
            }
            for name, part in parts.items():
                for value in np.unique(part):
                    found[f"90% in {name} {value}"] = inside[part == value].mean()
    found["below 95% bound"] = np.mean(y <= model.predict_upper(X, 0.95))
    return found


def main() -> None:
    """Split, fit, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("labels", choices=list(LABELS))
    parser.add_argument("--data", help="a dataset's file")
    parser.add_argument("--estimator", action="append")
    parser.add_argument("-n", type=int, default=1000)
    parser.add_argument("--unseen", type=int, default=1000)
    parser.add_argument("--splits", type=int, default=20)
    parser.add_argument("--cv", type=int, default=10)
    parser.add_argument("--constant", action="store_true", help="intervals that do not adapt")
    arguments = parser.parse_args()
    runtime, space = LABELS[arguments.labels]
    dataset = (
        load_dataset(arguments.data)
        if arguments.data
        else make_dataset(3000, runtime=runtime, space=space, random_state=0)
    )
    for name in arguments.estimator or ["linear"]:

        def make(name=name):
            pipeline = make_latency_pipeline(
                name, space=dataset.space, signal_length=dataset.signal_length, random_state=0
            )
            return IntervalRegressor(pipeline, cv=arguments.cv, adaptive=not arguments.constant)

        rows = []
        for seed in range(arguments.splits):
            order = np.random.RandomState(seed).permutation(len(dataset.data))
            train, test = np.split(order, [arguments.n])
            rows.append(one_split(dataset, make, train, test[: arguments.unseen]))
        table = 100 * pd.DataFrame(rows).agg(["mean", "min", "max"]).T
        print(f"\n{arguments.labels}, {name}, {arguments.n} training rows, {len(rows)} splits, %")
        print(table.to_string(float_format=lambda value: f"{value:.2f}"), flush=True)


if __name__ == "__main__":
    main()
