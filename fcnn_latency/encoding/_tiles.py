"""Costs of a matrix product on a CPU: register tiles, panels, bytes beyond a cache."""

from __future__ import annotations

import numpy as np

from fcnn_latency._validation import Floats32, Ints
from fcnn_latency.networks._kernels import CACHE_SIZES
from fcnn_latency.networks._layers import FLOAT_BYTES, signal_rows
from fcnn_latency.spaces._widths import pad_widths

_Costs = tuple[dict[str, Floats32], Floats32, Floats32]

#: Unused values at the end of each row of a matrix that is read by columns. Without the gap, if
#: rows are a power of two apart, all values of a column compete for the same few cache lines.
ROW_GAP = 16


def tile_costs(padded: Ints, signal_length: int, tile: tuple[int, int]) -> Floats32:
    """Return the costs of blocked matrix products in one inference, summed over layers.

    A product is computed in blocks of `tile` results that stay in registers. Each block needs
    fan_in steps, so the cost is proportional to ceil(rows / tile rows) ceil(fan_out / tile columns)
    fan_in. This is the refined roofline of Wess et al., "ANNETTE: Accurate neural network execution
    time estimation with stacked models" (2021), section IV-B, with the tiles of Goto and van de
    Geijn, "Anatomy of high-performance matrix multiplication" (2008).

    Parameters
    ----------
    padded : ndarray of int, shape (n, max_layers)
        Zero-padded widths.
    signal_length : int
        Number of values of the signal, which is cut into ceil(signal_length / widths[0]) rows.
    tile : (int, int)
        Rows and columns of the register block.

    Returns
    -------
    ndarray of float32, shape (n, len(TILE_FEATURES))

    Raises
    ------
    ValueError
        If a width is not a whole number.
    """
    if padded.dtype.kind not in "iu":  # encoders pass integers and skip this check
        padded = pad_widths(padded, padded.shape[1])
    widths = np.ascontiguousarray(padded.T, dtype=np.float32)
    rows = signal_rows(padded[:, 0], signal_length).astype(np.float32)
    layers, held, odd_held = _layer_costs(rows, widths[:-1], widths[1:], tile)
    kept = np.empty((len(TILE_FEATURES), len(padded) + ROW_GAP), dtype=np.float32)
    costs = kept[:, : len(padded)]
    for number, cost in enumerate(layers.values()):
        np.add.reduce(cost, axis=0, out=costs[number])
    total, odd_total = held.sum(axis=0), odd_held.sum(axis=0)
    share = np.divide(odd_total, total, out=np.zeros_like(total), where=total > 0)
    for number, size in enumerate(CACHE_SIZES, start=len(layers)):
        np.maximum(total - size, 0, out=costs[number])
        np.multiply(costs[number], share, out=costs[number + len(CACHE_SIZES)])
    return costs.T


def _layer_costs(
    rows: Floats32, fan_in: Floats32, fan_out: Floats32, tile: tuple[int, int]
) -> _Costs:
    """Return costs by name, bytes of weights in panels, and bytes in odd panels of each layer.

    All arrays have shape (layers, n). The costs of padding, where `fan_out` is 0, are 0. A band is
    a row of tiles, and a panel is a column of tiles. The suffix ``_in`` counts panels of inputs.
    """
    there = (fan_out > 0).astype(np.float32)
    fan_in, rows = fan_in * there, rows * there
    bands, panels = np.ceil(rows / tile[0]), np.ceil(fan_out / tile[1])
    panels_in = np.ceil(fan_in / tile[1])
    tiles, panel_steps = bands * panels, panels * fan_in
    tile_steps = bands * panel_steps
    weights = fan_in * fan_out
    # A single row gives a vector-matrix product, which other code computes.
    vector = (rows == 1).astype(np.float32)
    # An odd number of panels leaves kernels that process two at a time partly idle.
    odd = panels - 2 * np.floor(panels / 2)
    odd_vector = odd * vector
    odd_tile = odd - odd_vector
    held = panel_steps * np.float32(FLOAT_BYTES * tile[1])
    costs = {
        "layers": there,
        "inputs": rows * fan_in,
        "outputs": rows * fan_out,
        "weights": weights,
        "macs": rows * weights,
        "fan_in": fan_in,
        "fan_out": fan_out,
        "rows": rows,
        "single_in": (fan_in == 1).astype(np.float32),
        "single_out": (fan_out == 1).astype(np.float32),
        "tiles": tiles,
        "tile_steps": tile_steps,
        "panels": panels,
        "panels_in": panels_in,
        "panel_steps": panel_steps,
        "panel_inputs": panels_in * rows,
        "panel_outputs": panels * rows,
        "bands": bands,
        "band_inputs": bands * fan_in,
        "band_outputs": bands * fan_out,
        "vector_layers": vector,
        "vector_inputs": vector * fan_in,
        "vector_outputs": vector * fan_out,
        "vector_weights": vector * weights,
        "vector_panels": vector * panels,
        "vector_steps": vector * panel_steps,
        "odd_vector_layers": odd_vector,
        "odd_vector_steps": odd_vector * panel_steps,
        "odd_vector_panels": odd_vector * panels,
        "odd_tile_steps": odd_tile * tile_steps,
        "odd_tiles": odd_tile * tiles,
    }
    return costs, held, odd * held


_NO_LAYERS = np.empty((0, 0), dtype=np.float32)

#: Column names of `tile_costs`: sums over layers, followed by bytes beyond each cache size.
TILE_FEATURES = (
    *_layer_costs(_NO_LAYERS, _NO_LAYERS, _NO_LAYERS, (1, 1))[0],
    *(f"beyond_{size >> 10}KiB" for size in CACHE_SIZES),
    *(f"odd_beyond_{size >> 10}KiB" for size in CACHE_SIZES),
)
