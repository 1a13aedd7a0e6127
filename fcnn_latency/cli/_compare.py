"""The command `compare`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

import fcnn_latency
from fcnn_latency.cli._options import Output, dataset_argument, figure_option, save_figure


@click.command()
@dataset_argument("data")
@click.option("--folds", default=5, help="Folds of the cross-validation.")
@click.option("--seed", default=0, help="Seed of folds and estimators.")
@click.option(
    "-e",
    "--estimator",
    "estimators",
    multiple=True,
    help='Repeat for several.  [default: all but "measured"]',
)
@click.option("--jobs", type=int, help="Fits at a time, -1 for one a core; times then mislead.")
@click.option("-o", "--output", type=Output(), help="Write the table as CSV.")
@figure_option
def compare(
    dataset: Any,
    folds: int,
    seed: int,
    estimators: tuple[str, ...],
    jobs: int | None,
    output: Path | None,
    figure: Path | None,
) -> None:
    """Compare the estimators on measured DATA."""
    result = fcnn_latency.compare(
        dataset, estimators=estimators or None, cv=folds, random_state=seed, n_jobs=jobs, verbose=1
    )
    click.echo(str(result))
    if output is not None:
        result.to_csv(output)
        click.echo(f"wrote {output}")
    if figure is not None:
        save_figure(figure, fcnn_latency.ComparisonDisplay.from_comparison(result))
