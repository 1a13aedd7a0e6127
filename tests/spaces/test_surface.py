"""Architectures that differ in two layers."""

import numpy as np
import pytest

from fcnn_latency.spaces import surface_architectures, surface_grid, trim_widths

ROWS = surface_architectures((9, 9, 9), layers=(1, 2), widths=[5.0, 6])


def test_the_grid_holds_the_mean_of_repeats_and_nan_where_nothing_is():
    twice = np.vstack([ROWS[:3], ROWS[:1]])  # widths 5 5, 6 5, 5 6 and again 5 5
    first, second, grid = surface_grid(twice, [1.0, 2.0, 3.0, 5.0], layers=(1, 2))
    assert (first.tolist(), second.tolist()) == ([5, 6], [5, 6])
    np.testing.assert_array_equal(grid, [[3.0, 2.0], [3.0, np.nan]])


@pytest.mark.parametrize("layers", [(1, 2.5), (1.0, 2), (True, 2), (1, 1), (1,), (0, 1), (1, 4)])
def test_layers_are_whole_numbers(layers):
    message = "layers must be two different layers from 1 to 3. Got"
    with pytest.raises(ValueError, match=message):
        surface_architectures((9, 9, 9), layers=layers)
    with pytest.raises(ValueError, match=message):
        surface_grid(ROWS, np.ones(len(ROWS)), layers=layers)


@pytest.mark.parametrize("widths", [[5.7], [5, True], [np.nan], ["5"], np.array([5.5, 6])])
def test_widths_are_refused_and_never_cut(widths):
    with pytest.raises(ValueError, match="widths must be whole numbers"):
        surface_architectures((9, 9, 9), layers=(1, 2), widths=widths)


def test_trimming_cuts_no_width():
    with pytest.raises(ValueError, match=r"Row 1, layer 2 is 5\.7"):
        trim_widths([[5, 5], [5, 5.7]])
