"""What readings are divided by, and what rounds are reduced to: the choices, on the same readings.

``python benchmarks/reductions.py`` measures 200 architectures in three campaigns and reduces the
same readings in each of the ways. It prints the mean absolute
difference of two campaigns without their common factor, over the three pairs.
"""

from itertools import combinations

import numpy as np
import pandas as pd

from fcnn_latency import FCNNSpace, make_dataset
from fcnn_latency.measurement.group import REFERENCE
from fcnn_latency.measurement.protocol import get_protocol
from fcnn_latency.measurement.timing import STATISTICS


def references(readings: pd.DataFrame) -> pd.DataFrame:
    """Readings of architectures with each of the references that they could be divided by."""
    seconds = readings["seconds"].where(readings["architecture"] == REFERENCE)
    groups = seconds.groupby(readings["group"])
    before, after = groups.ffill(), groups.bfill()
    quantile = get_protocol("reliable").reference_quantile
    return readings.assign(
        none=1.0,
        lower_neighbour=np.fmin(before, after),
        mean_of_neighbours=before.add(after.fillna(before)) / 2,
        group=groups.transform("quantile", quantile),
    )[readings["architecture"] != REFERENCE]


def labels(readings: pd.DataFrame, reference: str, statistic: str) -> np.ndarray:
    """Log latency of each architecture: rounds reduced, then the mean over passes."""
    relative = np.log(readings["seconds"] / readings[reference])
    keys = [readings["architecture"], readings["pass"]]
    passes = relative.groupby(keys).agg(STATISTICS[statistic]).unstack()
    return (passes - passes.median()).mean(axis=1).to_numpy()


def main() -> None:
    """Measure three times, reduce in every way."""
    architectures = FCNNSpace().sample(200, random_state=0)
    campaigns = [
        references(make_dataset(architectures, random_state=seed).readings) for seed in (1, 2, 3)
    ]
    rows = {}
    for reference in ("none", "lower_neighbour", "mean_of_neighbours", "group"):
        for statistic in STATISTICS:
            found = [labels(readings, reference, statistic) for readings in campaigns]
            pairs = [np.mean(np.abs(a - b)) for a, b in combinations(found, 2)]
            rows[reference, statistic] = 100 * np.mean(pairs)
    table = pd.Series(rows).unstack().loc[:, list(STATISTICS)]
    print("retest difference in per cent; rows: divided by; columns: rounds reduced to")
    print(table.round(2).to_string())


if __name__ == "__main__":
    main()
