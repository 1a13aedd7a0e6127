"""For tests and doctests alike: one thread, and the user's reference latencies and lock alone."""

import os
import tempfile

# Threads of OpenMP wait for each other by spinning: on a busy machine boosting takes 50 times
# as long. It is read once, when the first library that uses it is loaded.
os.environ.setdefault("OMP_NUM_THREADS", "1")

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
