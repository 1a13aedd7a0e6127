"""Front of quality against latency on a space whose truth is known: search against random search.

``python -m benchmarks search`` measures 500 architectures with LiteRT, fits the latency model,
trains every network of a space of 930 on the denoising task of ``examples/denoise.py`` (some
minutes; kept in the temporary folder for the next time), and prints which share of the hypervolume
of the true front each sampler and random search reach with a tenth of the evaluations: mean and
range over seeds. The reference point lies a tenth of the true front's extent behind its ends.
``--data FILE`` reads a dataset instead, ``--sampler`` names samplers, ``--seeds`` counts seeds,
``--first-seed`` is the first. It exits with 1 where the first sampler does not reach its target.
"""

import argparse
import hashlib
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from fcnn_latency import FCNNSpace, load_dataset, make_dataset, make_latency_pipeline, search
from fcnn_latency.nas._result import front_of
from fcnn_latency.spaces import pad_widths, trim_widths

TASK = Path(__file__).resolve().parents[2] / "examples" / "denoise.py"
sys.path.insert(0, str(TASK.parent))
from denoise import quality  # noqa: E402

SPACE = FCNNSpace(max_layers=3, max_width=30)
#: Share of the space that a search may evaluate, and of the hypervolume that it is to reach.
SHARE, TARGET = 0.1, 0.98
#: Extents of the front that the reference point lies behind its ends.
MARGIN = 0.1


def truth(predict) -> pd.DataFrame:
    """Quality in dB and predicted latency of every architecture of the space."""
    version = hashlib.sha256(TASK.read_bytes()).hexdigest()[:12]
    kept = Path(tempfile.gettempdir(), f"fcnn-latency-denoise-{version}.npy")
    rows = np.concatenate(list(SPACE.blocks()))
    widths = trim_widths(rows)
    if not kept.exists():
        np.save(kept, [quality(one) for one in widths])
    return pd.DataFrame({"quality": np.load(kept), "predicted": predict(rows)}, index=widths)


def reference_point(front: pd.DataFrame) -> tuple[float, float]:
    """Quality and latency, a little worse than the worst of a front."""
    quality, latency = front["quality"], front["predicted"]
    return (
        quality.min() - MARGIN * np.ptp(quality),
        latency.max() + MARGIN * np.ptp(latency),
    )


def hypervolume(trials: pd.DataFrame, reference: tuple[float, float]) -> float:
    """Area between the front of what was evaluated and the reference point."""
    better = (trials["quality"] > reference[0]) & (trials["predicted"] < reference[1])
    front = front_of(trials[better], "maximize")
    rises = np.diff(front["quality"], prepend=reference[0])
    return float(np.sum(rises * (reference[1] - front["predicted"])))


def evaluated(name: str, known: pd.DataFrame, model, seed: int) -> pd.DataFrame:
    """What one search evaluates."""
    n_trials = round(SHARE * SPACE.size)
    if name == "random, architectures uniform":
        return known.sample(n_trials, random_state=seed)
    if name == "random, depths uniform":
        return known.loc[trim_widths(SPACE.sample(n_trials, random_state=seed))]
    qualities = known["quality"].to_dict()
    found = search(
        qualities.__getitem__,
        space=SPACE,
        latency_model=model,
        n_trials=n_trials,
        sampler=name,
        random_state=seed,
    )
    return found.trials


def main() -> int:
    """Measure, search, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", help="a dataset's file")
    parser.add_argument("--sampler", action="append")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=0)
    arguments = parser.parse_args()
    dataset = (
        load_dataset(arguments.data)
        if arguments.data
        else make_dataset(500, runtime="litert", random_state=0)
    )
    model = make_latency_pipeline("mixed", space=dataset.space, random_state=0)
    model.fit(dataset.data[:500], dataset.target[:500])
    known = truth(lambda rows: model.predict(pad_widths(rows, model.n_features_in_)))
    front = front_of(known, "maximize")
    reference = reference_point(front)
    print(f"{SPACE.size} architectures, {len(front)} of them on the true front:")
    print(front.to_string(formatters={"quality": "{:.2f}".format}))
    samplers = arguments.sampler or ["gain", "tpe"]
    shares = {}
    for name in [*samplers, "random, architectures uniform", "random, depths uniform"]:
        seeds = range(arguments.first_seed, arguments.first_seed + arguments.seeds)
        tries = [evaluated(name, known, model, seed) for seed in seeds]
        shares[name] = [
            hypervolume(one, reference) / hypervolume(front, reference) for one in tries
        ]
        print(f"{name}: done", file=sys.stderr)
    table = 100 * pd.DataFrame(shares).agg(["mean", "min", "max"]).T
    evaluations = round(SHARE * SPACE.size)
    print(f"Hypervolume after {evaluations} evaluations, % of the true one, {len(seeds)} seeds:")
    print(table.to_string(float_format=lambda value: f"{value:.1f}"))
    mean = table["mean"]
    chance = mean.filter(like="random,").max()
    return int(mean[samplers[0]] < max(100 * TARGET, chance))


if __name__ == "__main__":
    sys.exit(main())
