"""The plan of a measurement: which models are timed together, in which order, how often."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fcnn_latency.measurement.timing import STATISTICS
from fcnn_latency.widths import pad_widths

__all__ = ["PROTOCOLS", "Group", "MeasurementProtocol", "get_protocol", "plan_groups"]


@dataclass(frozen=True)
class MeasurementProtocol:
    """How a campaign measures; the figures behind the defaults are in ``docs/development.md``.

    A model is built once in each **pass** and timed in **rounds** beside the other models of its
    group, in a fresh random order every round, so that what slows the machine for a while hits
    many models a little instead of one model much (Abedi and Brecht, "Conducting repeatable
    experiments in highly variable cloud computing environments", ICPE 2017). A **reference**
    architecture is timed in between, and the readings of a group are divided by the group's
    reference latency, so that what the machine's speed does from one group to the next cancels.
    The latency of a pass is what its rounds are reduced to, times the reference latency of the
    machine (`fcnn_latency.measurement.scale`); the label is the mean over passes.

    Parameters
    ----------
    name : str
        What datasets call it.
    passes : int
        How often each model is built anew, each time in another process, since processes with
        identical work differ. At least two let a dataset state its own noise.
    rounds : int
        Readings of each model in a pass.
    calls_per_block : int
        Calls behind one reading.
    block_statistic, round_statistic : {"min", "low-mean", "median", "mean"}
        What the calls of a block, and the rounds of a pass, are reduced to. Disturbances only add
        time and come in bursts: the minimum of a fixed, small number of calls, then the mean of
        the lowest third of the rounds repeat best.
    warmup_calls : int
        Calls before the first reading of a model, never counted.
    group_size : int
        Models that are alive and interleaved at a time; all passes over a group come before the
        next group starts, so this is also what an interrupt can cost.
    reference_every : int
        Models timed between two readings of the reference; 0 for no reference.
    reference_models : int
        Instances of the reference that are read in turn, since instances differ a little.
    reference_widths : tuple of int
        The reference architecture.
    reference_quantile : float
        Which quantile of a group's reference readings is its reference latency. A low one is not
        moved by bursts.
    shuffle : bool
        Whether architectures are grouped, and groups timed, in random order.
    pin : bool
        Whether models are timed on one core, where the system allows it.
    build_ahead : bool
        Whether the next group is built on another core while one is timed, where there is such a
        core.
    models_per_worker : int
        Models built before a measuring process is replaced, since TensorFlow leaks; 0 for never.
    default_runtime : str
        The runtime where none is asked for.

    Raises
    ------
    ValueError
        If a number is out of range or the statistic is unknown.
    """

    name: str
    passes: int = 2
    rounds: int = 8
    calls_per_block: int = 5
    block_statistic: str = "min"
    round_statistic: str = "low-mean"
    warmup_calls: int = 2
    group_size: int = 100
    reference_every: int = 10
    reference_models: int = 3
    reference_widths: tuple[int, ...] = (25, 25, 25, 25)
    reference_quantile: float = 0.25
    shuffle: bool = True
    pin: bool = True
    build_ahead: bool = True
    models_per_worker: int = 500
    default_runtime: str = "keras"

    def __post_init__(self) -> None:
        least = {
            "passes": 1,
            "rounds": 1,
            "calls_per_block": 1,
            "warmup_calls": 0,
            "group_size": 1,
            "reference_every": 0,
            "reference_models": 1,
            "models_per_worker": 0,
        }
        for name, bound in least.items():
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < bound:
                msg = (
                    f"The '{name}' parameter of MeasurementProtocol must be a whole number of at "
                    f"least {bound}. Got {value!r} instead."
                )
                raise ValueError(msg)
        for name in ("block_statistic", "round_statistic"):
            if getattr(self, name) not in list(STATISTICS):
                msg = (
                    f"The '{name}' parameter of MeasurementProtocol must be one of "
                    f"{list(STATISTICS)}. Got {getattr(self, name)!r} instead."
                )
                raise ValueError(msg)
        for name in ("shuffle", "pin", "build_ahead"):
            if not isinstance(getattr(self, name), bool):
                msg = (
                    f"The '{name}' parameter of MeasurementProtocol must be True or False. "
                    f"Got {getattr(self, name)!r} instead."
                )
                raise ValueError(msg)
        try:
            pad_widths([self.reference_widths], max_layers=len(self.reference_widths))
        except (TypeError, ValueError) as error:
            msg = (
                "The 'reference_widths' parameter of MeasurementProtocol must be an architecture "
                f"such as (25, 25, 25, 25). Got {self.reference_widths!r} instead."
            )
            raise ValueError(msg) from error
        if not 0 <= self.reference_quantile <= 1:
            msg = (
                "The 'reference_quantile' parameter of MeasurementProtocol must be between 0 and "
                f"1. Got {self.reference_quantile!r} instead."
            )
            raise ValueError(msg)
        if self.passes * self.rounds < 2:
            msg = (
                "A MeasurementProtocol with one pass of one round could not state the error of "
                "its labels; ask for at least 2 passes or 2 rounds."
            )
            raise ValueError(msg)


#: The protocols by name. ``"paper"``: the labels of Beglaryan and Ringhofer (2023): five calls of a
#: fresh model, averaged, the first (tracing) one included, one model after the other.
PROTOCOLS: dict[str, MeasurementProtocol] = {
    "reliable": MeasurementProtocol("reliable"),
    "paper": MeasurementProtocol(
        "paper",
        passes=1,
        rounds=5,
        calls_per_block=1,
        round_statistic="mean",
        warmup_calls=0,
        group_size=1,
        reference_every=0,
        shuffle=False,
        pin=False,
        build_ahead=False,
        models_per_worker=0,
        default_runtime="keras-predict",
    ),
}


def get_protocol(protocol: str | MeasurementProtocol) -> MeasurementProtocol:
    """A protocol by its name; a `MeasurementProtocol` is returned as it is.

    Raises
    ------
    ValueError
        If no protocol has that name; lists those that there are.
    """
    if isinstance(protocol, MeasurementProtocol):
        return protocol
    if not isinstance(protocol, str) or protocol not in PROTOCOLS:
        msg = (
            f"Unknown protocol {protocol!r}. Valid ones: {sorted(PROTOCOLS)}, "
            "or a MeasurementProtocol."
        )
        raise ValueError(msg)
    return PROTOCOLS[protocol]


@dataclass(frozen=True)
class Group:
    """Models that one pass times together.

    Parameters
    ----------
    pass_number : int
        Which pass, from 0.
    members : tuple of int
        Rows of the architectures.
    seed : int
        Seed of the order within the rounds.
    """

    pass_number: int
    members: tuple[int, ...]
    seed: int


def plan_groups(
    n_architectures: int, protocol: MeasurementProtocol, rng: np.random.RandomState
) -> Iterator[Group]:
    """Groups in the order in which they are measured: every pass over one, then the next one."""
    for members in _chunks(_order(np.arange(n_architectures), protocol, rng), protocol.group_size):
        for pass_number in range(protocol.passes):
            seed = int(rng.randint(2**31 - 1))
            yield Group(pass_number, tuple(int(m) for m in members), seed)


def _order(
    rows: npt.NDArray[np.int64], protocol: MeasurementProtocol, rng: np.random.RandomState
) -> npt.NDArray[np.int64]:
    return rng.permutation(rows) if protocol.shuffle else rows


def _chunks(rows: npt.NDArray[np.int64], size: int) -> list[npt.NDArray[np.int64]]:
    """Even chunks of at most `size`: 101 models are not timed as 100 and a lonely one."""
    return np.array_split(rows, -(-len(rows) // size)) if len(rows) else []
