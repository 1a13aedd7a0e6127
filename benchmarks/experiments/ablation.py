"""What interleaving, the reference and pinning are worth, with the same budget of calls.

``python -m benchmarks ablation [runtime]`` measures 100 architectures three times in each way, one
way after the other in every turn, so that all see the same machine. It prints, over the three pairs
of turns, the mean absolute difference of labels, as it is and without the common factor, and the
correlation. Labels are the campaign's own throughout: no scale is shared between turns.
"""

import sys
import warnings
from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd

from fcnn_latency import FCNNSpace, MeasurementWarning, make_dataset
from fcnn_latency.measurement import get_protocol
from fcnn_latency.measurement.runtimes import get_runtime

N_ARCHITECTURES, N_TURNS = 100, 3


def ways(runtime: str) -> dict[str, dict[str, object]]:
    """Changes to the default, by name."""
    # Without interleaving: all rounds of a model one after the other, models in random order.
    alone = {"group_size": 1, "build_ahead": False}
    return {
        "neither": {**alone, "reference_every": 0},
        "interleaving alone": {"reference_every": 0},
        "reference alone": {**alone, "reference_every": 1},
        "both (default)": {},
        "both, not pinned": {"pin": False},
    }


def measure(architectures: np.ndarray, runtime: str, way: dict[str, object], seed: int):
    """One campaign; log labels."""
    protocol = get_protocol("reliable", get_runtime(runtime).protocol_fields)
    dataset = make_dataset(
        architectures,
        runtime=runtime,
        protocol=replace(protocol, **way),
        scale="campaign",
        random_state=seed,
    )
    return np.log(dataset.target)


def main() -> None:
    """Measure in turns, print the table."""
    warnings.simplefilter("ignore", MeasurementWarning)
    runtime = sys.argv[1] if len(sys.argv) > 1 else "keras"
    architectures = FCNNSpace().sample(N_ARCHITECTURES, random_state=0)
    labels: dict[str, list[np.ndarray]] = {name: [] for name in ways(runtime)}
    for turn in range(N_TURNS):
        for name, way in ways(runtime).items():
            labels[name].append(measure(architectures, runtime, way, turn))
    rows = {}
    for name, found in labels.items():
        differences = [b - a for a, b in combinations(found, 2)]
        aligned = [d - np.median(d) for d in differences]
        r = [np.corrcoef(np.exp(a), np.exp(b))[0, 1] for a, b in combinations(found, 2)]
        rows[name] = {
            "difference %": 100 * np.mean(np.abs(differences)),
            "aligned %": 100 * np.mean(np.abs(aligned)),
            "r": np.mean(r),
        }
    print(f"runtime {runtime}, {N_ARCHITECTURES} architectures, {N_TURNS} turns")
    print(pd.DataFrame(rows).T.to_string(float_format="%.5f"))


if __name__ == "__main__":
    main()
