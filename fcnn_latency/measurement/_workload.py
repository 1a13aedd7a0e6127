"""The input signal of one inference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from fcnn_latency._validation import Floats32, check, whole
from fcnn_latency.networks._layers import signal_rows


class Model(NamedTuple):
    """A model to build and time.

    Parameters
    ----------
    widths : tuple of int
        Neurons of each layer, input first.
    rows : int or None
        Input rows of one inference; None uses the rows that the signal is cut into.
    """

    widths: tuple[int, ...]
    rows: int | None = None


@dataclass(frozen=True)
class Workload:
    """A 1-D signal, cut into rows of the input width; the last row is padded with zeros.

    The signal is cut as in Beglaryan and Ringhofer (2023). The values are standard normal instead
    of integers below 100,000, since networks usually see scaled signals. The latency of a dense
    layer depends on its input values only if they are denormal.

    Parameters
    ----------
    signal_length : int, default=50
        Number of values in the signal.

    Examples
    --------
    >>> Workload(signal_length=50).inputs(14).shape
    (4, 14)
    """

    signal_length: int = 50

    def __post_init__(self) -> None:
        check(self.signal_length, whole(1), "signal_length")

    def inputs(self, input_width: int, rows: int | None = None) -> Floats32:
        """Return the input rows of one inference.

        Parameters
        ----------
        input_width : int
            Neurons of the input layer.
        rows : int or None, default=None
            Number of full rows to return. None cuts this signal into rows.

        Returns
        -------
        ndarray of float32, shape (n_rows, input_width)
            ``n_rows`` is `rows`, or ceil(signal_length / input_width) if `rows` is None.
        """
        length = self.signal_length if rows is None else rows * input_width
        rows = int(signal_rows(input_width, length))
        inputs = np.zeros(rows * input_width, dtype=np.float32)
        inputs[:length] = np.random.default_rng(0).standard_normal(length)
        return inputs.reshape(rows, input_width)
