"""Comparison of references and statistics for reducing the same readings to labels."""

import warnings
from dataclasses import replace
from itertools import combinations

import click
import numpy as np

from benchmarks import _options as options
from fcnn_latency import MeasurementWarning, make_dataset
from fcnn_latency.measurement import STATISTICS, combine_passes, get_protocol
from fcnn_latency.measurement.labels._reduction import reduce_passes
from fcnn_latency.measurement.runtimes import get_runtime

#: Changes to the protocol, by the reference that readings are divided by.
REFERENCES = {
    "nothing": {"reference_every": 0},
    "both neighbours": {"reference_window": 2, "reference_quantile": 0.5},
    "8 neighbours": {"reference_window": 8},
    "20 neighbours": {"reference_window": 20},
    "the whole group": {"reference_window": 0},
}


def difference(campaigns, n, protocol):
    """Return the mean absolute difference of labels over pairs, without the common factor."""
    labels = [
        np.log(combine_passes(reduce_passes(readings, n, protocol))) for readings in campaigns
    ]
    apart = [b - a for a, b in combinations(labels, 2)]
    return float(np.mean([np.abs(d - np.median(d)) for d in apart]))


@click.command()
@options.runtime_option("keras")
@options.space_option()
@options.n_option(200)
@options.repeats_option(3, "Campaigns, two at least.")
@options.seed_option()
@options.save_option("reductions")
def reductions(runtime, space, n, repeats, seed, save):
    """Comparison of references and statistics for reducing the same readings to labels.

    Measures the same architectures in several campaigns, and reduces the same readings in each
    way. Prints the mean absolute difference of two campaigns over all pairs, without their common
    factor, as a fraction.
    """
    warnings.simplefilter("ignore", MeasurementWarning)
    where = options.SPACES[space]
    architectures = where.sample(n, random_state=seed)
    campaigns = [
        make_dataset(architectures, space=where, runtime=runtime, random_state=order).readings
        for order in range(seed + 1, seed + 1 + repeats)
    ]
    protocol = get_protocol("reliable", get_runtime(runtime).protocol_fields)
    about = {"runtime": runtime, "space": space, "n": n, "repeats": repeats}
    rows = []
    for reference, changes in REFERENCES.items():
        for statistic in STATISTICS:
            changed = replace(protocol, round_statistic=statistic, **changes)
            found = {"reference": reference, "statistic": statistic}
            rows.append({**about, **found, "difference": difference(campaigns, n, changed)})
    options.report("reductions", rows, ["runtime", "space", "reference", "statistic"], save)
