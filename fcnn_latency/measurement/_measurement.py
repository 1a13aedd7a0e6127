"""The settings of a measurement, collected from the flat signatures of the public functions."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import Any

from fcnn_latency._validation import (
    BOOLEAN,
    SEED,
    VERBOSITY,
    Rule,
    check,
    choice,
    is_whole,
    number,
    or_none,
)
from fcnn_latency.measurement._protocol import MeasurementProtocol, get_protocol
from fcnn_latency.measurement._workload import Workload
from fcnn_latency.measurement.runtimes._base import Runtime
from fcnn_latency.measurement.runtimes._registry import get_runtime

#: Scale of the labels: the reference latency of the machine, or of the campaign alone.
SCALES = ("machine", "campaign")


def _is_client(value: Any) -> bool:
    return all(hasattr(value, name) for name in ("submit", "scheduler_info", "run"))


#: Rule for each setting; runtime, protocol and workload check themselves.
RULES = {
    "scale": choice(SCALES),
    "store": or_none(Rule("a path", lambda value: isinstance(value, str | os.PathLike))),
    "client": or_none(Rule("a distributed.Client", _is_client)),
    "wait": BOOLEAN,
    "random_state": SEED,
    "verbose": VERBOSITY,
}


@dataclass(frozen=True)
class Measurement:
    """How and where networks are measured; `make_dataset` documents the settings.

    Parameters
    ----------
    runtime : Runtime
        Runtime that executes the networks.
    protocol : MeasurementProtocol
        Protocol of the campaign, including the fields that the runtime sets.
    workload : Workload
        Input of one inference.
    scale : {"machine", "campaign"}
        Scale of the labels.
    store : path or None
        File of the readings; None uses a temporary file.
    client : distributed.Client or None
        Cluster whose hosts measure; None measures on this machine.
    wait : bool
        Whether to wait until another campaign on this machine has ended.
    random_state : int, RandomState or None
        Seed of the sample and of the order of measurement.
    verbose : int
        Whether to show progress.
    """

    runtime: Runtime
    protocol: MeasurementProtocol
    workload: Workload
    scale: str
    store: str | os.PathLike[str] | None
    client: Any
    wait: bool
    random_state: Any
    verbose: int

    def __post_init__(self) -> None:
        """Check the settings before anything is measured."""
        for name, allowed in RULES.items():
            check(getattr(self, name), allowed, name)

    @classmethod
    def from_settings(
        cls,
        *,
        runtime: str | Runtime | None,
        protocol: str | MeasurementProtocol,
        signal_length: int,
        target_error: float | None,
        scale: str,
        **where: Any,
    ) -> Measurement:
        """Check the settings given by the user, and look up runtime and protocol by name.

        Raises
        ------
        ValueError
            If a setting is invalid.
        ImportError
            If a package that the runtime requires is not installed.
        """
        runtime = get_runtime(
            get_protocol(protocol).default_runtime if runtime is None else runtime
        )
        protocol = get_protocol(protocol, runtime.protocol_fields)
        if target_error is not None:
            check(target_error, number(above=0), "target_error")
            protocol = replace(protocol, target_error=float(target_error))
        return cls(runtime, protocol, Workload(signal_length), scale, **where)

    def conditions(self) -> dict[str, Any]:
        """Return the settings that a store keeps, as a JSON-serializable dict."""
        seed = self.random_state
        return {
            "runtime": self.runtime.name,
            "protocol": self.protocol.as_dict(),
            "signal_length": int(self.workload.signal_length),
            "scale": self.scale,
            "random_state": int(seed) if is_whole(seed) else None,
        }
