"""A table of layer latencies, looked up and summed."""

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

#: What tells an entry of a table from the others; all three are 0 in the overhead of a call.
ENTRY_COLUMNS = ["rows", "fan_in", "fan_out"]
#: What the penalty on an estimated table is chosen from.
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
    r"""Look the latency of each layer up in a table and sum.

    .. math:: T = c + \sum_n (t(r_n, i_n, o_n) - c)

    with t(r, i, o) the latency of a network of one layer of i inputs and o outputs that reads r
    rows, and c the overhead of a call, which each entry contains and a network pays once. The
    method of Dai et al., "ChamNet: Towards efficient network design through platform-aware model
    adaptation" (2019), section 3.3, and, with models of kernels in place of entries, of Zhang et
    al., "nn-Meter: Towards accurate latency prediction of deep-learning model inference on
    diverse edge devices" (2021).

    With a table measured by `make_layer_table` it predicts architectures that have never been
    measured whole, and `fit` learns nothing, unless the table is to be rescaled. Without one the
    table is estimated from the whole architectures given to `fit`: a refined `RooflineRegressor`
    gives its entries, which then are rescaled.

    Rescaling adjusts entries to what architectures show that read them, since layers in a network
    do not cost quite what they cost alone: each is multiplied by 1 + a + b + ..., with one
    correction of its own, one common to the whole table, and one each shared by all entries of the
    same rows, inputs or outputs, or of the same two of these. The corrections are solved for by
    ridge regression on the relative error, so that they stay near 0 where few architectures speak
    for them; the penalty is chosen by leave-one-out.

    Parameters
    ----------
    table : DataFrame, Bunch of `make_layer_table` or None, default=None
        Columns ``rows``, ``fan_in``, ``fan_out`` and ``latency`` in seconds; the entry whose
        sizes are all 0 is the overhead of a call. None estimates a table from the training data.
    interpolation : {"linear", "nearest"}, default="linear"
        Between entries: linear in rows, inputs and outputs, which is exact for costs that grow
        with the size of operands or with multiply-accumulates, and needs entries at all nodes of
        a grid; or the nearest entry by the logarithms of the sizes.
    signal_length : int, default=50
        Values that one inference reads, cut into ceil(signal_length / w_1) rows.
    rescale : bool, default=False
        Whether a table that is given is rescaled to the training data. False is the table as
        measured; a table that is estimated always is.

    Attributes
    ----------
    entries_ : ndarray of shape (n_entries, 3)
        Rows, inputs and outputs.
    costs_ : ndarray of shape (n_entries,)
        What each entry adds to the latency of a network, in seconds.
    overhead_ : float
        The overhead of a call in seconds.
    roofline_ : RooflineRegressor or None
        What an estimated table is made from; None where the table was given.
    n_features_in_ : int
        Columns of the widths seen in `fit`.

    Notes
    -----
    A layer outside a table that was given is an error. A table that was estimated covers its
    training data; beyond, the roofline says what more a layer takes than the nearest one inside.

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
        """Read the table, or estimate it.

        Parameters
        ----------
        X : array-like of shape (n_samples, max_layers)
            Zero-padded widths.
        y : array-like of shape (n_samples,) or None, default=None
            Latencies in seconds; only a table that is rescaled or estimated takes them.

        Returns
        -------
        LookupTableRegressor
            Itself.

        Raises
        ------
        ValueError
            If data, table or a parameter are wrong.
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

        Raises
        ------
        ValueError
            If a layer lies outside a table that was given; names row and layer.
        """
        layers = self._layers(X)
        if self.roofline_ is None:
            return np.asarray(self.overhead_ + self._reads(layers) @ self.costs_)
        inside = self._clipped(layers)
        latency_of = self.roofline_.layer_latencies
        beyond = (latency_of(layers) - latency_of(inside)).sum(axis=1)
        return np.asarray(self.overhead_ + self._reads(inside) @ self.costs_ + beyond)

    def _clipped(self, layers: Layers) -> Layers:
        """Layers no smaller and no larger than the table has them."""
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
        """Entries of a roofline, corrected by what their readers show."""
        self.roofline_ = roofline = RooflineRegressor(self.signal_length).fit(widths, y)
        there = layers.rows > 0
        sizes = [size[there] if there.any() else np.ones(1) for size in layers]
        axes = layer_nodes(sizes[0], *((size.min(), size.max()) for size in sizes[1:]))
        self.entries_ = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
        self.overhead_ = roofline.call_overhead_
        self.costs_ = roofline.layer_latencies(Layers(*self.entries_.T))
        self._rescale(layers, y)

    def _rescale(self, layers: Layers, y: Floats) -> None:
        """Multiply entries by what the architectures show that read them."""
        weights = relative_weights(y)[:, None]
        reads = self._reads(layers) @ sparse.diags_array(self.costs_)
        shared = _shared_factors(self.entries_)
        design = (reads @ shared).multiply(weights).toarray()
        residual = (y - self.overhead_ - reads.sum(axis=1)) * weights[:, 0]
        ridge = RidgeCV(RIDGE_PENALTIES, fit_intercept=False).fit(design, residual)
        self.costs_ = self.costs_ * np.maximum(1.0 + shared @ ridge.coef_, 0.0)

    def _reads(self, layers: Layers) -> sparse.csr_array:
        """How often each architecture reads each entry, shape (n_samples, n_entries)."""
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
    """Entries at the corners of the cell of each layer, and their shares in its latency.

    SciPy's `RegularGridInterpolator` gives the same values, but not the shares that a table is
    rescaled by.
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
    """Which factors an entry has: its own, and those shared by all of one, two or no same sizes."""
    parts = []
    for chosen in product((False, True), repeat=entries.shape[1]):
        _, factor = np.unique(entries[:, chosen], axis=0, return_inverse=True)
        parts.append(OneHotEncoder().fit_transform(factor.reshape(-1, 1)))
    return sparse.csr_array(sparse.hstack(parts))
