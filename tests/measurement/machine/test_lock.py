"""One timing at a time on a machine."""

import subprocess
import sys
import threading

import pytest

from fcnn_latency import MeasurementError, MeasurementWarning
from fcnn_latency.measurement.machine import _lock as lock
from fcnn_latency.measurement.machine._lock import timing_lock

HOLD = """
import sys
from pathlib import Path
from fcnn_latency.measurement.machine import _lock as lock
lock.timing_lock_file = lambda: Path(sys.argv[1])
with lock.timing_lock(wait=False):
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def holder(tmp_path, monkeypatch):
    """Another process that holds the machine until it reads a line."""
    path = tmp_path / "timing.lock"
    monkeypatch.setattr(lock, "timing_lock_file", lambda: path)
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"held\n"
        yield process
        process.kill()


def test_second_campaign_is_refused(holder):
    with pytest.raises(MeasurementError, match="Another campaign is measuring"), timing_lock(False):
        pass


def test_second_campaign_waits_until_the_first_ends(holder):
    threading.Timer(0.5, holder.kill).start()  # however it ends
    with pytest.warns(MeasurementWarning, match="waiting for it to end"), timing_lock(True):
        assert holder.wait() != 0
