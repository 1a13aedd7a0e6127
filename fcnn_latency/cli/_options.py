"""Options and arguments that several commands share."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any

import click

import fcnn_latency
from fcnn_latency._files import check_writable, resolve, write_whole
from fcnn_latency.exceptions import MeasurementWarning


class Existing(click.Path):
    """Parameter type for an existing path."""

    def convert(self, value: Any, *where: Any) -> Any:
        """Return the path with ``~`` resolved, checked by `click.Path`."""
        return super().convert(str(resolve(value)), *where)


FILE = Existing(exists=True, dir_okay=False)


class Output(click.ParamType):  # type: ignore[type-arg]  # generic only in new releases
    """Parameter type for an output path; checks that it is writable before the command starts."""

    name = "file"

    def convert(self, value: Any, *_: Any) -> Path:
        """Return the path with ``~`` resolved."""
        return check_writable(value)


class Figure(Output):
    """Parameter type for the path of a figure, in a supported format."""

    def convert(self, value: Any, *_: Any) -> Path:
        """Return the path with ``~`` resolved."""
        from fcnn_latency.displays._axes import check_figure

        check_figure(str(value))
        return super().convert(value)


class Table(Output):
    """Parameter type for the path of a table, in a supported format."""

    def convert(self, value: Any, *_: Any) -> Path:
        """Return the path with ``~`` resolved."""
        from fcnn_latency.datasets._files import check_path

        return check_path(value)


figure_option = click.option("--figure", type=Figure(), help="Draw it: .png, .svg or .pdf.")
protocol_option = click.option("--protocol", default="reliable", help="How it is measured.")
trust_option = click.option(
    "--trust", "trusted", multiple=True, help="Build this further type; full name, repeatable."
)


def dataset_argument(name: str) -> Callable[[Any], Any]:
    """Load the table or store given as argument `name`, and pass it as ``dataset``."""

    def decorate(command: Any) -> Any:
        @click.argument(name, type=FILE)
        @click.option("--runtime", help="Of a store, only campaigns of this runtime.")
        @click.option(
            "--campaign", "campaigns", type=int, multiple=True, help="Only this one; repeatable."
        )
        @wraps(command)
        def loaded(*, runtime: Any, campaigns: Any, raw: bool = False, **rest: Any) -> Any:
            path = rest.pop(name)
            with warnings_as_lines():
                dataset = fcnn_latency.load_dataset(
                    path, runtime=runtime, campaigns=campaigns or None, corrected=not raw
                )
            return command(dataset=dataset, **rest)

        return loaded

    return decorate


def space_options(command: Any) -> Any:
    """Build the space from its options, and pass it as ``space``."""

    @click.option("--max-layers", default=5, help="Most layers.")
    @click.option("--max-width", default=50, help="Most neurons of a layer.")
    @click.option("--untied", is_flag=True, help="Input and output may differ in width.")
    @wraps(command)
    def with_space(*, max_layers: int, max_width: int, untied: bool, **rest: Any) -> Any:
        space = fcnn_latency.FCNNSpace(
            max_layers=max_layers, max_width=max_width, tie_io=not untied
        )
        return command(space=space, **rest)

    return with_space


@contextmanager
def warnings_as_lines() -> Iterator[None]:
    """Print measurement warnings immediately, one line each."""
    with warnings.catch_warnings():
        warnings.simplefilter("always", MeasurementWarning)
        show = warnings.showwarning

        def show_line(message: Warning | str, category: type[Warning], *rest: Any) -> None:
            if issubclass(category, MeasurementWarning):
                click.echo(f"Warning: {message}", err=True)
            else:
                show(message, category, *rest)

        warnings.showwarning = show_line  # type: ignore[assignment]
        yield


def parse_widths(text: str) -> list[float]:
    """Parse widths written as 14,21,31,14."""
    try:
        return [float(width) for width in text.split(",")]
    except ValueError:
        raise ValueError(f"{text!r} is no architecture; write its widths as 14,21,31,14.") from None


def read_architectures(path: str) -> list[tuple[int, ...]]:
    """Read architectures from a table with the columns layer_1 to layer_k."""
    from fcnn_latency.datasets._files import read_table
    from fcnn_latency.spaces import pad_widths, trim_widths

    frame = read_table(Path(path))
    layers = [name for name in frame.columns if name.startswith("layer_")]
    if not layers:
        raise ValueError(
            f"{path} has no columns layer_1 to layer_k. Got {list(frame.columns)} instead."
        )
    return trim_widths(pad_widths(frame[layers].fillna(0), len(layers)))


def write_rows(path: Path, widths: Any, columns: Any) -> None:
    """Write a CSV file with layer_1 to layer_k and further columns, for `read_architectures`."""
    import pandas as pd

    from fcnn_latency.datasets._bunch import layer_names
    from fcnn_latency.spaces import pad_widths

    padded = pad_widths(widths)
    frame = pd.DataFrame(padded, columns=layer_names(padded)).assign(**columns)
    write_whole(path, frame.to_csv(index=False).encode())
    click.echo(f"wrote {path}")


def save_figure(path: Path, display: Any) -> None:
    """Save the figure of a display to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    display.figure_.savefig(path, dpi=150)
    click.echo(f"wrote {path}")
