"""The command `search`."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import click

from fcnn_latency.cli._options import warnings_as_lines


@click.command()
@click.argument("model", type=click.Path(exists=True, dir_okay=False))
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
@click.option("--max-layers", default=5, show_default=True, help="Most layers.")
@click.option("--max-width", default=50, show_default=True, help="Most neurons of a layer.")
@click.option("--untied", is_flag=True, help="Input and output may differ in width.")
@click.option(
    "--storage", help="SQLite file, journal or database of the trials; the same again resumes."
)
@click.option("--study", "study_name", default="fcnn-latency", show_default=True, help="Its name.")
@click.option("--seed", default=0, show_default=True, help="Seed of the proposals.")
@click.option(
    "--verify", "n_verified", default=0, help="Measure so many finalists.  [default: none]"
)
@click.option("--runtime", help="For --verify: what executes the models, as for the labels.")
@click.option("--protocol", default="reliable", show_default=True, help="How they are measured.")
@click.option("--store", type=click.Path(dir_okay=False), help="Write readings to this file.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False),
    help="Write front, or what was measured, CSV.",
)
@click.option("--figure", type=click.Path(dir_okay=False), help="Draw it: .png, .svg or .pdf.")
@click.option(
    "--trust", "trusted", multiple=True, help="Build this further type; full name, repeatable."
)
def search(
    model: str,
    objective: str,
    max_latency: str | None,
    confidence: float | None,
    n_trials: int,
    minimize: bool,
    front: bool | None,
    sampler: str,
    max_layers: int,
    max_width: int,
    untied: bool,
    storage: str | None,
    study_name: str,
    seed: int,
    n_verified: int,
    runtime: str | None,
    protocol: str,
    store: str | None,
    output: str | None,
    figure: str | None,
    trusted: tuple[str, ...],
) -> None:
    """Search architectures of high quality within a latency budget, predicted by a MODEL."""
    from fcnn_latency._files import check_writable
    from fcnn_latency.nas._search import search as search_architectures
    from fcnn_latency.nas._verification import verify
    from fcnn_latency.persistence._save_load import load
    from fcnn_latency.spaces._fcnn import FCNNSpace

    if n_verified and runtime is None:
        raise click.UsageError("--verify measures with a --runtime: that of the model's labels.")
    for path in (output, figure):
        if path is not None:
            check_writable(path)
    if figure is not None:
        from fcnn_latency.displays._axes import check_figure

        check_figure(figure)
    result = search_architectures(
        _import_objective(objective),
        space=FCNNSpace(max_layers=max_layers, max_width=max_width, tie_io=not untied),
        latency_model=load(model, trusted=trusted),
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
            verification = verify(
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
        _write(result.front if verification is None else verification.report, output)
        click.echo(f"wrote {output}")
    if figure is not None:
        from fcnn_latency.displays._front import FrontDisplay

        FrontDisplay.from_result(result, verification).figure_.savefig(figure, dpi=150)
        click.echo(f"wrote {figure}")


def _import_objective(name: str) -> Any:
    """A function by its module and name, the module being found in the working folder too."""
    module, _, function = name.partition(":")
    if not module or not function:
        msg = f"--objective names a function as package.module:function. Got {name!r} instead."
        raise click.UsageError(msg)
    if "" not in sys.path:
        sys.path.insert(0, "")
    try:
        return getattr(import_module(module), function)
    except (ImportError, AttributeError) as error:
        msg = f"--objective {name} cannot be imported: {error}"
        raise click.UsageError(msg) from error


def _write(frame: Any, path: str) -> None:
    """As CSV with columns layer_1 to layer_k, so that `measure --architectures` reads it."""
    import pandas as pd

    from fcnn_latency._files import write_whole
    from fcnn_latency.datasets._bunch import layer_names
    from fcnn_latency.spaces._widths import pad_widths

    padded = pad_widths(list(frame["widths"]))
    layers = pd.DataFrame(padded, columns=layer_names(padded))
    rest = frame.drop(columns="widths").reset_index(drop=True)
    write_whole(path, pd.concat([layers, rest], axis=1).to_csv(index=False).encode())
