"""One evaluated architecture of a search, and how a study of Optuna keeps it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import pandas as pd

from fcnn_latency.spaces._fcnn import FCNNSpace


def parameter_ranges(space: FCNNSpace) -> dict[str, tuple[int, int]]:
    """Least and most of ``layers`` and of each width that is free, as tuners see a space."""
    n_free = space.max_layers - 1 if space.tie_io else space.max_layers
    widths = (space.min_width, space.max_width)
    layers = {"layers": (space.min_layers, space.max_layers)}
    return layers | {f"width_{i + 1}": widths for i in range(n_free)}


def widths_of(parameters: Mapping[str, Any], space: FCNNSpace) -> tuple[int, ...]:
    """The architecture of such parameters; widths behind its depth mean nothing."""
    depth = int(parameters["layers"])
    free = tuple(int(parameters[f"width_{i + 1}"]) for i in range(depth - space.tie_io))
    return (*free, free[0]) if space.tie_io else free


def parameters_of(widths: tuple[int, ...], space: FCNNSpace) -> dict[str, int]:
    """Parameters that `widths_of` makes this architecture of."""
    names = list(parameter_ranges(space))[1:]
    free = (widths[:-1] if space.tie_io else widths) + (space.min_width,) * len(names)
    return {"layers": len(widths), **dict(zip(names, free, strict=False))}


@dataclass(frozen=True)
class Trial:
    """One evaluated architecture.

    Parameters
    ----------
    widths : tuple of int
        The architecture.
    quality : float
        What the objective returned; NaN if it failed.
    predicted, upper : float
        Latency in seconds and upper end of its interval, as predicted, or as measured since; NaN
        without intervals.
    state : {"complete", "failed"}
        Whether the objective returned a number.
    error : str
        Why it failed; empty if it did not.
    duration : float
        Seconds that the objective took; NaN if it failed.
    """

    widths: tuple[int, ...]
    quality: float
    predicted: float
    upper: float
    state: str = "complete"
    error: str = ""
    duration: float = math.nan

    @classmethod
    def from_study(cls, trial: Any, space: FCNNSpace) -> Trial:
        """A finished trial of Optuna."""
        known = trial.user_attrs
        predicted, upper = known["latencies"]
        return cls(
            widths=widths_of(trial.params, space),
            quality=known.get("quality", math.nan),
            predicted=predicted,
            upper=math.nan if upper is None else upper,
            state="failed" if "error" in known else "complete",
            error=known.get("error", ""),
            duration=known.get("duration", math.nan),
        )

    def attributes(self) -> dict[str, Any]:
        """User attributes that a study keeps, from which `from_study` reads; JSON-ready."""
        upper = None if math.isnan(self.upper) else self.upper
        latencies = {"latencies": [self.predicted, upper]}
        if self.state == "failed":
            return latencies | {"error": self.error}
        return latencies | {"quality": self.quality, "duration": self.duration}

    def values(self, n_objectives: int) -> list[float] | None:
        """What Optuna optimizes: quality, then latency; None of a failed trial."""
        if self.state == "failed":
            return None
        return [self.quality, self.predicted][:n_objectives]


def trial_frame(trials: Iterable[Trial]) -> pd.DataFrame:
    """Trials as a frame, a column for each field of `Trial`."""
    columns = [field.name for field in fields(Trial)]
    return pd.DataFrame([asdict(trial) for trial in trials], columns=columns)


def trials_of(frame: pd.DataFrame) -> list[Trial]:
    """The trials that `trial_frame` made a frame of."""
    return [Trial(*row) for row in frame.itertuples(index=False)]
