"""Effect of interleaving, the reference and pinning, with the same budget of calls."""

import warnings
from dataclasses import replace
from itertools import combinations

import click
import numpy as np

from benchmarks import _options as options
from fcnn_latency import MeasurementWarning, make_dataset
from fcnn_latency.measurement import get_protocol
from fcnn_latency.measurement.runtimes import get_runtime

# Without interleaving, all rounds of a model run in a row; models are in random order.
ALONE = {"group_size": 1, "build_ahead": False}
#: Changes to the default protocol, by name.
WAYS = {
    "neither": {**ALONE, "reference_every": 0},
    "interleaving alone": {"reference_every": 0},
    "reference alone": {**ALONE, "reference_every": 1},
    "both (default)": {},
    "both, not pinned": {"pin": False},
}


def measure(architectures, space, runtime, way, seed):
    """Run one campaign and return log labels."""
    protocol = get_protocol("reliable", get_runtime(runtime).protocol_fields)
    dataset = make_dataset(
        architectures,
        space=options.SPACES[space],
        runtime=runtime,
        protocol=replace(protocol, **WAYS[way]),
        scale="campaign",
        random_state=seed,
    )
    return np.log(dataset.target)


def agreement(found):
    """Return how well campaigns agree, over all pairs."""
    pairs = list(combinations(found, 2))
    differences = [b - a for a, b in pairs]
    return {
        "difference": float(np.mean(np.abs(differences))),
        "difference_aligned": float(np.mean([np.abs(d - np.median(d)) for d in differences])),
        "r": float(np.mean([np.corrcoef(np.exp(a), np.exp(b))[0, 1] for a, b in pairs])),
    }


@click.command()
@options.runtime_option("keras")
@options.space_option()
@options.n_option(100)
@options.repeats_option(3, "Turns.", least=2)
@options.seed_option()
@options.save_option("ablation")
def ablation(runtime, space, n, repeats, seed, save):
    """Effect of interleaving, the reference and pinning, with the same budget of calls.

    Measures the same architectures several times in each way. Every turn runs all ways one after
    the other, so that all see the same machine. Prints the mean absolute difference of labels over
    the pairs of turns, with and without the common factor, and the correlation. Labels use the
    level of their campaign: turns share no scale.
    """
    warnings.simplefilter("ignore", MeasurementWarning)
    architectures = options.SPACES[space].sample(n, random_state=seed)
    labels = {way: [] for way in WAYS}
    for turn in range(repeats):
        for way, found in labels.items():
            found.append(measure(architectures, space, runtime, way, seed + turn))
    about = {"runtime": runtime, "space": space, "n": n, "repeats": repeats}
    rows = [{**about, "way": way, **agreement(found)} for way, found in labels.items()]
    options.report("ablation", rows, ["runtime", "space", "way"], save)
