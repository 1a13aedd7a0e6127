"""What a matrix product costs on a CPU: tiles of a register block, panels, bytes beyond a cache."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fcnn_latency.networks._kernels import CACHE_SIZES
from fcnn_latency.networks._layers import FLOAT_BYTES, signal_rows

Array = npt.NDArray[np.float32]
_Costs = tuple[tuple[Array, ...], Array, Array]

#: Values kept free behind each row of a matrix that is read by columns: where rows are a power of
#: two apart, all values of a column compete for the same few lines of the cache.
ROW_GAP = 16

#: Sums over the layers of an architecture; rows, fan_in and fan_out are those of a layer.
LAYER_FEATURES = (
    "layers",
    "inputs",  # rows fan_in
    "outputs",  # rows fan_out
    "weights",  # fan_in fan_out
    "macs",  # rows fan_in fan_out
    "fan_in",
    "fan_out",
    "rows",
    "single_in",  # layers with one input
    "single_out",  # layers with one output
    "tiles",  # ceil(rows / tile rows) ceil(fan_out / tile columns)
    "tile_steps",  # tiles fan_in
    "panels",  # ceil(fan_out / tile columns)
    "panels_in",  # ceil(fan_in / tile columns)
    "panel_steps",  # panels fan_in
    "panel_inputs",  # panels_in rows
    "panel_outputs",  # panels rows
    "bands",  # ceil(rows / tile rows)
    "band_inputs",  # bands fan_in
    "band_outputs",  # bands fan_out
    # A single row is a product of matrix and vector, which other code computes.
    "vector_layers",
    "vector_inputs",
    "vector_outputs",
    "vector_weights",
    "vector_panels",
    "vector_steps",
    # An odd number of panels does not fill those kernels that take two at a time.
    "odd_vector_layers",
    "odd_vector_steps",
    "odd_vector_panels",
    "odd_tile_steps",
    "odd_tiles",
)

#: Names of the columns of `tile_costs`.
TILE_FEATURES = (
    *LAYER_FEATURES,
    *(f"beyond_{size >> 10}KiB" for size in CACHE_SIZES),
    *(f"odd_beyond_{size >> 10}KiB" for size in CACHE_SIZES),
)


def tile_costs(
    padded: npt.NDArray[np.int64], signal_length: int, tile: tuple[int, int]
) -> npt.NDArray[np.float32]:
    """Costs of an inference as a blocked matrix product sees them, summed over layers.

    A product is computed in blocks of `tile` results that stay in registers, each in fan_in steps,
    so that its cost goes in steps of ceil(rows / tile rows) ceil(fan_out / tile columns) fan_in:
    the refined roofline of Wess et al., "ANNETTE: Accurate neural network execution time estimation
    with stacked models" (2021), section IV-B, with the tiles of Goto and van de Geijn, "Anatomy of
    high-performance matrix multiplication" (2008).

    Parameters
    ----------
    padded : ndarray of int, shape (n, max_layers)
        Zero-padded widths.
    signal_length : int
        Values of the signal, cut into ceil(signal_length / widths[0]) rows.
    tile : (int, int)
        Rows and columns of the register block.

    Returns
    -------
    ndarray of float32, shape (n, len(TILE_FEATURES))
    """
    widths = np.ascontiguousarray(padded.T, dtype=np.float32)
    rows = signal_rows(padded[:, 0], signal_length).astype(np.float32)
    layers, held, odd_held = _layer_costs(rows, widths[:-1], widths[1:], tile)
    kept = np.empty((len(TILE_FEATURES), len(padded) + ROW_GAP), dtype=np.float32)
    costs = kept[:, : len(padded)]
    for number, cost in enumerate(layers):
        np.add.reduce(cost, axis=0, out=costs[number])
    total, odd_total = held.sum(axis=0), odd_held.sum(axis=0)
    share = np.divide(odd_total, total, out=np.zeros_like(total), where=total > 0)
    for number, size in enumerate(CACHE_SIZES, start=len(LAYER_FEATURES)):
        np.maximum(total - size, 0, out=costs[number])
        np.multiply(costs[number], share, out=costs[number + len(CACHE_SIZES)])
    return costs.T


def _layer_costs(rows: Array, fan_in: Array, fan_out: Array, tile: tuple[int, int]) -> _Costs:
    """Of each layer `LAYER_FEATURES`, the bytes of its weights in panels, and those in odd ones.

    All arrays are of shape (layers, n); the costs of padding, where `fan_out` is 0, are 0.
    """
    there = (fan_out > 0).astype(np.float32)
    fan_in, rows = fan_in * there, rows * there
    bands, panels = np.ceil(rows / tile[0]), np.ceil(fan_out / tile[1])
    panels_in = np.ceil(fan_in / tile[1])
    tiles, panel_steps = bands * panels, panels * fan_in
    tile_steps = bands * panel_steps
    weights = fan_in * fan_out
    vector = (rows == 1).astype(np.float32)
    odd = panels - 2 * np.floor(panels / 2)
    odd_vector = odd * vector
    odd_tile = odd - odd_vector
    held = panel_steps * np.float32(FLOAT_BYTES * tile[1])
    costs = (
        there,
        rows * fan_in,
        rows * fan_out,
        weights,
        rows * weights,
        fan_in,
        fan_out,
        rows,
        (fan_in == 1).astype(np.float32),
        (fan_out == 1).astype(np.float32),
        tiles,
        tile_steps,
        panels,
        panels_in,
        panel_steps,
        panels_in * rows,
        panels * rows,
        bands,
        bands * fan_in,
        bands * fan_out,
        vector,
        vector * fan_in,
        vector * fan_out,
        vector * weights,
        vector * panels,
        vector * panel_steps,
        odd_vector,
        odd_vector * panel_steps,
        odd_vector * panels,
        odd_tile * tile_steps,
        odd_tile * tiles,
    )
    return costs, held, odd * held
