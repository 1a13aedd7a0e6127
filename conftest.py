"""For tests and doctests alike: leave the user's reference latencies alone."""

import pytest

from fcnn_latency.measurement.labels._scale import SCALE_VARIABLE


@pytest.fixture(scope="session", autouse=True)
def own_scale_folder(tmp_path_factory):
    """Keep reference latencies in a folder of the test run."""
    patch = pytest.MonkeyPatch()
    patch.setenv(SCALE_VARIABLE, str(tmp_path_factory.mktemp("scale")))
    yield
    patch.undo()
