"""Measured latencies of finalists against their budget, and losses of killed searches."""

import pickle
import subprocess
import sys
import tempfile
import warnings
from contextlib import suppress
from pathlib import Path
from time import sleep

import click
import numpy as np
import pandas as pd

from benchmarks import _options as options
from benchmarks._denoise import quality
from fcnn_latency import (
    IntervalRegressor,
    MeasurementWarning,
    make_dataset,
    make_latency_pipeline,
    search,
    verify,
)
from fcnn_latency.spaces import trim_widths

CONFIDENCE, TARGET = 0.95, 0.95
N_FINALISTS = 5
#: Quantiles of the labels for the budgets; above 600 ns the best networks need less.
QUANTILES = (0.01, 0.2)


def fast_quality(widths):
    """Return the quality from a single seed."""
    return quality(widths, seeds=(0,))


def verified_searches(dataset, model, budgets, n_trials, protocol, seed):
    """Return the verification reports of the finalists of all budgets."""
    reports = []
    for turn, budget in enumerate(np.quantile(dataset.target, np.linspace(*QUANTILES, budgets))):
        found = search(
            fast_quality,
            latency_model=model,
            max_latency=float(budget),
            confidence=CONFIDENCE,
            n_trials=n_trials,
            sampler="gain",
            random_state=seed + turn,
        )
        checked = verify(
            found,
            runtime=dataset.runtime,
            n_finalists=N_FINALISTS,
            protocol=protocol,
            random_state=seed + turn,
        )
        reports.append(checked.report.assign(budget=budget))
        click.echo(f"\n{checked}")
    return pd.concat(reports, ignore_index=True)


def over_again(kept, runtime, protocol, seed):
    """Count those over budget in a second campaign by more than twice its noise floor."""
    if kept.empty:
        return 0
    again = make_dataset(
        sorted(set(kept["widths"])), runtime=runtime, protocol=protocol, random_state=seed
    )
    labels = dict(zip(trim_widths(again.data), again.target, strict=True))
    second = kept["widths"].map(labels)
    return int((second > kept["budget"] * (1 + 2 * again.noise_floor)).sum())


def kept_budgets(report, runtime, protocol, seed):
    """Return how many meet their budget, and whether a second campaign agrees."""
    kept = report[report["keeps_budget"]]
    best = report.drop_duplicates("budget")
    used = best["measured"] / best["budget"]
    return {
        "searches": len(best),
        "finalists": len(report),
        "within_budget": int((report["measured"] <= report["budget"]).sum()),
        "reported_keeping": len(kept),
        "over_again": over_again(kept, runtime, protocol, seed),
        "reported_over": int((kept["measured"] > kept["budget"]).sum()),
        "budget_used_least": float(used.min()),
        "budget_used_most": float(used.max()),
    }


def resumable_search(model, storage, n_trials):
    """Start or resume the search that is killed."""
    return search(
        fast_quality,
        latency_model=model,
        n_trials=n_trials,
        sampler="gain",
        storage=storage,
        random_state=0,
    )


def completed(path):
    """Return parameters and values of the complete trials in a storage, by number."""
    import optuna

    with suppress(KeyError):  # killed before the study was created
        study = optuna.load_study(study_name="fcnn-latency", storage=f"sqlite:///{path}")
        done = study.get_trials(states=(optuna.trial.TrialState.COMPLETE,))
        return {one.number: (one.params, one.values) for one in done}
    return {}


def lost_trials(kept, now):
    """Count complete trials that are missing or changed in a storage."""
    return sum(now.get(number) != trial for number, trial in kept.items())


def killed_search(model, folder, n_trials, n_kills):
    """Kill and resume a search; return what was lost."""
    path, pickled = Path(folder, "killed.sqlite"), Path(folder, "model.pickle")
    pickled.write_bytes(pickle.dumps(model))
    kept, lost, kills = {}, 0, 0
    for kill in range(n_kills):
        wanted = (kill + 1) * n_trials // (n_kills + 1)
        command = [sys.executable, "-m", __name__, str(path), str(n_trials)]
        with subprocess.Popen(command) as run:
            while run.poll() is None and len(completed(path)) < wanted:
                sleep(0.2)
            run.kill()
        kills += run.returncode == -9
        now = completed(path)
        lost, kept = lost + lost_trials(kept, now), now
        click.echo(f"kill {kill + 1}: {len(now)} complete trials kept, {lost} lost")
    finished = resumable_search(model, path, n_trials).trials
    return {
        "kills": kills,
        "trials_lost": lost + lost_trials(kept, completed(path)),
        "trials_resumed": len(finished),
        "trials_distinct": finished["widths"].nunique(),
    }


@click.command()
@options.runtime_option()
@options.data_option()
@options.train_option(1000)
@options.seed_option()
@click.option("--trials", default=40, show_default=True, help="Networks that a search trains.")
@options.repeats_option(10, "Budgets, each with a search.")
@click.option("--kills", "n_kills", default=3, show_default=True, help="Of a search.")
@options.protocol_option()
@options.save_option("verification")
def verification(runtime, data, train, seed, trials, repeats, n_kills, protocol, save):
    """Measured latencies of finalists against their budget, and losses of killed searches.

    Fits on TRAIN architectures. Kills a search with SIGKILL, resumes it, and counts lost trials.
    Then searches the default space for denoising networks (``examples/denoise.py``) at several
    budgets, with a confidence of 95 %, and measures five finalists of each search. Prints how many
    meet their budget. Also prints how many of those reported as meeting it are over it in another
    campaign, by more than the noise of its labels explains. A dataset must be from this machine.
    Exits with 1 if a target is missed.
    """
    warnings.simplefilter("ignore", MeasurementWarning)
    dataset = options.labels(train, data, runtime=runtime, seed=seed)
    options.enough(dataset, train)
    pipeline = make_latency_pipeline("mixed", space=dataset.space, random_state=0)
    model = IntervalRegressor(pipeline).fit(dataset.data[:train], dataset.target[:train])
    with tempfile.TemporaryDirectory() as folder:
        killed = killed_search(model, folder, trials, n_kills)
    report = verified_searches(dataset, model, repeats, trials, protocol, seed)
    row = {"runtime": str(dataset.runtime), "protocol": protocol, "n_trials": trials}
    row |= {**kept_budgets(report, dataset.runtime, protocol, seed + 1), **killed}
    options.report("verification", [row], ["runtime", "protocol"], save)
    complete = row["trials_resumed"] == row["trials_distinct"] == trials
    killed_all = row["kills"] == n_kills
    enough = row["within_budget"] >= TARGET * row["finalists"]
    missed = row["over_again"] + row["reported_over"] + row["trials_lost"]
    if missed or not (complete and killed_all and enough):
        raise SystemExit(1)


if __name__ == "__main__":
    store, n = Path(sys.argv[1]), int(sys.argv[2])
    resumable_search(pickle.loads(store.with_name("model.pickle").read_bytes()), store, n)
