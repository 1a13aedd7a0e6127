"""The commands `measure` and `export`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
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
@click.option("-n", "--n-architectures", default=300, show_default=True, help="How many to sample.")
@click.option("--runtime", default=None, help="What executes the models.  [default: protocol's]")
@protocol_option
@space_options
@click.option(
    "--architectures",
    "given",
    type=FILE,
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
    type=Table(),
    help="CSV or Parquet file of the labels.  [default: latencies.csv, none with --store]",
)
def measure(
    n_architectures: int,
    runtime: str | None,
    protocol: str,
    space: Any,
    given: str | None,
    signal_length: int,
    seed: int,
    store: str | None,
    target_error: float | None,
    scheduler: str | None,
    wait: bool,
    output: Path | None,
) -> None:
    """Measure architectures on this machine: random ones, or those of a file."""
    if output is None and store is None:
        output = Table().convert("latencies.csv")
    with warnings_as_lines(), _client(scheduler) as client:
        dataset = fcnn_latency.make_dataset(
            n_architectures if given is None else read_architectures(given),
            space=space,
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
    if output is not None:
        _write(dataset, output)
    if dataset.interrupted:
        raise SystemExit(130)


@contextmanager
def _client(scheduler: str | None) -> Iterator[Any]:
    """A client of a Dask cluster; None without an address."""
    if scheduler is None:
        yield None
        return
    distributed = import_extra("distributed", "fleet", "--scheduler")
    with distributed.Client(scheduler) as client:
        yield client


@click.command()
@dataset_argument("store")
@click.option("--raw", is_flag=True, help="Seconds as read, without the reference's correction.")
@click.option(
    "-o",
    "--output",
    type=Table(),
    default="latencies.csv",
    show_default=True,
    help="CSV or Parquet.",
)
def export(dataset: Any, output: Path) -> None:
    """Write the labels of a STORE as a table."""
    click.echo(dataset.DESCR)
    _write(dataset, output)


def _write(dataset: Any, output: Path) -> None:
    for path in fcnn_latency.save_dataset(dataset, output):
        click.echo(f"wrote {path}")
