"""Measurement protocols: how models are grouped, ordered and timed, and how often."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any

from fcnn_latency._validation import (
    BOOLEAN,
    NAME,
    Rule,
    check_parameters,
    choice,
    number,
    or_none,
    rules_of,
    whole,
)
from fcnn_latency.measurement._statistics import STATISTICS
from fcnn_latency.spaces._widths import pad_widths


def _is_architecture(value: Any) -> bool:
    try:
        pad_widths([value])
    except (TypeError, ValueError):
        return False
    return True


Name = Annotated[str, NAME]
Flag = Annotated[bool, BOOLEAN]
Count = Annotated[int, whole(1)]
CountOrNone = Annotated[int | None, or_none(whole(1))]
CountOrNever = Annotated[int, whole(0)]
Seconds = Annotated[float, number(above=0)]
Fraction = Annotated[float, number(least=0, most=1)]
ErrorOrNone = Annotated[float | None, or_none(number(above=0))]
Statistic = Annotated[str, choice(STATISTICS)]
Widths = Annotated[
    tuple[int, ...], Rule("an architecture such as (25, 25, 25, 25)", _is_architecture)
]


@dataclass(frozen=True)
class MeasurementProtocol:
    """How a campaign measures; the figures behind the defaults are in ``docs/notes/``.

    Each **pass** builds a model once and times it in **rounds**, together with the other models
    of its group and in a new random order every round. A temporary slowdown of the machine then
    affects many models a little instead of one model a lot (Abedi and Brecht, "Conducting
    repeatable experiments in highly variable cloud computing environments", ICPE 2017). A
    **reference** architecture is timed in between. Readings are divided by the reference latency,
    so changes of the machine's speed cancel. The latency of a pass is the statistic of its rounds
    times the reference latency of the machine (see docs/measuring.md). The label is the median
    over passes (`fcnn_latency.measurement.combine_passes`).

    Runtimes may change some fields of the presets (`Runtime.protocol_fields`). A
    `MeasurementProtocol` object is used unchanged.

    Parameters
    ----------
    name : str
        Name of the protocol in datasets.
    passes : int
        How often each model is rebuilt, since copies of a model differ by their place in memory.
        A dataset can estimate its own noise from two passes or more.
    processes : int
        Number of measuring processes that the passes alternate between, since processes with
        identical work also differ in speed.
    rounds : int
        Readings of each model in a pass.
    samples_per_block : int or None
        Samples per reading. None: as many as fit into `block_seconds` on the reference
        architecture, and at least `least_samples`. The number is calibrated once and is the same
        for all models: if it depended on the latency, the minimum over the samples would be
        biased by it.
    calls_per_sample : int or None
        Calls between two clock readings. None: as many as fit into `sample_seconds` on the
        reference architecture, since reading the clock takes about 50 ns. If a sample of a model
        would last more than five times `sample_seconds`, the model gets fewer calls, not fewer
        samples.
    block_seconds, sample_seconds : float
        Targets of the calibration described above, in seconds.
    least_samples : int
        Minimum of the calibrated `samples_per_block`.
    block_statistic, round_statistic : {"min", "low-mean", "median", "mean"}
        Statistics that reduce the samples of a block, and the rounds of a pass, to one number.
        Disturbances only add time and come in bursts. The most repeatable choice is therefore the
        minimum of a small, fixed number of samples, then the mean of the lowest third of the
        rounds.
    warmup_calls : int
        Calls before the first reading of a model, excluded from the readings. The very first call
        is timed separately as ``first_call``; with 0 it is part of the first reading.
    group_size : int
        Maximum number of models that are in memory and timed in turn. All passes over a group are
        made before the next group starts.
    group_bytes : int
        Approximate maximum of weight bytes in a group; matters in wide spaces.
    reference_every : int
        Number of models timed between two readings of the reference; 0 disables the reference.
    reference_models : int
        Instances of the reference that are timed in turn, since instances differ slightly.
    reference_widths : tuple of int
        Widths of the reference architecture.
    reference_quantile : float
        Quantile of the reference readings that is the reference latency. A low quantile is robust
        against bursts.
    reference_window : int
        Number of neighbouring reference readings, half before and half after, whose quantile a
        reading is divided by; 0 uses all reference readings of the group.
    shuffle : bool
        Whether architectures are grouped, and timed within groups, in random order.
    pin : bool
        Whether to pin timing to one core, if the system allows it.
    build_ahead : bool
        Whether to build the next group on another core while one is timed, if there is another
        core.
    models_per_worker : int
        Replace the measuring process after it has built this many models; 0 disables this.
    worker_growth_bytes : int
        Replace the measuring process after its memory has grown by this many bytes, since
        frameworks leak memory; 0 disables this.
    target_error : float or None
        Relative standard error above which an architecture gets further passes; None disables
        further passes.
    max_passes : int
        Maximum number of passes with `target_error`.
    default_runtime : str
        Runtime to use if the user names none.

    Raises
    ------
    ValueError
        If a number is out of range, a statistic is unknown, one pass of one round is requested,
        or `target_error` is combined with fewer than two passes.
    """

    name: Name
    passes: Count = 2
    processes: Count = 2
    rounds: Count = 8
    samples_per_block: CountOrNone = None
    calls_per_sample: CountOrNone = None
    block_seconds: Seconds = 5e-4
    sample_seconds: Seconds = 2e-5
    least_samples: Count = 5
    block_statistic: Statistic = "min"
    round_statistic: Statistic = "low-mean"
    warmup_calls: CountOrNever = 2
    group_size: Count = 100
    group_bytes: Count = 256_000_000
    reference_every: CountOrNever = 10
    reference_models: Count = 3
    reference_widths: Widths = (25, 25, 25, 25)
    reference_quantile: Fraction = 0.1
    reference_window: CountOrNever = 20
    shuffle: Flag = True
    pin: Flag = True
    build_ahead: Flag = True
    models_per_worker: CountOrNever = 2000
    worker_growth_bytes: CountOrNever = 200_000_000
    target_error: ErrorOrNone = None
    max_passes: Count = 12
    default_runtime: Name = "keras"

    def __post_init__(self) -> None:
        check_parameters(self, rules_of(type(self)))
        if self.passes * self.rounds < 2:
            raise ValueError(
                "A MeasurementProtocol with one pass of one round could not state the error of "
                "its labels; ask for at least 2 passes or 2 rounds."
            )
        if self.target_error is not None and self.passes < 2:
            raise ValueError(
                "A MeasurementProtocol with a target_error needs at least 2 passes to know it."
            )

    def as_dict(self) -> dict[str, Any]:
        """Return the fields as a JSON-serializable dict."""
        return {**asdict(self), "reference_widths": list(self.reference_widths)}

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> MeasurementProtocol:
        """Return the protocol whose `as_dict` gave these fields."""
        return cls(**{**fields, "reference_widths": tuple(fields["reference_widths"])})


#: Names of the preset protocols; see `get_protocol`.
PROTOCOLS = ("reliable", "quick", "thorough", "paper")

_PAPER = MeasurementProtocol(
    "paper",
    passes=1,
    processes=1,
    rounds=5,
    samples_per_block=1,
    calls_per_sample=1,
    round_statistic="mean",
    warmup_calls=0,
    group_size=1,
    reference_every=0,
    shuffle=False,
    pin=False,
    build_ahead=False,
    models_per_worker=0,
    worker_growth_bytes=0,
    default_runtime="keras-predict",
)


def get_protocol(
    protocol: str | MeasurementProtocol, fields: Mapping[str, Any] | None = None
) -> MeasurementProtocol:
    """Return a protocol by name; a `MeasurementProtocol` is returned unchanged.

    ``"reliable"``
        Repeatable labels; the default.
    ``"quick"``
        Two passes of half as many rounds, for experiments.
    ``"thorough"``
        Twice as many passes, and up to four times as many for architectures whose standard error
        is above 0.5 %.
    ``"paper"``
        The labels of Beglaryan and Ringhofer (2023): the mean of five calls of a new model,
        including the first (tracing) call; one model after the other.

    Parameters
    ----------
    protocol : str or MeasurementProtocol
        Name of a protocol, or the protocol itself.
    fields : mapping or None
        Fields that a runtime changes in ``"reliable"`` and the protocols derived from it; see
        `Runtime.protocol_fields`.

    Raises
    ------
    ValueError
        If no protocol has that name; the message lists the valid names.
    """
    if isinstance(protocol, MeasurementProtocol):
        return protocol
    if not isinstance(protocol, str) or protocol not in PROTOCOLS:
        raise ValueError(
            f"Unknown protocol {protocol!r}. Valid ones: {sorted(PROTOCOLS)}, "
            "or a MeasurementProtocol."
        )
    if protocol == "paper":
        return _PAPER
    reliable = MeasurementProtocol("reliable", **(fields or {}))
    passes, rounds = reliable.passes, reliable.rounds
    if protocol == "quick":
        return replace(reliable, name="quick", passes=2, rounds=max(2, rounds // 2))
    if protocol == "thorough":
        return replace(
            reliable, name="thorough", passes=2 * passes, max_passes=4 * passes, target_error=0.005
        )
    return reliable
