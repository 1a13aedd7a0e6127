"""Tables of README and docs are those of the stored results."""

import sys
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import _options, _results  # noqa: E402
from benchmarks._figures import PAGES, outdated, render  # noqa: E402
from benchmarks._results import provenance, read_result, save_result  # noqa: E402
from benchmarks._tables import TABLES, grid  # noqa: E402
from benchmarks.experiments.accuracy import accuracy  # noqa: E402
from benchmarks.experiments.intervals import intervals  # noqa: E402
from benchmarks.experiments.sample_efficiency import sample_efficiency  # noqa: E402
from benchmarks.experiments.transfer import read, transfer  # noqa: E402

PAGE = "before\n<!-- figures: {} -->\nstale\n<!-- /figures -->\nafter\n"
WHERE = {"runtime": "litert", "space": "default"}
WITHIN = {"within_1": 0.64, "within_5": 0.97, "within_10": 0.991}


def result(**changes):
    row = {"runtime": "litert", "protocol": "reliable", "space": "default", "n": 200}
    row |= {"mean_latency": 1.25e-6, "r": 0.99964, "mape": 0.0055, "mape_aligned": 0.0043}
    return {**row, "noise_floor": 0.003, "wall_time": 0.047, **changes}


def variants(row, **values):
    """The row with each value of one column, other columns in step with it."""
    return [
        {**row, **dict(zip(values, found, strict=True))}
        for found in zip(*values.values(), strict=True)
    ]


#: Made-up rows of each experiment: a figure of the last row, and lines that its table is to have.
MADE_UP = {
    "ablation": (
        variants(WHERE, way=["neither", "both (default)"], difference_aligned=[0.0064, 0.0042]),
        "difference_aligned",
        ["| way | litert |", "| neither | 0.64 % |", "| both (default) | **0.42 %** |"],
    ),
    "accuracy": (
        variants(
            {**WHERE, "n_train": 1000, "noise_floor": 0.0036},
            estimator=["mean", "deep"],
            mape=[0.22, 0.0077],
        ),
        "mape",
        ["| mean | 22 % |", "| deep (default) | **0.77 %** |"],
    ),
    "agreement": (
        [{**WHERE, "spearman": 0.9955, "spearman_own": 0.97, "ratio": 0.95, "ratio_middle": 0.9}],
        "spearman",
        ["| litert, default | 0.9955 | 0.9700 | 0.950 | 0.900 |"],
    ),
    "endurance": (
        variants(
            {**WHERE, "protocol": "quick", "n": 3000, "memory": 389e6},
            architectures=[1000, 2000, 3000],
            seconds_per_architecture=[0.0547, 0.0513, 0.054],
        ),
        "memory",
        [
            "| part of the campaign | litert, protocol `quick`, 3,000 |",
            "| first | 389 MB, 54.7 ms |",
        ],
    ),
    "graphs": (
        [
            {"labels": "cells", "space": "cells", "estimator": "linear", "n_train": 900}
            | {**WITHIN, "mape": 0.0155, "r2": 0.997, "fit_seconds": 50.2}
        ],
        "mape",
        ["| cells, `linear_part=True` | 900 | 1.6 % | 64 % | 97 % | 99 % | 0.997 | 50 s |"],
    ),
    "intervals": (
        variants(
            {**WHERE, "estimator": "mixed", "adaptive": True, "n_train": 1000, "mape": 0.0033}
            | {"within_50": 0.501, "within_80": 0.807, "within_90": 0.914, "within_95": 0.953}
            | {"within_90_min": 0.895, "within_90_max": 0.924, "upper_95": 0.954},
            part=["depth 2", "all"],
            width_90=[0.05, 0.0118],
        ),
        "width_90",
        [
            "| litert | mixed | 1,000 | 0.33 % | 91.4 % (89.5 to 92.4) | 50.1, 80.7, 95.3 % "
            "| 95.4 % | 1.2 % |"
        ],
    ),
    "kills": (
        [
            {"runtime": "litert", "n": 1000, "kills_of_parent": 15, "kills_of_worker": 14}
            | {"lost": 0, "doubled": 0, "missing": 0, "difference": 0.0046}
        ],
        "lost",
        ["| litert | 1,000 | 15 | 14 | 0 | 0 | 0 | 0.46 % |"],
    ),
    "layer_table": (
        variants(
            {**WHERE, **WITHIN, "n_train": 100, "error_to_noise": 20.04},
            estimator=["table, nearest", "table, linear"],
            mape=[0.052, 0.011],
        ),
        "mape",
        [
            "| litert | table, nearest | 5.2 % | 64 % | 97 % | 99 % | 20 |",
            "| litert | table, linear | **1.1 %** | 64 % | 97 % | 99 % | 20 |",
        ],
    ),
    "noise_floor": (
        [
            {**WHERE, "repeats": 10, "spread_rms": 0.0046, "stated_rms": 0.004, "ratio_rms": 1.15}
            | {"ratio_median": 1.1, "floor_stated": 0.003, "floor_shown": 0.0033}
        ],
        "ratio_rms",
        ["| litert | 10 | 0.46 % | 0.4 % | 1.15 | 1.10 | 0.3 % | 0.33 % |"],
    ),
    "processes": (
        [
            {
                "runtime": "keras",
                "processes": 6,
                "standard_deviation": 0.0089,
                "busy_to_idle": 0.9995,
            }
        ],
        "busy_to_idle",
        ["| keras | 6 | 0.89 % | 0.9995 |"],
    ),
    "reductions": (
        variants(
            {**WHERE, "reference": "nothing"}, statistic=["min", "mean"], difference=[0.005, 0.0079]
        ),
        "difference",
        ["| labels, divided by | min | mean |", "| litert, nothing | 0.5 % | 0.79 % |"],
    ),
    "retest": ([result()], "r", ["| litert | 1.25 µs | 0.9996 | 0.55 % | 0.43 % | 47 ms |"]),
    "sample_efficiency": (
        variants(
            {**WHERE, "estimator": "linear", "n_train": 25, "mape_std": 0.0064},
            design=["random", "maximin"],
            mape=[0.0171, 0.0253],
        ),
        "mape",
        ["| design | litert, 25 |", "| random | **1.7 % (0.64)** |", "| maximin | 2.5 % (0.64) |"],
    ),
    "search": (
        variants(
            {"runtime": "litert", "n_trials": 93, "least": 0.9, "most": 0.991},
            sampler=["random, depths uniform", "gain"],
            mean=[0.947, 0.986],
        ),
        "mean",
        [
            '| `"gain"` | litert | 93 | **98.6 %** | 90.0 % | 99.1 % |\n'
            "| by chance, depths equally likely | litert | 93 | 94.7 % | 90.0 % | 99.1 % |"
        ],
    ),
    "transfer": (
        variants(
            {"target": "litert", "n_train": 30, "architectures": "chosen"},
            model=["linear alone", "laws alone", "from onnx", "from keras"],
            mape=[0.0079, 0.0125, 0.0126, 0.0134],
        ),
        "mape",
        [
            "| target | linear alone | laws alone | with the sources |",
            "| litert, chosen 30 | **0.79 %** | 1.2 % | 1.3 % (onnx), 1.3 % (keras) |",
        ],
    ),
    "verification": (
        [
            {"runtime": "litert", "protocol": "reliable", "searches": 10, "finalists": 50}
            | {"within_budget": 50, "reported_keeping": 48, "over_again": 0, "kills": 3}
            | {"budget_used_least": 0.93, "budget_used_most": 0.99, "trials_lost": 0}
        ],
        "over_again",
        ["| litert | reliable | 10 | 50 of 50 | 48 | 0 | 93 to 99 % | 0 in 3 kills |"],
    ),
}


