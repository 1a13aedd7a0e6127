"""What readings are divided by, and what rounds are reduced to: the choices, on the same readings.

``python -m benchmarks reductions [runtime]`` measures 200 architectures in three campaigns and
reduces the same readings in each of the ways. It prints the mean absolute difference of two
campaigns without their common factor, over the three pairs, in per cent.
"""

import sys
import warnings
from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd

from fcnn_latency import FCNNSpace, MeasurementProtocol, MeasurementWarning, make_dataset
from fcnn_latency.measurement import STATISTICS, combine_passes, get_protocol
from fcnn_latency.measurement.labels._reduction import reduce_passes
from fcnn_latency.measurement.runtimes import get_runtime

N_ARCHITECTURES = 200
#: Changes to the protocol, by what readings are divided by.
REFERENCES = {
    "nothing": {"reference_every": 0},
    "both neighbours": {"reference_window": 2, "reference_quantile": 0.5},
    "8 neighbours": {"reference_window": 8},
    "20 neighbours": {"reference_window": 20},
    "the whole group": {"reference_window": 0},
}


def difference(campaigns: list[pd.DataFrame], protocol: MeasurementProtocol) -> float:
    """Mean absolute difference of labels in per cent, over pairs of campaigns."""
    labels = [
        np.log(combine_passes(reduce_passes(readings, N_ARCHITECTURES, protocol)))
        for readings in campaigns
    ]
    apart = [b - a for a, b in combinations(labels, 2)]
    return float(100 * np.mean([np.abs(d - np.median(d)) for d in apart]))


def main() -> None:
    """Measure three times, reduce in every way."""
    warnings.simplefilter("ignore", MeasurementWarning)
    runtime = sys.argv[1] if len(sys.argv) > 1 else "keras"
    architectures = FCNNSpace().sample(N_ARCHITECTURES, random_state=0)
    campaigns = [
        make_dataset(architectures, runtime=runtime, random_state=seed).readings
        for seed in (1, 2, 3)
    ]
    protocol = get_protocol("reliable", get_runtime(runtime).protocol_fields)
    rows = {
        name: {
            statistic: difference(
                campaigns, replace(protocol, round_statistic=statistic, **changes)
            )
            for statistic in STATISTICS
        }
        for name, changes in REFERENCES.items()
    }
    print(f"runtime {runtime}: retest difference in per cent; rows: divided by; columns: rounds")
    print(pd.DataFrame(rows).T.round(2).to_string())


if __name__ == "__main__":
    main()
