"""Lookup table of layer latencies."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse
from scipy.spatial import KDTree
from sklearn.linear_model import RidgeCV
from sklearn.preprocessing import OneHotEncoder

from fcnn_latency._validation import (
    BOOLEAN,
    Bools,
    Floats,
    Rule,
    check_parameters,
    choice,
    whole,
)
from fcnn_latency.estimators._base import WidthsRegressor, relative_weights
from fcnn_latency.estimators._roofline import RooflineRegressor
from fcnn_latency.networks._layer_nodes import layer_nodes
from fcnn_latency.networks._layers import Layers, layers_of

#: Key columns of a table; all three are 0 in the entry for the overhead of a call.
ENTRY_COLUMNS = ["rows", "fan_in", "fan_out"]
#: Candidate penalties for rescaling a table.
RIDGE_PENALTIES = np.logspace(-4, 4, 17)


def _is_table(value: object) -> bool:
    frame = getattr(value, "frame", value)
    columns = {*ENTRY_COLUMNS, "latency"}
    return value is None or (isinstance(frame, pd.DataFrame) and columns <= set(frame.columns))


_RULES: dict[str, Rule] = {
    "table": Rule(
        "None, or a DataFrame with the columns rows, fan_in, fan_out and latency such as that of "
        "make_layer_table",
        _is_table,
    ),
    "interpolation": choice(["linear", "nearest"]),
    "signal_length": whole(1),
    "rescale": BOOLEAN,
}


class LookupTableRegressor(WidthsRegressor):
    r"""Regressor that sums layer latencies from a lookup table.

    .. math:: T = c + \sum_n (t(r_n, i_n, o_n) - c)

    where t(r, i, o) is the latency of a one-layer network with i inputs and o outputs that reads r
    rows, and c is the overhead of a call. Each entry contains c, but a network pays it once. This
    is the method of Dai et al., "ChamNet: Towards efficient network design through platform-aware
    model adaptation" (2019), section 3.3. With kernel models instead of entries it is the method of
    Zhang et al., "nn-Meter: Towards accurate latency prediction of deep-learning model inference on
    diverse edge devices" (2021).

    With a table measured by `make_layer_table`, the regressor predicts architectures that have
    never been measured as a whole, and `fit` learns nothing unless `rescale` is True. Without a
    table, `fit` estimates one from whole architectures: a refined `RooflineRegressor` provides the
    entries, which are then rescaled.

    Rescaling adjusts the entries to the latencies of the architectures that read them, because a
    layer in a network does not cost exactly what it costs alone. Each entry is multiplied by
    1 + a + b + ..., where one correction belongs to this entry only, one is common to the whole
    table, and the others are each shared by all entries with the same rows, inputs or outputs, or
    with the same two of these. The corrections are found by ridge regression on the relative
    error, so that they stay near 0 where few architectures support them. The penalty is chosen by
    leave-one-out.

    Parameters
    ----------
    table : DataFrame, Bunch of `make_layer_table` or None, default=None
        Columns ``rows``, ``fan_in``, ``fan_out`` and ``latency`` in seconds. The entry
        whose sizes are all 0 is the overhead of a call. None estimates a table from the training
        data.
    interpolation : {"linear", "nearest"}, default="linear"
        Interpolation between entries. ``"linear"`` is linear in rows, inputs and outputs. It is
        exact for costs proportional to operand sizes or multiply-accumulates, and needs an entry at
        every node of a grid. ``"nearest"`` uses the entry whose sizes are nearest in logarithm.
    signal_length : int, default=50
        Number of values that one inference reads, cut into ceil(signal_length / w_1) rows.
    rescale : bool, default=False
        Whether to rescale a given table to the training data. False uses the table as measured.
        An estimated table is always rescaled.

    Attributes
    ----------
    entries_ : ndarray of shape (n_entries, 3)
        Rows, inputs and outputs of each entry.
    costs_ : ndarray of shape (n_entries,)
        Time that each entry adds to the latency of a network, in seconds.
    overhead_ : float
        Overhead of a call in seconds.
    roofline_ : RooflineRegressor or None
        Model that provides the entries of an estimated table; None if a table was given.
    n_features_in_ : int
        Number of columns seen in `fit`.

    Notes
    -----
    A layer outside a given table is an error. An estimated table covers its training data. For a
    layer outside, the roofline adds the time that it needs beyond the nearest layer inside.

    Examples
    --------
    >>> table = pd.DataFrame({"rows": [0, 1, 1, 50, 50], "fan_in": [0, 1, 50, 1, 50],
    ...                       "fan_out": [0, 9, 9, 9, 9],
    ...                       "latency": [3e-7, 4e-7, 5e-7, 6e-7, 9e-7]})
    >>> model = LookupTableRegressor(table).fit([[50, 9, 9]])
    >>> model.predict([[50, 9, 0], [50, 9, 9]]).round(9).tolist()
    [5e-07, 6.16e-07]
    """

    def __init__(
        self,
        table: Any = None,
        *,
        interpolation: str = "linear",
        signal_length: int = 50,
        rescale: bool = False,
    ) -> None:
        self.table = table
        self.interpolation = interpolation
        self.signal_length = signal_length
        self.rescale = rescale

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike | None = None) -> LookupTableRegressor:
        """Read the table or estimate it, and rescale it if needed.

        Parameters
        ----------
        X : array-like of shape (n_samples, max_layers)
            Zero-padded widths.
        y : array-like of shape (n_samples,) or None, default=None
            Latencies in seconds. Required only to estimate or rescale a table.

        Returns
        -------
        LookupTableRegressor
            The estimator itself.

        Raises
        ------
        ValueError
            If the data, the table or a parameter are invalid.
        """
        check_parameters(self, _RULES)
        self.roofline_: RooflineRegressor | None = None
        if self.table is not None:
            self._read_table()
            if y is None and not self.rescale:
                self._checked_widths(X, reset=True)
                return self
        widths, latencies = self._checked(X, y)
        layers = layers_of(widths, self.signal_length)
        if self.table is None:
            self._estimate(widths, layers, latencies)
        elif self.rescale:
            self._rescale(layers, latencies)
        return self

    def predict(self, X: npt.ArrayLike) -> Floats:
        """Predict latencies in seconds.

        Parameters
        ----------
        X : array-like of shape (n_samples, max_layers)
            Zero-padded widths.

        Returns
        -------
        ndarray of float64, shape (n_samples,)
            Latencies in seconds.

        Raises
        ------
        ValueError
            If a layer lies outside a given table; the message names the row and the layer.
        """
        layers = self._layers(X)
        if self.roofline_ is None:
            return np.asarray(self.overhead_ + self._reads(layers) @ self.costs_)
        inside = self._clipped(layers)
        latency_of = self.roofline_.layer_latencies
        beyond = (latency_of(layers) - latency_of(inside)).sum(axis=1)
        return np.asarray(self.overhead_ + self._reads(inside) @ self.costs_ + beyond)

    def _clipped(self, layers: Layers) -> Layers:
        """Return the layers with their sizes clipped to the range of the table."""
        ends = zip(self.entries_.min(axis=0), self.entries_.max(axis=0), strict=True)
        clipped = [np.clip(size, *end) for size, end in zip(layers, ends, strict=True)]
        return Layers(*(np.where(layers.rows > 0, size, 0.0) for size in clipped))

    def _read_table(self) -> None:
        frame = getattr(self.table, "frame", self.table)
        values = frame[[*ENTRY_COLUMNS, "latency"]].to_numpy(dtype=np.float64)
        if not (np.isfinite(values).all() and (values >= 0).all()):
            raise ValueError("The entries of a table must be finite numbers of at least 0.")
        sizes = frame[ENTRY_COLUMNS]
        is_bool = sizes.map(lambda size: isinstance(size, bool | np.bool_))
        if is_bool.any(axis=None) or (values[:, :3] % 1 > 0).any():
            raise ValueError("The rows, fan_in and fan_out of a table must be whole numbers.")
        is_call = (values[:, :3] == 0).all(axis=1)
        if is_call.sum() != 1:
            raise ValueError(
                "A table has one entry for the overhead of a call, whose rows, fan_in and fan_out "
                f"are 0. Got {is_call.sum()} of them instead."
            )
        entries = values[~is_call]
        entries = entries[np.lexsort(entries[:, 2::-1].T)]
        self.overhead_ = float(values[is_call, 3][0])
        self.entries_, self.costs_ = entries[:, :3], entries[:, 3] - self.overhead_
        self._check_entries()

    def _check_entries(self) -> None:
        different = len(np.unique(self.entries_, axis=0))
        if not different or different < len(self.entries_):
            raise ValueError(
                "A table has one entry for each layer that it knows. "
                f"Got {len(self.entries_)} entries for {different} layers instead."
            )
        size = int(np.prod([len(axis) for axis in self._axes()]))
        if self.interpolation == "linear" and size != different:
            raise ValueError(
                "interpolation='linear' needs an entry for each combination of the table's rows, "
                f"fan_in and fan_out: {size}. Got {different} entries instead; pass "
                "interpolation='nearest', or measure the others."
            )

    def _axes(self) -> list[Floats]:
        return [np.unique(column) for column in self.entries_.T]

    def _estimate(self, widths: Floats, layers: Layers, y: Floats) -> None:
        """Estimate the entries by a roofline and rescale them."""
        self.roofline_ = roofline = RooflineRegressor(self.signal_length).fit(widths, y)
        there = layers.rows > 0
        sizes = [size[there] if there.any() else np.ones(1) for size in layers]
        axes = layer_nodes(sizes[0], *((size.min(), size.max()) for size in sizes[1:]))
        self.entries_ = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
        self.overhead_ = roofline.call_overhead_
        self.costs_ = roofline.layer_latencies(Layers(*self.entries_.T))
        self._rescale(layers, y)

    def _rescale(self, layers: Layers, y: Floats) -> None:
        """Multiply the entries by factors fitted to the latencies of whole architectures."""
        weights = relative_weights(y)[:, None]
        reads = self._reads(layers) @ sparse.diags_array(self.costs_)
        shared = _shared_factors(self.entries_)
        design = (reads @ shared).multiply(weights).toarray()
        residual = (y - self.overhead_ - reads.sum(axis=1)) * weights[:, 0]
        ridge = RidgeCV(RIDGE_PENALTIES, fit_intercept=False).fit(design, residual)
        self.costs_ = self.costs_ * np.maximum(1.0 + shared @ ridge.coef_, 0.0)

    def _reads(self, layers: Layers) -> sparse.csr_array:
        """Return how often each architecture reads each entry, shape (n_samples, n_entries)."""
        there = layers.rows > 0
        sizes = np.stack([size[there] for size in layers], axis=1)
        if self.roofline_ is None:
            self._check_covered(there, sizes)
        if self.interpolation == "nearest":
            known, wanted = (np.log(np.maximum(s, 1.0)) for s in (self.entries_, sizes))
            places = [KDTree(known).query(wanted)[1]]
            shares = [np.ones(len(sizes))]
        else:
            places, shares = _corners(self._axes(), sizes)
        samples = np.tile(np.nonzero(there)[0], len(places))
        return sparse.csr_array(
            (np.concatenate(shares), (samples, np.concatenate(places))),
            shape=(len(there), len(self.entries_)),
        )

    def _check_covered(self, there: Bools, sizes: Floats) -> None:
        low, high = self.entries_.min(axis=0), self.entries_.max(axis=0)
        outside = ((sizes < low) | (sizes > high)).any(axis=1)
        if outside.any():
            row, layer = np.argwhere(there)[outside][0]
            size = sizes[outside][0]
            here = ", ".join(f"{n} {s:g}" for n, s in zip(ENTRY_COLUMNS, size, strict=True))
            known = ", ".join(
                f"{n} {a:g} to {b:g}" for n, a, b in zip(ENTRY_COLUMNS, low, high, strict=True)
            )
            raise ValueError(
                f"Row {row}: the layer between layers {layer + 1} and {layer + 2} ({here}) lies "
                f"outside the table ({known}). Measure a table that covers it: "
                "make_layer_table(space=..., signal_length=...)."
            )


def _corners(axes: list[Floats], sizes: Floats) -> tuple[list[npt.NDArray[np.intp]], list[Floats]]:
    """Return the entries at the corners of each layer's grid cell, and their interpolation weights.

    SciPy's `RegularGridInterpolator` gives the same values, but not the weights, which rescaling
    needs.
    """
    sides = []
    for axis, size in zip(axes, sizes.T, strict=True):
        low = np.clip(np.searchsorted(axis, size, side="right") - 1, 0, max(len(axis) - 2, 0))
        high = np.minimum(low + 1, len(axis) - 1)
        width = axis[high] - axis[low]
        share = np.divide(size - axis[low], width, out=np.zeros_like(size), where=width > 0)
        sides.append(((low, 1.0 - share), (high, share)))
    shape = [len(axis) for axis in axes]
    corners = list(product(*sides))
    places = [np.ravel_multi_index([place for place, _ in corner], shape) for corner in corners]
    return places, [np.prod([share for _, share in corner], axis=0) for corner in corners]


def _shared_factors(entries: Floats) -> sparse.csr_array:
    """Return which factors apply to each entry.

    For each subset of the sizes, from none to all, entries with the same sizes share a factor.
    """
    parts = []
    # Whatever output users set for transformers: pandas cannot hold sparse matrices.
    encoder = OneHotEncoder().set_output(transform="default")
    for chosen in product((False, True), repeat=entries.shape[1]):
        _, factor = np.unique(entries[:, chosen], axis=0, return_inverse=True)
        parts.append(encoder.fit_transform(factor.reshape(-1, 1)))
    return sparse.csr_array(sparse.hstack(parts))
