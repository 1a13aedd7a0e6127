"""The main job from end to end: measure, fit, compare, save."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sklearn.metrics import PredictionErrorDisplay

from fcnn_latency.comparison import Comparison, compare
from fcnn_latency.dataset_files import check_writable, save_dataset
from fcnn_latency.datasets import make_dataset
from fcnn_latency.displays import AbsoluteDeviationDisplay, LossCurveDisplay
from fcnn_latency.persistence import save
from fcnn_latency.pipeline import make_latency_pipeline

__all__ = ["run_demo"]


def run_demo(
    folder: str | Path,
    *,
    n_architectures: int = 200,
    random_state: int = 0,
    verbose: int = 1,
    echo: Callable[[str], None] = print,
) -> Comparison:
    """Measure architectures, compare all estimators, fit the default, save all into `folder`.

    Parameters
    ----------
    folder : path
        Made where it does not exist: gets ``latencies.csv`` and ``.json``, ``comparison.csv``,
        ``model.fcnn`` and three figures.
    n_architectures : int, default=200
        How many to measure.
    random_state : int, default=0
        Seed of everything.
    verbose : int, default=1
        Whether to show progress.
    echo : callable, default=print
        Takes what is reported.

    Returns
    -------
    Comparison
        Two-fold.
    """
    folder = Path(folder)
    check_writable(folder / "latencies.csv")
    dataset = make_dataset(n_architectures, random_state=random_state, verbose=verbose)
    echo(dataset.DESCR)
    save_dataset(dataset, folder / "latencies.csv")
    X, y = dataset.data, dataset.target
    result = compare(
        X, y, cv=2, noise_floor=dataset.noise_floor, random_state=random_state, verbose=verbose
    )
    echo(str(result))
    result.table.to_csv(folder / "comparison.csv", index_label="estimator")
    model = make_latency_pipeline(random_state=random_state).fit(X, y)
    metrics = {"cross_validated": result.table.loc["deep"].to_dict()}
    save(model, folder / "model.fcnn", dataset=dataset, metrics=metrics)
    _save_figures(folder, model, y, result)
    echo(f"\nSaved in {folder}/: " + ", ".join(sorted(p.name for p in folder.iterdir())))
    return result


def _save_figures(folder: Path, model: Any, y: Any, result: Comparison) -> None:
    import matplotlib

    matplotlib.use("agg")
    shown = result.predictions.drop(columns=["mean", "flops"])
    figures = {
        "loss": LossCurveDisplay.from_estimator(model),
        "deviations": AbsoluteDeviationDisplay.from_predictions(y, shown),
        "predicted": PredictionErrorDisplay.from_predictions(
            1e6 * y, 1e6 * result.predictions["deep"], kind="actual_vs_predicted"
        ),
    }
    figures["predicted"].ax_.set(xlabel="predicted (µs)", ylabel="measured (µs)")
    for name, display in figures.items():
        display.figure_.savefig(folder / f"{name}.png", dpi=150)
