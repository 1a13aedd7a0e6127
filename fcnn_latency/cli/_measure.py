"""The commands `measure` and `export`."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click

import fcnn_latency
from fcnn_latency._imports import import_extra
from fcnn_latency.cli._options import (
    FILE,
    Table,
    dataset_argument,
    protocol_option,
    read_architectures,
    space_options,
    warnings_as_lines,
)


@click.command()
@click.option("-n", "--n-architectures", default=300, help="How many to sample.")
@click.option("--runtime", help="What executes the models.  [default: protocol's]")
@protocol_option
@space_options
@click.option(
    "--architectures",
    "given",
    type=FILE,
    help="Measure those of this CSV file instead of sampling: columns layer_1 to layer_k, 0 or "
    "nothing behind the last layer.",
)
@click.option("--signal-length", default=50, help="Values that are read.")
@click.option("--seed", "random_state", default=0, help="Seed of the sample and the order.")
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
    help="Wait for another campaign on this machine to end, or refuse.",
)
@click.option(
    "-o",
    "--output",
    type=Table(),
    help="CSV or Parquet file of the labels.  [default: latencies.csv, none with --store]",
)
def measure(
    n_architectures: int,
    given: str | None,
    store: str | None,
    scheduler: str | None,
    output: Path | None,
    **settings: Any,
) -> None:
    """Measure architectures on this machine: random ones, or those of a file."""
    # The other options are parameters of `make_dataset`.
    if output is None and store is None:
        output = Table().convert("latencies.csv")
    with warnings_as_lines(), _client(scheduler) as client:
        dataset = fcnn_latency.make_dataset(
            n_architectures if given is None else read_architectures(given),
            store=store,
            client=client,
            verbose=1,
            **settings,
        )
    click.echo(dataset.DESCR)
    if output is not None:
        _write(dataset, output)
    if dataset.interrupted:
        raise SystemExit(130)


def _client(scheduler: str | None) -> Any:
    """Return a context manager for a Dask client, or for None if there is no address."""
    if scheduler is None:
        return nullcontext()
    return import_extra("distributed", "fleet", "--scheduler").Client(scheduler)


@click.command()
@dataset_argument("store")
@click.option("--raw", is_flag=True, help="Seconds as read, without the reference's correction.")
@click.option("-o", "--output", type=Table(), default="latencies.csv", help="CSV or Parquet.")
def export(dataset: Any, output: Path) -> None:
    """Write the labels of a STORE as a table."""
    click.echo(dataset.DESCR)
    _write(dataset, output)


def _write(dataset: Any, output: Path) -> None:
    for path in fcnn_latency.save_dataset(dataset, output):
        click.echo(f"wrote {path}")
