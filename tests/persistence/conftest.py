"""Models and files that both modules of tests use."""

import pytest

from fcnn_latency import (
    LatencyRegressor,
    save,
)
from helpers.model_files import X, Y, fitted, quick


@pytest.fixture(scope="module")
def deep():
    return fitted(LatencyRegressor((4,), epochs=2, random_state=0))


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """The smallest of model files."""
    return save(quick("mean").fit(X, Y), tmp_path_factory.mktemp("small") / "small.fcnn")
