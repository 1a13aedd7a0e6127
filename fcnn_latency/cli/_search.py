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
@click.option("-n", "--n-trials", default=100, show_default=True, help="How many to evaluate.")
@click.option("--minimize", is_flag=True, help="Lower quality is better.")
@click.option(
    "--front/--no-front",
    default=None,
    help="Whether low latency is an aim beside quality.  [default: without a budget]",
)
@click.option("--sampler", default="tpe", show_default=True, help="tpe, nsga2 or random.")
@space_options
@click.option(
    "--storage", help="SQLite file, journal or database of the trials; the same again resumes."
)
@click.option("--study", "study_name", default="fcnn-latency", show_default=True, help="Its name.")
@click.option("--seed", default=0, show_default=True, help="Seed of the proposals.")
@click.option(
    "--verify",
    "n_verified",
    type=click.IntRange(min=0),
    default=0,
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
    max_latency: str | None,
    confidence: float | None,
    n_trials: int,
    minimize: bool,
    front: bool | None,
    sampler: str,
    space: Any,
    storage: str | None,
    study_name: str,
    seed: int,
    n_verified: int,
    runtime: str | None,
    protocol: str,
    store: str | None,
    output: Path | None,
    figure: Path | None,
    trusted: tuple[str, ...],
) -> None:
    """Search architectures of high quality within a latency budget, predicted by a MODEL."""
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
        space=space,
        latency_model=fcnn_latency.load(model, trusted=trusted),
        max_latency=max_latency,
        confidence=confidence,
        n_trials=n_trials,
        direction="minimize" if minimize else "maximize",
        front=front,
        sampler=sampler,
        storage=storage,
        study_name=study_name,
        random_state=seed,
        verbose=1,
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
                random_state=seed,
                verbose=1,
            )
        click.echo(str(verification))
    if output is not None:
        found = result.front if verification is None else verification.report
        write_rows(output, list(found["widths"]), found.drop(columns="widths").to_dict("list"))
    if figure is not None:
        save_figure(figure, fcnn_latency.FrontDisplay.from_result(result, verification))


def _import_objective(name: str) -> Any:
    """A function by its module and name, the module being found in the working folder too."""
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
