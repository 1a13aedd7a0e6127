"""Tables of single layers, measured and kept."""

import numpy as np
import pandas as pd
import pytest

from fcnn_latency import (
    FCNNSpace,
    LookupTableRegressor,
    MeasurementError,
    MeasurementProtocol,
    StoreError,
    load_dataset,
    load_layer_table,
    make_dataset,
    make_layer_table,
    save_layer_table,
)
from fcnn_latency.datasets._layer_table import _layers, _overhead
from helpers.numpy_runtime import PickyRuntime, SpinningRuntime

PROTOCOL = MeasurementProtocol("short", passes=2, processes=1, rounds=3, reference_every=5)
HOW = {"runtime": SpinningRuntime(), "protocol": PROTOCOL, "scale": "campaign", "random_state": 0}
SIZES = ([1, 2, 5], [10, 50], [10, 50])


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tmp_path_factory.mktemp("layers") / "layers.sqlite"


@pytest.fixture(scope="module")
def table(store):
    return make_layer_table(*SIZES, store=store, **HOW)


def test_each_combination_is_measured_with_its_own_rows(table):
    frame = table.frame
    assert frame.iloc[1:, :3].to_numpy().tolist() == [
        [r, i, o] for r in SIZES[0] for i in SIZES[1] for o in SIZES[2]
    ]
    expected = 1e-4 + 2e-5 * frame["rows"][1:]
    np.testing.assert_allclose(frame["latency"][1:], expected, rtol=0.1)


def test_overhead_is_what_no_layer_would_take(table):
    assert table.overhead == pytest.approx(1e-4, rel=0.1)
    assert 0 <= table.overhead_std < 0.1 * table.overhead
    assert table.frame.iloc[0].tolist() == [0, 0, 0, table.overhead, table.overhead_std]
    assert sorted(set(table.chains["layers"])) == [1, 2, 3, 4]


def test_table_predicts_architectures_that_were_never_measured(table):
    widths = [[10, 50, 10, 0], [50, 20, 20, 50]]
    predicted = LookupTableRegressor(table).fit(widths).predict(widths)
    np.testing.assert_allclose(predicted, [1e-4 + 2e-5 * 10, 1e-4 + 2e-5 * 3], rtol=0.1)


def test_same_call_measures_nothing_again(table, store):
    again = make_layer_table(*SIZES, store=store, **HOW)
    np.testing.assert_array_equal(again.frame, table.frame)


def test_store_of_layers_is_no_dataset(table, store, tmp_path):
    with pytest.raises(ValueError, match=r"holds single layers.*load_layer_table"):
        load_dataset(store)
    copy = tmp_path / "both.sqlite"
    copy.write_bytes(store.read_bytes())
    make_dataset([[10, 10], [50, 50]], store=copy, **HOW)
    with pytest.raises(StoreError, match="single layers and whole architectures"):
        load_dataset(copy)
    assert len(load_dataset(copy, campaigns=[2]).target) == 2


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_table_survives_a_file(table, tmp_path, ending):
    path, about = save_layer_table(table, tmp_path / f"layers.{ending}")
    loaded = load_layer_table(path)
    np.testing.assert_allclose(loaded.frame, table.frame, rtol=1e-12)
    assert loaded.runtime == "spinning"
    assert loaded.overhead == pytest.approx(table.overhead)
    about.write_text("[]")
    with pytest.raises(ValueError, match="does not say what the table"):
        load_layer_table(path)


def test_table_of_ones_own_serves(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text("rows,fan_in,fan_out,latency\n0,0,0,1e-7\n1,50,50,3e-7\n")
    loaded = load_layer_table(path)
    assert loaded.overhead == 1e-7
    model = LookupTableRegressor(loaded).fit([[50, 50, 50]])
    np.testing.assert_allclose(model.predict([[50, 50, 50]]), 5e-7)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rows,fan_in,latency\n0,0,1e-7\n", "lacks the columns"),
        ("rows,fan_in,fan_out,latency\n1,50,50,3e-7\n", r"are 0\. Got 0 of them"),
        ("rows,fan_in,fan_out,latency\n0,0,0,1e-7\n1,50,0.5,3e-7\n", "row 1.*is no layer"),
        ("rows,fan_in,fan_out,latency\n0,0,0,1e-7\n1,50,50,-3e-7\n", "row 1.*is no layer"),
        ("rows,fan_in,fan_out,latency\n0,0,0,1e-7\n1,50,50,soon\n", "row 1.*is no layer"),
    ],
)
def test_broken_table_is_refused(tmp_path, text, message):
    path = tmp_path / "broken.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        load_layer_table(path)