def test_tables_are_up_to_date():
    assert outdated() == []  # else: make figures


def test_pages_are_readme_and_docs():
    found = {page.relative_to(ROOT).as_posix() for page in PAGES}
    assert {"README.md", "docs/notes/why-tile-costs.md", "docs/search.md"} <= found


def test_every_table_has_made_up_figures():
    assert set(MADE_UP) == set(TABLES)


@pytest.mark.parametrize("name", TABLES)
def test_table_has_the_stored_figures(name, tmp_path):
    rows, _, lines = MADE_UP[name]
    save_result(name, rows, key=list(rows[0]), folder=tmp_path)
    text = render(PAGE.format(name), tmp_path)
    for line in lines:
        assert line in text
    assert text.startswith(f"before\n<!-- figures: {name} -->\n| ")
    assert text.endswith("<!-- /figures -->\nafter\n")
    assert "stale" not in text
    assert "nan" not in text
    assert "Measured on " in text
    assert render(text, tmp_path) == text


@pytest.mark.parametrize("name", TABLES)
def test_a_changed_figure_changes_the_page(name, tmp_path):
    rows, figure, _ = MADE_UP[name]
    page, pages = tmp_path / "page.md", {}
    for factor in (1, 2):
        folder = tmp_path / str(factor)
        changed = {**rows[-1], figure: factor * rows[-1][figure] + factor - 1}
        save_result(name, [*rows[:-1], changed], key=list(rows[0]), folder=folder)
        pages[factor] = render(PAGE.format(name), folder)
    assert pages[1] != pages[2]
    page.write_text(pages[1], "utf-8")
    assert outdated(tmp_path / "1", [page]) == []
    assert outdated(tmp_path / "2", [page]) == [page]


@pytest.mark.parametrize("name", TABLES)
def test_table_without_a_result_says_how_to_get_one(name, tmp_path):
    command = f"benchmarks {name} --save"
    if name == "agreement":
        command = "pytest benchmarks/test_agreement.py --save"
    assert f"`python -m {command}`" in render(PAGE.format(name), tmp_path)


