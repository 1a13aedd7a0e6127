"""The main workflow from end to end: measure, compare, fit, save."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

import fcnn_latency
from fcnn_latency._files import check_writable, resolve


def run_demo(folder: str, n_architectures: int) -> None:
    """Measure architectures, compare all estimators, fit the default one, and save everything.

    Parameters
    ----------
    folder : str
        Folder for ``latencies.csv`` and ``.json``, ``comparison.csv``, ``model.fcnn`` and seven
        figures. It is created if it does not exist.
    n_architectures : int
        Number of architectures to measure.
    """
    path = resolve(folder)
    check_writable(path / "latencies.csv")
    dataset = fcnn_latency.make_dataset(n_architectures, random_state=0, verbose=1)
    click.echo(dataset.DESCR)
    fcnn_latency.save_dataset(dataset, path / "latencies.csv")
    result = fcnn_latency.compare(dataset, cv=2, random_state=0, n_jobs=2, verbose=1)
    click.echo(str(result))
    result.to_csv(path / "comparison.csv")
    model = fcnn_latency.make_latency_pipeline(random_state=0).fit(dataset.data, dataset.target)
    metrics = {"cross_validated": result.table.loc["deep"].dropna().to_dict()}
    fcnn_latency.save(model, path / "model.fcnn", dataset=dataset, metrics=metrics)
    _save_figures(path, model, dataset.reliability, result)
    click.echo(f"\nSaved in {path}/: " + ", ".join(sorted(p.name for p in path.iterdir())))


def _save_figures(folder: Path, model: Any, reliability: Any, result: Any) -> None:
    import matplotlib

    matplotlib.use("agg")
    y, floor, predicted = result.target, result.noise_floor, result.predictions
    best = predicted[list(result.table.sort_values("mape").index[:3])]
    kinds = {"predicted": "actual_vs_predicted", "errors": "residual_vs_predicted"}
    figures: dict[str, Any] = {
        "comparison": fcnn_latency.ComparisonDisplay.from_comparison(result),
        "deviations": fcnn_latency.AbsoluteDeviationDisplay.from_predictions(y, predicted),
        "loss": fcnn_latency.LossCurveDisplay.from_estimator(model),
        "quintiles": fcnn_latency.QuintileErrorDisplay.from_predictions(
            y, best, reliability=reliability
        ),
        "surface": fcnn_latency.LatencySurfaceDisplay.from_estimator(
            model, (25, 25, 25, 25), layers=(2, 3)
        ),
        **{
            name: fcnn_latency.PredictedLatencyDisplay.from_predictions(
                y, predicted["deep"], noise_floor=floor, kind=kind
            )
            for name, kind in kinds.items()
        },
    }
    for name, display in figures.items():
        display.figure_.savefig(folder / f"{name}.png", dpi=150)
