"""Axes, units and names that all figures share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fcnn_latency._imports import import_extra
from fcnn_latency._validation import Floats


def axes_of(ax: Any, **settings: Any) -> Any:
    """Return the given axes, or those of a new figure.

    Raises
    ------
    ImportError
        If matplotlib is not installed; the message says how to install it.
    """
    if ax is not None:
        return ax
    plt = import_extra("matplotlib.pyplot", "plots", "A figure")
    return plt.subplots(layout="constrained", **settings)[1]


def show_seconds(*axes: Any) -> None:
    """Format the ticks of axes in seconds with SI prefixes, such as 2 µs."""
    from matplotlib.ticker import EngFormatter

    for axis in axes:
        axis.set_major_formatter(EngFormatter(unit="s"))


def spans_decades(values: npt.ArrayLike) -> bool:
    """Return whether values are positive and span a factor of ten, for a logarithmic axis."""
    positive = np.asarray(values, dtype=np.float64)
    positive = positive[np.isfinite(positive)]
    return bool(positive.size and positive.min() > 0 and positive.max() >= 10 * positive.min())


def make_logarithmic(ax: Any, which: str) -> None:
    """Set a logarithmic scale on axis "x" or "y", with tick labels as plain numbers.

    Ticks are at powers of ten. If the axis spans few decades, also at 2 and 5 times these.
    """
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    ax.set(**{f"{which}scale": "log"})
    axis = getattr(ax, f"{which}axis")
    low, high = axis.get_view_interval()
    axis.set_major_locator(LogLocator(subs=(1,) if high > 1000 * low else (1, 2, 5)))
    axis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.set_minor_formatter(NullFormatter())


def show_decades(ax: Any, which: str, values: npt.ArrayLike) -> None:
    """Make axis "x" or "y" logarithmic if the values on it span decades."""
    if spans_decades(values):
        make_logarithmic(ax, which)


def estimator_name(estimator: Any) -> str:
    """Return the class name of an estimator, or of the last step of a pipeline."""
    return type(estimator[-1] if hasattr(estimator, "steps") else estimator).__name__


def named_predictions(y_pred: Any) -> dict[str, Floats]:
    """Return predictions by name; a single array gets an empty name."""
    named = y_pred.items() if hasattr(y_pred, "items") else [("", y_pred)]
    return {str(name): np.asarray(values, dtype=np.float64) for name, values in named}


def check_figure(path: str) -> None:
    """Check before long work that matplotlib is installed and can write this file type.

    Raises
    ------
    ImportError
        If matplotlib is not installed; the message says how to install it.
    ValueError
        If the file name does not end in .png, .svg or .pdf.
    """
    matplotlib = import_extra("matplotlib", "plots", "A figure")
    matplotlib.use("agg")
    if Path(path).suffix.lower() not in (".png", ".svg", ".pdf"):
        raise ValueError(f"A figure's file name ends in .png, .svg or .pdf. Got {path!r} instead.")
