"""The settings of a measurement: one value behind the flat signatures of all that measures."""

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

#: What labels are scaled by: the reference latency of the machine, or of the campaign alone.
SCALES = ("machine", "campaign")


def _is_client(value: Any) -> bool:
    return all(hasattr(value, name) for name in ("submit", "scheduler_info", "run"))


#: What each setting must be; runtime, protocol and workload have checks of their own.
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
        What executes the networks.
    protocol : MeasurementProtocol
        How a campaign measures, with the fields that the runtime sets.
    workload : Workload
        What one inference reads.
    scale : {"machine", "campaign"}
        What labels are scaled by.
    store : path or None
        File of the readings; None is a temporary one.
    client : distributed.Client or None
        Hosts that measure; None is this machine.
    wait : bool
        Whether to wait for another campaign on this machine to end.
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
        """Check settings as users give them, and look up what they name.

        Raises
        ------
        ValueError
            If a setting is wrong.
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
        """What a store keeps of it; JSON-ready."""
        seed = self.random_state
        return {
            "runtime": self.runtime.name,
            "protocol": self.protocol.as_dict(),
            "signal_length": int(self.workload.signal_length),
            "scale": self.scale,
            "random_state": int(seed) if is_whole(seed) else None,
        }
