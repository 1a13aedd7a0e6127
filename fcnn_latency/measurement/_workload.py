"""The signal that one inference reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from fcnn_latency._validation import Floats32, check, whole
from fcnn_latency.networks._layers import signal_rows


class Model(NamedTuple):
    """What is built and timed.

    Parameters
    ----------
    widths : tuple of int
        Neurons of each layer, input first.
    rows : int or None
        Rows that one inference reads; None for those that the signal is cut into.
    """

    widths: tuple[int, ...]
    rows: int | None = None


@dataclass(frozen=True)
class Workload:
    """A 1-D signal, cut into rows of the input width, the last one padded with zeros.

    The cut is that of Beglaryan and Ringhofer (2023); the values are standard normal instead
    of integers below 100,000, since networks see scaled signals, and the latency of a dense
    layer depends on its values only where they are denormal.

    Parameters
    ----------
    signal_length : int, default=50
        Values of the signal.

    Examples
    --------
    >>> Workload(signal_length=50).inputs(14).shape
    (4, 14)
    """

    signal_length: int = 50

    def __post_init__(self) -> None:
        check(self.signal_length, whole(1), "signal_length")

    def inputs(self, input_width: int, rows: int | None = None) -> Floats32:
        """The rows of one inference.

        Parameters
        ----------
        input_width : int
            Neurons of the input layer.
        rows : int or None, default=None
            As many rows of a signal that fills them, instead of those of this one.

        Returns
        -------
        ndarray of float32, shape (ceil(signal_length / input_width), input_width)
        """
        length = self.signal_length if rows is None else rows * input_width
        rows = int(signal_rows(input_width, length))
        inputs = np.zeros(rows * input_width, dtype=np.float32)
        inputs[:length] = np.random.default_rng(0).standard_normal(length)
        return inputs.reshape(rows, input_width)
