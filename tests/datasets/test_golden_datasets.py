"""Stores and tables of earlier releases keep their labels."""

import json
from pathlib import Path

import numpy as np
import pytest

from fcnn_latency import load_dataset

GOLDEN = Path(__file__).parent / "golden"
VERSIONS = sorted(
    path.name.removesuffix(".expected.json") for path in GOLDEN.glob("*.expected.json")
)


@pytest.mark.parametrize("suffix", [".sqlite", ".csv"])
@pytest.mark.parametrize("version", VERSIONS)
def test_golden_file_has_the_labels_that_it_had(version, suffix):
    expected = json.loads((GOLDEN / f"{version}.expected.json").read_text())
    dataset = load_dataset(GOLDEN / f"{version}{suffix}")
    assert dataset.data.tolist() == expected["architectures"]
    np.testing.assert_allclose(dataset.target, expected["latencies"], rtol=1e-12)
    assert dataset.noise_floor == pytest.approx(expected["noise_floor"])
    assert (dataset.runtime, dataset.signal_length) == ("litert", 50)
    assert dataset.protocol["passes"] == 3


def test_there_is_a_golden_file():
    assert VERSIONS
