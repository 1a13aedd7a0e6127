"""Options of the commands that measure, compare and search reach what these call."""

import math
import sys
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from fcnn_latency import (
    FCNNSpace,
    FrontDisplay,
    compare,
    load_dataset,
    make_dataset,
    search,
    verify,
)
from fcnn_latency.cli import main
from helpers.calls import defaults, note_calls, run, settings_of

#: Options of the space, and what they make of it.
SPACES = [
    (("--max-layers", "3"), {"space": FCNNSpace(max_layers=3)}),
    (("--max-width", "80"), {"space": FCNNSpace(max_width=80)}),
    (("--untied",), {"space": FCNNSpace(tie_io=False)}),
]
MEASURED = defaults(make_dataset, architectures=300, space=FCNNSpace(), random_state=0, verbose=1)
MEASURE = [
    ((), {}),
    (("-n", "7"), {"architectures": 7}),
    (("--runtime", "litert"), {"runtime": "litert"}),
    (("--protocol", "quick"), {"protocol": "quick"}),
    *SPACES,
    (("--signal-length", "80"), {"signal_length": 80}),
    (("--seed", "4"), {"random_state": 4}),
    (("--store", "a.sqlite"), {"store": "a.sqlite"}),
    (("--target-error", "0.01"), {"target_error": 0.01}),
    (("--wait",), {}),
    (("--no-wait",), {"wait": False}),
]
COMPARED = defaults(compare, X="the data", verbose=1)
COMPARE = [
    ((), {}),
    (("--folds", "3"), {"cv": 3}),
    (("--seed", "4"), {"random_state": 4}),
    (("-e", "flops", "-e", "linear"), {"estimators": ("flops", "linear")}),
    (("--jobs", "2"), {"n_jobs": 2}),
]
OBJECTIVE = ("--objective", "math:fsum")
SEARCHED = defaults(
    search,
    objective=math.fsum,
    latency_model="the model",
    space=FCNNSpace(),
    random_state=0,
    verbose=1,
)
SEARCH = [
    ((), {}),
    (("--max-latency", "2 us"), {"max_latency": "2 us"}),
    (("--confidence", "0.8"), {"confidence": 0.8}),
    (("-n", "7"), {"n_trials": 7}),
    (("--minimize",), {"direction": "minimize"}),
    (("--front",), {"front": True}),
    (("--no-front",), {"front": False}),
    (("--sampler", "gain"), {"sampler": "gain"}),
    *SPACES,
    (("--storage", "trials.journal"), {"storage": "trials.journal"}),
    (("--study", "mine"), {"study_name": "mine"}),
    (("--seed", "4"), {"random_state": 4}),
]
VERIFIED = defaults(verify, architectures="what was found", runtime="litert", n_finalists=3)
MEASURING = {"store": None, "random_state": 0, "verbose": 1}
VERIFY = [
    ((), {}, {}),
    (("--verify", "5"), {"n_finalists": 5}, {}),
    (("--runtime", "onnxruntime"), {"runtime": "onnxruntime"}, {}),
    (("--protocol", "quick"), {"protocol": "quick"}, {}),
    (("--store", "a.sqlite"), {}, {"store": "a.sqlite"}),
    (("--seed", "4"), {}, {"random_state": 4}),
]


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    """The working folder, with what passes for a table and for a model."""
    monkeypatch.chdir(tmp_path)
    Path("own.csv").write_text("layer_1,layer_2,latency\n5,5,1e-6\n7,7,2e-6\n")
    Path("model.fcnn").touch()
    return tmp_path


@pytest.mark.parametrize(("options", "settings"), MEASURE)
def test_options_of_measure_are_settings_of_the_dataset(monkeypatch, options, settings):
    assert settings_of(monkeypatch, "make_dataset", "measure", *options) == MEASURED | settings


@pytest.mark.parametrize(("options", "settings"), COMPARE)
def test_options_of_compare_are_settings_of_the_comparison(monkeypatch, options, settings):
    note_calls(monkeypatch, "load_dataset", lambda *_, **__: "the data")
    noted = settings_of(monkeypatch, "compare", "compare", "own.csv", *options)
    assert noted == COMPARED | settings


