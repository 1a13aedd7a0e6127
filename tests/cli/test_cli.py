"""The command line."""

import json
import re

import keras
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from joblib import parallel_config

from fcnn_latency import FCNNSpace
from fcnn_latency.cli import main
from fcnn_latency.cli._compare import compare
from fcnn_latency.cli._options import Output

LAYERS = [f"layer_{number}" for number in range(1, 6)]


def run(*arguments):
    return CliRunner().invoke(main, list(arguments))


def test_measured_data_can_be_compared(tmp_path):
    path = str(tmp_path / "latencies.csv")
    measured = run("measure", "-n", "12", "--runtime", "litert", "-o", path)
    assert measured.exit_code == 0, measured.output
    compared = run("compare", path, "-e", "flops", "--folds", "3")
    assert compared.exit_code == 0, compared.output
    assert "mean" in compared.output
    assert "flops" in compared.output


def own_data(folder):
    """A custom table; its path."""
    frame = pd.DataFrame(FCNNSpace().sample(12, random_state=0), columns=LAYERS)
    path = folder / "own.csv"
    frame.assign(latency=1e-6 * frame.sum(axis=1)).to_csv(path, index=False)
    return str(path)


def test_comparison_is_written_as_table_and_figure(tmp_path):
    table, figure = tmp_path / "out" / "table.csv", tmp_path / "figure.svg"
    options = ("--folds", "2", "-o", str(table), "--figure", str(figure))
    result = run("compare", own_data(tmp_path), "-e", "flops", *options)
    assert result.exit_code == 0, result.output
    assert list(pd.read_csv(table)["estimator"]) == ["mean", "flops"]
    assert "<svg" in figure.read_text()


def test_figure_of_no_known_kind_is_refused_before_the_fits(tmp_path):
    result = run("compare", own_data(tmp_path), "-e", "flops", "--figure", str(tmp_path / "f.txt"))
    assert result.exit_code == 1
    assert "ends in .png, .svg or .pdf" in result.output


def test_fitted_model_predicts(tmp_path):
    data, model = str(tmp_path / "own.csv"), str(tmp_path / "model.fcnn")
    (tmp_path / "own.csv").write_text("layer_1,layer_2,latency\n5,5,1e-6\n7,7,1e-6\n")
    assert run("fit", data, "-e", "mean", "-o", model).exit_code == 0
    assert run("predict", model, "41,41").output == "41,41  1 µs\n"
    assert "Row 0" in run("predict", model, "41,40").output


def test_model_file_says_what_it_was_fitted_on_and_how_well(tmp_path):
    data, model = str(tmp_path / "own.csv"), str(tmp_path / "model.fcnn")
    rows = [f"{w},{w},{w}e-6,{w}e-6,{w + w % 3 / 100}e-6" for w in range(1, 9)]
    text = "\n".join(["layer_1,layer_2,latency,pass_1,pass_2", *rows])
    (tmp_path / "own.csv").write_text(text)
    fitted = run("fit", data, "-e", "flops", "--folds", "2", "-o", model)
    assert fitted.exit_code == 0, fitted.output
    manifest = json.loads(run("describe", model, "--json").output)
    assert set(manifest["metrics"]) == {"training", "cross_validated"}
    assert manifest["metrics"]["cross_validated"]["mape"] > 0
    assert manifest["dataset"]["n_architectures"] == 8
    assert manifest["dataset"]["noise_floor"] > 0
    shown = run("describe", model).output
    assert "training: mape" in shown
    assert "8 architectures" in shown


def test_wider_spaces_go_from_measuring_to_prediction(tmp_path):
    data, model = str(tmp_path / "wide.csv"), str(tmp_path / "model.fcnn")
    given = tmp_path / "given.csv"
    given.write_text("layer_1,layer_2,layer_3\n64,100,64\n70,70,0\n60,70,60\n")
    wide = ("--max-width", "100", "--architectures", str(given), "--signal-length", "80")
    wide = ("--runtime", "litert", *wide)
    measured = run("measure", *wide, "-o", data)
    assert measured.exit_code == 0, measured.output
    assert run("fit", data, "-e", "flops", "-o", model).exit_code == 0
    predicted = run("predict", model, "--architectures", str(given), "-o", str(given))
    assert predicted.exit_code == 0, predicted.output
    assert (pd.read_csv(given)["latency"] > 0).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("measure", "-n", "2", "-o", "latencies.txt"), "ends in .csv or .parquet"),
        (("measure", "-n", "2", "-o", "/proc/none/latencies.csv"), "/proc"),
        (("measure", "-n", "0"), "at least 1"),
    ],
)
def test_what_could_not_be_saved_is_not_measured(arguments, message):
    result = run(*arguments)
    assert result.exit_code == 1
    assert message in result.output


