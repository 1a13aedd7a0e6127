"""Architectures of a space whose predicted latency is within a budget."""

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

#: Number of architectures in the first draw, in the largest one, and in all before enumeration.
FIRST_DRAW, LARGEST_DRAW, MOST_DRAWN = 64, 8192, 15_000
#: Number of architectures that are drawn from a space too large to enumerate.
DRAWN_INSTEAD = 1_000_000

#: The longest latency that a map can hold.
MOST_SECONDS = float(np.finfo(np.float32).max)


class NothingLeftError(ValueError):
    """No architecture is within the budget, or none that was not evaluated."""


class Candidates:
    """The architectures of a space whose latency is predicted to lie within a budget.

    Parameters
    ----------
    space : FCNNSpace or None
        The space of the architectures. None is ``FCNNSpace()``, or the space of a `LatencyMap`.
    latency_model : fitted estimator or LatencyMap
        Predicts seconds from architectures.
    max_latency : float, str or None, default=None
        The budget, in seconds or as ``"2us"``. None is no limit.
    confidence : float or None, default=None
        With a confidence, ``latency_model.predict_upper`` at this confidence must meet the budget.
        With None, the prediction itself must meet it.
    excluded : set of tuple of int, default=frozenset()
        Architectures that are never drawn.

    Raises
    ------
    ValueError
        If a parameter is wrong, `confidence` is given for a model without intervals, or a
        predicted latency is not finite or not positive.
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
                f"confidence={confidence!r} needs a latency_model with intervals: "
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
        """Predict latencies and the upper ends of their intervals.

        Parameters
        ----------
        architectures : sequence of sequences or array
            Ragged or zero-padded widths.

        Returns
        -------
        ndarray of float64, shape (n, 2)
            Predictions and upper ends in seconds. Upper ends are NaN without `confidence`.

        Raises
        ------
        ValueError
            If a predicted latency is not finite or not positive.
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
        """Return which results of `predict` are within the budget, shape (n,)."""
        if self.max_latency is None:
            return np.ones(len(ends), dtype=bool)
        return np.asarray(self._bounds(ends) <= self.max_latency)

    def _bounds(self, ends: Floats) -> Floats:
        return ends[:, 0 if self.confidence is None else 1]

    def draw(
        self, rng: np.random.RandomState, taken: Set[tuple[int, ...]] = frozenset()
    ) -> tuple[int, ...] | None:
        """Draw one architecture within the budget at random; None if all are taken.

        First draw as `FCNNSpace.sample` does: a uniform depth, then each width. If this finds
        none, draw uniformly from all architectures within the budget that are left.

        Raises
        ------
        ValueError
            If no architecture is within the budget; the message states the least latency of the
            space.
        """
        taken = taken | self.excluded
        n_drawn, size = 0, FIRST_DRAW
        # Draw even if all are already known, so that the result depends on the seed alone.
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
        """Raise ValueError if no architecture is within the budget.

        Raises
        ------
        ValueError
            If no architecture is within the budget; the message states the least latency of the
            space.
        """
        self.draw(np.random.RandomState(0))

    def _all(self) -> Ints:
        """Return all within the budget: few, since random draws found none that is not taken."""
        if self._pool is None:
            rows, least = self._enumerated() if self._is_enumerable else self._sampled()
            self._pool = rows[self.keep(self.predict(rows))] if len(rows) else rows
            if self.max_latency is not None and not len(self._pool):
                raise NothingLeftError(self._impossible(*least))
        return self._pool

    @property
    def _is_enumerable(self) -> bool:
        return self.space.size <= MAX_ENUMERATED

    @property
    def latency_map(self) -> LatencyMap:
        """Latencies, or upper ends, of all architectures of an enumerable space."""
        if self._map is None:
            chunks = [self._bounds(self.predict(rows)) for rows in self.space.chunks()]
            self._map = LatencyMap(self.space, np.concatenate(chunks))
        return self._map

    def _enumerated(self) -> tuple[Ints, tuple[float, tuple[int, ...]]]:
        """Return architectures that may be in the budget, and the least latency with its widths."""
        budget = self.max_latency
        if budget is not None:  # round up as the map does; `keep` decides
            budget = float(round_up(np.array([min(budget, MOST_SECONDS)]))[0])
        ranks = self.latency_map.ranks(max_latency=budget)
        least = float(self.latency_map.quantile(0))
        return self.space.unrank(ranks), (least, trim_widths(self.latency_map.fastest(1))[0])

    def _sampled(self) -> tuple[Ints, tuple[float, tuple[int, ...]]]:
        """Return the same as `_enumerated`, from a sample of a space too large to enumerate."""
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