def test_what_was_not_measured_leaves_a_grid_empty(tmp_path):
    rows = [{"way": "a", "labels": "x", "mape": 0.01}, {"way": "b", "labels": "y", "mape": 0.02}]
    save_result("one", rows, key=["way"], folder=tmp_path)
    found = read_result("one", tmp_path)
    table = grid(found, "way", "way", "labels", lambda row: f"{row['mape']}", best="mape")
    assert "| a | **0.01** |  |\n| b |  | **0.02** |\n" in table


def test_rows_of_the_same_key_are_replaced_and_others_kept(tmp_path):
    for changes in ({}, {"runtime": "keras"}, {"r": 0.5}):
        save_result("retest", [result(**changes)], key=["runtime"], folder=tmp_path)
    found = read_result("retest", tmp_path).set_index("runtime")
    assert found["r"].to_dict() == {"keras": 0.99964, "litert": 0.5}
    assert found[["cpu", "python", "versions", "date", "commit"]].notna().all(axis=None)


def test_machines_have_tables_of_their_own(tmp_path, monkeypatch):
    own = provenance()
    for cpu, r in (("one", 0.25), ("other", 0.5), ("one", 0.75)):
        monkeypatch.setattr(_results, "provenance", lambda cpu=cpu: {**own, "cpu": cpu})
        save_result("retest", [result(r=r)], key=["runtime"], folder=tmp_path)
    assert read_result("retest", tmp_path).set_index("cpu")["r"].to_dict() == {
        "other": 0.5,
        "one": 0.75,
    }
    other, one = render(PAGE.format("retest"), tmp_path).split("\nMeasured on ")[:2]
    assert "0.5000" in other
    assert one.startswith("other, ")
    assert "0.7500" in one
    newest = render(PAGE.format("retest, newest machine"), tmp_path)
    assert "0.7500" in newest
    assert "0.5000" not in newest
    assert render(newest, tmp_path) == newest


@pytest.mark.parametrize(
    "page",
    [
        PAGE.format("nothing"),
        PAGE.format("retest").replace("<!-- /figures -->\n", "") + PAGE.format("kills"),
        PAGE.format("retest").replace("-->\nstale", "--> \nstale"),
    ],
    ids=["unknown name", "no end", "blank behind"],
)
def test_a_page_with_wrong_markers_is_refused(page, tmp_path):
    with pytest.raises(ValueError, match="Markers of tables do not fit"):
        render(page, tmp_path)


def test_a_file_without_rows_is_a_figure_not_measured(tmp_path):
    (tmp_path / "retest.csv").write_text("runtime,cpu\n")
    assert "Not measured yet" in render(PAGE.format("retest"), tmp_path)


def test_rows_of_an_unknown_machine_are_shown(tmp_path):
    path = save_result("retest", [result()], key=["runtime"], folder=tmp_path)
    pd.read_csv(path).assign(cpu=None).to_csv(path, index=False)
    assert "| litert | 1.25 µs |" in render(PAGE.format("retest"), tmp_path)


def test_results_are_stored_without_git(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    save_result("retest", [result()], key=["runtime"], folder=tmp_path)
    assert read_result("retest", tmp_path)["commit"].tolist() == ["unknown"]


def test_an_interrupted_write_keeps_the_results_before(tmp_path, monkeypatch):
    save_result("retest", [result()], key=["runtime"], folder=tmp_path)

    def full(*_):
        raise OSError("No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        save_result("retest", [result(r=0.5)], key=["runtime"], folder=tmp_path)
    assert read_result("retest", tmp_path)["r"].tolist() == [0.99964]


def test_results_are_stored_before_they_are_printed(tmp_path, monkeypatch):
    def closed(*_):
        raise BrokenPipeError

    monkeypatch.setattr(_options, "save_result", partial(save_result, folder=tmp_path))
    monkeypatch.setattr(_options.click, "echo", closed)
    with pytest.raises(BrokenPipeError):
        _options.report("retest", [result()], ["runtime"], save=True)
    assert read_result("retest", tmp_path)["r"].tolist() == [0.99964]


def test_what_cannot_be_stored_is_printed(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(_options, "save_result", partial(save_result, folder=tmp_path))
    (tmp_path / "retest.csv").write_text("runtime,r\nlitert,0.5\n")
    with pytest.raises(KeyError, match="cpu"):
        _options.report("retest", [result()], ["runtime"], save=True)
    assert "0.9996" in capsys.readouterr().out


@pytest.mark.parametrize("command", [accuracy, intervals, sample_efficiency, transfer])
def test_unknown_estimators_are_refused_before_measuring(command):
    run = CliRunner().invoke(command, ["--estimator", "nothing"])
    assert run.exit_code == 2
    assert "'nothing' is not one of" in run.output


def test_transfer_in_another_space_has_other_names(monkeypatch):
    monkeypatch.setattr(_options, "labels", lambda *_, **given: given["space"])
    datasets = {**read(["litert"], 5, (), "default", 0), **read(["litert"], 5, (), "wide", 0)}
    assert datasets == {"litert": "default", "litert, wide space": "wide"}


def test_an_unmeasured_figure_is_none(tmp_path):
    assert read_result("nothing", tmp_path) is None
