"""Which architectures of a space a latency model lets pass: those within a budget."""

from __future__ import annotations

from collections.abc import Set
from typing import Any

import numpy as np

from fcnn_latency._units import format_seconds, parse_seconds
from fcnn_latency._validation import Bools, Floats, Ints, check, or_none
from fcnn_latency.nas._latency_map import LatencyMap
from fcnn_latency.nas._space_prediction import as_fitted, round_up
from fcnn_latency.spaces._fcnn import MAX_ENUMERATED, SPACE, FCNNSpace
from fcnn_latency.spaces._widths import pad_widths, trim_widths

#: Architectures drawn at a time, first and at most, and in all before the space is enumerated.
FIRST_DRAW, LARGEST_DRAW, MOST_DRAWN = 64, 8192, 15_000
#: Of a space too large to be enumerated, how many are drawn instead.
DRAWN_INSTEAD = 1_000_000

#: A map holds no longer latencies.
MOST_SECONDS = float(np.finfo(np.float32).max)


class Candidates:
    """The architectures of a space whose latency is predicted to lie within a budget.

    Parameters
    ----------
    space : FCNNSpace or None
        Where they lie; None is ``FCNNSpace()``, or the space of a `LatencyMap`.
    latency_model : fitted estimator or LatencyMap
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
        check(space, or_none(SPACE), "space")
        if not hasattr(latency_model, "predict"):
            raise ValueError(
                "latency_model must be a fitted estimator with a method predict, as of "
                f"make_latency_pipeline or load. Got {latency_model!r} instead."
            )
        if confidence is not None and not hasattr(latency_model, "predict_upper"):
            raise ValueError(
                f"confidence={confidence!r} takes a latency_model with intervals: "
                "IntervalRegressor(pipeline).fit(X, y). Got "
                f"{type(latency_model).__name__} instead. Without, pass confidence=None."
            )
        self._map = latency_model if isinstance(latency_model, LatencyMap) else None
        if self._map is not None and space not in (None, self._map.space):
            raise ValueError(
                f"The LatencyMap holds {self._map.space}. Got space={space!r} instead."
            )
        self.space = space or (FCNNSpace() if self._map is None else self._map.space)
        self.latency_model = latency_model
        self.max_latency = None if max_latency is None else parse_seconds(max_latency)
        self.confidence = confidence
        self.excluded = excluded
        self._pool: Ints | None = None
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
            raise ValueError(
                f"latency_model predicts {ends[row, 0]} s for {trim_widths(rows)[row]}; "
                "a latency is a finite number above 0. Fit it on more or other architectures."
            )
        if self.confidence is not None:
            ends[:, 1] = self.latency_model.predict_upper(fitted, confidence=self.confidence)
        return ends

    def keep(self, ends: Floats) -> Bools:
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

    def _all(self) -> Ints:
        """All within the budget; few, since drawing has not found one that is not taken."""
        if self._pool is None:
            rows, least = self._enumerated() if self._is_enumerable else self._sampled()
            self._pool = rows[self.keep(self.predict(rows))] if len(rows) else rows
            if self.max_latency is not None and not len(self._pool):
                raise ValueError(self._impossible(*least))
        return self._pool

    @property
    def _is_enumerable(self) -> bool:
        return self.space.size <= MAX_ENUMERATED

    @property
    def latency_map(self) -> LatencyMap:
        """Latencies, or upper ends, of all architectures of a space that can be enumerated."""
        if self._map is None:
            chunks = [self._bounds(self.predict(rows)) for rows in self.space.chunks()]
            self._map = LatencyMap(self.space, np.concatenate(chunks))
        return self._map

    def _enumerated(self) -> tuple[Ints, tuple[float, tuple[int, ...]]]:
        """Architectures that may lie within the budget, and the least latency of all."""
        budget = self.max_latency
        if budget is not None:  # the map is rounded up, so look as far; `keep` decides
            budget = float(round_up(np.array([min(budget, MOST_SECONDS)]))[0])
        ranks = self.latency_map.ranks(max_latency=budget)
        least = float(self.latency_map.quantile(0))
        return self.space.unrank(ranks), (least, trim_widths(self.latency_map.fastest(1))[0])

    def _sampled(self) -> tuple[Ints, tuple[float, tuple[int, ...]]]:
        """The same of some of a space that is too large."""
        rng, kept = np.random.RandomState(0), []
        least, fastest = np.inf, trim_widths([[0]])[0]
        for _ in range(-(-DRAWN_INSTEAD // LARGEST_DRAW)):
            rows = self.space.sample(LARGEST_DRAW, random_state=rng, unique=False)
            ends = self.predict(rows)
            bounds = self._bounds(ends)
            if bounds.min() < least:
                least, fastest = bounds.min(), trim_widths(rows[[bounds.argmin()]])[0]
            kept.append(rows[self.keep(ends)])
        return np.concatenate(kept), (float(least), fastest)

    def _impossible(self, least: float, fastest: tuple[int, ...]) -> str:
        assert self.max_latency is not None
        what = "predicted latency" if self.confidence is None else "upper end of an interval"
        of = f"{DRAWN_INSTEAD:,} drawn from the space"
        if self._is_enumerable:
            of = f"the {self.space.size:,} architectures of the space"
        return (
            f"max_latency={format_seconds(self.max_latency)} is met by none of {of}: the least "
            f"{what} is {format_seconds(least)}, of {fastest}. Allow more, or widen the space."
        )
