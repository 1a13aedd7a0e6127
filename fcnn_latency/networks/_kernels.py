"""Sizes that matrix kernels of CPUs have: register blocks, vectors, panels, caches.

The one table of them. Kernels compute a product block by block; the results of a block stay in
registers, so cost goes in steps of whole blocks. Sizes are (rows, columns) of float32 results, as
the micro-kernels of XNNPACK (LiteRT) and MLAS (ONNX Runtime) have them.
"""

from __future__ import annotations

from itertools import product

from fcnn_latency._validation import Ints
from fcnn_latency.networks._cpu import read_cpu_flags

#: Register block of the widest float32 micro-kernel of XNNPACK, by CPU flag, and without any.
REGISTER_TILES = {"avx512f": (7, 16), "avx2": (5, 16)}
OTHER_TILE = (6, 8)

#: float32 in a vector register: NEON and SSE, AVX2, AVX-512.
VECTOR_WIDTHS = (4, 8, 16)

#: Blocks that a law for an unknown machine is tried with: none, then those of kernels for SSE,
#: NEON, AVX, AVX2 and AVX-512.
TRANSFER_TILES = ((1, 1), (1, 16), (4, 8), (4, 16), (5, 16), (6, 8), (6, 16), (7, 16))

#: Blocks (rows, fan_in, fan_out) that a fitted roofline chooses from: 1 to 8 rows by one vector, or
#: by two of the widest.
ROOFLINE_TILES = tuple(product((1, 2, 4, 5, 6, 7, 8), (1,), (1, *VECTOR_WIDTHS, 32)))

#: Blocks, rows and columns in the features of a node; saved models hold columns for each.
GRAPH_BLOCKS = ((1, 8), (4, 16), (6, 8), (6, 16))
GRAPH_ROWS = (4, 5, 6)
GRAPH_COLUMNS = VECTOR_WIDTHS

#: Bytes of weights beyond which a network may no longer stay in a cache.
CACHE_SIZES = tuple(2**power for power in range(18, 25))


def register_tile() -> tuple[int, int]:
    """Rows and columns of the register block on this CPU.

    (7, 16) with AVX-512, (5, 16) with AVX2, else (6, 8), as XNNPACK's micro-kernels have them.
    """
    flags = read_cpu_flags() or []
    return next((tile for flag, tile in REGISTER_TILES.items() if flag in flags), OTHER_TILE)


def fill_up(values: Ints, size: int) -> Ints:
    """The next multiple of `size`.

    Examples
    --------
    >>> import numpy as np
    >>> fill_up(np.array([1, 16, 17]), 16).tolist()
    [16, 16, 32]
    """
    return -(-values // size) * size
