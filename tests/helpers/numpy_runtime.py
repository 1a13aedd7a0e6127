"""Runtimes that are quick to import, to build and to time.

A measuring process imports this module, and so nothing but what it measures with.
"""

from dataclasses import dataclass
from time import perf_counter
from typing import ClassVar

import numpy as np

from fcnn_latency.measurement.runtimes._base import Runtime


class NumPyRuntime(Runtime):
    """A NumPy product: quick to build and to time."""

    name: ClassVar[str] = "numpy product"

    def __repr__(self):
        return "NumPyRuntime()"

    def prepare(self, widths, inputs, seed):
        """Multiply."""
        kernel = np.ones((widths[0], widths[1]), dtype=np.float32)
        return lambda: inputs @ kernel


class SpinningRuntime(Runtime):
    """Nothing but time passes: 100 µs for a call, and 20 µs for each row of each layer."""

    name: ClassVar[str] = "spinning"

    def prepare(self, widths, inputs, seed):
        """Wait without sleeping."""
        seconds = 1e-4 + 2e-5 * len(inputs) * (len(widths) - 1)

        def call():
            end = perf_counter() + seconds
            while perf_counter() < end:
                pass

        return call


@dataclass
class PickyRuntime(SpinningRuntime):
    """Refuses networks with a layer of some widths."""

    name = "picky"
    refused: tuple[int, ...]

    def prepare(self, widths, inputs, seed):
        """Refuse, or wait."""
        if set(self.refused) & set(widths):
            raise RuntimeError("no such width, please")
        return super().prepare(widths, inputs, seed)
