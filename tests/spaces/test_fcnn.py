"""What an architecture is, and the space of them."""

import json
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcnn_latency import ArchitectureEncoder, FCNNSpace
from fcnn_latency.encoding._architecture_encoder import FEATURES
from fcnn_latency.networks import layer_costs
from fcnn_latency.spaces._widths import pad_widths, trim_widths
from helpers.strategies import padded, ragged, spaces, zero_padded

SMALL = FCNNSpace(max_layers=4, max_width=4)
ANY_IO = FCNNSpace(tie_io=False)


def test_default_space_has_the_size_of_the_paper():
    assert FCNNSpace().size == sum(50 ** (depth - 1) for depth in (2, 3, 4, 5)) == 6_377_550


@given(space=spaces(), chunk_size=st.integers(1, 400))
def test_blocks_enumerate_each_architecture_once(space, chunk_size):
    blocks = list(space.chunks(chunk_size))
    assert all(0 < len(block) <= chunk_size for block in blocks)
    rows = np.concatenate(blocks)
    assert len(rows) == space.size == len(np.unique(rows, axis=0))
    space.validate(rows)


@given(data=st.data(), space=spaces())
def test_every_architecture_of_a_space_is_enumerated(data, space):
    (row,) = data.draw(padded(space, max_size=1))
    assert row in space
    assert row in np.concatenate(list(space.chunks())).tolist()


@given(data=st.data(), space=spaces())
def test_ranks_count_as_blocks_do(data, space):
    rows = np.concatenate(list(space.chunks(7)))
    np.testing.assert_array_equal(space.rank(rows), np.arange(space.size))
    ranks = np.array(data.draw(st.lists(st.integers(0, space.size - 1))), dtype=np.int64)
    np.testing.assert_array_equal(space.unrank(ranks), rows[ranks])


@given(st.lists(st.integers(0, FCNNSpace().size - 1)))
def test_ranks_of_the_default_space_are_read_back(ranks):
    assert FCNNSpace().rank(FCNNSpace().unrank(ranks)).tolist() == ranks


@pytest.mark.parametrize(
    ("ranks", "message"),
    [
        ([0, 84], "Ranks of this space are 0 to 83. Got 84"),
        ([-1], "Got -1"),
        ([0.5], "whole numbers in one dimension"),
        (3, "whole numbers in one dimension"),
        ([True], "whole numbers in one dimension"),
    ],
)
def test_wrong_ranks_are_named(ranks, message):
    with pytest.raises(ValueError, match=message):
        SMALL.unrank(ranks)


def test_a_space_without_numbers_for_all_says_so():
    wide = FCNNSpace(max_layers=9, max_width=1000)
    with pytest.raises(ValueError, match="more than int64 can number"):
        wide.rank([[41, 41]])
    assert next(wide.chunks(3)).tolist() == [[k, k, *[0] * 7] for k in (1, 2, 3)]


@given(data=st.data(), space=spaces(), seed=st.integers(0, 1000))
def test_samples_are_distinct_members(data, space, seed):
    n = data.draw(st.integers(0, space.size))
    rows = space.sample(n, random_state=seed)
    assert len(rows) == n == len(np.unique(rows, axis=0))
    space.validate(rows)


@given(space=spaces(), seed=st.integers(0, 1000))
def test_repeats_may_be_sampled_beyond_the_size(space, seed):
    rows = space.sample(space.size + 1, random_state=seed, unique=False)
    assert len(rows) == space.size + 1 > len(np.unique(rows, axis=0))
    space.validate(rows)


def test_more_than_exist_is_an_error():
    with pytest.raises(ValueError, match="holds only 84"):
        SMALL.sample(85)


@given(ragged(ANY_IO))
def test_padding_and_trimming_are_inverse(rows):
    assert pad_widths(rows, 5).tolist() == zero_padded(rows, 5)
    assert trim_widths(pad_widths(rows, 5)) == [tuple(row) for row in rows]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([[41, 41], []], "Row 1 has 0 layers"),
        ([[41, -2, 41]], "Row 0, layer 2 is -2"),
        ([[41, 2.5, 41]], "Row 0, layer 2 is 2.5"),
        ([[41, float("nan"), 41]], "Row 0, layer 2 is NaN"),
        ([[41, 0, 41]], "Row 0, layer 2 is 0 but layer 3 has 41"),
        ([[4, 4, 4, 4, 4, 4]], "Row 0 has 6 layers; at most max_layers=5"),
        ([[41, 41], [41, 40]], "Row 1: layer 1 .input. has 41 neurons but layer 2 .output. has 40"),
        ([[64, 64]], "Row 0, layer 1: 64 neurons"),
    ],
)
def test_wrong_architectures_are_named(rows, message):
    with pytest.raises(ValueError, match=message):
        ArchitectureEncoder().fit(rows)


