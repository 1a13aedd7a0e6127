"""What the figures share: axes, units, names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fcnn_latency._imports import import_extra
from fcnn_latency._validation import Floats


def axes_of(ax: Any, **settings: Any) -> Any:
    """The axes given, or those of a new figure.

    Raises
    ------
    ImportError
        If matplotlib is not installed; says how to get it.
    """
    if ax is not None:
        return ax
    plt = import_extra("matplotlib.pyplot", "plots", "A figure")
    return plt.subplots(layout="constrained", **settings)[1]


def show_seconds(*axes: Any) -> None:
    """Label an Axis of seconds with SI prefixes, such as 2 µs."""
    from matplotlib.ticker import EngFormatter

    for axis in axes:
        axis.set_major_formatter(EngFormatter(unit="s"))


def spans_decades(values: npt.ArrayLike) -> bool:
    """Whether positive values differ by a factor of ten, which takes a logarithmic axis."""
    positive = np.asarray(values, dtype=np.float64)
    positive = positive[np.isfinite(positive)]
    return bool(positive.size and positive.min() > 0 and positive.max() >= 10 * positive.min())


def make_logarithmic(ax: Any, which: str) -> None:
    """Give axis "x" or "y" a logarithmic scale with plain numbers.

    They stand at powers of ten, and at 2 and 5 times these where there are but few decades.
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
    """Class of an estimator, or of the last step of a pipeline."""
    return type(estimator[-1] if hasattr(estimator, "steps") else estimator).__name__


def named_predictions(y_pred: Any) -> dict[str, Floats]:
    """Predictions by name; the name of a single array is empty."""
    named = y_pred.items() if hasattr(y_pred, "items") else [("", y_pred)]
    return {str(name): np.asarray(values, dtype=np.float64) for name, values in named}


def check_figure(path: str) -> None:
    """Make sure, before long work, that matplotlib is there and writes such a file.

    Raises
    ------
    ImportError
        If matplotlib is not installed; says how to get it.
    ValueError
        If the file's name does not end in .png, .svg or .pdf.
    """
    matplotlib = import_extra("matplotlib", "plots", "A figure")
    matplotlib.use("agg")
    if Path(path).suffix.lower() not in (".png", ".svg", ".pdf"):
        raise ValueError(f"A figure's file name ends in .png, .svg or .pdf. Got {path!r} instead.")
