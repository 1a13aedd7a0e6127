"""What several commands share."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from fcnn_latency.exceptions import MeasurementWarning


def store_options(command: Any) -> Any:
    """Which campaigns of a store are meant."""
    command = click.option(
        "--campaign", "campaigns", type=int, multiple=True, help="Only this one; repeatable."
    )(command)
    return click.option("--runtime", help="Of a store, only campaigns of this runtime.")(command)


@contextmanager
def warnings_as_lines() -> Iterator[None]:
    """Show warnings about a measurement when they arise, one line each."""
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
    """Widths written as 14,21,31,14."""
    try:
        return [float(width) for width in text.split(",")]
    except ValueError:
        msg = f"{text!r} is no architecture; write its widths as 14,21,31,14."
        raise ValueError(msg) from None


def read_architectures(path: str) -> list[tuple[int, ...]]:
    """The architectures of a table with the columns layer_1 to layer_k."""
    from fcnn_latency.datasets._files import read_table
    from fcnn_latency.spaces._widths import pad_widths, trim_widths

    frame = read_table(Path(path))
    layers = [name for name in frame.columns if name.startswith("layer_")]
    if not layers:
        msg = f"{path} has no columns layer_1 to layer_k. Got {list(frame.columns)} instead."
        raise ValueError(msg)
    return trim_widths(pad_widths(frame[layers].fillna(0), len(layers)))
