"""The examples and the guide's code run as they stand."""

import json
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
#: The published dataset.csv, for those who have it: the variable that the package reads too.
SOURCE = os.environ.get("FCNN_LATENCY_CAPSTONE2023", "")
PUBLISHED = pytest.mark.skipif(
    not SOURCE, reason="FCNN_LATENCY_CAPSTONE2023 does not name the published file"
)
SHORT_RUN = ROOT / "tests" / "helpers" / "short_run.py"
LATENCY = r"-?[\d.]+ (ns|µs|ms|s)\b"


def run(script, folder, *arguments, **variables):
    """Run a script, shortened, in a process of its own, in an empty folder; its output."""
    done = subprocess.run(
        [sys.executable, str(SHORT_RUN), str(script), *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONUTF8": "1", **variables},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_measure_and_predict_states_errors_and_latencies(tmp_path):
    output = run(ROOT / "examples" / "measure_and_predict.py", tmp_path, "12")
    assert "On 3 architectures that the model has not seen" in output
    assert re.search(rf"predicted for \[14, 21, 31, 14\]: {LATENCY}", output)


def test_cells_are_learnt_from_arrays(tmp_path):
    output = run(ROOT / "examples" / "cell_graphs.py", tmp_path, "60")
    assert "Made-up latencies with noise of 1 %, 60 cells learnt" in output
    assert re.search(r"within ±10 %: \d", output)


def test_denoising_networks_are_found_and_verified(tmp_path):
    output = run(ROOT / "examples" / "denoise.py", tmp_path, "6")
    assert "6 architectures evaluated, 6 with a quality" in output
    assert re.search(rf"architectures keep the budget of {LATENCY} as measured", output)
    # Which of the two is said depends on the machine: a busy one leaves none below the budget.
    assert re.search(r"signal to noise by \d+\.\d dB|None keeps the budget for sure", output)
    assert (tmp_path / "front.png").exists()


def test_grid_search_scores_every_candidate(tmp_path):
    output = run(ROOT / "examples" / "grid_search.py", tmp_path, "9")
    assert output.count("cross-validated MAPE") == 3
    assert re.search(r"best: \(\d+", output)


def test_own_runtime_is_measured_from_a_script(tmp_path):
    output = run(ROOT / "examples" / "own_runtime.py", tmp_path, "12")
    assert "Runtime: numpy." in output
    assert re.search(r"^linear +\d", output, re.MULTILINE)


def test_kept_readings_are_loaded_and_resumed(tmp_path):
    script = ROOT / "examples" / "keep_readings.py"
    output = run(script, tmp_path, "12")
    assert "Runtime: litert." in output
    assert (tmp_path / "latencies.csv").exists()
    assert run(script, tmp_path, "12") == output  # measured once


def test_boosting_runs_with_the_libraries_that_are_there(tmp_path):
    output = run(ROOT / "examples" / "boosting.py", tmp_path, "20")
    for library in ("lightgbm", "xgboost", "catboost"):
        if find_spec(library) is None:
            assert f"{library} is missing: pip install {library}" in output
        else:
            assert re.search(rf"^{library}, mixed +\d", output, re.MULTILINE)
            assert f"{library}.fcnn: saved, loaded, 20 of 20 predictions the same" in output


def test_notebook_runs_and_stores_no_outputs(tmp_path):
    notebook = json.loads((ROOT / "examples" / "notebook.ipynb").read_text(encoding="utf-8"))
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in cells)
    code = "\n".join("".join(cell["source"]) for cell in cells)
    few = code.replace("n_architectures = 200", "n_architectures = 25")
    assert few != code
    script = tmp_path / "notebook.py"
    script.write_text(few, encoding="utf-8")
    output = run(script, tmp_path, MPLBACKEND="agg")
    assert "Runtime: litert." in output
    assert re.search(r"^mixed +\d", output, re.MULTILINE)
    assert list((tmp_path / "logs").rglob("events*"))


@PUBLISHED
def test_paper_data_hold_no_signal(tmp_path):
    output = run(ROOT / "examples" / "paper_data.py", tmp_path, FCNN_LATENCY_CAPSTONE2023=SOURCE)
    assert "4805 distinct architectures" in output
    r2 = [float(row.split()[4]) for row in output.splitlines()[-3:]]
    assert max(r2) < 0.01


@PUBLISHED
def test_paper_is_reproduced_on_its_labels_and_on_measured_ones(tmp_path):
    output = run(
        ROOT / "examples" / "paper_reproduced.py",
        tmp_path,
        *("30", "1", "litert"),
        FCNN_LATENCY_CAPSTONE2023=SOURCE,
        MPLBACKEND="agg",
    )
    published, litert = (
        {line.split()[0]: line.split() for line in part.splitlines() if line.strip()}
        for part in output.split("litert: 24 to learn from")
    )
    learners, mae, r2 = ("paper", "linear", "deep", "mixed"), 2, 4
    assert max(float(published[each][r2]) for each in learners) < 0.01
    assert min(float(published[each][mae]) for each in learners) > float(published["median"][mae])
    assert float(litert["linear"][r2]) > 0.9
    assert len(list(tmp_path.glob("*.png"))) == 4
    assert (tmp_path / "logs" / "litert").is_dir()


def test_code_of_the_guide_runs(tmp_path):
    guide = (ROOT / "docs" / "guide.md").read_text(encoding="utf-8")
    script = tmp_path / "guide.py"
    blocks = re.findall(r"^```python\n(.*?)^```", guide, re.MULTILINE | re.DOTALL)
    script.write_text("\n".join(blocks), encoding="utf-8")
    output = run(script, tmp_path)
    assert "Runtime: keras." in output
    assert "Runtime: numpy." in output
    assert (tmp_path / "latencies.json").exists()
