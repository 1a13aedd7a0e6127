"""Commands about models: fit, adapt, predict, describe."""

from __future__ import annotations

import json
from typing import Any

import click

from fcnn_latency.cli._options import (
    parse_widths,
    read_architectures,
    store_options,
    warnings_as_lines,
)


@click.command()
@click.argument("data", type=click.Path(exists=True, dir_okay=False))
@store_options
@click.option("-e", "--estimator", default="deep", show_default=True, help="Which one to fit.")
@click.option("--seed", default=0, show_default=True, help="Seed of the estimator.")
@click.option(
    "--folds", default=0, help="Cross-validate with so many folds too.  [default: not at all]"
)
@click.option(
    "--intervals",
    is_flag=True,
    help="Learn prediction intervals too, which takes ten further fits.",
)
@click.option("-o", "--output", default="model.fcnn", show_default=True, help="Model file.")
def fit(
    data: str,
    runtime: str | None,
    campaigns: tuple[int, ...],
    estimator: str,
    seed: int,
    folds: int,
    intervals: bool,
    output: str,
) -> None:
    """Fit an estimator to measured DATA, and keep it with its errors and what it was fitted on."""
    from fcnn_latency._files import check_writable
    from fcnn_latency.datasets._files import load_dataset
    from fcnn_latency.estimators._intervals import IntervalRegressor
    from fcnn_latency.estimators._pipeline import make_latency_pipeline
    from fcnn_latency.evaluation._comparison import compare as compare_estimators
    from fcnn_latency.metrics import latency_metrics
    from fcnn_latency.persistence._save_load import save

    check_writable(output)
    with warnings_as_lines():
        dataset = load_dataset(data, runtime=runtime, campaigns=campaigns or None)
    X, y, floor = dataset.data, dataset.target, dataset.noise_floor or None
    about = {"space": dataset.space, "signal_length": dataset.signal_length, "random_state": seed}
    model = make_latency_pipeline(estimator, **about)
    if intervals:
        model = IntervalRegressor(model, random_state=seed)
    model.fit(X, y)
    metrics: dict[str, Any] = {"training": latency_metrics(y, model.predict(X), noise_floor=floor)}
    if folds:
        compared = compare_estimators(
            X, y, estimators=[estimator], cv=folds, noise_floor=floor, **about
        )
        metrics["cross_validated"] = compared.table.loc[estimator].dropna().to_dict()
    save(model, output, dataset=dataset, metrics=metrics)
    click.echo(f"wrote {output}")


@click.command()
@click.argument("model", type=click.Path(exists=True, dir_okay=False))
@click.argument("architectures", nargs=-1)
@click.option(
    "--architectures",
    "given",
    type=click.Path(exists=True, dir_okay=False),
    help="Predict those of this CSV file (layer_1 to layer_k).",
)
@click.option(
    "--trust", "trusted", multiple=True, help="Build this further type; full name, repeatable."
)
@click.option(
    "--coverage",
    type=float,
    help="Of the intervals that a model fitted with --intervals predicts.  [default: 0.9]",
)
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write CSV here.")
def predict(
    model: str,
    architectures: tuple[str, ...],
    given: str | None,
    trusted: tuple[str, ...],
    coverage: float | None,
    output: str | None,
) -> None:
    """Predict ARCHITECTURES, as 14,21,31,14, with a MODEL that `fit` wrote."""
    import pandas as pd

    from fcnn_latency._files import check_writable, write_whole
    from fcnn_latency._units import format_seconds
    from fcnn_latency.datasets._bunch import layer_names
    from fcnn_latency.persistence._save_load import load
    from fcnn_latency.spaces._widths import pad_widths

    if bool(architectures) == bool(given):
        raise click.UsageError("Give architectures, or a file of them with --architectures.")
    if output is not None:
        check_writable(output)
    rows = read_architectures(given) if given else [parse_widths(text) for text in architectures]
    fitted = load(model, trusted=trusted)
    columns = {"latency": fitted.predict(rows)}
    if coverage is not None and not hasattr(fitted, "predict_interval"):
        msg = f"{model} knows no intervals: fit it with `fcnn-latency fit --intervals`."
        raise ValueError(msg)
    if hasattr(fitted, "predict_interval"):
        coverage = 0.9 if coverage is None else coverage
        columns["lower"], columns["upper"] = fitted.predict_interval(rows, coverage).T
    if output is not None:
        padded = pad_widths(rows)
        frame = pd.DataFrame(padded, columns=layer_names(padded))
        write_whole(output, frame.assign(**columns).to_csv(index=False).encode())
        click.echo(f"wrote {output}")
        return
    for widths, *latencies in zip(rows, *columns.values(), strict=True):
        latency, *ends = map(format_seconds, latencies)
        line = f"{','.join(f'{width:g}' for width in widths)}  {latency}"
        click.echo(f"{line}  {ends[0]} to {ends[1]} ({coverage:.0%})" if ends else line)


@click.command()
@click.argument("model", type=click.Path(exists=True, dir_okay=False))
@click.argument("data", type=click.Path(exists=True, dir_okay=False))
@store_options
@click.option(
    "--trust", "trusted", multiple=True, help="Build this further type; full name, repeatable."
)
@click.option("-o", "--output", default="adapted.fcnn", show_default=True, help="Model file.")
def adapt(
    model: str,
    data: str,
    runtime: str | None,
    campaigns: tuple[int, ...],
    trusted: tuple[str, ...],
    output: str,
) -> None:
    """Adapt a MODEL to 10 to 50 measurements of another machine or runtime in DATA."""
    from fcnn_latency._files import check_writable
    from fcnn_latency.datasets._files import load_dataset
    from fcnn_latency.estimators._transfer import TransferRegressor
    from fcnn_latency.metrics import latency_metrics
    from fcnn_latency.persistence._save_load import load, save

    check_writable(output)
    with warnings_as_lines():
        dataset = load_dataset(data, runtime=runtime, campaigns=campaigns or None)
    source = load(model, trusted=trusted)
    adapted = TransferRegressor(source, signal_length=dataset.signal_length)
    adapted.fit(dataset.data, dataset.target)
    errors = latency_metrics(dataset.target, adapted.predict(dataset.data))
    save(adapted, output, dataset=dataset, metrics={"training": errors})
    click.echo(f"wrote {output}")


@click.command()
@click.argument("model", type=click.Path(exists=True, dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Print all of it, as JSON.")
def describe(model: str, as_json: bool) -> None:
    """Show what a MODEL file holds, without building the model."""
    from fcnn_latency.persistence._save_load import manifest_text, read_manifest

    manifest = read_manifest(model)
    click.echo(json.dumps(manifest, indent=2) if as_json else manifest_text(manifest))
