"""What the estimators share, in numbers."""

import numpy as np
import pytest

from fcnn_latency.estimators._base import compress, relative_weights


def test_weights_make_errors_relative():
    assert relative_weights(np.array([1.0, 2.0, -4.0])).tolist() == [1, 0.5, 0.25]


def test_weights_are_bounded_where_a_label_is_close_to_0():
    # The mean label is 2: labels below 0.002 have the weight of 0.002.
    weights = relative_weights(np.array([0.0, 0.001, 0.002, 0.003, 9.994]))
    np.testing.assert_allclose(weights[:4], [500, 500, 500, 1000 / 3])


def test_labels_of_0_have_finite_weights():
    assert relative_weights(np.zeros(2)).tolist() == [1, 1]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_costs_are_compressed_with_their_sign(dtype):
    values = np.array([[0, np.e - 1, 1 - np.e, 99]], dtype=dtype)
    expected = [[0, 1, -1, np.log(100)]]
    np.testing.assert_allclose(compress(values), expected, rtol=1e-6)
    assert values[0, 3] == 99
