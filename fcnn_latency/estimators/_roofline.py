"""The roofline model, whose peaks are given or fitted."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar, nnls

from fcnn_latency._validation import (
    Floats,
    Rule,
    are_whole,
    check_parameters,
    choice,
    number,
    or_none,
    whole,
)
from fcnn_latency.estimators._base import WidthsRegressor, relative_weights
from fcnn_latency.networks._kernels import ROOFLINE_TILES
from fcnn_latency.networks._layers import Layers, layers_of

#: Machine balances that are tried between the least and the greatest intensity of a layer.
N_BALANCES = 16


_PEAK = or_none(number(above=0))
_OVERHEAD = or_none(number(least=0))
_RULES: dict[str, Rule] = {
    "signal_length": whole(1),
    "peak_flops": _PEAK,
    "peak_bandwidth": _PEAK,
    "call_overhead": _OVERHEAD,
    "layer_overhead": _OVERHEAD,
    "tiles": or_none(
        Rule(
            "'auto' or three whole numbers of at least 1",
            lambda value: choice(["auto"]).holds(value) or are_whole(value, 3),
        )
    ),
}


class RooflineRegressor(WidthsRegressor):
    r"""Roofline model: each layer takes as long as its arithmetic or its data, whichever is longer.

    Wess et al., "ANNETTE: Accurate neural network execution time estimation with stacked models"
    (2021), eq. 1, summed over the layers n of a network:

    .. math:: T \approx c + \sum_n \left( o +
        \max\left(\frac{f_n}{P_{peak}}, \frac{D_n}{B_{peak}}\right)\right)

    with f_n floating-point operations, D_n bytes of weights, inputs and outputs, P_peak in FLOP/s
    and B_peak in bytes/s. (Beglaryan and Ringhofer (2023), section II, print f_n / D_n for the
    first term, a misprint: it is no time.) ANNETTE has neither the overhead c of a call nor o of
    a layer; a framework costs both, so they are fitted too unless they are given.

    The refined form multiplies f_n by the ratio of padded to real work: a kernel computes whole
    tiles of s_r rows by s_i inputs by s_o outputs, so that

    .. math:: f_n' = f_n \frac{\lceil r / s_r \rceil s_r}{r}
        \frac{\lceil i / s_i \rceil s_i}{i} \frac{\lceil o / s_o \rceil s_o}{o}

    which is ANNETTE's refined roofline model with the unrolled dimensions of a dense layer.

    What is not given is fitted by least squares of the relative error: for a machine balance
    P_peak / B_peak the model is linear with coefficients of at least 0, so the balance is searched
    and the rest solved for. This has no starting point and no unit, so that microseconds and
    milliseconds fit alike.

    Parameters
    ----------
    signal_length : int, default=50
        Values that one inference reads, cut into ceil(signal_length / w_1) rows.
    peak_flops : float or None, default=None
        P_peak in FLOP/s; None fits it.
    peak_bandwidth : float or None, default=None
        B_peak in bytes/s; None fits it.
    call_overhead : float or None, default=None
        c in seconds; None fits it.
    layer_overhead : float or None, default=None
        o in seconds; None fits it.
    tiles : "auto", None or (rows, fan_in, fan_out), default="auto"
        Sizes of a tile; None pads nothing. ``"auto"`` takes those of `ROOFLINE_TILES`, register
        blocks of AVX-512, AVX2 and NEON, that fit the training data best.
        ``RooflineRegressor(call_overhead=0, layer_overhead=0, tiles=None)`` is eq. 1 as it stands.

    Attributes
    ----------
    peak_flops_, peak_bandwidth_ : float
        The peaks in force; infinite where the data show no cost at all. Where all layers of
        the training data meet one bound, the other peak is the lowest that they do not meet.
    call_overhead_, layer_overhead_ : float
        The overheads in force, in seconds.
    tiles_ : tuple of int or None
        The tile in force.
    n_features_in_ : int
        Columns of the widths seen in `fit`.

    Examples
    --------
    >>> X = [[50, 50, 0], [10, 30, 10], [25, 25, 25], [40, 8, 40]]
    >>> given = RooflineRegressor(peak_flops=1e10, peak_bandwidth=1e10, call_overhead=0,
    ...                           layer_overhead=1e-7, tiles=None)
    >>> given.fit(X, [1e-6] * 4).predict([[50, 50, 0]]).round(9).tolist()
    [1.16e-06]
    """

    def __init__(
        self,
        signal_length: int = 50,
        *,
        peak_flops: float | None = None,
        peak_bandwidth: float | None = None,
        call_overhead: float | None = None,
        layer_overhead: float | None = None,
        tiles: str | tuple[int, int, int] | None = "auto",
    ) -> None:
        self.signal_length = signal_length
        self.peak_flops = peak_flops
        self.peak_bandwidth = peak_bandwidth
        self.call_overhead = call_overhead
        self.layer_overhead = layer_overhead
        self.tiles = tiles

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> RooflineRegressor:
        """Fit what is not given.

        Parameters
        ----------
        X : array-like of shape (n_samples, max_layers)
            Zero-padded widths.
        y : array-like of shape (n_samples,)
            Latencies in seconds.

        Returns
        -------
        RooflineRegressor
            Itself.

        Raises
        ------
        ValueError
            If data or a parameter are wrong.
        """
        widths, latencies = self._checked(X, y)
        check_parameters(self, _RULES)
        layers = layers_of(widths, self.signal_length)
        fits = {tiles: self._fit_balance(layers, latencies, tiles) for tiles in self._candidates()}
        self.tiles_ = min(fits, key=lambda tiles: fits[tiles].loss)
        fitted = fits[self.tiles_]
        self.call_overhead_, self.layer_overhead_, slope = map(float, fitted.coefficients)
        self.peak_flops_ = 1.0 / slope if slope else np.inf
        self.peak_bandwidth_ = self.peak_flops_ / fitted.balance
        return self

    def predict(self, X: npt.ArrayLike) -> Floats:
        """Predict latencies in seconds, shape (n_samples,)."""
        layers = self._layers(X)
        return np.asarray(self.call_overhead_ + self.layer_latencies(layers).sum(axis=1))

    def layer_latencies(self, layers: Layers) -> Floats:
        """What each layer adds to the latency of a network, in seconds, of the layers' shape."""
        arithmetic = _padded_flops(layers, self.tiles_) / self.peak_flops_
        busy = np.maximum(arithmetic, layers.bytes / self.peak_bandwidth_)
        return np.asarray(np.where(layers.rows > 0, self.layer_overhead_ + busy, 0.0))

    def _candidates(self) -> list[tuple[int, ...] | None]:
        if isinstance(self.tiles, str):
            return list(ROOFLINE_TILES)
        return [None if self.tiles is None else tuple(int(size) for size in self.tiles)]

    def _fit_balance(self, layers: Layers, y: Floats, tiles: tuple[int, ...] | None) -> _Fit:
        """The best machine balance, and what is best with it."""
        flops, moved = _padded_flops(layers, tiles), layers.bytes

        def solved(log_balance: float) -> _Fit:
            return self._solve(float(np.exp(log_balance)), flops, moved, layers, y)

        if self.peak_flops is not None and self.peak_bandwidth is not None:
            return self._solve(self.peak_flops / self.peak_bandwidth, flops, moved, layers, y)
        there = moved > 0
        intensities = flops[there] / moved[there] if there.any() else np.ones(1)
        grid = np.linspace(np.log(intensities.min()), np.log(intensities.max()), N_BALANCES)
        fits = [solved(log_balance) for log_balance in grid]
        best = int(np.argmin([fit.loss for fit in fits]))
        low, high = grid[max(best - 1, 0)], grid[min(best + 1, N_BALANCES - 1)]
        if low == high:
            return fits[best]
        refined = minimize_scalar(lambda b: solved(b).loss, bounds=(low, high), method="bounded")
        return min([*fits, solved(refined.x)], key=lambda fit: fit.loss)

    def _solve(
        self, balance: float, flops: Floats, moved: Floats, layers: Layers, y: Floats
    ) -> _Fit:
        """Overheads and seconds of a FLOP for one balance: non-negative least squares."""
        busy = np.maximum(flops, balance * moved).sum(axis=1)
        columns = np.stack([np.ones_like(busy), layers.counts, busy], axis=1)
        slope = None
        if self.peak_flops is not None:
            slope = 1.0 / self.peak_flops
        elif self.peak_bandwidth is not None:
            slope = 1.0 / (self.peak_bandwidth * balance)
        given = [self.call_overhead, self.layer_overhead, slope]
        free = np.array([value is None for value in given])
        coefficients = np.array([value or 0.0 for value in given], dtype=np.float64)
        weights = relative_weights(y)
        design, target = columns * weights[:, None], (y - columns @ coefficients) * weights
        scale = np.linalg.norm(design, axis=0)
        scale[scale == 0] = 1.0
        if free.any():
            solution, _ = nnls((design / scale)[:, free], target)
            coefficients[free] = solution / scale[free]
            target = target - design[:, free] @ coefficients[free]
        return _Fit(float(target @ target), balance, coefficients)


class _Fit(NamedTuple):
    """Overheads of call and layer and seconds of a FLOP, and how well they do."""

    loss: float
    balance: float
    coefficients: Floats


def _padded_flops(layers: Layers, tiles: tuple[int, ...] | None) -> Floats:
    """Operations of whole tiles."""
    if tiles is None:
        return layers.flops
    return Layers(*(np.ceil(s / t) * t for s, t in zip(layers, tiles, strict=True))).flops
