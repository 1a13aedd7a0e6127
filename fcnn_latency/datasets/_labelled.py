"""Architectures with latencies, given as a dataset or as two arrays."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.utils import Bunch
from sklearn.utils.validation import check_array, check_consistent_length, column_or_1d

from fcnn_latency._validation import Floats, Ints, check, or_none, refuse_first, whole
from fcnn_latency.spaces._fcnn import FCNNSpace
from fcnn_latency.spaces._widths import repeats


class LabelledArchitectures(NamedTuple):
    """Architectures with latencies, for the evaluation of estimators."""

    widths: Ints
    latencies: Floats
    space: FCNNSpace
    signal_length: int
    noise_floor: float | None
    measuring_time: float | None
    runtime: str | None = None

    @property
    def groups(self) -> Ints:
        """Number of the architecture in each row; repeats share a number."""
        return repeats(self.widths)

    @property
    def seconds_each(self) -> float:
        """Seconds spent on measuring one row; NaN if unknown."""
        return np.nan if self.measuring_time is None else self.measuring_time / len(self.widths)


def as_labelled(
    X: Any,
    y: npt.ArrayLike | None,
    *,
    space: FCNNSpace | None = None,
    signal_length: int | None = None,
    noise_floor: float | None = None,
    measuring_time: float | None = None,
) -> LabelledArchitectures:
    """Check architectures and latencies, and return them together.

    Parameters
    ----------
    X : Bunch, or sequence of sequences, array or DataFrame of shape (n_samples, <= max_layers)
        A dataset, which provides all other arguments, or architectures.
    y : array-like of shape (n_samples,) or None
        Latencies in seconds; None with a dataset.
    space, signal_length, noise_floor, measuring_time
        Values that replace those of the dataset. Without a dataset, the defaults are
        ``FCNNSpace()``, 50, None and None.

    Raises
    ------
    ValueError
        If a dataset is given with `y`, architectures are given without `y`, or a value is invalid.
    """
    about: dict[str, Any] = {}
    if isinstance(X, Bunch):
        if y is not None:
            raise ValueError("y must be None where X is a dataset, which has its latencies.")
        X, y, about = X.data, X.target, dict(X)
    if y is None:
        raise ValueError(
            "y must be the latencies of X in seconds; it may be left out where X is a dataset "
            f"from make_dataset or load_dataset. Got X of type {type(X).__name__} instead."
        )
    check(signal_length, or_none(whole(1)), "signal_length")
    space = space or about.get("space") or FCNNSpace()
    widths = space.validate(X)
    latencies = column_or_1d(check_array(y, ensure_2d=False, dtype=np.float64, input_name="y"))
    check_consistent_length(widths, latencies)
    message = "y, row {row}: a latency is above 0 seconds. Got {value} instead."
    refuse_first(latencies <= 0, latencies, message)
    return LabelledArchitectures(
        widths,
        latencies,
        space,
        signal_length or about.get("signal_length") or 50,
        about.get("noise_floor") if noise_floor is None else noise_floor,
        about.get("measuring_time") if measuring_time is None else measuring_time,
        about.get("runtime"),
    )
