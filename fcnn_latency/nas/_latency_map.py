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

#: The values of `distribution`.
DISTRIBUTIONS = ("uniform", "paper")

Seconds = float | str


class LatencyMap:
    """The latency of every architecture of a space, to count, find and draw from.

    `from_estimator` predicts them. Latencies are kept as float32, rounded up, so that what is said
    to keep a budget was predicted within it; all else follows from the order in which the space
    enumerates. So a map of the default space takes 26 MB.

    Wherever a latency is given, it is seconds, or text with a unit such as ``"2us"`` or
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
        Read-only.

    Raises
    ------
    ValueError
        If the space is too large, or the latencies are not as many or not all finite.

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
            The space, which must lie in that of the model; None is that of the model.
        confidence : float or None, default=None
            Of an `IntervalRegressor`, keep the latencies that a share `confidence` of
            architectures does not exceed (see `IntervalRegressor.predict_upper`); None keeps the
            predictions.

        Returns
        -------
        LatencyMap

        Raises
        ------
        ValueError
            If the space is too large to go through or not of the model, `confidence` is given
            without intervals, or predictions are measurements or not finite.
        sklearn.exceptions.NotFittedError
            If the model is not fitted.
        """
        space, latencies = predict_space(model, space, confidence)
        return cls(space, latencies)

    def __len__(self) -> int:
        """How many architectures there are."""
        return len(self.latencies)

    def __repr__(self) -> str:
        """As `str`, in angle brackets."""
        return f"<LatencyMap of {self}>"

    def __str__(self) -> str:
        """How many architectures, and the range of their latencies."""
        least, middle, most = (format_seconds(float(self.quantile(q))) for q in (0, 0.5, 1))
        return f"{len(self):,} architectures of {least} to {most}, half of them up to {middle}"

    def predict(self, architectures: Any) -> Floats:
        """Look latencies up.

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
            If a row is no architecture of the space.
        """
        return self.latencies[self.space.rank(architectures)].astype(np.float64)

    def ranks(self, max_latency: Seconds | None = None, min_latency: Seconds | None = None) -> Ints:
        """Ranks of the architectures within a budget or a band, ends included.

        Parameters
        ----------
        max_latency, min_latency : float, str or None, default=None
            Most and least latency; None is no limit.

        Returns
        -------
        ndarray of int64, shape (n,)
            In ascending order, for `FCNNSpace.unrank`; empty where there are none.

        Raises
        ------
        ValueError
            If a limit is negative, not finite or no latency, or the least is above the most.
        """
        return np.flatnonzero(self._within(*_limits(max_latency, min_latency)))

    def count(self, max_latency: Seconds | None = None, min_latency: Seconds | None = None) -> int:
        """How many architectures lie within a budget or a band; parameters as of `ranks`."""
        return int(np.count_nonzero(self._within(*_limits(max_latency, min_latency))))

    def quantile(self, q: npt.ArrayLike) -> Any:
        """The least latency that a share `q` of the architectures does not exceed.

        Parameters
        ----------
        q : float or array-like of float
            From 0 to 1.

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
        """The `n` architectures of least latency, zero-padded widths, fastest first."""
        return self.space.unrank(_least(self.latencies, self._check_n(n)))

    def slowest(self, n: int = 10) -> Ints:
        """The `n` architectures of most latency, zero-padded widths, slowest first."""
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
            How many.
        max_latency, min_latency : float, str or None, default=None
            Most and least latency, ends included; None is no limit.
        distribution : {"uniform", "paper"}, default="uniform"
            ``"uniform"``: all within the band are equally likely, so that most have as many layers
            as the budget leaves room for. ``"paper"``: as `FCNNSpace.sample` draws them, depth
            first, those outside of the band being passed over.
        random_state : int, RandomState or None, default=None
            Seed of the draw.

        Returns
        -------
        ndarray of int64, shape (n, max_layers)
            Zero-padded widths, in random order.

        Raises
        ------
        ValueError
            If the band holds fewer than `n`; an empty one names what lies next to it. If a limit,
            `n` or `distribution` is wrong.
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
        # As float64, lest a limit be rounded to a float32 beyond it.
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
        # No limit, or no architecture beyond it, leaves that side out.
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
    """Indices of the `n` least values, equal ones in their order."""
    candidates = np.flatnonzero(values <= np.partition(values, n - 1)[n - 1])
    return candidates[np.argsort(values[candidates], kind="stable")[:n]]