@pytest.mark.parametrize(("options", "settings"), SEARCH)
def test_options_of_search_are_settings_of_the_search(monkeypatch, options, settings):
    note_calls(monkeypatch, "load", lambda *_, **__: "the model")
    noted = settings_of(monkeypatch, "search", "search", "model.fcnn", *OBJECTIVE, *options)
    assert noted == SEARCHED | settings


@pytest.mark.parametrize(("options", "settings", "measuring"), VERIFY)
def test_options_of_search_are_settings_of_the_verification(
    monkeypatch, options, settings, measuring
):
    note_calls(monkeypatch, "load", lambda *_, **__: "the model")
    note_calls(monkeypatch, "search", lambda *_, **__: "what was found")
    asked = (*OBJECTIVE, "--verify", "3", "--runtime", "litert", *options)
    noted = settings_of(monkeypatch, "verify", "search", "model.fcnn", *asked)
    assert noted == VERIFIED | settings | {"measuring": MEASURING | measuring}
    assert noted["measuring"].keys() <= MEASURED.keys()


def test_nothing_is_measured_unless_finalists_are_asked_for(monkeypatch):
    note_calls(monkeypatch, "load", lambda *_, **__: "the model")
    note_calls(monkeypatch, "search", lambda *_, **__: "what was found")
    verified = note_calls(monkeypatch, "verify")
    done = run("search", "model.fcnn", *OBJECTIVE)
    assert (done.exit_code, done.output, verified) == (0, "what was found\n", [])


@pytest.mark.parametrize(
    ("command", "cases", "apart"),
    [
        ("measure", MEASURE, {"given", "scheduler", "output"}),
        ("compare", COMPARE, {"runtime", "campaigns", "output", "figure"}),
        ("search", [*SEARCH, *VERIFY, (OBJECTIVE,)], {"output", "figure", "trusted"}),
    ],
)
def test_no_option_is_left_out_here_but_those_with_tests_of_their_own(command, cases, apart):
    used = {word for options, *_ in cases for word in options}
    options = [each for each in main.commands[command].params if each.opts[0].startswith("-")]
    untried = {each.name for each in options if not used & {*each.opts, *each.secondary_opts}}
    assert untried == apart


@pytest.mark.parametrize(
    "arguments",
    [
        ("export", "own.csv"),
        ("compare", "own.csv"),
        ("fit", "own.csv"),
        ("adapt", "model.fcnn", "own.csv"),
    ],
)
@pytest.mark.parametrize(
    ("options", "settings"),
    [
        ((), {}),
        (("--runtime", "litert"), {"runtime": "litert"}),
        (("--campaign", "2", "--campaign", "5"), {"campaigns": (2, 5)}),
    ],
)
def test_what_reads_data_reads_the_campaigns_asked_for(monkeypatch, arguments, options, settings):
    noted = settings_of(monkeypatch, "load_dataset", *arguments, *options)
    assert noted == defaults(load_dataset, path="own.csv") | settings


def test_raw_labels_are_read_without_the_correction(monkeypatch):
    noted = settings_of(monkeypatch, "load_dataset", "export", "own.csv", "--raw")
    assert noted == defaults(load_dataset, path="own.csv", corrected=False)


@pytest.mark.parametrize(
    "arguments",
    [
        ("predict", "model.fcnn", "41,41"),
        ("adapt", "model.fcnn", "own.csv"),
        ("search", "model.fcnn", *OBJECTIVE),
    ],
)
@pytest.mark.parametrize(
    ("options", "trusted"), [((), ()), (("--trust", "a.B", "--trust", "c.D"), ("a.B", "c.D"))]
)
def test_types_are_trusted_only_where_they_are_named(monkeypatch, arguments, options, trusted):
    noted = settings_of(monkeypatch, "load", *arguments, *options)
    assert noted == {"path": "model.fcnn", "trusted": trusted}


