"""Costs in tiles, and matrices in blocks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcnn_latency import ArchitectureEncoder, FCNNSpace
from fcnn_latency.encoding import TILE_FEATURES, tile_costs
from fcnn_latency.encoding._parallel import CHUNK_SIZE, map_chunks
from fcnn_latency.networks import register_tile
from fcnn_latency.networks._layers import layer_costs, layer_shapes


def costs_of(widths, signal_length=50, tile=(7, 16)):
    costs = tile_costs(np.array([widths]), signal_length, tile)
    return dict(zip(TILE_FEATURES, costs[0].tolist(), strict=True))


def test_tiles_are_counted_by_rounding_up():
    costs = costs_of([4, 17, 4, 0, 0])  # 13 rows: 2 bands; 2 panels, then 1
    assert costs["layers"] == 2
    assert costs["tiles"] == 2 * 2 + 2 * 1
    assert costs["tile_steps"] == 2 * 2 * 4 + 2 * 1 * 17
    assert costs["panels"] == 3
    assert costs["odd_tile_steps"] == 2 * 1 * 17
    assert costs["vector_layers"] == 0


def test_a_single_row_is_a_product_of_matrix_and_vector():
    costs = costs_of([50, 20, 50])
    assert costs["vector_layers"] == costs["layers"] == 2
    assert costs["vector_weights"] == costs["weights"] == 2000


def test_bytes_beyond_a_cache_are_counted():
    wide = costs_of([1024, 1024, 1024])
    assert wide["beyond_1024KiB"] == 2 * 4 * 1024**2 - 2**20
    assert wide["beyond_16384KiB"] == 0
    assert costs_of([50, 50])["beyond_256KiB"] == 0


@given(st.integers(0, 10_000), st.integers(1, 20), st.integers(1, 40))
def test_tiles_cover_the_work_and_not_a_tile_more_a_side(seed, rows, columns):
    padded = FCNNSpace().sample(20, random_state=seed)
    costs = dict(zip(TILE_FEATURES, tile_costs(padded, 50, (rows, columns)).T, strict=True))
    plain = layer_costs(padded, 50)
    np.testing.assert_array_equal(costs["macs"], plain["macs"].sum(axis=1))
    assert (costs["tile_steps"] * rows * columns >= costs["macs"]).all()
    shapes = layer_shapes(padded, 50)
    most = (shapes[..., 0] + rows) * (shapes[..., 2] + columns) * shapes[..., 1]
    assert (costs["tile_steps"] * rows * columns <= most.sum(axis=1)).all()


def test_padding_costs_nothing():
    short = tile_costs(np.array([[4, 17, 4]]), 50, (7, 16))
    long = tile_costs(np.array([[4, 17, 4, 0, 0, 0]]), 50, (7, 16))
    np.testing.assert_array_equal(short, long)


def test_widths_are_refused_and_never_cut():
    with pytest.raises(ValueError, match=r"Row 0, layer 2 is 5\.7"):
        costs_of([5, 5.7])


def test_encoder_takes_the_tile_of_this_cpu_or_the_one_given():
    assert ArchitectureEncoder().fit([[4, 4]]).tile_ == register_tile()
    encoder = ArchitectureEncoder(features="tiles", tile=(1, 1)).fit([[4, 4]])
    frame = encoder.set_output(transform="pandas").transform([[4, 17, 4]])
    assert frame["tile_steps"].item() == frame["macs"].item()
    with pytest.raises(ValueError, match=r"'tile' parameter .* two whole numbers .* Got \(0, 4\)"):
        ArchitectureEncoder(tile=(0, 4)).fit([[4, 4]])


@pytest.mark.parametrize("features", ["tiles", "layers"])
def test_widths_are_read_back(features):
    architectures = FCNNSpace().sample(50, random_state=0)
    encoder = ArchitectureEncoder(features=features).fit(architectures)
    encoded = encoder.transform(architectures)
    assert encoded.shape[1] == len(encoder.get_feature_names_out())
    np.testing.assert_array_equal(encoder.inverse_transform(encoded), architectures)


@pytest.mark.parametrize("n", [1, CHUNK_SIZE, CHUNK_SIZE + 1, 3 * CHUNK_SIZE + 5])
def test_blocks_give_what_the_whole_gives(n):
    rows = np.arange(2.0 * n).reshape(n, 2)
    np.testing.assert_array_equal(map_chunks(lambda x: x.sum(axis=1), rows), rows.sum(axis=1))


def test_an_error_in_a_block_is_raised():
    def fail(rows):
        if rows[0, 0] > 0:
            raise ZeroDivisionError
        return rows

    with pytest.raises(ZeroDivisionError):
        map_chunks(fail, np.arange(2.0 * CHUNK_SIZE)[:, None])