def test_missing_file_and_other_endings_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="There is no table"):
        load_layer_table(tmp_path / "nothing.csv")
    (tmp_path / "table.txt").write_text("")
    with pytest.raises(ValueError, match=r"ends in \.csv or \.parquet"):
        load_layer_table(tmp_path / "table.txt")


@pytest.mark.parametrize("sizes", [[], [0, 4], [1.5], ["a"], [5, 5.7], [True], [5, True]])
def test_wrong_sizes_are_named(sizes):
    with pytest.raises(ValueError, match="The 'fan_in' parameter of make_layer_table"):
        make_layer_table(fan_in=sizes)


def test_default_covers_the_space():
    layers = np.array(_layers(FCNNSpace(), 50, None, None, None))
    assert len(layers) == 840
    assert layers.min(axis=0).tolist() == [1, 1, 1]
    assert layers.max(axis=0).tolist() == [50, 50, 50]
    X = FCNNSpace().sample(100, random_state=0)
    table = LookupTableRegressor(_as_table(layers)).fit(X)
    assert np.isfinite(table.predict(X)).all()


def _as_table(layers):
    frame = pd.DataFrame([[0, 0, 0], *layers.tolist()], columns=["rows", "fan_in", "fan_out"])
    return frame.assign(latency=1e-6)


def test_table_without_overhead_is_an_error():
    with pytest.raises(MeasurementError, match=r"Not one chain of tiny layers.*no such width"):
        make_layer_table([1], [10], [50], **{**HOW, "runtime": PickyRuntime((2, 4, 8))})


def test_layers_that_fail_are_missing_from_the_table():
    how = {**HOW, "runtime": PickyRuntime((20,))}
    table = make_layer_table([1], [10], [20, 50], **how)
    assert table.frame["fan_out"].tolist() == [0, 50]
    assert table.missing["layer_2"].tolist() == [20]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"space": 3}, "space must be an FCNNSpace or None. Got 3"),
        *(
            ({"signal_length": wrong}, "signal_length must be a whole number of at least 1")
            for wrong in (None, [], float("nan"), float("inf"), True, 0)
        ),
    ],
)
def test_wrong_settings_of_a_table_are_named(changes, message):
    with pytest.raises(ValueError, match=message):
        make_layer_table([1], [2], [3], runtime="litert", **changes)


def test_every_setting_reaches_the_measurement(monkeypatch):
    asked = {}

    def note(architectures, **settings):
        asked.update(settings, architectures=architectures)
        raise InterruptedError

    monkeypatch.setattr("fcnn_latency.datasets._layer_table.measure_architectures", note)
    settings = {
        "runtime": "onnxruntime",
        "protocol": "quick",
        "signal_length": 80,
        "scale": "campaign",
        "target_error": 0.5,
        "store": "own.sqlite",
        "client": object(),
        "wait": False,
        "random_state": 7,
        "verbose": 1,
    }
    # 80 values are 2 to 4 rows of 20 to 40; 50 values would be 2 or 3.
    space = FCNNSpace(min_width=20, max_width=40)
    with pytest.raises(InterruptedError):
        make_layer_table(fan_in=[20], fan_out=[30], space=space, **settings)
    assert {name: asked[name] for name in settings} == settings
    assert asked["architectures"][:4] == [(20, 30), (20, 30), (20, 30), (2, 2)]
    assert asked["input_rows"] == [2, 3, 4] + [1] * 36
    assert asked["space"] == FCNNSpace(max_layers=5, max_width=30, tie_io=False)


def test_overhead_is_fitted_by_relative_error():
    # In µs, one layer takes 1 or 2, whose relative mean is 1.2; two layers take 2. Their line
    # crosses 0.4 at no layer. The squared errors are 0.2 ** 2 and 0.4 ** 2, of two degrees of
    # freedom; the intercept is twice the first value less the second.
    chains = pd.DataFrame({"width": [4] * 4, "layers": [1, 1, 2, 2]})
    overhead, error = _overhead(chains, np.array([1e-6, 2e-6, 2e-6, 2e-6]))
    assert overhead == pytest.approx(0.4e-6)
    variance = (0.04 + 0.16) / 2
    expected = variance * (4 / (1 + 1 / 4) + 1 / (1 / 4 + 1 / 4))
    assert error == pytest.approx(1e-6 * expected**0.5)


def test_each_width_of_chains_has_its_own_slope_and_overhead_is_not_negative():
    chains = pd.DataFrame({"width": [2, 2, 8, 8], "layers": [1, 2, 1, 2]})
    overhead, _ = _overhead(chains, 1e-6 * np.array([4.0, 5.0, 6.0, 9.0]))
    assert overhead == pytest.approx(3e-6)
    overhead, _ = _overhead(chains, 1e-6 * np.array([1.0, 3.0, 1.0, 3.0]))
    assert overhead == 0
