"""Tables of README and docs are those of the stored results."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks._figures import outdated, render  # noqa: E402
from benchmarks._results import read_result, save_result  # noqa: E402

PAGE = "before\n<!-- figures: retest -->\nold\n<!-- /figures -->\nafter\n"


def result(**changes):
    row = {"runtime": "litert", "protocol": "reliable", "space": "default", "n": 200}
    row |= {"mean_latency": 1.25e-6, "r": 0.99964, "mape": 0.0055, "mape_aligned": 0.0043}
    return {**row, "noise_floor": 0.003, "wall_time": 0.047, **changes}


def test_tables_are_up_to_date():
    assert outdated() == []  # else: make figures


def test_table_has_the_stored_figures(tmp_path):
    save_result("retest", [result()], key=["runtime"], folder=tmp_path)
    text = render(PAGE, tmp_path)
    assert "| litert | 1.25 µs | 0.9996 | 0.55 % | 0.43 % | 47 ms |" in text
    assert text.startswith("before\n<!-- figures: retest -->\n")
    assert text.endswith("<!-- /figures -->\nafter\n")
    assert "old" not in text
    assert render(text, tmp_path) == text


def test_table_without_a_result_says_how_to_get_one(tmp_path):
    assert "python -m benchmarks retest --save" in render(PAGE, tmp_path)


def test_rows_of_the_same_key_are_replaced_and_others_kept(tmp_path):
    for changes in ({}, {"runtime": "keras"}, {"r": 0.5}):
        save_result("retest", [result(**changes)], key=["runtime"], folder=tmp_path)
    found = read_result("retest", tmp_path).set_index("runtime")
    assert found["r"].to_dict() == {"keras": 0.99964, "litert": 0.5}
    assert found[["cpu", "python", "versions", "date", "commit"]].notna().all(axis=None)


def test_an_unmeasured_figure_is_none(tmp_path):
    assert read_result("nothing", tmp_path) is None
