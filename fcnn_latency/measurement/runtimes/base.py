"""What the runtimes share: the interface, and the network that each of them runs."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

__all__ = ["Runtime", "make_weights"]


class Runtime(ABC):
    """Executes a fully connected network; one subclass per way of executing.

    A subclass sets `name`, may set `packages`, whose versions are then kept with the labels, and
    implements `prepare`. It is sent to the measuring process, so it imports its framework inside
    its methods, not at the top of its module. Give a changed runtime another name: campaigns of one
    name share a scale (`fcnn_latency.measurement.scale`).
    """

    #: How users call it.
    name: ClassVar[str]
    #: Installed distributions whose versions belong to the label.
    packages: ClassVar[tuple[str, ...]] = ()

    def load(self) -> None:  # noqa: B027 - most have nothing slow to import
        """Import the framework, without starting it: the process is not bound to its core yet."""

    @abstractmethod
    def prepare(
        self, widths: Sequence[int], inputs: npt.NDArray[np.float32], seed: int
    ) -> Callable[[], Any]:
        """Build the network, ready to be timed.

        Parameters
        ----------
        widths : sequence of int
            Neurons of each layer, input first.
        inputs : ndarray of float32, shape (rows, widths[0])
            What one inference reads.
        seed : int
            Seed of the weights.

        Returns
        -------
        callable without arguments
            Each call is one inference and returns its outputs, of shape (rows, widths[-1]).
        """


def make_weights(
    widths: Sequence[int], seed: int
) -> list[tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]]:
    """Kernel and bias of each layer: the same network for every runtime.

    Kernels are Glorot uniform (Glorot and Bengio, "Understanding the difficulty of training deep
    feedforward neural networks", 2010, eq. 16), biases zero, as in an untrained Keras model.

    Returns
    -------
    list of (ndarray of shape (fan_in, fan_out), ndarray of shape (fan_out,))
    """
    rng = np.random.default_rng(seed)
    weights = []
    for fan_in, fan_out in itertools.pairwise(widths):
        limit = np.sqrt(6.0 / (fan_in + fan_out))
        kernel = rng.uniform(-limit, limit, size=(fan_in, fan_out)).astype(np.float32)
        weights.append((kernel, np.zeros(fan_out, dtype=np.float32)))
    return weights
