"""The command line, thin."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from fcnn_latency.cli_common import read_architectures, store_options, warnings_as_lines
from fcnn_latency.cli_models import adapt, describe, fit, predict
from fcnn_latency.cli_search import search
from fcnn_latency.exceptions import MeasurementError, SearchError, StoreError

__all__ = ["main", "warnings_as_lines"]


#: What a command may raise that is no fault of the code.
EXPECTED = (ImportError, OSError, ValueError, MeasurementError, SearchError, StoreError)


class _Commands(click.Group):
    """Commands whose errors are one line, since their user did not write the code."""

    def invoke(self, context: click.Context) -> Any:
        """Run a command."""
        try:
            return super().invoke(context)
        except EXPECTED as error:
            message = str(error)
            if "FCNNSpace(" in message:
                message += " On the command line: --max-layers, --max-width, --untied."
            raise click.ClickException(message) from error


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="fcnn-latency")
def main() -> None:
    """Measure and predict the CPU inference latency of fully connected networks."""
    # TensorFlow looks for a graphics card otherwise, and complains.
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")


@main.command()
@click.option("-n", "--n-architectures", default=300, show_default=True, help="How many to sample.")
@click.option("--runtime", default=None, help="What executes the models.  [default: protocol's]")
@click.option("--protocol", default="reliable", show_default=True, help="How it is measured.")
@click.option("--max-layers", default=5, show_default=True, help="Most layers.")
@click.option("--max-width", default=50, show_default=True, help="Most neurons of a layer.")
@click.option("--untied", is_flag=True, help="Input and output may differ in width.")
@click.option(
    "--architectures",
    "given",
    type=click.Path(exists=True, dir_okay=False),
    help="Measure those of this CSV file instead of sampling: columns layer_1 to layer_k, 0 or "
    "nothing behind the last layer.",
)
@click.option("--signal-length", default=50, show_default=True, help="Values that are read.")
@click.option("--seed", default=0, show_default=True, help="Seed of the sample and the order.")
@click.option(
    "--store",
    type=click.Path(dir_okay=False),
    help="Write every reading to this SQLite file as it is made; the same command again resumes.",
)
@click.option(
    "--target-error",
    type=float,
    help="Relative standard error above which an architecture gets further passes.",
)
@click.option("--scheduler", help="Address of a Dask scheduler, whose hosts measure instead.")
@click.option(
    "--wait/--no-wait",
    default=True,
    show_default=True,
    help="Wait for another campaign on this machine to end, or refuse.",
)
@click.option(
    "-o",
    "--output",
    help="CSV or Parquet file of the labels.  [default: latencies.csv, none with --store]",
)
def measure(
    n_architectures: int,
    runtime: str | None,
    protocol: str,
    max_layers: int,
    max_width: int,
    untied: bool,
    given: str | None,
    signal_length: int,
    seed: int,
    store: str | None,
    target_error: float | None,
    scheduler: str | None,
    wait: bool,
    output: str | None,
) -> None:
    """Measure architectures on this machine: random ones, or those of a file."""
    from fcnn_latency.architecture import FCNNSpace
    from fcnn_latency.dataset_files import check_path, save_dataset
    from fcnn_latency.datasets import make_dataset

    if output is None and store is None:
        output = "latencies.csv"
    if output is not None:
        check_path(output)
    with warnings_as_lines(), _client(scheduler) as client:
        dataset = make_dataset(
            n_architectures if given is None else read_architectures(given),
            space=FCNNSpace(max_layers=max_layers, max_width=max_width, tie_io=not untied),
            runtime=runtime,
            protocol=protocol,
            signal_length=signal_length,
            target_error=target_error,
            store=store,
            client=client,
            wait=wait,
            random_state=seed,
            verbose=1,
        )
    click.echo(dataset.DESCR)
    for path in save_dataset(dataset, output) if output is not None else []:
        click.echo(f"wrote {path}")
    if dataset.interrupted:
        raise SystemExit(130)


@contextmanager
def _client(scheduler: str | None) -> Iterator[Any]:
    """A client of a Dask cluster; None without an address."""
    if scheduler is None:
        yield None
        return
    try:
        from distributed import Client
    except ImportError as error:
        msg = '--scheduler needs the package distributed: pip install "fcnn-latency[fleet]"'
        raise ImportError(msg) from error
    with Client(scheduler) as client:  # type: ignore[no-untyped-call]
        yield client


@main.command()
@click.argument("store", type=click.Path(exists=True, dir_okay=False))
@store_options
@click.option("--raw", is_flag=True, help="Seconds as read, without the reference's correction.")
@click.option("-o", "--output", default="latencies.csv", show_default=True, help="CSV or Parquet.")
def export(
    store: str, runtime: str | None, campaigns: tuple[int, ...], raw: bool, output: str
) -> None:
    """Write the labels of a STORE as a table."""
    from fcnn_latency.dataset_files import check_path, load_dataset, save_dataset

    check_path(output)
    with warnings_as_lines():
        dataset = load_dataset(
            store, runtime=runtime, campaigns=campaigns or None, corrected=not raw
        )
    click.echo(dataset.DESCR)
    for path in save_dataset(dataset, output):
        click.echo(f"wrote {path}")


@main.command()
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
    from fcnn_latency.comparison import compare as compare_estimators
    from fcnn_latency.dataset_files import check_writable, load_dataset

    for path in (output, figure):
        if path is not None:
            check_writable(Path(path))
    if figure is not None:
        from fcnn_latency.displays.drawing import check_figure

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
        from fcnn_latency.displays import ComparisonDisplay

        ComparisonDisplay.from_comparison(result).figure_.savefig(figure, dpi=150)
        click.echo(f"wrote {figure}")


for command in (fit, adapt, predict, describe, search):
    main.add_command(command)


@main.command()
@click.option("-n", "--n-architectures", default=200, show_default=True, help="How many.")
@click.option("-o", "--output", default="demo", show_default=True, help="Folder.")
def demo(n_architectures: int, output: str) -> None:
    """Measure, compare, fit, and save data, model and figures."""
    from fcnn_latency.demo import run_demo

    run_demo(output, n_architectures=n_architectures, echo=click.echo)


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def doctor(as_json: bool) -> None:
    """Show machine, versions and settings, and what would disturb a measurement."""
    from fcnn_latency.cli_doctor import list_environment, list_findings
    from fcnn_latency.measurement.environment import (
        describe_environment,
        find_disturbances,
        missing_packages,
    )
    from fcnn_latency.measurement.runtimes import RUNTIMES

    packages = {package for runtime in RUNTIMES.values() for package in runtime.packages}
    environment = describe_environment(sorted(packages | {"tensorflow", "keras", "scikeras"}))
    missing = {name: missing_packages(runtime.packages) for name, runtime in RUNTIMES.items()}
    found = find_disturbances(environment)
    if as_json:
        about = {**environment, "missing_packages": missing, "disturbances": found}
        click.echo(json.dumps(about, indent=2))
    else:
        click.echo("\n".join([*list_environment(environment, missing), *list_findings(found)]))
