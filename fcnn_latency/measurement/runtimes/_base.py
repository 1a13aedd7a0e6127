"""Base class of the runtimes, and the network that all of them run."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from typing import Any, ClassVar, Self

import numpy as np

from fcnn_latency._validation import Floats32

#: Protocol fields of runtimes whose latency varies mostly with a copy's place in memory.
COPIES_DIFFER = {
    "round_statistic": "median",
    "reference_every": 2,
    "reference_window": 8,
    "reference_quantile": 0.25,
}


class Runtime(ABC):
    """Base class of runtimes, which execute fully connected networks.

    A subclass must set `name` and implement `prepare`. It may set `packages`, whose versions are
    then stored with the labels. Runtimes are sent to the measuring process, so import the framework
    inside the methods, not at the top of the module.

    Runtimes are identified by `name`. Rename a runtime whenever you change what it does: campaigns
    with the same name share a scale.
    """

    #: Name of the runtime.
    name: str
    #: Distributions whose versions are stored with the labels.
    packages: ClassVar[tuple[str, ...]] = ()
    #: Extra of fcnn-latency that installs `packages`; None if they are always installed.
    extra: ClassVar[str | None] = None
    #: Fields of the protocol ``"reliable"`` that are replaced for this runtime.
    protocol_fields: ClassVar[dict[str, Any]] = {}

    def check_installed(self) -> None:
        """Check that the packages of `extra` are installed, without importing them.

        Raises
        ------
        ImportError
            If a package is missing; the message says how to install it.
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
        """Import the framework without starting it: the process is not yet bound to its core."""

    def release(self) -> None:  # noqa: B027 - most keep nothing
        """Free memory that the framework keeps for dropped models."""

    @abstractmethod
    def prepare(self, widths: Sequence[int], inputs: Floats32, seed: int) -> Callable[[], Any]:
        """Build the network, ready for timing.

        Parameters
        ----------
        widths : sequence of int
            Neurons of each layer, input first.
        inputs : ndarray of float32, shape (rows, widths[0])
            Input of one inference.
        seed : int
            Seed of the weights.

        Returns
        -------
        callable without arguments
            Each call is one inference and returns its outputs, of shape (rows, widths[-1]). If
            the callable is an `Inference`, `Inference.outputs` returns them instead.
        """


class Inference(partial[Any]):
    """An inference that does not return its outputs, since that can take as long as itself.

    Calling it calls the wrapped function, at the cost of a `functools.partial`.
    """

    #: Returns the outputs of the inference after a call.
    outputs: Callable[[], Any]

    @classmethod
    def leaving(cls, outputs: Callable[[], Any], call: Callable[..., Any], *args: Any) -> Self:
        """Return the inference ``call(*args)``, whose outputs ``outputs()`` returns."""
        inference = cls(call, *args)
        inference.outputs = outputs
        return inference


def outputs_of(call: Callable[[], Any]) -> Floats32:
    """Call the result of `Runtime.prepare` once and return the outputs."""
    returned = call()
    return np.asarray(call.outputs() if isinstance(call, Inference) else returned)


def make_weights(widths: Sequence[int], seed: int) -> list[tuple[Floats32, Floats32]]:
    """Return kernel and bias of each layer: the same network for every runtime.

    Kernels are Glorot uniform (Glorot and Bengio, "Understanding the difficulty of training deep
    feedforward neural networks", 2010, eq. 16) and biases are zero, as in an untrained Keras model.

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
