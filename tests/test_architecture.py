"""What an architecture is, and the space of them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fcnn_latency import ArchitectureEncoder, FCNNSpace
from fcnn_latency.widths import pad_widths, trim_widths

SMALL = FCNNSpace(max_layers=4, max_width=4)


def test_default_space_has_the_size_of_the_paper():
    assert FCNNSpace().size == sum(50 ** (depth - 1) for depth in (2, 3, 4, 5)) == 6_377_550


def test_blocks_enumerate_each_architecture_once():
    rows = np.concatenate(list(SMALL.blocks(block_size=7)))
    assert len(rows) == SMALL.size == len(np.unique(rows, axis=0))
    assert all(row in SMALL for row in rows)


@settings(deadline=None, max_examples=30)
@given(n=st.integers(1, 84), seed=st.integers(0, 1000))
def test_samples_are_distinct_members(n, seed):
    rows = SMALL.sample(n, random_state=seed)
    assert len(np.unique(rows, axis=0)) == n
    SMALL.validate(rows)


def test_more_than_exist_is_an_error():
    with pytest.raises(ValueError, match="holds only 84"):
        SMALL.sample(85)


@given(st.lists(st.lists(st.integers(1, 50), min_size=2, max_size=5), min_size=1, max_size=5))
def test_padding_and_trimming_are_inverse(rows):
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


@pytest.mark.parametrize("features", ["widths", "costs"])
def test_encoding_can_be_inverted(features):
    rows = FCNNSpace().sample(20, random_state=0)
    encoder = ArchitectureEncoder(features=features)
    encoded = encoder.fit_transform(rows)
    assert encoded.shape[1] == len(encoder.get_feature_names_out())
    np.testing.assert_array_equal(encoder.inverse_transform(encoded), rows)
