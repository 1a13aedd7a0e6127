"""The plan of a measurement: which models are timed together, in which order, how often."""

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

    A model is built once in each **pass** and timed in **rounds** beside the other models of its
    group, in a fresh random order every round, so that what slows the machine for a while hits
    many models a little instead of one model much (Abedi and Brecht, "Conducting repeatable
    experiments in highly variable cloud computing environments", ICPE 2017). A **reference**
    architecture is timed in between, and readings are divided by the reference latency, so that
    what the machine's speed does meanwhile cancels. The latency of a pass is what its rounds are
    reduced to, times the reference latency of the machine (see docs/measuring.md); the
    label is the median over passes (`fcnn_latency.measurement.combine_passes`).

    Runtimes may change some of the presets' fields (`Runtime.protocol_fields`); a
    `MeasurementProtocol` that is given is used as it stands.

    Parameters
    ----------
    name : str
        What datasets call it.
    passes : int
        How often each model is built anew, since copies of a model differ by where they lie in
        memory. At least two let a dataset state its own noise.
    processes : int
        Measuring processes among which the passes go round, since processes with identical work
        differ as well.
    rounds : int
        Readings of each model in a pass.
    samples_per_block : int or None
        Samples behind one reading. None: as many as last `block_seconds` on the reference
        architecture, and at least `least_samples`; found once and the same for all models, since
        the minimum over a number that depends on the latency would be biased by it.
    calls_per_sample : int or None
        Calls between two looks at the clock. None: as many as last `sample_seconds` on the
        reference architecture, since looking at the clock takes some 50 ns. A model whose sample
        would so last more than five `sample_seconds` gets fewer calls, not fewer samples.
    block_seconds, sample_seconds : float
        See above; only for calibration.
    least_samples : int
        See above; only for calibration.
    block_statistic, round_statistic : {"min", "low-mean", "median", "mean"}
        What the samples of a block, and the rounds of a pass, are reduced to. Disturbances only
        add time and come in bursts: the minimum of a fixed, small number of samples, then the
        mean of the lowest third of the rounds repeat best.
    warmup_calls : int
        Calls before the first reading of a model, never counted. The first is timed by itself, as
        ``first_call``; 0 leaves it to the first reading.
    group_size : int
        Most models that are alive and interleaved at a time; all passes over a group come before
        the next group starts.
    group_bytes : int
        Most bytes of weights in a group, for wide spaces.
    reference_every : int
        Models timed between two readings of the reference; 0 for no reference.
    reference_models : int
        Instances of the reference that are read in turn, since instances differ a little.
    reference_widths : tuple of int
        The reference architecture.
    reference_quantile : float
        Which quantile of reference readings is the reference latency. A low one is not moved by
        bursts.
    reference_window : int
        Neighbouring reference readings, half of them before and half after, whose quantile a
        reading is divided by; 0 for all of its group.
    shuffle : bool
        Whether architectures are grouped, and groups timed, in random order.
    pin : bool
        Whether models are timed on one core, where the system allows it.
    build_ahead : bool
        Whether the next group is built on another core while one is timed, where there is such a
        core.
    models_per_worker : int
        Models built before a measuring process is replaced; 0 for never.
    worker_growth_bytes : int
        Growth of a measuring process after which it is replaced, since frameworks leak; 0 for any.
    target_error : float or None
        Relative standard error above which an architecture gets further passes.
    max_passes : int
        Most passes that `target_error` leads to.
    default_runtime : str
        The runtime where none is asked for.

    Raises
    ------
    ValueError
        If a number is out of range or the statistic is unknown.
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
        """JSON-ready."""
        return {**asdict(self), "reference_widths": list(self.reference_widths)}

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> MeasurementProtocol:
        """What `as_dict` gave."""
        return cls(**{**fields, "reference_widths": tuple(fields["reference_widths"])})


#: The protocols by name, as changes to ``"reliable"``; see `get_protocol`.
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
    """A protocol by its name; a `MeasurementProtocol` is returned as it is.

    ``"reliable"``
        Labels that repeat; the default.
    ``"quick"``
        Two passes of half as many rounds, to try things.
    ``"thorough"``
        Twice as many passes, and up to four times as many where the standard error is above
        0.5 %.
    ``"paper"``
        The labels of Beglaryan and Ringhofer (2023): five calls of a fresh model, averaged, the
        first (tracing) one included, one model after the other.

    Parameters
    ----------
    protocol : str or MeasurementProtocol
        Its name, or itself.
    fields : mapping or None
        What serves a runtime better in ``"reliable"`` and what derives from it:
        `Runtime.protocol_fields`.

    Raises
    ------
    ValueError
        If no protocol has that name; lists those that there are.
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
