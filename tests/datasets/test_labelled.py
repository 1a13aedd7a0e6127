"""Architectures with latencies, from a dataset or from arrays."""

import numpy as np
import pytest
from sklearn.utils import Bunch

from fcnn_latency import FCNNSpace
from fcnn_latency.datasets._labelled import as_labelled

#: Each setting differs from its default.
SETTINGS = {
    "space": FCNNSpace(max_width=60),
    "signal_length": 80,
    "noise_floor": 0.01,
    "measuring_time": 20.0,
    "runtime": "litert",
}
X = [[5, 5], [60, 7, 60], [5, 5], [9, 9]]
DATASET = Bunch(data=X, target=[1e-6, 2e-6, 3e-6, 4e-6], **SETTINGS)


def settings_of(labelled):
    return {name: getattr(labelled, name) for name in SETTINGS}


def test_a_dataset_brings_all_of_its_settings():
    assert settings_of(as_labelled(DATASET, None)) == SETTINGS


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("space", FCNNSpace(max_width=70)),
        ("signal_length", 90),
        ("noise_floor", 0.0),
        ("measuring_time", 0.0),
    ],
)
def test_a_setting_that_is_given_replaces_that_of_the_dataset_alone(name, value):
    changed = as_labelled(DATASET, None, **{name: value})
    assert settings_of(changed) == SETTINGS | {name: value}


def test_arrays_have_the_default_settings():
    labelled = as_labelled([[5, 5], [7, 7]], [1e-6, 2e-6])
    assert settings_of(labelled) == {
        "space": FCNNSpace(),
        "signal_length": 50,
        "noise_floor": None,
        "measuring_time": None,
        "runtime": None,
    }
    assert np.isnan(labelled.seconds_each)


def test_repeats_share_a_group_and_each_takes_its_time():
    labelled = as_labelled(DATASET, None)
    groups = labelled.groups.tolist()
    assert groups[0] == groups[2]
    assert len(set(groups)) == 3
    assert labelled.seconds_each == 5.0


@pytest.mark.parametrize("wrong", [0, -1, 2.5, True])
def test_a_wrong_signal_length_is_not_replaced(wrong):
    with pytest.raises(ValueError, match="signal_length must be a whole number of at least 1"):
        as_labelled(DATASET, None, signal_length=wrong)


@pytest.mark.parametrize("wrong", [0.0, -1e-9])
def test_a_latency_of_zero_or_less_is_named_by_its_row(wrong):
    with pytest.raises(ValueError, match=r"y, row 1: a latency is above 0 seconds\. Got -?"):
        as_labelled([[5, 5], [7, 7]], [1e-12, wrong])
