"""Datasets, measured on this machine and fetched."""

from typing import ClassVar

import numpy as np
import pandas as pd
import pytest

from fcnn_latency import (
    MeasurementError,
    MeasurementWarning,
    load_dataset,
    make_dataset,
    save_dataset,
)
from fcnn_latency.measurement.runtimes.base import Runtime


class PickyRuntime(Runtime):
    """Runs a NumPy product, but refuses one width."""

    name: ClassVar[str] = "picky"

    def __init__(self, refused):
        self.refused = refused

    def prepare(self, widths, inputs, seed):
        """Refuse, or multiply."""
        if widths[0] == self.refused:
            msg = "no such width"
            raise ValueError(msg)
        kernel = np.ones((widths[0], widths[1]), dtype=np.float32)
        return lambda: inputs @ kernel


def test_measured_dataset_is_complete_and_repeatable(tmp_path):
    rows = [[14, 21, 31, 14], [41, 41], [2, 10, 18, 40, 2]]
    dataset = make_dataset(rows, random_state=0)
    assert dataset.data.tolist()[1] == [41, 41, 0, 0, 0]
    assert np.isfinite(dataset.frame.to_numpy()).all()
    assert dataset.target[1] == dataset.target.min()
    assert (dataset.target_std > 0).all()
    assert dataset.noise_floor < 0.1
    path, _ = save_dataset(dataset, tmp_path / "latencies.csv")
    loaded = load_dataset(path)
    pd.testing.assert_frame_equal(loaded.frame, dataset.frame)
    assert loaded.noise_floor == pytest.approx(dataset.noise_floor)


def test_failing_architecture_is_named_and_the_others_kept():
    with pytest.warns(MeasurementWarning, match=r"\(7, 7\).*no such width"):
        dataset = make_dataset([[5, 5], [7, 7], [9, 9]], runtime=PickyRuntime(7))
    assert dataset.data[:, 0].tolist() == [5, 9]
    assert dataset.missing.index.tolist() == [1]


def test_failing_reference_is_an_error():
    with pytest.raises(MeasurementError, match="reference architecture"):
        make_dataset([[5, 5]], runtime=PickyRuntime(25))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"runtime": "tensorflow"}, "Unknown runtime 'tensorflow'. Valid ones: .*keras"),
        ({"protocol": "fast"}, "Unknown protocol 'fast'. Valid ones: .*paper.*reliable"),
        ({"architectures": 0}, "at least 1"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        make_dataset(**{"architectures": 2, **arguments})
