"""What the runtimes share: the interface, and the network that each of them runs."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from typing import Any, ClassVar, Self

import numpy as np

from fcnn_latency._validation import Floats32

#: Protocol fields of runtimes in which latency differs mostly by where a copy lies in memory.
COPIES_DIFFER = {
    "round_statistic": "median",
    "reference_every": 2,
    "reference_window": 8,
    "reference_quantile": 0.25,
}


class Runtime(ABC):
    """Executes a fully connected network; one subclass per way of executing.

    A subclass sets `name`, may set `packages`, whose versions are then kept with the labels, and
    implements `prepare`. It is sent to the measuring process, so it imports its framework inside
    its methods, not at the top of its module. Give a changed runtime another name: campaigns of one
    name share a scale (`fcnn_latency.measurement.labels._scale`).
    """

    #: How users call it.
    name: str
    #: Installed distributions whose versions belong to the label.
    packages: ClassVar[tuple[str, ...]] = ()
    #: The extra of fcnn-latency that installs them; None where they are always there.
    extra: ClassVar[str | None] = None
    #: Fields of the protocol ``"reliable"`` that serve this runtime better.
    protocol_fields: ClassVar[dict[str, Any]] = {}

    def check_installed(self) -> None:
        """Ask for the packages of `extra`, without importing them.

        Raises
        ------
        ImportError
            If one is missing, saying how to install it.
        """
        if self.extra is None:
            return
        for package in self.packages:
            if find_spec(package.replace("-", "_")) is None:
                raise ImportError(
                    f"Runtime {self.name!r} needs the package {package}: "
                    f'python -m pip install "fcnn-latency[{self.extra}]"'
                )

    def load(self) -> None:  # noqa: B027 - most have nothing slow to import
        """Import the framework, without starting it: the process is not bound to its core yet."""

    def release(self) -> None:  # noqa: B027 - most keep nothing
        """Free what the framework keeps of models that were given up."""

    @abstractmethod
    def prepare(self, widths: Sequence[int], inputs: Floats32, seed: int) -> Callable[[], Any]:
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
            Each call is one inference and returns its outputs, of shape (rows, widths[-1]), or,
            if the callable is an `Inference`, leaves them where that reads them.
        """


class Inference(partial[Any]):
    """An inference that does not hand its outputs over, since that can take as long as it does.

    Called and timed, it is the function that it wraps, at the cost of a `functools.partial`.
    """

    #: Returns the outputs of the inference, after it was called.
    outputs: Callable[[], Any]

    @classmethod
    def leaving(cls, outputs: Callable[[], Any], call: Callable[..., Any], *args: Any) -> Self:
        """The inference ``call(*args)``, whose outputs are then ``outputs()``."""
        inference = cls(call, *args)
        inference.outputs = outputs
        return inference


def outputs_of(call: Callable[[], Any]) -> Floats32:
    """Call once what `Runtime.prepare` returned, for its outputs."""
    returned = call()
    return np.asarray(call.outputs() if isinstance(call, Inference) else returned)


def make_weights(widths: Sequence[int], seed: int) -> list[tuple[Floats32, Floats32]]:
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
