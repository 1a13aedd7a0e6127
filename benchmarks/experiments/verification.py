"""Whether finalists keep the budget when they are measured, and what a killed search loses.

``python -m benchmarks verification`` measures 1,000 architectures with LiteRT, searches the default
space at ten budgets with a confidence of 95 % for networks that denoise (``examples/denoise.py``),
measures five finalists of each by the protocol `reliable`, and prints how many keep their budget,
and how many are reported as keeping it that do not, in another campaign, beyond what the noise of
its labels explains. Before that it kills a search with SIGKILL three times, resumes it, and prints
how many trials were lost. ``--data FILE`` reads a dataset of this machine instead, ``--trials``
counts the networks that a search trains, ``--protocol`` names another protocol. It exits with 1
where a target is missed.
"""

import argparse
import pickle
import subprocess
import sys
import tempfile
import warnings
from contextlib import suppress
from pathlib import Path
from time import sleep

import numpy as np
import optuna
import pandas as pd

from fcnn_latency import (
    IntervalRegressor,
    MeasurementWarning,
    load_dataset,
    make_dataset,
    make_latency_pipeline,
    search,
    verify,
)
from fcnn_latency.spaces import trim_widths

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples"))
from denoise import quality

CONFIDENCE, TARGET = 0.95, 0.95
N_BUDGETS, N_FINALISTS, N_KILLS = 10, 5, 3
#: Of the labels, budgets; from 600 ns on the best networks are faster than a budget needs.
QUANTILES = np.linspace(0.01, 0.2, N_BUDGETS)


def fast_quality(widths) -> float:
    """Quality by one seed."""
    return quality(widths, seeds=(0,))


def verified_searches(dataset, model, n_trials: int, protocol: str) -> pd.DataFrame:
    """Finalists of all budgets, with what verification says of them."""
    reports = []
    for seed, budget in enumerate(np.quantile(dataset.target, QUANTILES)):
        found = search(
            fast_quality,
            latency_model=model,
            max_latency=float(budget),
            confidence=CONFIDENCE,
            n_trials=n_trials,
            sampler="gain",
            random_state=seed,
        )
        checked = verify(
            found,
            runtime="litert",
            n_finalists=N_FINALISTS,
            protocol=protocol,
            random_state=seed,
        )
        reports.append(checked.report.assign(budget=budget))
        print(f"\n{checked}", flush=True)
    return pd.concat(reports, ignore_index=True)


def print_kept(report: pd.DataFrame, protocol: str) -> bool:
    """How many keep their budget, and whether a second campaign agrees."""
    share = (report["measured"] <= report["budget"]).mean()
    best = report.drop_duplicates("budget")
    print(f"\nthe best of each uses {(best['measured'] / best['budget']).round(3).tolist()} of it")
    kept = report[report["keeps_budget"]]
    print(f"\n{len(report)} finalists of {N_BUDGETS} searches:")
    print(f"measured within the budget {share:.1%} (target at least {TARGET:.0%})")
    print(f"reported as keeping it, by a bound of 95 % {len(kept) / len(report):.1%}")
    again = make_dataset(
        sorted(set(kept["widths"])), runtime="litert", protocol=protocol, random_state=1
    )
    labels = dict(zip(trim_widths(again.data), again.target, strict=True))
    second = kept["widths"].map(labels)
    over = second > kept["budget"] * (1 + 2 * again.noise_floor)
    print(f"of these over it in a second campaign, beyond twice its noise floor: {over.sum()}")
    return bool(share >= TARGET and not over.any() and (kept["measured"] <= kept["budget"]).all())


def resumable_search(model, storage, n_trials: int):
    """The search that is killed, begun or resumed."""
    return search(
        fast_quality,
        latency_model=model,
        n_trials=n_trials,
        sampler="gain",
        storage=storage,
        random_state=0,
    )


def completed(path: Path) -> dict[int, tuple]:
    """Parameters and values of the complete trials that a storage holds, by number."""
    with suppress(KeyError):  # killed before it was begun
        study = optuna.load_study(study_name="fcnn-latency", storage=f"sqlite:///{path}")
        done = study.get_trials(states=(optuna.trial.TrialState.COMPLETE,))
        return {one.number: (one.params, one.values) for one in done}
    return {}


def killed_search(model, folder: str, n_trials: int) -> bool:
    """Kill, resume, compare; whether nothing was lost."""
    path, pickled = Path(folder, "killed.sqlite"), Path(folder, "model.pickle")
    pickled.write_bytes(pickle.dumps(model))
    kept: dict[int, tuple] = {}
    for kill in range(N_KILLS):
        wanted = (kill + 1) * n_trials // (N_KILLS + 1)
        command = [sys.executable, __file__, "--resume", str(path), "--trials", str(n_trials)]
        with subprocess.Popen(command) as run:
            while run.poll() is None and len(completed(path)) < wanted:
                sleep(0.2)
            run.kill()
        now = completed(path)
        lost = sum(now.get(number) != trial for number, trial in kept.items())
        print(f"kill {kill + 1}: {len(now)} complete trials kept, {lost} lost", flush=True)
        if lost or run.returncode != -9:
            return False
        kept = now
    finished = resumable_search(model, path, n_trials).trials
    now, distinct = completed(path), finished["widths"].nunique()
    lost = sum(now.get(number) != trial for number, trial in kept.items())
    print(f"resumed: {len(finished)} of {n_trials} trials, {distinct} distinct, {lost} lost")
    return lost == 0 and len(finished) == distinct == n_trials


def main() -> int:
    """Search, verify, kill, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", help="a dataset's file")
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--protocol", default="reliable")
    parser.add_argument("--resume", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", MeasurementWarning)
    if arguments.resume:
        path = Path(arguments.resume)
        model = pickle.loads(path.with_name("model.pickle").read_bytes())
        resumable_search(model, path, arguments.trials)
        return 0
    dataset = (
        load_dataset(arguments.data)
        if arguments.data
        else make_dataset(1000, runtime="litert", random_state=0)
    )
    pipeline = make_latency_pipeline("mixed", space=dataset.space, random_state=0)
    model = IntervalRegressor(pipeline).fit(dataset.data[:1000], dataset.target[:1000])
    with tempfile.TemporaryDirectory() as folder:
        nothing_lost = killed_search(model, folder, arguments.trials)
    report = verified_searches(dataset, model, arguments.trials, arguments.protocol)
    return int(not (print_kept(report, arguments.protocol) and nothing_lost))


if __name__ == "__main__":
    sys.exit(main())
