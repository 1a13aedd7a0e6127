"""For tests and doctests alike: leave the user's reference latencies and lock alone."""

import tempfile

import pytest

from fcnn_latency.measurement.labels._scale import SCALE_VARIABLE


@pytest.fixture(scope="session", autouse=True)
def own_folders(tmp_path_factory):
    """Keep reference latencies and lock in folders of the test run."""
    patch = pytest.MonkeyPatch()
    patch.setenv(SCALE_VARIABLE, str(tmp_path_factory.mktemp("scale")))
    # The lock of the machine lies among temporary files: tests do not wait for each other.
    patch.setenv("TMPDIR", str(tmp_path_factory.mktemp("temporary")))
    patch.setattr(tempfile, "tempdir", None)
    yield
    patch.undo()
