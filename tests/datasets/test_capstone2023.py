"""The paper's data, served on loopback from a copy that an environment variable names."""

import http.server
import os
import threading
from functools import partial
from pathlib import Path

import pytest

from fcnn_latency import fetch_capstone2023

#: The folder of the published dataset.csv, for those who have it.
FOLDER = Path(os.environ.get("FCNN_LATENCY_CAPSTONE2023", "no such folder/dataset.csv")).parent

pytestmark = pytest.mark.skipif(
    not (FOLDER / "dataset.csv").exists(),
    reason="FCNN_LATENCY_CAPSTONE2023 does not name the published dataset.csv",
)


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Serves files without a log."""

    def log_message(self, *arguments):
        """Say nothing."""


@pytest.fixture
def address():
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(QuietHandler, directory=str(FOLDER))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def test_fetched_data_are_the_papers_and_hold_no_signal(address, tmp_path, monkeypatch):
    monkeypatch.setenv("FCNN_LATENCY_CAPSTONE2023", address + "dataset.csv")
    dataset = fetch_capstone2023(data_home=tmp_path)
    assert dataset.data.shape == (7000, 5)
    assert dataset.target.mean() == pytest.approx(0.137, abs=0.001)
    assert abs(dataset.reliability.retest_r) < 0.1
    assert dataset.noise_floor > 0.05


def test_another_file_is_refused(address, tmp_path):
    with pytest.raises(ValueError, match="hash"):
        fetch_capstone2023(source=address + "README.md", data_home=tmp_path)
