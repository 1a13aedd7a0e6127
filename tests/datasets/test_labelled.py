"""Architectures with latencies, as a dataset or as arrays."""

import numpy as np
import pytest
from sklearn.utils import Bunch

from fcnn_latency import FCNNSpace
from fcnn_latency.datasets._labelled import as_labelled

ABOUT = {
    "space": FCNNSpace(max_layers=3, max_width=90, tie_io=False),
    "signal_length": 80,
    "noise_floor": 0.02,
    "measuring_time": 12.0,
    "runtime": "onnxruntime",
}
X = np.array([[60, 1, 7], [20, 9, 0], [60, 1, 7]])
Y = np.array([1e-6, 2e-6, 3e-6])
DATASET = Bunch(data=X, target=Y, **ABOUT)


@pytest.mark.parametrize("name", ABOUT)
def test_dataset_brings_what_it_was_measured_with(name):
    assert getattr(as_labelled(DATASET, None), name) == ABOUT[name]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("space", FCNNSpace(max_layers=4, max_width=60, tie_io=False)),
        ("signal_length", 20),
        ("noise_floor", 0.0),
        ("measuring_time", 0.0),
    ],
)
def test_given_values_replace_those_of_the_dataset(name, value):
    data = as_labelled(DATASET, None, **{name: value})
    assert getattr(data, name) == value
    for other in ABOUT.keys() - {name}:
        assert getattr(data, other) == ABOUT[other]


def test_arrays_have_the_defaults():
    data = as_labelled([[5, 5], [7, 3, 7]], [1e-6, 2e-6])
    assert data.widths.tolist() == [[5, 5, 0, 0, 0], [7, 3, 7, 0, 0]]
    assert data[2:] == (FCNNSpace(), 50, None, None, None)
    assert np.isnan(data.seconds_each)


def test_repeats_share_a_group_and_each_row_its_time():
    data = as_labelled(DATASET, None)
    first, second, third = data.groups
    assert first == third != second
    assert data.seconds_each == 4


@pytest.mark.parametrize("latency", [0.0, -1e-9])
def test_latency_that_is_not_above_0_is_refused(latency):
    with pytest.raises(ValueError, match=r"y, row 1: a latency is above 0 seconds"):
        as_labelled(X, [1e-6, latency, 1e-6], space=ABOUT["space"])
