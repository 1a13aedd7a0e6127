"""Tables of datasets: what a file keeps, and what it must not hold."""

import json
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest

from fcnn_latency import FCNNSpace, load_dataset, save_dataset
from fcnn_latency.measurement import Reliability
from fcnn_latency.measurement.labels._noise import standard_errors

SPACE = FCNNSpace(max_layers=4, max_width=90, tie_io=False)
RELIABILITY = Reliability(
    n_architectures=3,
    n_passes=2,
    noise=0.01,
    noise_floor=0.005,
    retest_r=0.9,
    retest_spearman=0.8,
    retest_mape=0.02,
    pass_bias=0.001,
    reference_drift=0.03,
    stolen_time=0.002,
)
#: No value is the one of a table without a description.
ABOUT = {
    "runtime": "onnxruntime",
    "protocol": {"name": "quick", "passes": 2},
    "signal_length": 80,
    "random_state": 7,
    "environment": {"cpu": "another CPU"},
    "scale": {"reference_latency": 1e-6, "campaign_latency": 2e-6, "set_at": "2026-01-01"},
    "measuring_time": 12.5,
}
DESCRIBED = ABOUT | {"space": asdict(SPACE), "reliability": RELIABILITY.as_dict()}

WIDTHS = {"layer_1": [60, 20, 85], "layer_2": [1, 9, 3], "layer_3": [7, 0, 5]}
LATENCY = {"latency": [1e-6, 2e-6, 4e-6]}
STD = {"latency_std": [1e-9, 5e-9, 3e-9]}
PASSES = {"pass_1": [1e-6, 2.02e-6, 4e-6], "pass_2": [1.01e-6, 2e-6, 3.9e-6]}
#: Tables whose passes tell a reliability, and tables whose passes tell none.
COLUMNS = {
    "two passes": {**WIDTHS, **LATENCY, **STD, **PASSES},
    "one pass": {**WIDTHS, **LATENCY, **STD, "pass_1": LATENCY["latency"]},
    "no pass": {**WIDTHS, **LATENCY, **STD},
}


@pytest.fixture
def read(tmp_path):
    """Write columns, and a description if there is one, and read them as a dataset."""

    def read(columns, about=None, **options):
        path = tmp_path / "own.csv"
        pd.DataFrame(columns).to_csv(path, index=False)
        if about is not None:
            path.with_suffix(".json").write_text(json.dumps(about))
        return load_dataset(path, **options)

    return read


@pytest.mark.parametrize("name", ABOUT)
def test_description_is_read(read, name):
    assert read(COLUMNS["two passes"], DESCRIBED)[name] == ABOUT[name]


def test_space_of_the_description_is_read(read):
    assert read(COLUMNS["two passes"], DESCRIBED).space == SPACE


@pytest.mark.parametrize("which", COLUMNS)
def test_drift_and_stolen_time_are_told_apart(read, which):
    reliability = read(COLUMNS[which], DESCRIBED).reliability
    assert reliability.reference_drift == 0.03
    assert reliability.stolen_time == 0.002


@pytest.mark.parametrize("which", ["one pass", "no pass"])
def test_reliability_is_kept_where_the_passes_tell_none(read, which):
    dataset = read(COLUMNS[which], DESCRIBED)
    assert dataset.reliability == RELIABILITY
    assert dataset.noise_floor == 0.005


def test_reliability_is_that_of_the_passes_where_there_are_two(read):
    dataset = read(COLUMNS["two passes"], DESCRIBED)
    assert dataset.reliability.n_passes == 2
    assert dataset.reliability.noise != RELIABILITY.noise
    assert dataset.noise_floor == dataset.reliability.noise_floor


@pytest.mark.parametrize("which", COLUMNS)
def test_standard_errors_are_those_of_the_table(read, which):
    assert read(COLUMNS[which]).target_std.tolist() == pytest.approx(STD["latency_std"], rel=1e-12)


def test_standard_errors_are_those_of_the_passes_where_the_table_has_none(read):
    columns = {name: COLUMNS["two passes"][name] for name in [*WIDTHS, *LATENCY, *PASSES]}
    expected = standard_errors(np.column_stack(list(PASSES.values())))
    np.testing.assert_allclose(read(columns).target_std, expected)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("which", COLUMNS)
