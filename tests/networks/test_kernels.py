"""Which register block a CPU has."""

import pytest

from fcnn_latency.networks import _kernels, register_tile


@pytest.mark.parametrize(
    ("flags", "tile"),
    [
        (["sse2", "avx2", "avx512f"], (7, 16)),
        (["sse2", "avx2"], (5, 16)),
        (["sse2", "avx"], (6, 8)),
        (["asimd"], (6, 8)),
        ([], (6, 8)),
        (None, (6, 8)),
    ],
)
def test_the_widest_vectors_decide(flags, tile, monkeypatch):
    monkeypatch.setattr(_kernels, "read_cpu_flags", lambda: flags)
    assert register_tile() == tile
