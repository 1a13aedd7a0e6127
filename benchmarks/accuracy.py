"""Every estimator on architectures that none has seen, labels measured now.

``python benchmarks/accuracy.py RUNTIME`` measures 1,000 architectures to learn from and 1,000 to
test on, and prints the labels' noise and a table; ``--train 500 50`` learns from the first 500 and
from the first 50, ``--wide`` takes 10 layers of up to 1,024 neurons, ``--store FILE`` keeps the
readings or takes those that are there, ``-e NAME`` picks estimators. "measured" measures
``--again`` of the test architectures once more.
"""

import argparse
from time import perf_counter

import pandas as pd

from fcnn_latency import FCNNSpace, make_dataset, make_latency_pipeline
from fcnn_latency.estimators._pipeline import ESTIMATORS
from fcnn_latency.metrics import latency_metrics

COLUMNS = ("mape", "within_1", "within_5", "within_10", "error_to_noise", "r2", "spearman")


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
        "fit_s": fitted - start,
        "predict_s": perf_counter() - fitted,
    }


def main() -> None:
    """Measure, fit, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runtime")
    parser.add_argument("--train", type=int, nargs="+", default=[1000])
    parser.add_argument("--test", type=int, default=1000)
    parser.add_argument("--again", type=int, default=200)
    parser.add_argument("--wide", action="store_true")
    parser.add_argument("--protocol", default="reliable")
    parser.add_argument("--store")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-e", "--estimator", action="append")
    given = parser.parse_args()
    space = FCNNSpace(max_layers=10, max_width=1024) if given.wide else FCNNSpace()
    most = max(given.train)
    dataset = make_dataset(
        most + given.test,
        space=space,
        runtime=given.runtime,
        protocol=given.protocol,
        store=given.store,
        random_state=given.seed,
        verbose=1,
    )
    print(dataset.DESCR)
    # Sampled architectures come in random order.
    test = range(most, len(dataset.target))
    for n in given.train:
        names = given.estimator or list(ESTIMATORS)
        rows = {
            name: evaluate(name, dataset, range(n), test, given.again, given.seed) for name in names
        }
        print(f"\n{given.runtime}, learnt from {n}, tested on {len(test)}")
        print(pd.DataFrame(rows).T.to_string(float_format=lambda value: f"{value:.4g}"), flush=True)


if __name__ == "__main__":
    main()
