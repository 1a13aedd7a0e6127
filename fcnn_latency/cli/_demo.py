"""The main job from end to end: measure, fit, compare, save."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from fcnn_latency._files import check_writable, resolve
from fcnn_latency.datasets._files import save_dataset
from fcnn_latency.datasets._make import make_dataset
from fcnn_latency.displays._comparison import ComparisonDisplay
from fcnn_latency.displays._deviations import AbsoluteDeviationDisplay
from fcnn_latency.displays._loss import LossCurveDisplay
from fcnn_latency.displays._predicted import PredictedLatencyDisplay
from fcnn_latency.displays._quintiles import QuintileErrorDisplay
from fcnn_latency.displays._surface import LatencySurfaceDisplay
from fcnn_latency.estimators._pipeline import make_latency_pipeline
from fcnn_latency.evaluation._comparison import Comparison, compare
from fcnn_latency.persistence._save_load import save


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
        ``model.fcnn`` and seven figures.
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
    folder = resolve(folder)
    check_writable(folder / "latencies.csv")
    dataset = make_dataset(n_architectures, random_state=random_state, verbose=verbose)
    echo(dataset.DESCR)
    save_dataset(dataset, folder / "latencies.csv")
    result = compare(dataset, cv=2, random_state=random_state, verbose=verbose)
    echo(str(result))
    result.to_csv(folder / "comparison.csv")
    model = make_latency_pipeline(random_state=random_state).fit(dataset.data, dataset.target)
    metrics = {"cross_validated": result.table.loc["deep"].dropna().to_dict()}
    save(model, folder / "model.fcnn", dataset=dataset, metrics=metrics)
    _save_figures(folder, model, dataset.reliability, result)
    echo(f"\nSaved in {folder}/: " + ", ".join(sorted(p.name for p in folder.iterdir())))
    return result


def _save_figures(folder: Path, model: Any, reliability: Any, result: Comparison) -> None:
    import matplotlib

    matplotlib.use("agg")
    y, floor, predicted = result.target, result.noise_floor, result.predictions
    best = predicted[list(result.table.sort_values("mape").index[:3])]
    kinds = {"predicted": "actual_vs_predicted", "errors": "residual_vs_predicted"}
    figures: dict[str, Any] = {
        "comparison": ComparisonDisplay.from_comparison(result),
        "deviations": AbsoluteDeviationDisplay.from_predictions(y, predicted),
        "loss": LossCurveDisplay.from_estimator(model),
        "quintiles": QuintileErrorDisplay.from_predictions(y, best, reliability=reliability),
        "surface": LatencySurfaceDisplay.from_estimator(model, (25, 25, 25, 25), layers=(2, 3)),
        **{
            name: PredictedLatencyDisplay.from_predictions(
                y, predicted["deep"], noise_floor=floor, kind=kind
            )
            for name, kind in kinds.items()
        },
    }
    for name, display in figures.items():
        display.figure_.savefig(folder / f"{name}.png", dpi=150)