def test_given_architectures_are_measured_with_exactly_their_layers(monkeypatch):
    rows = ["layer_1,layer_2,remark,layer_3", "64,100,a,64", "70,70,b,", "60,70,c,60", "50,50,d,0"]
    Path("given.csv").write_text("\n".join(rows))
    noted = settings_of(monkeypatch, "make_dataset", "measure", "--architectures", "given.csv")
    assert noted == MEASURED | {"architectures": [(64, 100, 64), (70, 70), (60, 70, 60), (50, 50)]}


def test_the_hosts_of_a_scheduler_measure_until_the_end(monkeypatch):
    class Client:
        """Tells whether it was closed."""

        closed = False

        def __init__(self, address):
            self.address = address

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.closed = True

    monkeypatch.setitem(sys.modules, "distributed", SimpleNamespace(Client=Client))
    noted = settings_of(monkeypatch, "make_dataset", "measure", "--scheduler", "tcp://there:8786")
    client = noted["client"]
    assert (client.address, client.closed) == ("tcp://there:8786", True)
    assert noted == MEASURED | {"client": client}


@pytest.mark.parametrize(
    ("options", "written"),
    [
        ((), {"latencies.csv", "latencies.json"}),
        (("-o", "x.csv"), {"x.csv", "x.json"}),
        (("--store", "a.sqlite"), set()),
        (("--store", "a.sqlite", "-o", "x.csv"), {"x.csv", "x.json"}),
    ],
)
@pytest.mark.parametrize(("interrupted", "code"), [(False, 0), (True, 130)])
def test_labels_are_written_and_the_exit_says_whether_all_were_measured(
    monkeypatch, folder, options, written, interrupted, code
):
    dataset = load_dataset("own.csv")
    dataset.interrupted = interrupted
    note_calls(monkeypatch, "make_dataset", lambda *_, **__: dataset)
    done = run("measure", *options)
    assert done.exit_code == code
    assert {path.name for path in folder.iterdir()} - {"own.csv", "model.fcnn"} == written
    for name in written:
        if name.endswith(".csv"):
            assert load_dataset(name).target.tolist() == [1e-6, 2e-6]


def test_export_writes_what_was_read(monkeypatch):
    done = run("export", "own.csv", "-o", "x.csv")
    assert done.exit_code == 0, done.output
    assert load_dataset("x.csv").target.tolist() == [1e-6, 2e-6]
    assert "wrote x.csv" in done.output


def test_measured_finalists_are_written_and_drawn(monkeypatch):
    report = pd.DataFrame({"widths": [(5, 5), (4, 4, 4)], "quality": [2, 1], "measured": [0.5, 3]})
    found, checked = SimpleNamespace(front=report[:0]), SimpleNamespace(report=report)
    note_calls(monkeypatch, "load", lambda *_, **__: "the model")
    note_calls(monkeypatch, "search", lambda *_, **__: found)
    note_calls(monkeypatch, "verify", lambda *_, **__: checked)
    drawn = []

    def draw(*given):
        drawn.append(given)
        return SimpleNamespace(figure_=SimpleNamespace(savefig=lambda path, dpi: path.touch()))

    monkeypatch.setattr(FrontDisplay, "from_result", draw)
    asked = (*OBJECTIVE, "--verify", "3", "--runtime", "litert")
    done = run("search", "model.fcnn", *asked, "-o", "x.csv", "--figure", "x.svg")
    assert done.exit_code == 0, done.output
    assert Path("x.csv").read_text().splitlines() == [
        "layer_1,layer_2,layer_3,quality,measured",
        "5,5,0,2,0.5",
        "4,4,4,1,3.0",
    ]
    assert drawn == [(found, checked)]


@pytest.mark.parametrize(
    ("options", "asked"), [((), ("demo", 200)), (("-n", "15", "-o", "there"), ("there", 15))]
)
def test_demo_gets_its_folder_and_its_number(monkeypatch, options, asked):
    given = []
    monkeypatch.setattr("fcnn_latency.cli._demo.run_demo", lambda *call: given.append(call))
    assert run("demo", *options).exit_code == 0
    assert given == [asked]
