"""The latency of every architecture of a space."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils import check_random_state

from fcnn_latency._units import format_seconds, parse_seconds
from fcnn_latency._validation import Bools, Floats, Floats32, Ints, check, choice, whole
from fcnn_latency.nas._space_prediction import check_space, predict_space, round_up
from fcnn_latency.spaces._fcnn import FCNNSpace
from fcnn_latency.spaces._widths import trim_widths

#: Valid values of `distribution`.
DISTRIBUTIONS = ("uniform", "paper")

Seconds = float | str


class LatencyMap:
    """The latency of every architecture of a space, for counting, finding and sampling.

    Use `from_estimator` to predict the latencies. They are stored as float32, rounded up:
    an architecture reported within a budget was predicted within it. Architectures are not
    stored, since the space enumerates them in a fixed order. A map of the default space uses
    26 MB.

    All methods accept latencies in seconds, or as text with a unit such as ``"2us"`` or
    ``"0.5 ms"``.

    Parameters
    ----------
    space : FCNNSpace
        The space, of at most 10,000,000 architectures.
    latencies : array-like of shape (space.size,)
        Latencies in seconds, in the order of `FCNNSpace.rank`.

    Attributes
    ----------
    latencies : ndarray of float32, shape (space.size,)
        Latencies in seconds, in the order of `FCNNSpace.rank`. Read-only.

    Raises
    ------
    ValueError
        If the space is too large, the number of latencies differs from its size, or a latency is
        not finite.

    Examples
    --------
    >>> space = FCNNSpace(max_layers=3, max_width=3)
    >>> model = LatencyMap(space, 1e-6 * space.unrank(range(12)).sum(axis=1))
    >>> model.count(max_latency="4.5us")
    4
    >>> model.fastest(2)
    array([[1, 1, 0],
           [1, 1, 1]])
    >>> model.sample(1, max_latency=2.5e-6)
    array([[1, 1, 0]])
    """

    def __init__(self, space: FCNNSpace, latencies: npt.ArrayLike) -> None:
        check_space(space)
        given = np.asarray(latencies)
        if given.shape != (space.size,) or given.dtype.kind not in "iuf":
            raise ValueError(
                f"latencies must be {space.size} numbers, one for each architecture of the space. "
                f"Got an array of shape {given.shape} and dtype {given.dtype} instead."
            )
        finite = np.isfinite(given)
        if not finite.all():
            rank = int(np.argmin(finite))
            raise ValueError(
                f"The latency of {trim_widths(space.unrank([rank]))[0]}, rank {rank}, is "
                f"{given[rank]}."
            )
        self.space = space
        self.latencies = round_up(given)
        self.latencies.flags.writeable = False

    @classmethod
    def from_estimator(
        cls, model: Any, space: FCNNSpace | None = None, *, confidence: float | None = None
    ) -> LatencyMap:
        """Predict the latency of every architecture of a space.

        Parameters
        ----------
        model : estimator
            A fitted pipeline from architectures to latencies in seconds, or an `IntervalRegressor`
            around one.
        space : FCNNSpace or None, default=None
            The space, which must be a subset of the model's space. None is the model's space.
        confidence : float or None, default=None
            With a confidence, store the upper bounds of `IntervalRegressor.predict_upper`, which a
            fraction `confidence` of architectures does not exceed. With None, store the
            predictions.

        Returns
        -------
        LatencyMap
            The predictions or upper bounds.

        Raises
        ------
        ValueError
            If the space is too large to enumerate or not a subset of the model's, `confidence` is
            given for a model without intervals, the model measures instead of predicting, or a
            prediction is not finite.
        sklearn.exceptions.NotFittedError
            If the model is not fitted.
        """
        space, latencies = predict_space(model, space, confidence)
        return cls(space, latencies)

    def __len__(self) -> int:
        """Return the number of architectures."""
        return len(self.latencies)

    def __repr__(self) -> str:
        """Return `str` in angle brackets."""
        return f"<LatencyMap of {self}>"

    def __str__(self) -> str:
        """Return the number of architectures and the range of their latencies."""
        least, middle, most = (format_seconds(float(self.quantile(q))) for q in (0, 0.5, 1))
        return f"{len(self):,} architectures of {least} to {most}, half of them up to {middle}"

    def predict(self, architectures: Any) -> Floats:
        """Look up latencies.

        Parameters
        ----------
        architectures : sequence of sequences, array or DataFrame of shape (n, <= max_layers)
            Ragged or zero-padded widths.

        Returns
        -------
        ndarray of float64, shape (n,)
            Seconds.

        Raises
        ------
        ValueError
            If a row is not an architecture of the space.
        """
        return self.latencies[self.space.rank(architectures)].astype(np.float64)

    def ranks(self, max_latency: Seconds | None = None, min_latency: Seconds | None = None) -> Ints:
        """Return ranks of the architectures within a budget or a band, ends included.

        Parameters
        ----------
        max_latency, min_latency : float, str or None, default=None
            Longest and shortest latency. None is no limit.

        Returns
        -------
        ndarray of int64, shape (n,)
            Ranks in ascending order, for `FCNNSpace.unrank`; empty if there are none.

        Raises
        ------
        ValueError
            If a limit is negative, not finite or not a latency, or `min_latency` is above
            `max_latency`.
        """
        return np.flatnonzero(self._within(*_limits(max_latency, min_latency)))

    def count(self, max_latency: Seconds | None = None, min_latency: Seconds | None = None) -> int:
        """Count the architectures within a budget or a band; parameters as in `ranks`."""
        return int(np.count_nonzero(self._within(*_limits(max_latency, min_latency))))

    def quantile(self, q: npt.ArrayLike) -> Any:
        """Return the least latency that a fraction `q` of the architectures does not exceed.

        Parameters
        ----------
        q : float or array-like of float
            Fraction from 0 to 1.

        Returns
        -------
        float64 or ndarray of float64, of the shape of `q`
            Seconds.

        Raises
        ------
        ValueError
            If `q` is below 0, above 1 or NaN.
        """
        found = np.quantile(self.latencies, np.asarray(q, dtype=np.float64), method="inverted_cdf")
        return found.astype(np.float64)

    def fastest(self, n: int = 10) -> Ints:
        """Return zero-padded widths of the `n` fastest architectures, fastest first."""
        return self.space.unrank(_least(self.latencies, self._check_n(n)))

    def slowest(self, n: int = 10) -> Ints:
        """Return zero-padded widths of the `n` slowest architectures, slowest first."""
        return self.space.unrank(_least(-self.latencies, self._check_n(n)))

    def sample(
        self,
        n: int,
        max_latency: Seconds | None = None,
        min_latency: Seconds | None = None,
        *,
        distribution: str = "uniform",
        random_state: Any = None,
    ) -> Ints:
        """Draw distinct architectures within a budget or a band.

        Parameters
        ----------
        n : int
            Number of architectures.
        max_latency, min_latency : float, str or None, default=None
            Longest and shortest latency, ends included. None is no limit.
        distribution : {"uniform", "paper"}, default="uniform"
            ``"uniform"``: all architectures in the band are equally likely, so most have as many
            layers as the budget allows. ``"paper"``: draw the depth first, as `FCNNSpace.sample`
            does, and skip architectures outside the band.
        random_state : int, RandomState or None, default=None
            Seed of the draw.

        Returns
        -------
        ndarray of int64, shape (n, max_layers)
            Zero-padded widths, in random order.

        Raises
        ------
        ValueError
            If the band holds fewer than `n` architectures; for an empty band the message names the
            nearest ones. Also if a limit, `n` or `distribution` is wrong.
        """
        n = check(n, whole(0), "n")
        check(distribution, choice(DISTRIBUTIONS), "distribution")
        limits = _limits(max_latency, min_latency)
        ranks = np.flatnonzero(self._within(*limits))
        if len(ranks) < n:
            raise ValueError(self._too_few(n, len(ranks), *limits))
        if not n:
            return self.space.unrank(ranks[:0])
        weights = np.ones(len(ranks))
        if distribution == "paper":
            sizes = np.array(self.space.depth_sizes)
            weights = 1 / sizes[np.searchsorted(np.cumsum(sizes), ranks, side="right")]
        rng = check_random_state(random_state)
        chosen = rng.choice(len(weights), n, replace=False, p=weights / weights.sum())
        return self.space.unrank(ranks[chosen])

    def _within(self, most: float | None, least: float | None) -> Bools:
        within = np.ones(len(self), dtype=bool)
        # Compare as float64: rounding the limit to float32 could move it.
        if most is not None:
            within &= self.latencies <= np.float64(most)
        if least is not None:
            within &= self.latencies >= np.float64(least)
        return within

    def _check_n(self, n: Any) -> int:
        checked: int = check(n, whole(1), "n")
        if checked > len(self):
            raise ValueError(f"{n} architectures were asked for, and the space holds {len(self)}.")
        return checked

    def _too_few(self, n: int, found: int, most: float | None, least: float | None) -> str:
        band = " and ".join(
            f"{word} {format_seconds(limit, 6)}"
            for word, limit in (("at least", least), ("at most", most))
            if limit is not None
        )
        place = f"take {band}" if band else "are in the space"
        if found:
            return f"{n} architectures were asked for, and {found} {place}."
        # A side without a limit, or without architectures beyond it, is left out.
        below = np.flatnonzero(self.latencies < np.float64(0 if least is None else least))
        above = np.flatnonzero(self.latencies > np.float64(np.inf if most is None else most))
        nearest = [(below[np.argmax(self.latencies[below])], "most below")] if len(below) else []
        nearest += [(above[np.argmin(self.latencies[above])], "least above")] if len(above) else []
        named = ", ".join(
            f"the {word} is {format_seconds(float(self.latencies[rank]), 6)}, "
            f"of {trim_widths(self.space.unrank([rank]))[0]}"
            for rank, word in nearest
        )
        return f"No architecture of the space takes {band}: {named}."


def _limits(max_latency: Any, min_latency: Any) -> tuple[float | None, float | None]:
    most = None if max_latency is None else parse_seconds(max_latency, "max_latency")
    least = None if min_latency is None else parse_seconds(min_latency, "min_latency")
    if most is not None and least is not None and least > most:
        raise ValueError(f"min_latency={min_latency!r} is above max_latency={max_latency!r}.")
    return most, least


def _least(values: Floats32, n: int) -> Ints:
    """Return indices of the `n` smallest values; equal values keep their order."""
    candidates = np.flatnonzero(values <= np.partition(values, n - 1)[n - 1])
    return candidates[np.argsort(values[candidates], kind="stable")[:n]]