def test_demo_saves_data_model_and_figures(tmp_path, monkeypatch):
    # What is saved does not depend on how long networks train.
    fit = keras.Model.fit
    monkeypatch.setattr(
        keras.Model, "fit", lambda *rows, epochs, **settings: fit(*rows, epochs=2, **settings)
    )
    with parallel_config("sequential"):  # in this process, where the patch is
        result = run("demo", "-n", "15", "-o", str(tmp_path))
    assert result.exit_code == 0, result.output
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {
        "comparison.csv",
        "comparison.png",
        "deviations.png",
        "errors.png",
        "latencies.csv",
        "latencies.json",
        "loss.png",
        "model.fcnn",
        "predicted.png",
        "quintiles.png",
        "surface.png",
    }


def test_unknown_runtime_is_an_error():
    result = run("measure", "-n", "2", "--runtime", "nope")
    assert result.exit_code == 1
    assert "Valid ones" in result.output


def test_doctor_shows_versions():
    result = run("doctor")
    assert result.exit_code == 0
    assert "tensorflow" in result.output


@pytest.mark.parametrize(
    ("name", "content", "command", "message"),
    [
        ("d.csv", "", ("fit", "d.csv"), "d.csv cannot be read as a table"),
        ("own.json", "[]", ("fit", "own.csv"), "own.json does not say"),
        ("own.json", "{", ("compare", "own.csv"), "own.json does not say"),
        ("own.json", '{"space": {"depth": 5}}', ("fit", "own.csv"), "own.json does not say"),
        ("m.fcnn", "junk", ("predict", "m.fcnn", "5,5"), "m.fcnn is no model file"),
        ("m.fcnn", "", ("describe", "m.fcnn"), "it is empty"),
        ("own.txt", "", ("fit", "own.csv", "-o", "own.txt/model"), "own.txt"),
        ("own.txt", "", ("demo", "-o", "own.txt"), "own.txt"),
        ("own.txt", "", ("demo", "-n", "0"), "at least 1"),
    ],
)
def test_errors_are_one_line(tmp_path, monkeypatch, name, content, command, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.csv").write_text("layer_1,layer_2,latency\n5,5,1e-6\n7,7,1e-6\n")
    (tmp_path / name).write_text(content)
    result = run(*command)
    assert result.exit_code == 1, result.output
    assert isinstance(result.exception, SystemExit)
    assert message in result.output


def test_store_is_measured_exported_and_not_overwritten(tmp_path):
    store, table = str(tmp_path / "litert.sqlite"), str(tmp_path / "litert.csv")
    command = ("measure", "-n", "6", "--runtime", "litert", "--protocol", "quick", "--store", store)
    assert run(*command).exit_code == 0
    exported = run("export", store, "-o", table)
    assert exported.exit_code == 0, exported.output
    assert len(pd.read_csv(table)) == 6
    assert run("fit", store, "-e", "mean", "-o", str(tmp_path / "model")).exit_code == 0
    assert "no campaigns [7]" in run("export", store, "--campaign", "7", "-o", table).output


def test_intervals_are_learnt_and_printed(tmp_path):
    rng = np.random.default_rng(0)
    data, model = tmp_path / "own.csv", str(tmp_path / "model.fcnn")
    rows = [f"{w % 50 + 1},{w % 50 + 1},{rng.uniform(1, 2)}e-6" for w in range(60)]
    data.write_text("\n".join(["layer_1,layer_2,latency", *rows]))
    assert run("fit", str(data), "-e", "mean", "-o", model).exit_code == 0
    assert "fit --intervals" in run("predict", model, "41,41", "--coverage", "0.8").output
    assert run("fit", str(data), "-e", "mean", "--intervals", "-o", model).exit_code == 0
    printed = run("predict", model, "41,41", "--coverage", "0.8").output
    assert re.fullmatch(r"41,41  1\.\d+ µs  1\.\d* ?µs to [12](\.\d+)? µs \(80%\)\n", printed)
    table = tmp_path / "predicted.csv"
    assert run("predict", model, "41,41", "-o", str(table)).exit_code == 0
    frame = pd.read_csv(table)
    assert (frame["lower"] < frame["latency"]).all()
    assert (frame["latency"] < frame["upper"]).all()


def test_a_model_is_adapted_to_other_labels(tmp_path):
    X = FCNNSpace().sample(40, random_state=0)
    frame = pd.DataFrame(X, columns=[f"layer_{i}" for i in range(1, 6)])
    latency = 1e-6 * np.count_nonzero(X, axis=1)
    frame.assign(latency=latency).to_csv(tmp_path / "here.csv", index=False)
    frame.assign(latency=3 * latency).head(20).to_csv(tmp_path / "there.csv", index=False)
    here, there = str(tmp_path / "here.fcnn"), str(tmp_path / "there.fcnn")
    assert run("fit", str(tmp_path / "here.csv"), "-e", "linear", "-o", here).exit_code == 0
    adapted = run("adapt", here, str(tmp_path / "there.csv"), "-o", there)
    assert adapted.exit_code == 0, adapted.output
    assert run("predict", there, "41,17,41").output == "41,17,41  9 µs\n"


def test_search_writes_the_front_and_draws_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_quality.py").write_text("def quality(widths):\n    return sum(widths)\n")
    assert run("fit", own_data(tmp_path), "-e", "flops", "-o", "model.fcnn").exit_code == 0
    options = ("--objective", "my_quality:quality", "--max-latency", "90 us", "-n", "12")
    files = ("--storage", "trials.journal", "-o", "front.csv", "--figure", "front.svg")
    result = run("search", "model.fcnn", *options, *files)
    assert result.exit_code == 0, result.output
    assert "12 architectures evaluated" in result.output
    front = pd.read_csv("front.csv")
    assert (front[[name for name in front if name.startswith("layer_")]].sum(axis=1)).equals(
        front["quality"].astype(int)
    )
    assert (front["predicted"] <= 90e-6).all()
    assert "<svg" in (tmp_path / "front.svg").read_text()


def test_search_says_what_is_wrong_with_its_options(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("fit", own_data(tmp_path), "-e", "flops", "-o", "model.fcnn").exit_code == 0
    missing = run("search", "model.fcnn", "--objective", "no_such_module:quality")
    assert "no_such_module:quality cannot be imported" in missing.output
    vague = run("search", "model.fcnn", "--objective", "math", "--max-latency", "2us")
    assert "package.module:function" in vague.output
    unit = run("search", "model.fcnn", "--objective", "math:fsum", "--max-latency", "2 kg")
    assert "'2 kg'" in unit.output
    verify = run("search", "model.fcnn", "--objective", "math:fsum", "--verify", "5")
    assert "--runtime" in verify.output


@pytest.mark.parametrize("option", ["--output", "--figure"])
def test_home_is_the_users_before_anything_is_compared(monkeypatch, tmp_path, option):
    """A path with ~ is resolved, and a folder that cannot be written is said first."""
    monkeypatch.setenv("HOME", str(tmp_path))
    path = option_type(option).convert("~/new/found.png", None, None)
    assert path == tmp_path / "new" / "found.png"
    assert not path.parent.exists()  # a refused call leaves nothing behind
    (tmp_path / "taken.png").mkdir()
    with pytest.raises(PermissionError, match=r"taken\.png cannot be written"):
        option_type(option).convert("~/taken.png", None, None)


def option_type(option):
    (found,) = [each for each in compare.params if option in each.opts]
    return found.type


def test_every_output_of_every_command_is_checked_first():
    for command in main.commands.values():
        for parameter in command.params:
            if {"--output", "--figure"} & set(parameter.opts) and command.name != "demo":
                assert isinstance(parameter.type, Output), (command.name, parameter.name)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--runtime", "nonsense"), "Unknown runtime 'nonsense'"),
        (("--runtime", "litert", "--protocol", "nonsense"), "Unknown protocol 'nonsense'"),
        (("--runtime", "litert", "--protocol", "paper"), "single pass have no uncertainty"),
        (("--runtime", "litert", "--store", "readings.txt"), "name ends in .sqlite"),
    ],
)
def test_verification_is_checked_before_the_search(monkeypatch, tmp_path, options, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.fcnn").touch()  # no model: reading it would be another error
    done = run("search", "model.fcnn", "--objective", "math:fsum", "--verify", "2", *options)
    assert done.exit_code != 0
    assert message in done.output


def test_a_store_without_verification_is_refused(tmp_path):
    (tmp_path / "model.fcnn").touch()
    path = str(tmp_path / "model.fcnn")
    done = run("search", path, "--objective", "math:fsum", "--store", "readings.sqlite")
    assert "--store keeps the readings of --verify" in done.output


@pytest.mark.parametrize(
    "arguments",
    [
        ("measure", "--runtime", "nonsense", "-o", "new/x.csv"),
        ("measure", "-n", "0", "-o", "new/x.csv"),
        ("measure", "--runtime", "litert", "--target-error", "nan", "-o", "new/x.csv"),
        ("fit", "missing.csv", "-o", "new/model.fcnn"),
        ("compare", "missing.csv", "--figure", "new/a.png"),
    ],
)
def test_refused_calls_leave_nothing_behind(monkeypatch, tmp_path, arguments):
    monkeypatch.chdir(tmp_path)
    assert run(*arguments).exit_code != 0
    assert list(tmp_path.iterdir()) == []


def test_home_of_an_input_is_the_users(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    own_data(tmp_path)
    done = run("compare", "~/own.csv", "-e", "flops", "--folds", "2")
    assert done.exit_code == 0, done.output
    nobody = run("compare", "~nobody-of-that-name/own.csv")
    assert "names no home folder" in nobody.output
    assert "Traceback" not in nobody.output


def test_a_description_that_cannot_be_written_is_said_first(tmp_path):
    (tmp_path / "x.json").mkdir()
    done = run("measure", "-n", "2", "--runtime", "litert", "-o", str(tmp_path / "x.csv"))
    assert "x.json cannot be written" in done.output
    assert not (tmp_path / "x.csv").exists()
