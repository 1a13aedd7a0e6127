"""The command `search`."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import click

import fcnn_latency
from fcnn_latency.cli._options import (
    FILE,
    Output,
    figure_option,
    protocol_option,
    save_figure,
    space_options,
    trust_option,
    warnings_as_lines,
    write_rows,
)


@click.command()
@click.argument("model", type=FILE)
@click.option(
    "--objective",
    required=True,
    metavar="MODULE:FUNCTION",
    help="Python function from a tuple of widths to a quality; modules of this folder are found.",
)
@click.option("--max-latency", help='Budget, as "2us" or "0.5 ms".  [default: none, a front]')
@click.option("--confidence", type=float, help="Hold it on the upper end of the interval, as 0.95.")
@click.option("-n", "--n-trials", default=100, help="How many to evaluate.")
@click.option("--minimize", is_flag=True, help="Lower quality is better.")
@click.option(
    "--front/--no-front",
    default=None,
    help="Whether low latency is an aim beside quality.  [default: without a budget]",
)
@click.option("--sampler", default="tpe", help="gain, tpe, nsga2 or random.")
@space_options
@click.option(
    "--storage", help="SQLite file, journal or database of the trials; the same again resumes."
)
@click.option("--study", "study_name", default="fcnn-latency", help="Its name.")
@click.option("--seed", "random_state", default=0, help="Seed of the proposals.")
@click.option(
    "--verify",
    "n_verified",
    type=click.IntRange(min=0),
    default=0,
    show_default=False,
    help="Measure so many finalists.  [default: none]",
)
@click.option("--runtime", help="For --verify: what executes the models, as for the labels.")
@protocol_option
@click.option("--store", type=click.Path(dir_okay=False), help="Write readings to this file.")
@click.option("-o", "--output", type=Output(), help="Write front, or what was measured, CSV.")
@figure_option
@trust_option
def search(
    model: str,
    objective: str,
    minimize: bool,
    random_state: int,
    n_verified: int,
    runtime: str | None,
    protocol: str,
    store: str | None,
    output: Path | None,
    figure: Path | None,
    trusted: tuple[str, ...],
    **settings: Any,
) -> None:
    """Search architectures of high quality within a latency budget, predicted by a MODEL."""
    # The other options are parameters of `fcnn_latency.search`.
    from fcnn_latency.measurement._store_file import check_store
    from fcnn_latency.measurement.runtimes import get_runtime
    from fcnn_latency.nas._verification import check_passes

    if store is not None and not n_verified:
        raise click.UsageError("--store keeps the readings of --verify: say how many to verify.")
    if n_verified:  # before the search, which may take hours
        if runtime is None:
            raise click.UsageError(
                "--verify measures with a --runtime: that of the model's labels."
            )
        get_runtime(runtime)
        check_passes(protocol)
        if store is not None:
            check_store(store)
    result = fcnn_latency.search(
        _import_objective(objective),
        latency_model=fcnn_latency.load(model, trusted=trusted),
        direction="minimize" if minimize else "maximize",
        random_state=random_state,
        verbose=1,
        **settings,
    )
    click.echo(str(result))
    verification = None
    if n_verified:
        with warnings_as_lines():
            verification = fcnn_latency.verify(
                result,
                runtime=runtime,
                n_finalists=n_verified,
                protocol=protocol,
                store=store,
                random_state=random_state,
                verbose=1,
            )
        click.echo(str(verification))
    if output is not None:
        found = result.front if verification is None else verification.report
        write_rows(output, list(found["widths"]), found.drop(columns="widths").to_dict("list"))
    if figure is not None:
        save_figure(figure, fcnn_latency.FrontDisplay.from_result(result, verification))


def _import_objective(name: str) -> Any:
    """Import a function by module and name; the module may be in the working folder."""
    module, _, function = name.partition(":")
    if not module or not function:
        raise click.UsageError(
            f"--objective names a function as package.module:function. Got {name!r} instead."
        )
    if "" not in sys.path:
        sys.path.insert(0, "")
    try:
        return getattr(import_module(module), function)
    except (ImportError, AttributeError) as error:
        raise click.UsageError(f"--objective {name} cannot be imported: {error}") from error
