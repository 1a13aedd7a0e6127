"""Which architectures of a space a latency model lets pass: those within a budget."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

import numpy as np
import numpy.typing as npt

from fcnn_latency._units import format_seconds, parse_seconds
from fcnn_latency.nas._space_prediction import as_fitted
from fcnn_latency.spaces._fcnn import MAX_ENUMERATED, FCNNSpace
from fcnn_latency.spaces._widths import pad_widths, trim_widths

__all__ = ["Candidates", "parameter_ranges", "parameters_of", "widths_of"]

#: Architectures drawn at a time, first and at most, and in all before the space is enumerated.
FIRST_DRAW, LARGEST_DRAW, MOST_DRAWN = 64, 8192, 15_000
#: Of a space too large to be enumerated, how many are drawn instead.
DRAWN_INSTEAD = 1_000_000

Rows = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


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


class Candidates:
    """The architectures of a space whose latency is predicted to lie within a budget.

    Parameters
    ----------
    space : FCNNSpace or None
        Where they lie; None is ``FCNNSpace()``.
    latency_model : fitted estimator
        Predicts seconds from architectures.
    max_latency : float, str or None, default=None
        The budget, in seconds or as ``"2us"``; None lets all pass.
    confidence : float or None, default=None
        Hold the budget on ``latency_model.predict_upper`` with this confidence; None on the
        prediction itself.
    excluded : set of tuple of int, default=frozenset()
        Architectures that are never drawn.

    Raises
    ------
    ValueError
        If a parameter is wrong, or the model has no intervals and `confidence` asks for them.
    """

    def __init__(
        self,
        space: FCNNSpace | None,
        latency_model: Any,
        *,
        max_latency: float | str | None = None,
        confidence: float | None = None,
        excluded: Set[tuple[int, ...]] = frozenset(),
    ) -> None:
        if space is not None and not isinstance(space, FCNNSpace):
            raise ValueError(f"space must be an FCNNSpace or None. Got {space!r} instead.")
        if not hasattr(latency_model, "predict"):
            msg = (
                "latency_model must be a fitted estimator with a method predict, as of "
                f"make_latency_pipeline or load. Got {latency_model!r} instead."
            )
            raise ValueError(msg)
        if confidence is not None and not hasattr(latency_model, "predict_upper"):
            msg = (
                f"confidence={confidence!r} takes a latency_model with intervals: "
                "IntervalRegressor(pipeline).fit(X, y). Got "
                f"{type(latency_model).__name__} instead. Without, pass confidence=None."
            )
            raise ValueError(msg)
        self.space = FCNNSpace() if space is None else space
        self.latency_model = latency_model
        self.max_latency = None if max_latency is None else parse_seconds(max_latency)
        self.confidence = confidence
        self.excluded = excluded
        self._pool: Rows | None = None
        self.predict(self.space.sample(1, random_state=0))

    def predict(self, architectures: Any) -> Floats:
        """Predicted latencies and upper ends of their intervals.

        Parameters
        ----------
        architectures : sequence of sequences or array
            Ragged or zero-padded widths.

        Returns
        -------
        ndarray of float64, shape (n, 2)
            Seconds; upper ends are NaN without `confidence`.
        """
        rows = pad_widths(architectures, self.space.max_layers)
        ends = np.full((len(rows), 2), np.nan)
        fitted = as_fitted(rows, self.latency_model)
        ends[:, 0] = self.latency_model.predict(fitted)
        bad = ~np.isfinite(ends[:, 0]) | (ends[:, 0] <= 0)
        if bad.any():
            row = int(np.argmax(bad))
            msg = (
                f"latency_model predicts {ends[row, 0]} s for {trim_widths(rows)[row]}; "
                "a latency is a finite number above 0. Fit it on more or other architectures."
            )
            raise ValueError(msg)
        if self.confidence is not None:
            ends[:, 1] = self.latency_model.predict_upper(fitted, confidence=self.confidence)
        return ends

    def keep(self, ends: Floats) -> npt.NDArray[np.bool_]:
        """Whether what `predict` returned lies within the budget, shape (n,)."""
        if self.max_latency is None:
            return np.ones(len(ends), dtype=bool)
        return np.asarray(self._bounds(ends) <= self.max_latency)

    def _bounds(self, ends: Floats) -> Floats:
        return ends[:, 0 if self.confidence is None else 1]

    def draw(
        self, rng: np.random.RandomState, taken: Set[tuple[int, ...]] = frozenset()
    ) -> tuple[int, ...] | None:
        """One architecture within the budget by chance; None where all are taken.

        Depth uniform, then each width, as `FCNNSpace.sample` draws them, as long as that finds
        some; then any of all that there are.

        Raises
        ------
        ValueError
            If not one lies within the budget; states the least latency that the space has.
        """
        taken = taken | self.excluded
        n_drawn, size = 0, FIRST_DRAW
        # Also where all are known already, so that what is drawn depends on the seed alone.
        while n_drawn < min(MOST_DRAWN, 4 * self.space.size):
            rows = self.space.sample(size, random_state=rng, unique=False)
            kept = rows[self.keep(self.predict(rows))]
            for widths in trim_widths(kept):
                if widths not in taken:
                    return widths
            n_drawn, size = n_drawn + size, min(2 * size, LARGEST_DRAW)
        left = [widths for widths in trim_widths(self._all()) if widths not in taken]
        return left[rng.randint(len(left))] if left else None

    def check_possible(self) -> None:
        """Make sure that some architecture lies within the budget.

        Raises
        ------
        ValueError
            If none does; states the least latency that the space has.
        """
        self.draw(np.random.RandomState(0))

    def _all(self) -> Rows:
        """All within the budget; few, since drawing has not found one that is not taken."""
        if self._pool is not None:
            return self._pool
        enumerated = self.space.size <= MAX_ENUMERATED
        blocks = self.space.blocks() if enumerated else self._draws()
        kept: list[Rows] = []
        least, shortest = np.inf, trim_widths([[0]])[0]
        for rows in blocks:
            ends = self.predict(rows)
            bounds = self._bounds(ends)
            if bounds.min() < least:
                least, shortest = bounds.min(), trim_widths(rows[[bounds.argmin()]])[0]
            kept.append(rows[self.keep(ends)])
        self._pool = np.concatenate(kept)
        if self.max_latency is not None and not len(self._pool):
            msg = self._impossible(float(least), shortest, enumerated)
            raise ValueError(msg)
        return self._pool

    def _draws(self) -> Any:
        rng = np.random.RandomState(0)
        for _ in range(-(-DRAWN_INSTEAD // LARGEST_DRAW)):
            yield self.space.sample(LARGEST_DRAW, random_state=rng, unique=False)

    def _impossible(self, least: float, shortest: tuple[int, ...], enumerated: bool) -> str:
        assert self.max_latency is not None
        what = "predicted latency" if self.confidence is None else "upper end of an interval"
        of = (
            f"the {self.space.size:,} architectures of the space"
            if enumerated
            else f"{DRAWN_INSTEAD:,} drawn from the space"
        )
        return (
            f"max_latency={format_seconds(self.max_latency)} is met by none of {of}: the least "
            f"{what} is {format_seconds(least)}, of {shortest}. Allow more, or widen the space."
        )
