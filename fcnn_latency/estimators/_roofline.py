"""Roofline model with given or fitted peaks."""

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

#: Number of machine balances tried between the lowest and the highest intensity of a layer.
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
    r"""Roofline model: the time of a layer is that of its arithmetic or its data, if longer.

    The model of Wess et al., "ANNETTE: Accurate neural network execution time estimation with
    stacked models" (2021), eq. 1, is summed over the layers n of a network:

    .. math:: T \approx c + \sum_n \left( o +
        \max\left(\frac{f_n}{P_{peak}}, \frac{D_n}{B_{peak}}\right)\right)

    with f_n floating-point operations, D_n bytes of weights, inputs and outputs, P_peak in FLOP/s
    and B_peak in bytes/s. (Beglaryan and Ringhofer (2023), section II, print f_n / D_n for the
    first term. This is a misprint: f_n / D_n is not a time.) ANNETTE has neither the overhead c of
    a call nor the overhead o of a layer. Frameworks have both, so they are fitted unless given.

    The refined form multiplies f_n by the ratio of padded to actual work, because a kernel
    computes whole tiles of s_r rows by s_i inputs by s_o outputs:

    .. math:: f_n' = f_n \frac{\lceil r / s_r \rceil s_r}{r}
        \frac{\lceil i / s_i \rceil s_i}{i} \frac{\lceil o / s_o \rceil s_o}{o}

    This is ANNETTE's refined roofline model with the unrolled dimensions of a dense layer.

    Parameters that are None are fitted by least squares of the relative error. For a fixed machine
    balance P_peak / B_peak the model is linear with nonnegative coefficients. So the balance is
    searched, and the other parameters are solved for. This needs no starting point and does not
    depend on units: microseconds and milliseconds are fitted equally well.

    Parameters
    ----------
    signal_length : int, default=50
        Number of values that one inference reads, cut into ceil(signal_length / w_1) rows.
    peak_flops : float or None, default=None
        P_peak in FLOP/s; None fits it.
    peak_bandwidth : float or None, default=None
        B_peak in bytes/s; None fits it.
    call_overhead : float or None, default=None
        c in seconds; None fits it.
    layer_overhead : float or None, default=None
        o in seconds; None fits it.
    tiles : "auto", None or (rows, fan_in, fan_out), default="auto"
        Sizes of a tile; None disables padding. ``"auto"`` chooses, of the register blocks
        of AVX-512, AVX2 and NEON, the one that fits the training data best.
        ``RooflineRegressor(call_overhead=0, layer_overhead=0, tiles=None)`` is eq. 1 unchanged.

    Attributes
    ----------
    peak_flops_, peak_bandwidth_ : float
        The given or fitted peaks in FLOP/s and bytes/s; infinite if the data show no cost at all.
        If all layers of the training data are limited by one peak, the other is the lowest value
        that does not limit them.
    call_overhead_, layer_overhead_ : float
        The given or fitted overheads in seconds.
    tiles_ : tuple of int or None
        The given or chosen tile.
    n_features_in_ : int
        Number of columns seen in `fit`.

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
        """Fit the parameters that are None.

        Parameters
        ----------
        X : array-like of shape (n_samples, max_layers)
            Zero-padded widths.
        y : array-like of shape (n_samples,)
            Latencies in seconds.

        Returns
        -------
        RooflineRegressor
            The estimator itself.

        Raises
        ------
        ValueError
            If the data or a parameter are invalid.
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
        """Return the seconds that each layer adds to the latency, in the shape of `layers`."""
        arithmetic = _padded_flops(layers, self.tiles_) / self.peak_flops_
        busy = np.maximum(arithmetic, layers.bytes / self.peak_bandwidth_)
        return np.asarray(np.where(layers.rows > 0, self.layer_overhead_ + busy, 0.0))

    def _candidates(self) -> list[tuple[int, ...] | None]:
        if isinstance(self.tiles, str):
            return list(ROOFLINE_TILES)
        return [None if self.tiles is None else tuple(int(size) for size in self.tiles)]

    def _fit_balance(self, layers: Layers, y: Floats, tiles: tuple[int, ...] | None) -> _Fit:
        """Return the fit with the best machine balance."""
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
        """Fit overheads and seconds per FLOP for one balance by nonnegative least squares."""
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
    """Call overhead, layer overhead and seconds per FLOP for one balance, with their loss."""

    loss: float
    balance: float
    coefficients: Floats


def _padded_flops(layers: Layers, tiles: tuple[int, ...] | None) -> Floats:
    """Return the floating-point operations of each layer, padded to whole tiles."""
    if tiles is None:
        return layers.flops
    return Layers(*(np.ceil(s / t) * t for s, t in zip(layers, tiles, strict=True))).flops
