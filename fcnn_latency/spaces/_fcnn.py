"""The space of fully connected architectures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fcnn_latency._validation import BOOLEAN, Ints, Rule, check, refuse_first, whole
from fcnn_latency.spaces._widths import pad_widths

#: Maximum size of a space that is enumerated.
MAX_ENUMERATED = 10_000_000


@dataclass(frozen=True)
class FCNNSpace:
    """A space of fully connected architectures to measure, predict and search.

    An architecture is its **widths**: the neurons of each layer, input first, output last.
    The defaults are the space of Beglaryan and Ringhofer, "Development and training of a deep
    learning approach to estimate latency of deep neural network inference" (2023), section IV-A.

    Parameters
    ----------
    max_layers : int, default=5
        Maximum number of layers, input and output included.
    max_width : int, default=50
        Maximum number of neurons per layer.
    min_layers : int, default=2
        Minimum number of layers; at least 2.
    min_width : int, default=1
        Minimum number of neurons per layer; at least 1.
    tie_io : bool, default=True
        Whether the output layer is as wide as the input layer.

    Raises
    ------
    ValueError
        If a limit is not a whole number or too small, a minimum is above its maximum, or
        `tie_io` is not a bool.

    Examples
    --------
    >>> space = FCNNSpace()
    >>> space.size
    6377550
    >>> (14, 21, 31, 14) in space, (14, 21, 31) in space
    (True, False)
    >>> space.sample(3, random_state=0).shape
    (3, 5)
    """

    max_layers: int = 5
    max_width: int = 50
    min_layers: int = 2
    min_width: int = 1
    tie_io: bool = True

    def __post_init__(self) -> None:
        for limit, least in (("layers", 2), ("width", 1)):
            low = check(getattr(self, f"min_{limit}"), whole(least), f"min_{limit}", self)
            high = check(getattr(self, f"max_{limit}"), whole(low), f"max_{limit}", self)
            object.__setattr__(self, f"min_{limit}", low)  # NumPy numbers become Python ints
            object.__setattr__(self, f"max_{limit}", high)
        check(self.tie_io, BOOLEAN, "tie_io", self)
        object.__setattr__(self, "tie_io", bool(self.tie_io))

    def __le__(self, other: FCNNSpace) -> bool:
        """Return whether every architecture of this space is in the other one.

        Examples
        --------
        >>> FCNNSpace(max_layers=3) <= FCNNSpace() <= FCNNSpace(tie_io=False)
        True
        """
        return (
            other.min_layers <= self.min_layers
            and self.max_layers <= other.max_layers
            and other.min_width <= self.min_width
            and self.max_width <= other.max_width
            and (self.tie_io or not other.tie_io)
        )

    @classmethod
    def covering(cls, *parts: Any) -> FCNNSpace:
        """Return the smallest space that contains the given spaces and architectures.

        Parameters
        ----------
        *parts : FCNNSpace, or sequence of sequences, array or DataFrame
            Spaces, or rows of architectures.

        Returns
        -------
        FCNNSpace
            The smallest such space. Its `tie_io` is True if all parts have equal input and output.

        Raises
        ------
        ValueError
            If a row is not an architecture, or there are no spaces and architectures.

        Examples
        --------
        >>> FCNNSpace.covering(FCNNSpace(max_width=8), [[9, 3, 9]])
        FCNNSpace(max_layers=5, max_width=9, min_layers=2, min_width=1, tie_io=True)
        """
        if not parts:
            raise ValueError("There is nothing to cover.")
        limits = [part if isinstance(part, cls) else cls._of_rows(part) for part in parts]
        return cls(
            max_layers=max(space.max_layers for space in limits),
            max_width=max(space.max_width for space in limits),
            min_layers=min(space.min_layers for space in limits),
            min_width=min(space.min_width for space in limits),
            tie_io=all(space.tie_io for space in limits),
        )

    @classmethod
    def _of_rows(cls, architectures: Any) -> FCNNSpace:
        padded = pad_widths(architectures)
        if not len(padded):
            raise ValueError("There is no architecture to cover.")
        depths, outputs = _depths_and_outputs(padded)
        return cls(
            max_layers=int(depths.max()),
            max_width=int(padded.max()),
            min_layers=int(depths.min()),
            min_width=int(padded[padded > 0].min()),
            tie_io=bool((outputs == padded[:, 0]).all()),
        )

    @property
    def depths(self) -> range:
        """The possible numbers of layers."""
        return range(self.min_layers, self.max_layers + 1)

    @property
    def depth_sizes(self) -> list[int]:
        """The number of architectures of each of `depths`."""
        return [self._n_widths ** (depth - self.tie_io) for depth in self.depths]

    @property
    def size(self) -> int:
        """The number of architectures in the space."""
        return sum(self.depth_sizes)

    @property
    def _n_widths(self) -> int:
        return self.max_width - self.min_width + 1

    def __contains__(self, widths: object) -> bool:
        """Return whether one architecture, ragged or zero-padded, is in the space."""
        try:
            self.validate([widths])
        except (ValueError, TypeError):
            return False
        return True

    def validate(self, architectures: Any) -> Ints:
        """Check architectures against the space and zero-pad them.

        Parameters
        ----------
        architectures : sequence of sequences, array or DataFrame of shape (n, <= max_layers)
            Ragged or zero-padded widths.

        Returns
        -------
        ndarray of int64, shape (n, max_layers)
            Zero-padded widths.

        Raises
        ------
        ValueError
            If a row is not an architecture of this space; the message names row and layer.
        """
        padded = pad_widths(architectures, self.max_layers)
        depths, outputs = _depths_and_outputs(padded)
        refuse_first(
            depths < self.min_layers,
            depths,
            f"Row {{row}} has {{value}} layers; the space has {self.min_layers} to "
            f"{self.max_layers}, input and output included.",
        )
        refuse_first(
            (padded > 0) & ((padded < self.min_width) | (padded > self.max_width)),
            padded,
            "Row {row}, layer {layer}: {value} neurons; the space has "
            f"{self.min_width} to {self.max_width}. For wider or narrower layers pass "
            "space=FCNNSpace(min_width=..., max_width=...).",
        )
        untied = outputs != padded[:, 0]
        if self.tie_io and untied.any():
            row = int(np.argmax(untied))
            raise ValueError(
                f"Row {row}: layer 1 (input) has {padded[row, 0]} neurons but layer "
                f"{depths[row]} (output) has {outputs[row]}; in this space they are equal. "
                "For unequal ones pass space=FCNNSpace(tie_io=False)."
            )
        return padded

    def sample(self, n_samples: int, random_state: Any = None, unique: bool = True) -> Ints:
        """Draw architectures: a uniform depth, then uniform widths, as in the paper.

        Parameters
        ----------
        n_samples : int
            Number of architectures to draw.
        random_state : int, RandomState or None
            Seed of the draw.
        unique : bool, default=True
            Whether to discard repeats, so that all architectures are distinct.

        Returns
        -------
        ndarray of int64, shape (n_samples, max_layers)
            Zero-padded widths.

        Raises
        ------
        ValueError
            If `n_samples` is negative, or `unique` is True and the space has fewer architectures.
        """
        n_samples = check(n_samples, whole(0), "n_samples")
        from sklearn.utils import check_random_state  # measuring processes do not import it

        rng = check_random_state(random_state)
        if not unique:
            return self._draw(n_samples, rng)
        size = self.size
        if n_samples > size:
            raise ValueError(
                f"{n_samples} distinct architectures were asked for, but the space holds only "
                f"{size}. Ask for fewer, widen the space, or pass unique=False."
            )
        if n_samples * 20 > size and size <= MAX_ENUMERATED:
            return self._draw_from_all(n_samples, rng)
        return self._draw_distinct(n_samples, rng)

    def _draw(self, n: int, rng: np.random.RandomState) -> Ints:
        depths = rng.randint(self.min_layers, self.max_layers + 1, size=n)
        shape = (n, self.max_layers)
        drawn = rng.randint(self.min_width, self.max_width + 1, size=shape).astype(np.int64)
        drawn[np.arange(self.max_layers) >= depths[:, None]] = 0
        if self.tie_io:
            drawn[np.arange(n), depths - 1] = drawn[:, 0]
        return drawn

    def _draw_distinct(self, n: int, rng: np.random.RandomState) -> Ints:
        import pandas as pd

        kept = pd.DataFrame(self._draw(n, rng)).drop_duplicates()
        while len(kept) < n:
            more = pd.DataFrame(self._draw(max(n - len(kept), 64), rng))
            kept = pd.concat([kept, more]).drop_duplicates()
        return kept.to_numpy(dtype=np.int64)[:n]

    def _draw_from_all(self, n: int, rng: np.random.RandomState) -> Ints:
        """Draw as `_draw_distinct` does, without its many repeats in a small space."""
        counts = np.array(self.depth_sizes)
        weights = np.repeat(1.0 / (len(counts) * counts), counts)
        chosen = rng.choice(len(weights), n, replace=False, p=weights / weights.sum())
        return self.unrank(chosen)

    def chunks(self, chunk_size: int = 65_536) -> Iterator[Ints]:
        """Enumerate the space in chunks: by depth, then by widths, both in ascending order.

        Parameters
        ----------
        chunk_size : int, default=65_536
            Maximum number of architectures in a chunk. Only one chunk is in memory at a time.

        Yields
        ------
        ndarray of int64, shape (<= chunk_size, max_layers)
            Zero-padded widths.
        """
        chunk_size = check(chunk_size, whole(1), "chunk_size")
        for depth, count in zip(self.depths, self.depth_sizes, strict=True):
            for start in range(0, count, chunk_size):
                places = np.arange(min(chunk_size, count - start))
                yield self._unrank(depth, places, start)

    def rank(self, architectures: Any) -> Ints:
        """Return the ranks of architectures: their positions in `chunks`, from 0.

        Parameters
        ----------
        architectures : sequence of sequences, array or DataFrame of shape (n, <= max_layers)
            Ragged or zero-padded widths.

        Returns
        -------
        ndarray of int64, shape (n,)
            Ranks, each at least 0 and below `size`.

        Raises
        ------
        ValueError
            If a row is not in this space, or the space has more architectures than int64 can
            number.

        Examples
        --------
        >>> FCNNSpace().rank([[1, 1], [50, 50], [1, 1, 1], [50, 50, 50, 50, 50]])
        array([      0,      49,      50, 6377549])
        """
        widths = self.validate(architectures)
        starts = self._first_ranks()
        depths = np.count_nonzero(widths, axis=1)
        places = np.zeros(len(widths), dtype=np.int64)
        for layer, column in enumerate(widths.T):
            more = places * self._n_widths + column - self.min_width
            places = np.where(layer < depths - self.tie_io, more, places)
        return np.asarray(starts[depths - self.min_layers] + places)

    def unrank(self, ranks: npt.ArrayLike) -> Ints:
        """Return the architectures of ranks: the inverse of `rank`.

        Parameters
        ----------
        ranks : array-like of int, shape (n,)
            Ranks, each at least 0 and below `size`.

        Returns
        -------
        ndarray of int64, shape (n, max_layers)
            Zero-padded widths.

        Raises
        ------
        ValueError
            If a rank is out of range, or the space has more architectures than int64 can number.

        Examples
        --------
        >>> FCNNSpace().unrank([49, 50])
        array([[50, 50,  0,  0,  0],
               [ 1,  1,  1,  0,  0]])
        """
        given, size = np.asarray(ranks), self.size
        if given.ndim != 1 or (given.dtype.kind not in "iu" and given.size):
            raise ValueError(
                f"ranks must be whole numbers in one dimension. Got {ranks!r} instead."
            )
        wanted = f"Ranks of this space are 0 to {size - 1}."
        refuse_first((given < 0) | (given >= size), given, f"{wanted} Got {{value}} instead.")
        starts = self._first_ranks()
        places = given.astype(np.int64)
        which = np.searchsorted(starts, places, side="right") - 1
        rows = np.zeros((len(places), self.max_layers), dtype=np.int64)
        for place in np.unique(which):
            here = which == place
            rows[here] = self._unrank(self.depths[place], places[here] - starts[place])
        return rows

    def _first_ranks(self) -> Ints:
        """Return the rank of the first architecture of each depth."""
        if self.size > np.iinfo(np.int64).max:
            raise ValueError(
                f"The space holds {self.size} architectures, more than int64 can number."
            )
        sizes = np.array(self.depth_sizes)
        return np.asarray(np.cumsum(sizes) - sizes)

    def _unrank(self, depth: int, places: Ints, start: int = 0) -> Ints:
        """Return architectures `start` + `places` of one depth, by mixed-radix counting."""
        base, free = self._n_widths, depth - self.tie_io
        block = np.zeros((len(places), self.max_layers), dtype=np.int64)
        carry = places
        for layer in reversed(range(free)):
            start, digit = divmod(start, base)
            carry, block[:, layer] = np.divmod(carry + digit, base)
        block[:, :free] += self.min_width
        if self.tie_io:
            block[:, depth - 1] = block[:, 0]
        return block


def _depths_and_outputs(padded: Ints) -> tuple[Ints, Ints]:
    """Return the number of layers of each row, and the width of its last layer."""
    depths = np.count_nonzero(padded, axis=1)
    return depths, padded[np.arange(len(padded)), depths - 1]


#: Rule for parameters that are a space.
SPACE = Rule("an FCNNSpace", lambda value: isinstance(value, FCNNSpace))
