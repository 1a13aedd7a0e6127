"""Searches against random search, on a space whose true front is known."""

import hashlib
import tempfile
from pathlib import Path

import click
import numpy as np
import pandas as pd

from benchmarks import _options as options
from benchmarks._denoise import TASK, quality
from fcnn_latency import FCNNSpace, make_latency_pipeline
from fcnn_latency import search as find
from fcnn_latency.nas._result import front_of
from fcnn_latency.spaces import pad_widths, trim_widths

#: The space to search, and the fraction of it that a search may evaluate.
SPACE, SHARE = FCNNSpace(max_layers=3, max_width=30), 0.1
#: Share of the hypervolume that the first sampler must reach.
TARGET = 0.98
#: Distance from the front to the reference point, as a fraction of the extent of the front.
MARGIN = 0.1
CHANCE = ("random, architectures uniform", "random, depths uniform")


def truth(predict):
    """Return quality in dB and predicted latency of every architecture of the space."""
    version = hashlib.sha256(TASK.read_bytes()).hexdigest()[:12]
    kept = Path(tempfile.gettempdir(), f"fcnn-latency-denoise-{version}.npy")
    rows = np.concatenate(list(SPACE.chunks()))
    widths = trim_widths(rows)
    if not kept.exists():
        np.save(kept, [quality(one) for one in widths])
    return pd.DataFrame({"quality": np.load(kept), "predicted": predict(rows)}, index=widths)


def reference_point(front):
    """Return the reference point: quality and latency a little worse than a front's worst."""
    quality, latency = front["quality"], front["predicted"]
    return (
        quality.min() - MARGIN * np.ptp(quality),
        latency.max() + MARGIN * np.ptp(latency),
    )


def hypervolume(trials, reference):
    """Return the area between the front of evaluated trials and the reference point."""
    better = (trials["quality"] > reference[0]) & (trials["predicted"] < reference[1])
    front = front_of(trials[better], "maximize")
    rises = np.diff(front["quality"], prepend=reference[0])
    return float(np.sum(rises * (reference[1] - front["predicted"])))


def evaluated(name, known, model, n_trials, seed):
    """Return the trials that one search evaluates."""
    if name == CHANCE[0]:
        return known.sample(n_trials, random_state=seed)
    if name == CHANCE[1]:
        return known.loc[trim_widths(SPACE.sample(n_trials, random_state=seed))]
    found = find(
        known["quality"].to_dict().__getitem__,
        space=SPACE,
        latency_model=model,
        n_trials=n_trials,
        sampler=name,
        random_state=seed,
    )
    return found.trials


@click.command()
@options.runtime_option()
@options.data_option()
@options.train_option(500)
@click.option("--sampler", "samplers", multiple=True, default=["gain", "tpe"], show_default=True)
@click.option("--trials", type=int, help="Evaluations.  [default: a tenth of the space]")
@options.repeats_option(10, "Seeds.")
@options.seed_option()
@options.save_option("search")
def search(runtime, data, train, samplers, trials, repeats, seed, save):
    """Searches against random search, on a space whose true front is known.

    Fits the latency model on TRAIN architectures. Trains every network of a space of 930 on the
    denoising task of ``examples/denoise.py``; this needs some minutes, and the results are kept in
    the temporary folder. Prints the share of the true front's hypervolume that each sampler and
    random search reach with a tenth of the evaluations: mean and range over seeds, from SEED on.
    The reference point is a tenth of the true front's extent behind its ends. Exits with 1 if the
    first sampler misses its target.
    """
    dataset = options.labels(train, data, runtime=runtime, seed=0)
    options.enough(dataset, train)
    model = make_latency_pipeline("mixed", space=dataset.space, random_state=0)
    model.fit(dataset.data[:train], dataset.target[:train])
    known = truth(lambda rows: model.predict(pad_widths(rows, model.n_features_in_)))
    front = front_of(known, "maximize")
    click.echo(f"{SPACE.size} architectures, {len(front)} of them on the true front:\n{front}")
    reference, n_trials = reference_point(front), trials or round(SHARE * SPACE.size)
    about = {"runtime": str(dataset.runtime), "n_trials": n_trials, "repeats": repeats}
    rows = []
    for name in (*samplers, *CHANCE):
        tries = [evaluated(name, known, model, n_trials, seed + n) for n in range(repeats)]
        shares = np.array([hypervolume(one, reference) for one in tries])
        shares /= hypervolume(front, reference)
        shown = {"mean": shares.mean(), "least": shares.min(), "most": shares.max()}
        rows.append({**about, "seed": seed, "sampler": name, **shown})
        click.echo(f"{name}: done", err=True)
    options.report("search", rows, ["runtime", "n_trials", "sampler"], save)
    if rows[0]["mean"] < max(TARGET, *(row["mean"] for row in rows if row["sampler"] in CHANCE)):
        raise SystemExit(1)
