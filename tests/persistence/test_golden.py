"""Model files of earlier releases go on predicting what they did; golden/make.py wrote them."""

import json
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from fcnn_latency import load, read_manifest
from fcnn_latency.exceptions import ModelFileWarning

GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.fcnn"))


def test_there_are_golden_files_with_and_without_a_network():
    assert {path.stem.rpartition("-")[2] for path in GOLDEN} >= {"deep", "linear"}


def test_archive_of_keras_is_cut_out_unread(tmp_path):
    (path,) = (path for path in GOLDEN if path.stem.endswith("dev0-deep"))
    script = (
        "import sys, warnings; warnings.simplefilter('ignore'); "
        "from fcnn_latency import load, save; model = load(sys.argv[1]); "
        "assert not hasattr(model[-1], 'archives_'); save(model, sys.argv[2]); "
        "assert not {'keras', 'tensorflow'} & set(sys.modules)"
    )
    again = tmp_path / "again.fcnn"
    subprocess.run([sys.executable, "-c", script, str(path), str(again)], check=True)
    assert again.stat().st_size < path.stat().st_size


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_golden_file_predicts_what_it_did(path):
    expected = json.loads(path.with_suffix(".json").read_text())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ModelFileWarning)  # scikit-learn has moved on since
        model = load(path)
    predicted = model.predict(expected["architectures"])
    # Matrix products differ by machine in their last digits; a network's have seven.
    np.testing.assert_allclose(predicted, expected["latencies"], rtol=1e-5)
    assert read_manifest(path)["metrics"]["training"]["r2"] > 0.9
