"""Error against the number of measured architectures, by design, on a measured dataset.

``python -m benchmarks sample_efficiency DATASET [ESTIMATOR ...]`` prints the mean MAPE of eight
draws of each design and its standard deviation; a third of the architectures is set apart to test.
Without names the estimator is ``linear``.
"""

import sys

import pandas as pd

from fcnn_latency import load_dataset, sample_efficiency
from fcnn_latency.datasets._design import METHODS
from fcnn_latency.evaluation import SampleEfficiency


def main() -> None:
    """Load, fit, print."""
    dataset = load_dataset(sys.argv[1])
    # Each draw has test architectures of its own: a design may choose the same from the same.
    draws = [
        sample_efficiency(
            dataset,
            estimators=sys.argv[2:] or ["linear"],
            sizes=(25, 50, 100, 200),
            designs=list(METHODS),
            n_repeats=1,
            test_size=1 / 3,
            random_state=draw,
        ).table.assign(repeat=draw)
        for draw in range(8)
    ]
    result = SampleEfficiency(pd.concat(draws), dataset.noise_floor)
    print(result)
    keys = ["estimator", "design", "n_architectures"]
    print("Standard deviation between draws, per cent:")
    print((100 * result.table.groupby(keys, sort=False)["mape"].std()).unstack().round(2))


if __name__ == "__main__":
    main()
