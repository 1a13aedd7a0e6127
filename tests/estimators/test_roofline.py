"""The roofline model."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fcnn_latency import FCNNSpace, RooflineRegressor, make_latency_pipeline
from fcnn_latency.networks import layer_costs

X = FCNNSpace().sample(200, random_state=0)
COSTS = layer_costs(X, 50)
STRICT = {"call_overhead": 0, "layer_overhead": 0, "tiles": None}


def roofline(peak_flops, peak_bandwidth, call=0.0, layer=0.0):
    """ANNETTE's eq. 1, summed, with overheads."""
    times = np.maximum(2 * COSTS["macs"] / peak_flops, COSTS["bytes"] / peak_bandwidth)
    return call + layer * (np.count_nonzero(X, axis=1) - 1) + times.sum(axis=1)


def test_strict_form_is_the_equation():
    model = RooflineRegressor(peak_flops=3e10, peak_bandwidth=1e10, **STRICT).fit(X, np.ones(200))
    np.testing.assert_allclose(model.predict(X), roofline(3e10, 1e10))


@settings(max_examples=15)
@given(st.floats(1e6, 1e12), st.floats(0.2, 3.0), st.floats(0.0, 3.0), st.floats(0.0, 3.0))
def test_peaks_and_overheads_are_found_whatever_the_unit(flops, balance, call, layer):
    typical = roofline(flops, flops / balance).mean()
    y = roofline(flops, flops / balance, call * typical, layer * typical)
    model = RooflineRegressor(tiles=None).fit(X, y)
    np.testing.assert_allclose(model.predict(X), y, rtol=2e-3)


def test_what_is_given_is_kept_and_the_rest_is_fitted():
    y = roofline(3e10, 1e10, 3e-7, 7e-8)
    model = RooflineRegressor(peak_bandwidth=1e10, layer_overhead=7e-8, tiles=None).fit(X, y)
    assert model.peak_bandwidth_ == pytest.approx(1e10)
    assert model.layer_overhead_ == 7e-8
    assert model.peak_flops_ == pytest.approx(3e10, rel=1e-2)
    assert model.call_overhead_ == pytest.approx(3e-7, rel=1e-2)
    model = RooflineRegressor(peak_flops=3e10, call_overhead=3e-7, tiles=None).fit(X, y)
    assert model.peak_flops_ == pytest.approx(3e10)
    assert model.peak_bandwidth_ == pytest.approx(1e10, rel=1e-2)


@pytest.mark.parametrize("tiles", [(7, 1, 16), (4, 1, 8), (1, 1, 1)])
def test_tiles_are_told_from_the_data(tiles):
    law = {"peak_flops": 1e11, "peak_bandwidth": 1e12, "call_overhead": 3e-7}
    y = RooflineRegressor(**law, layer_overhead=8e-8, tiles=tiles).fit(X, np.ones(200)).predict(X)
    model = RooflineRegressor().fit(X, y)
    assert model.tiles_ == tiles
    np.testing.assert_allclose(model.predict(X), y, rtol=1e-3)


def test_padding_to_tiles_only_adds():
    given = {"peak_flops": 1e10, "peak_bandwidth": 1e11, "call_overhead": 0, "layer_overhead": 0}
    plain, padded = (
        RooflineRegressor(**given, tiles=tiles).fit(X, np.ones(200)).predict(X)
        for tiles in (None, (4, 2, 8))
    )
    assert (padded >= plain).all()
    assert (padded > plain).any()


def test_labels_that_show_one_bound_only_are_predicted():
    y = 2 * COSTS["macs"].sum(axis=1) / 1e10
    model = RooflineRegressor(**STRICT).fit(X, y)
    np.testing.assert_allclose(model.predict(X), y, rtol=1e-3)
    assert model.peak_flops_ == pytest.approx(1e10, rel=1e-3)


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("signal_length", 0),
        ("peak_flops", 0.0),
        ("peak_bandwidth", "fast"),
        ("call_overhead", -1e-9),
        ("layer_overhead", np.inf),
        ("tiles", (7, 16)),
        ("tiles", "avx"),
        ("tiles", (7, 0, 16)),
    ],
)
def test_wrong_parameter_is_named(parameter, value):
    with pytest.raises(ValueError, match=f"The '{parameter}' parameter of RooflineRegressor must"):
        RooflineRegressor(**{parameter: value}).fit(X, np.ones(200))


def test_pipeline_hands_its_signal_and_parameters_on():
    pipeline = make_latency_pipeline("roofline", signal_length=200, tiles=None)
    assert pipeline[-1].signal_length == 200
    assert pipeline[-1].tiles is None
    costs = layer_costs(X, 200)
    y = 1e-6 + costs["macs"].sum(axis=1) / 1e9
    np.testing.assert_allclose(pipeline.fit(X, y).predict(X), y, rtol=1e-3)


def test_pipeline_refuses_features_that_are_no_widths():
    with pytest.raises(ValueError, match="'roofline' requires features='widths'"):
        make_latency_pipeline("roofline", features="costs")


@pytest.mark.parametrize(
    "fitted",
    [["call_overhead"], ["layer_overhead"], ["peak_flops", "peak_bandwidth"]],
    ids=lambda names: names[0],
)
def test_parameters_are_fitted_by_relative_error(fitted):
    # One architecture with two latencies: sum (1 - t / y)^2 is least at sum 1/y / sum 1/y^2, which
    # is 1.2 µs; the sum of squares in seconds would be least at 1.5 µs.
    given = {"peak_flops": 1e30, "peak_bandwidth": 1e30, "call_overhead": 0, "layer_overhead": 0}
    model = RooflineRegressor(**given | dict.fromkeys(fitted), tiles=None)
    model.fit([[50, 50], [50, 50]], [1e-6, 2e-6])
    np.testing.assert_allclose(model.predict([[50, 50]]), 1.2e-6, rtol=1e-6)


def test_latency_worked_out_by_hand():
    # 80 values in rows of 30 are 3 rows: (3 x 30) by (30 x 1), then (3 x 1) by (1 x 7).
    model = RooflineRegressor(
        80,
        peak_flops=1e10,
        peak_bandwidth=4e9,
        call_overhead=3e-7,
        layer_overhead=1e-7,
        tiles=(2, 4, 8),
    ).fit([[30, 1, 7, 0]], [1e-6])
    arithmetic = 2 * 4 * 32 * 8 / 1e10  # more than 496 bytes take
    transfer = 4 * (14 + 21 + 3) / 4e9  # more than 2 * 4 * 4 * 8 operations take
    expected = 3e-7 + (1e-7 + arithmetic) + (1e-7 + transfer)
    np.testing.assert_allclose(model.predict([[30, 1, 7, 0]]), expected)
