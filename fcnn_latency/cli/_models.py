"""The commands `fit`, `adapt`, `predict` and `describe`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

import fcnn_latency
from fcnn_latency._units import format_seconds
from fcnn_latency.cli._options import (
    FILE,
    Output,
    dataset_argument,
    parse_widths,
    read_architectures,
    trust_option,
    write_rows,
)


@click.command()
@dataset_argument("data")
@click.option("-e", "--estimator", default="deep", help="Which one to fit.")
@click.option("--seed", default=0, help="Seed of the estimator.")
@click.option(
    "--folds",
    default=0,
    show_default=False,
    help="Cross-validate with so many folds too.  [default: not at all]",
)
@click.option(
    "--intervals", is_flag=True, help="Learn prediction intervals too; this needs ten further fits."
)
@click.option("-o", "--output", type=Output(), default="model.fcnn", help="Model file.")
def fit(dataset: Any, estimator: str, seed: int, folds: int, intervals: bool, output: Path) -> None:
    """Fit an estimator to measured DATA, and keep it with its errors and what it was fitted on."""
    from fcnn_latency.metrics import latency_metrics

    X, y, floor = dataset.data, dataset.target, dataset.noise_floor or None
    about = {"space": dataset.space, "signal_length": dataset.signal_length, "random_state": seed}
    model = fcnn_latency.make_latency_pipeline(estimator, **about)
    if intervals:
        model = fcnn_latency.IntervalRegressor(model, random_state=seed)
    model.fit(X, y)
    metrics: dict[str, Any] = {"training": latency_metrics(y, model.predict(X), noise_floor=floor)}
    if folds:
        compared = fcnn_latency.compare(
            X, y, estimators=[estimator], cv=folds, noise_floor=floor, **about
        )
        metrics["cross_validated"] = compared.table.loc[estimator].dropna().to_dict()
    fcnn_latency.save(model, output, dataset=dataset, metrics=metrics)
    click.echo(f"wrote {output}")


@click.command()
@click.argument("model", type=FILE)
@click.argument("architectures", nargs=-1)
@click.option(
    "--architectures", "given", type=FILE, help="Predict those of this CSV (layer_1 to layer_k)."
)
@trust_option
@click.option(
    "--coverage",
    type=float,
    help="Of the intervals that a model fitted with --intervals predicts.  [default: 0.9]",
)
@click.option("-o", "--output", type=Output(), help="Write CSV here.")
def predict(
    model: str,
    architectures: tuple[str, ...],
    given: str | None,
    trusted: tuple[str, ...],
    coverage: float | None,
    output: Path | None,
) -> None:
    """Predict ARCHITECTURES, as 14,21,31,14, with a MODEL that `fit` wrote."""
    if bool(architectures) == bool(given):
        raise click.UsageError("Give architectures, or a file of them with --architectures.")
    rows = read_architectures(given) if given else [parse_widths(text) for text in architectures]
    fitted = fcnn_latency.load(model, trusted=trusted)
    columns = {"latency": fitted.predict(rows)}
    if coverage is not None and not hasattr(fitted, "predict_interval"):
        raise ValueError(f"{model} knows no intervals: fit it with `fcnn-latency fit --intervals`.")
    if hasattr(fitted, "predict_interval"):
        coverage = 0.9 if coverage is None else coverage
        columns["lower"], columns["upper"] = fitted.predict_interval(rows, coverage).T
    if output is not None:
        write_rows(output, rows, columns)
        return
    for widths, *latencies in zip(rows, *columns.values(), strict=True):
        latency, *ends = map(format_seconds, latencies)
        line = f"{','.join(f'{width:g}' for width in widths)}  {latency}"
        click.echo(f"{line}  {ends[0]} to {ends[1]} ({coverage:.0%})" if ends else line)


@click.command()
@click.argument("model", type=FILE)
@dataset_argument("data")
@trust_option
@click.option("-o", "--output", type=Output(), default="adapted.fcnn", help="Model file.")
def adapt(model: str, dataset: Any, trusted: tuple[str, ...], output: Path) -> None:
    """Adapt a MODEL to 10 to 50 measurements of another machine or runtime in DATA."""
    from fcnn_latency.metrics import latency_metrics

    source = fcnn_latency.load(model, trusted=trusted)
    adapted = fcnn_latency.TransferRegressor(source, signal_length=dataset.signal_length)
    adapted.fit(dataset.data, dataset.target)
    errors = latency_metrics(dataset.target, adapted.predict(dataset.data))
    fcnn_latency.save(adapted, output, dataset=dataset, metrics={"training": errors})
    click.echo(f"wrote {output}")


@click.command()
@click.argument("model", type=FILE)
@click.option("--json", "as_json", is_flag=True, help="Print all of it, as JSON.")
def describe(model: str, as_json: bool) -> None:
    """Show what a MODEL file holds, without building the model."""
    from fcnn_latency.persistence._save_load import manifest_text

    manifest = fcnn_latency.read_manifest(model)
    click.echo(json.dumps(manifest, indent=2) if as_json else manifest_text(manifest))
