"""The command `compare`."""

from __future__ import annotations

import click

from fcnn_latency.cli._options import store_options, warnings_as_lines


@click.command()
@click.argument("data", type=click.Path(exists=True, dir_okay=False))
@store_options
@click.option("--folds", default=5, show_default=True, help="Folds of the cross-validation.")
@click.option("--seed", default=0, show_default=True, help="Seed of folds and estimators.")
@click.option(
    "-e",
    "--estimator",
    "estimators",
    multiple=True,
    help='Repeat for several.  [default: all but "measured"]',
)
@click.option("--jobs", type=int, help="Fits at a time, -1 for one a core; times then mislead.")
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write the table as CSV.")
@click.option("--figure", type=click.Path(dir_okay=False), help="Draw it: .png, .svg or .pdf.")
def compare(
    data: str,
    runtime: str | None,
    campaigns: tuple[int, ...],
    folds: int,
    seed: int,
    estimators: tuple[str, ...],
    jobs: int | None,
    output: str | None,
    figure: str | None,
) -> None:
    """Compare the estimators on measured DATA."""
    from fcnn_latency._files import check_writable
    from fcnn_latency.datasets._files import load_dataset
    from fcnn_latency.evaluation._comparison import compare as compare_estimators

    for path in (output, figure):
        if path is not None:
            check_writable(path)
    if figure is not None:
        from fcnn_latency.displays._axes import check_figure

        check_figure(figure)
    with warnings_as_lines():
        dataset = load_dataset(data, runtime=runtime, campaigns=campaigns or None)
    result = compare_estimators(
        dataset, estimators=estimators or None, cv=folds, random_state=seed, n_jobs=jobs, verbose=1
    )
    click.echo(str(result))
    if output is not None:
        result.to_csv(output)
        click.echo(f"wrote {output}")
    if figure is not None:
        from fcnn_latency.displays._comparison import ComparisonDisplay

        ComparisonDisplay.from_comparison(result).figure_.savefig(figure, dpi=150)
        click.echo(f"wrote {figure}")
