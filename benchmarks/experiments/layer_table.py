"""What single layers tell of whole networks, and what whole networks tell by themselves.

``python -m benchmarks layer_table [RUNTIME] [SEED]`` measures random architectures and a table of
layers now, and prints how well rooflines and tables predict 300 of the architectures: the table as
measured has seen none of them, what is fitted or rescaled has seen 100 others.
"""

import sys

import pandas as pd

from fcnn_latency import (
    LookupTableRegressor,
    RooflineRegressor,
    make_dataset,
    make_layer_table,
)
from fcnn_latency.metrics import latency_metrics

N_TRAIN, N_TEST = 100, 300
STRICT = {"call_overhead": 0, "layer_overhead": 0, "tiles": None}


def main() -> None:
    """Measure, predict, print."""
    runtime = sys.argv[1] if len(sys.argv) > 1 else "litert"
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    dataset = make_dataset(N_TRAIN + N_TEST, runtime=runtime, random_state=seed, verbose=1)
    table = make_layer_table(runtime=runtime, random_state=seed, verbose=1)
    print(dataset.DESCR, table.DESCR, sep="\n")
    estimators = {
        "roofline, eq. 1": RooflineRegressor(**STRICT),
        "roofline with overheads": RooflineRegressor(tiles=None),
        "roofline, refined": RooflineRegressor(),
        "table, nearest": LookupTableRegressor(table, interpolation="nearest"),
        "table, linear": LookupTableRegressor(table),
        "table, nearest, rescaled": LookupTableRegressor(
            table, interpolation="nearest", rescale=True
        ),
        "table, linear, rescaled": LookupTableRegressor(table, rescale=True),
        "table estimated": LookupTableRegressor(),
    }
    train, test = slice(N_TRAIN), slice(N_TRAIN, None)
    rows = {}
    for name, estimator in estimators.items():
        estimator.fit(dataset.data[train], dataset.target[train])
        predicted = estimator.predict(dataset.data[test])
        rows[name] = latency_metrics(
            dataset.target[test], predicted, noise_floor=dataset.noise_floor
        )
    print(pd.DataFrame(rows).T.to_string(float_format=lambda value: f"{value:.4g}"))
    refined = estimators["roofline, refined"]
    print(f"tile {refined.tiles_}, {refined.peak_flops_:.3g} FLOP/s", end=", ")
    print(f"{refined.peak_bandwidth_:.3g} bytes/s, call {refined.call_overhead_:.3g} s", end=", ")
    print(f"layer {refined.layer_overhead_:.3g} s")


if __name__ == "__main__":
    main()