@pytest.mark.parametrize("features", sorted({*FEATURES} - {"flops"}))
@given(rows=padded(ANY_IO))
def test_encoding_can_be_inverted(features, rows):
    encoder = ArchitectureEncoder(ANY_IO, features)
    encoded = encoder.fit_transform(rows)
    assert encoded.shape[1] == len(encoder.get_feature_names_out())
    np.testing.assert_array_equal(encoder.inverse_transform(encoded), rows)


def test_flops_cannot_be_inverted():
    encoder = ArchitectureEncoder(features="flops").fit([[41, 41]])
    with pytest.raises(ValueError, match="cannot be inverted"):
        encoder.inverse_transform([[6724.0]])


@pytest.mark.parametrize("features", FEATURES)
@given(rows=ragged(FCNNSpace()))
def test_ragged_padded_and_framed_architectures_encode_equally(features, rows):
    matrix = np.array(zero_padded(rows, 5))
    frame = pd.DataFrame(matrix, columns=[f"layer_{i}" for i in range(1, 6)])
    expected = ArchitectureEncoder(features=features).fit_transform(rows)
    for same in (matrix, matrix.astype(float), frame):
        encoded = ArchitectureEncoder(features=features).fit_transform(same)
        np.testing.assert_array_equal(encoded, expected)


def test_costs_by_hand():
    costs = layer_costs(np.array([[14, 21, 14, 0]]), signal_length=50)  # 4 rows
    assert {name: values.tolist() for name, values in costs.items()} == {
        "macs": [[4 * 14 * 21, 4 * 21 * 14, 0]],
        "parameters": [[15 * 21, 22 * 14, 0]],
        "activations": [[4 * 21, 4 * 14, 0]],
        "bytes": [[4 * (15 * 21 + 4 * 21 + 4 * 14), 4 * (22 * 14 + 4 * 14 + 4 * 21), 0]],
    }


@given(
    rows=padded(ANY_IO, max_size=1),
    layer=st.integers(1, 4),
    signal_length=st.integers(1, 200),
)
def test_no_cost_falls_where_a_layer_behind_the_input_grows(rows, layer, signal_length):
    # A wider input cuts the signal into fewer rows, so there costs may fall.
    wider = np.array(rows)
    wider[0, layer] += wider[0, layer] > 0
    before, after = (layer_costs(widths, signal_length) for widths in (np.array(rows), wider))
    for name, cost in before.items():
        assert ((cost > 0) == (np.array(rows)[:, 1:] > 0)).all(), name
        assert (after[name] >= cost).all(), name
        assert after[name].sum() > cost.sum() or (wider == rows).all(), name


@given(spaces().flatmap(lambda space: ragged(space).map(lambda rows: (space, rows))))
def test_covering_space_holds_its_parts_and_is_the_smallest(given):
    space, rows = given
    covering = FCNNSpace.covering(rows)
    assert covering <= space or not space.tie_io
    assert all(tuple(row) in covering for row in rows)
    assert FCNNSpace.covering(space, rows) == space
    depths, widths = list(map(len, rows)), [width for row in rows for width in row]
    assert (covering.min_layers, covering.max_layers) == (min(depths), max(depths))
    assert (covering.min_width, covering.max_width) == (min(widths), max(widths))


@given(spaces(), spaces())
def test_a_space_lies_in_another_if_all_of_its_architectures_do(one, other):
    inside = all(widths in other for block in one.chunks() for widths in trim_widths(block))
    # With a single width an untied space is told from a tied one by its rule, not by its members.
    alike = other.tie_io and not one.tie_io and one.min_width == one.max_width
    assert (one <= other) == (inside and not alike)


@pytest.mark.parametrize("kind", [np.int64, np.int8, np.uint16])
def test_limits_are_plain_numbers(kind):
    space = FCNNSpace(max_layers=kind(4), max_width=kind(9), tie_io=np.bool_(True))
    assert space == FCNNSpace(max_layers=4, max_width=9)
    assert json.dumps(asdict(space)) == json.dumps(asdict(FCNNSpace(max_layers=4, max_width=9)))


@pytest.mark.parametrize("limit", ["max_layers", "max_width", "min_layers", "min_width"])
def test_true_is_no_limit(limit):
    with pytest.raises(
        ValueError, match=f"'{limit}' parameter of FCNNSpace must be a whole number"
    ):
        FCNNSpace(**{limit: True})


def test_tie_io_is_a_boolean():
    with pytest.raises(ValueError, match="'tie_io' parameter of FCNNSpace must be True or False"):
        FCNNSpace(tie_io="False")


@pytest.mark.parametrize("parts", [(), ([],), (np.zeros((0, 3)),)])
def test_nothing_is_covered_by_no_space(parts):
    with pytest.raises(ValueError, match="cover"):
        FCNNSpace.covering(*parts)
