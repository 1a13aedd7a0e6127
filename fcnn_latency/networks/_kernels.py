"""Sizes in matrix kernels of CPUs: register blocks, vectors, panels, caches.

All such constants are defined here. Kernels compute a product block by block. The results of a
block stay in registers, so the cost grows in steps of whole blocks. Sizes are (rows, columns) of
float32 results, as in the micro-kernels of XNNPACK (LiteRT) and MLAS (ONNX Runtime).
"""

from __future__ import annotations

from itertools import product

from fcnn_latency._validation import Ints
from fcnn_latency.networks._cpu import read_cpu_flags

#: Register block of the widest float32 micro-kernel of XNNPACK: by CPU flag, and without a flag.
REGISTER_TILES = {"avx512f": (7, 16), "avx2": (5, 16)}
OTHER_TILE = (6, 8)

#: Number of float32 values in a vector register: NEON and SSE, AVX2, AVX-512.
VECTOR_WIDTHS = (4, 8, 16)

#: Blocks tried for a model of an unknown machine: no blocks, then those of kernels for SSE, NEON,
#: AVX, AVX2 and AVX-512.
TRANSFER_TILES = ((1, 1), (1, 16), (4, 8), (4, 16), (5, 16), (6, 8), (6, 16), (7, 16))

#: Candidate blocks (rows, fan_in, fan_out) of a fitted roofline: 1 to 8 rows by a single column,
#: by one vector, or by two of the widest vectors.
ROOFLINE_TILES = tuple(product((1, 2, 4, 5, 6, 7, 8), (1,), (1, *VECTOR_WIDTHS, 32)))

#: Blocks, rows and columns in the features of a node. Saved models have a column for each, so do
#: not change them.
GRAPH_BLOCKS = ((1, 8), (4, 16), (6, 8), (6, 16))
GRAPH_ROWS = (4, 5, 6)
GRAPH_COLUMNS = VECTOR_WIDTHS

#: Bytes of weights beyond which a network may no longer stay in a cache.
CACHE_SIZES = tuple(2**power for power in range(18, 25))


def register_tile() -> tuple[int, int]:
    """Return rows and columns of the register block on this CPU.

    The block is (7, 16) with AVX-512, (5, 16) with AVX2 and otherwise (6, 8), as in the
    micro-kernels of XNNPACK.
    """
    flags = read_cpu_flags() or []
    return next((tile for flag, tile in REGISTER_TILES.items() if flag in flags), OTHER_TILE)


def fill_up(values: Ints, size: int) -> Ints:
    """Round up to the next multiple of `size`.

    Examples
    --------
    >>> import numpy as np
    >>> fill_up(np.array([1, 16, 17]), 16).tolist()
    [16, 16, 32]
    """
    return -(-values // size) * size