def test_saved_dataset_is_the_same_when_loaded(read, tmp_path, which, suffix):
    dataset = read(COLUMNS[which] | {"first_call": [5e-6, 6e-6, np.nan]}, DESCRIBED)
    path, _ = save_dataset(dataset, tmp_path / "folder" / f"saved.{suffix}")
    again = load_dataset(path)
    pd.testing.assert_frame_equal(again.frame, dataset.frame, rtol=1e-12)
    assert again.keys() == dataset.keys()
    for name in (*ABOUT, "space", "reliability", "noise_floor", "DESCR", "feature_names"):
        assert again[name] == dataset[name], name
    np.testing.assert_allclose(again.target_std, STD["latency_std"], rtol=1e-12)
    assert again.data.T.tolist() == list(WIDTHS.values())


def test_table_without_description_has_the_defaults(read):
    dataset = read(COLUMNS["no pass"])
    assert {name: dataset[name] for name in ABOUT} == {
        **dict.fromkeys(ABOUT),
        "runtime": "unknown",
        "protocol": {},
        "signal_length": 50,
        "environment": {},
    }
    assert dataset.reliability is None
    # The default space has 5 layers of at most 50 neurons, and ties input and output.
    assert dataset.space == FCNNSpace(max_layers=5, max_width=85, tie_io=False)


def test_space_has_the_columns_of_the_table(read):
    columns = {f"layer_{layer}": [5 if layer < 3 else 0] for layer in range(1, 7)}
    assert read({**columns, "latency": [1e-6]}).space == FCNNSpace(max_layers=6)


@pytest.mark.parametrize("latency", [0.0, -1e-9, np.inf, np.nan])
def test_latency_that_is_no_positive_time_is_refused(read, latency):
    with pytest.raises(ValueError, match=r"own\.csv, row 1: latency is .*positive seconds"):
        read({**WIDTHS, "latency": [1e-6, latency, 4e-6]})


@pytest.mark.parametrize("value", [0.0, -1e-9, np.inf])
def test_pass_that_is_no_positive_time_is_refused(read, value):
    passes = {"pass_1": LATENCY["latency"], "pass_2": [1e-6, value, 4e-6]}
    with pytest.raises(ValueError, match=r"own\.csv, row 1: pass is .*positive seconds"):
        read({**WIDTHS, **LATENCY, **passes})


def test_shortest_time_and_missing_pass_are_accepted(read):
    passes = {"pass_1": [1e-12, 2e-6, 4e-6], "pass_2": [np.nan, 2e-6, 4e-6]}
    dataset = read({**WIDTHS, "latency": [1e-12, 2e-6, 4e-6], **passes})
    assert dataset.target[0] == 1e-12
    assert np.isnan(dataset.frame["pass_2"][0])


@pytest.mark.parametrize(
    ("latency", "accepted"), [(0.90e-6, False), (0.92e-6, True), (2.19e-6, True), (2.21e-6, False)]
)
def test_latency_lies_within_a_tenth_of_its_passes(read, latency, accepted):
    columns = {"layer_1": [5], "layer_2": [5], "latency": [latency]}
    passes = {"pass_1": [1e-6], "pass_2": [2e-6]}
    if accepted:
        assert read(columns | passes).target.tolist() == pytest.approx([latency])
    else:
        with pytest.raises(ValueError, match="latency is not of its pass_ columns"):
            read(columns | passes)


@pytest.mark.parametrize(
    "option", [{"corrected": False}, {"runtime": "litert"}, {"campaigns": [1]}]
)
def test_options_of_stores_are_refused_for_a_table(read, option):
    with pytest.raises(ValueError, match=r"is a table: .* are for stores"):
        read(COLUMNS["no pass"], **option)


def test_frames_are_returned_on_request(read):
    dataset = read(COLUMNS["no pass"], as_frame=True)
    pd.testing.assert_frame_equal(dataset.data, pd.DataFrame(WIDTHS))
    assert dataset.target.tolist() == LATENCY["latency"]
