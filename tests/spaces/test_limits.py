"""Limits of a space: at them, and one beside them."""

import numpy as np
import pytest

from fcnn_latency import FCNNSpace

#: No limit is a default, and no minimum is the maximum.
LIMITED = FCNNSpace(max_layers=4, max_width=9, min_layers=3, min_width=3, tie_io=False)


@pytest.mark.parametrize(
    ("inside", "outside", "message"),
    [
        ([3, 3, 3], [3, 3], "Row 1 has 2 layers; the space has 3 to 4"),
        ([3, 3, 3, 3], [3, 3, 3, 3, 3], "Row 1 has 5 layers; at most max_layers=4"),
        ([3, 4, 4], [2, 4, 4], "Row 1, layer 1: 2 neurons; the space has 3 to 9"),
        ([4, 3, 4], [4, 2, 4], "Row 1, layer 2: 2 neurons; the space has 3 to 9"),
        ([4, 4, 4, 9], [4, 4, 4, 10], "Row 1, layer 4: 10 neurons; the space has 3 to 9"),
    ],
)
def test_what_lies_at_a_limit_is_in_the_space_and_what_lies_beside_it_is_not(
    inside, outside, message
):
    assert inside in LIMITED
    assert outside not in LIMITED
    padded = [*inside, 0][:4]
    assert LIMITED.validate([inside, padded]).tolist() == [padded, padded]
    with pytest.raises(ValueError, match=message):
        LIMITED.validate([inside, outside])


def test_only_a_tied_space_asks_for_equal_input_and_output():
    tied = FCNNSpace(max_layers=4, max_width=9, min_layers=3, min_width=3)
    assert [3, 4, 5] in LIMITED
    assert [3, 4, 5] not in tied
    assert [3, 4, 5, 3] in tied
    assert [3, 4, 3, 0] in tied


@pytest.mark.parametrize(
    ("right", "wrong", "wanted"),
    [
        ({"min_layers": 2}, {"min_layers": 1}, "of at least 2"),
        ({"min_width": 1}, {"min_width": 0}, "of at least 1"),
        ({"min_layers": 5}, {"min_layers": 6}, "of at least 6"),
        ({"min_width": 50}, {"min_width": 51}, "of at least 51"),
        ({"max_layers": 2}, {"max_layers": 1}, "of at least 2"),
        ({"max_width": 1}, {"max_width": 0}, "of at least 1"),
        ({"min_layers": 4, "max_layers": 4}, {"min_layers": 4, "max_layers": 3}, "of at least 4"),
        ({"min_width": 7, "max_width": 7}, {"min_width": 7, "max_width": 6}, "of at least 7"),
        ({"max_layers": 4}, {"max_layers": 4.0}, "of at least 2"),
        ({"max_width": 9}, {"max_width": "9"}, "of at least 1"),
        ({"min_width": 2}, {"min_width": True}, "of at least 1"),
        ({"min_layers": 3}, {"min_layers": None}, "of at least 2"),
    ],
)
def test_limits_are_whole_numbers_and_no_maximum_lies_below_its_minimum(right, wrong, wanted):
    space = FCNNSpace(**right)
    assert {name: getattr(space, name) for name in right} == right
    with pytest.raises(ValueError, match=f"parameter of FCNNSpace must be .*{wanted}. Got"):
        FCNNSpace(**wrong)


@pytest.mark.parametrize(("tie_io", "sizes"), [(True, [7**2, 7**3]), (False, [7**3, 7**4])])
def test_sizes_count_the_widths_between_both_limits(tie_io, sizes):
    space = FCNNSpace(max_layers=4, max_width=9, min_layers=3, min_width=3, tie_io=tie_io)
    assert list(space.depths) == [3, 4]
    assert space.depth_sizes == sizes
    assert space.size == sum(sizes)


@pytest.mark.parametrize("unique", [True, False])
@pytest.mark.parametrize("max_width", [6, 9])
def test_samples_reach_every_limit(max_width, unique):
    space = FCNNSpace(6, max_width, min_layers=4, min_width=3, tie_io=False)
    rows = space.sample(400, random_state=0, unique=unique)
    assert set(np.count_nonzero(rows, axis=1)) == {4, 5, 6}
    for layer in rows[np.count_nonzero(rows, axis=1) == 6].T:
        assert set(layer) == set(range(3, max_width + 1))


@pytest.mark.parametrize(
    ("space", "unique"),
    [
        (FCNNSpace(max_layers=4, max_width=2), True),  # 14 architectures
        (FCNNSpace(max_layers=4, max_width=2), False),
        (FCNNSpace(max_layers=4, max_width=5), True),  # 155
    ],
)
def test_each_depth_is_drawn_equally_often_however_few_it_has(space, unique):
    drawn = [space.sample(1, random_state=seed, unique=unique)[0] for seed in range(300)]
    depths = np.bincount(np.count_nonzero(drawn, axis=1), minlength=5)
    assert depths[:2].tolist() == [0, 0]
    assert np.abs(depths[2:] - 100).max() < 35  # four standard deviations
    inputs = np.bincount([row[0] for row in drawn])[1:]
    assert len(inputs) == space.max_width
    assert inputs.min() > 0.7 * 300 / space.max_width


@pytest.mark.parametrize("n", [-1, 1.0, True])
def test_no_part_of_an_architecture_is_sampled(n):
    with pytest.raises(ValueError, match="n_samples must be a whole number of at least 0"):
        LIMITED.sample(n)
    assert LIMITED.sample(0).shape == (0, 4)


@pytest.mark.parametrize("size", [0, 1.0, True])
def test_chunks_hold_one_architecture_or_more(size):
    with pytest.raises(ValueError, match="chunk_size must be a whole number of at least 1"):
        next(LIMITED.chunks(size))
    assert next(LIMITED.chunks(1)).tolist() == [[3, 3, 3, 0]]
