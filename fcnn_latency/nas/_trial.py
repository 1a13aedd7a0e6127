"""One evaluated architecture of a search, and its form in an Optuna study."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import pandas as pd

from fcnn_latency.spaces._fcnn import FCNNSpace


def parameter_ranges(space: FCNNSpace) -> dict[str, tuple[int, int]]:
    """Return the smallest and largest value of ``layers`` and of each free width, for tuners."""
    n_free = space.max_layers - 1 if space.tie_io else space.max_layers
    widths = (space.min_width, space.max_width)
    layers = {"layers": (space.min_layers, space.max_layers)}
    return layers | {f"width_{i + 1}": widths for i in range(n_free)}


def widths_of(parameters: Mapping[str, Any], space: FCNNSpace) -> tuple[int, ...]:
    """Return the architecture of such parameters; widths beyond its depth are ignored."""
    depth = int(parameters["layers"])
    free = tuple(int(parameters[f"width_{i + 1}"]) for i in range(depth - space.tie_io))
    return (*free, free[0]) if space.tie_io else free


def parameters_of(widths: tuple[int, ...], space: FCNNSpace) -> dict[str, int]:
    """Return parameters of an architecture: the inverse of `widths_of`."""
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
        Value that the objective returned; NaN if it failed.
    predicted, upper : float
        Predicted latency and the upper end of its interval in seconds, or measured latency and its
        bound once measured. The upper end is NaN without intervals.
    state : {"complete", "failed"}
        Whether the objective returned a number.
    error : str
        Why the objective failed; empty if it did not.
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
        """Make a trial from a finished Optuna trial."""
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
        """Return user attributes for a study, as `from_study` reads them; JSON-serializable."""
        upper = None if math.isnan(self.upper) else self.upper
        latencies = {"latencies": [self.predicted, upper]}
        if self.state == "failed":
            return latencies | {"error": self.error}
        return latencies | {"quality": self.quality, "duration": self.duration}

    def values(self, n_objectives: int) -> list[float] | None:
        """Return the values Optuna optimizes: quality, then latency; None for a failed trial."""
        if self.state == "failed":
            return None
        return [self.quality, self.predicted][:n_objectives]


def trial_frame(trials: Iterable[Trial]) -> pd.DataFrame:
    """Return trials as a DataFrame with one column per field of `Trial`."""
    columns = [field.name for field in fields(Trial)]
    return pd.DataFrame([asdict(trial) for trial in trials], columns=columns)


def trials_of(frame: pd.DataFrame) -> list[Trial]:
    """Return the trials of a DataFrame from `trial_frame`."""
    return [Trial(*row) for row in frame.itertuples(index=False)]
