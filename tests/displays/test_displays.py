"""Figures: what is drawn, with which units."""

import sys

import matplotlib
import numpy as np
import pandas as pd
import pytest

matplotlib.use("agg")
import matplotlib.pyplot as plt

from fcnn_latency import (
    AbsoluteDeviationDisplay,
    ComparisonDisplay,
    FCNNSpace,
    GraphConvolutionRegressor,
    LatencyRegressor,
    LatencySurfaceDisplay,
    LossCurveDisplay,
    PredictedLatencyDisplay,
    QuintileErrorDisplay,
    SampleEfficiencyDisplay,
    compare,
    make_latency_pipeline,
    sample_efficiency,
)
from fcnn_latency.displays._axes import make_logarithmic, spans_decades
from fcnn_latency.measurement.labels._reliability import assess_reliability
from fcnn_latency.metrics import errors_by_quintile, noise_band, relative_errors
from fcnn_latency.spaces._surface import surface_architectures, surface_grid

X = FCNNSpace().sample(60, random_state=0)
Y = 1e-7 * X.sum(axis=1)
MODEL = make_latency_pipeline("linear").fit(X, Y)
FLOPS = make_latency_pipeline("flops").fit(X, Y)


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def legend(display):
    return [text.get_text() for text in display.ax_.get_legend().get_texts()]


def tick_labels(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


DRAWN = {
    "deviations": lambda ax: AbsoluteDeviationDisplay.from_estimator(FLOPS, X, Y, ax=ax),
    "comparison": lambda ax: ComparisonDisplay.from_predictions(Y, {"a": 2 * Y}, ax=ax),
    "loss": lambda ax: LossCurveDisplay({"loss": [2.0, 1.0]}).plot(ax=ax),
    "predicted": lambda ax: PredictedLatencyDisplay.from_estimator(FLOPS, X, Y, ax=ax),
    "quintiles": lambda ax: QuintileErrorDisplay.from_estimator(FLOPS, X, Y, ax=ax),
    "surface": lambda ax: LatencySurfaceDisplay.from_estimator(
        FLOPS, (9, 9, 9), layers=(1, 2), widths=[3, 6, 9], ax=ax
    ),
    "efficiency": lambda ax: SampleEfficiencyDisplay.from_estimator(
        FLOPS, X, Y, sizes=[5, 20], n_repeats=1, ax=ax
    ),
}


@pytest.mark.parametrize("name", DRAWN)
def test_figures_are_drawn_where_they_are_asked_for(name):
    ax = plt.figure().add_subplot()
    display = DRAWN[name](ax)
    assert display.ax_ is ax
    assert display.figure_ is ax.figure
    assert ax.get_xlabel() or name == "deviations"
    assert ax.get_ylabel() or name == "comparison"


@pytest.mark.parametrize("name", DRAWN)
def test_figures_can_be_saved(name, tmp_path):
    DRAWN[name](None).figure_.savefig(tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 1000


@pytest.mark.parametrize("name", DRAWN)
def test_without_matplotlib_it_is_said_how_to_get_it(name, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"fcnn-latency\[plots\]"):
        DRAWN[name](None)


def test_latencies_have_si_prefixes():
    for factor, shown in (
        (1e-3, {"1 ns", "10 ns"}),
        (1, {"500 ns", "1 µs"}),
        (1e3, {"1 ms", "10 ms"}),
    ):
        axes = PredictedLatencyDisplay.from_predictions(factor * Y, factor * Y).ax_
        assert axes.get_xscale() == "log"
        assert shown <= set(tick_labels(axes.xaxis)) & set(tick_labels(axes.yaxis))
    narrow = PredictedLatencyDisplay.from_predictions(2e-6 + Y / 100, 2e-6 + Y / 100).ax_
    assert narrow.get_xscale() == "linear"
    assert all(label.endswith(" µs") for label in tick_labels(narrow.xaxis))


def test_errors_over_latencies_are_per_cent():
    axes = PredictedLatencyDisplay.from_predictions(Y, 1.1 * Y, kind="residual_vs_predicted").ax_
    assert "1 µs" in tick_labels(axes.xaxis)
    assert not any("s" in label for label in tick_labels(axes.yaxis))


def test_colours_of_a_surface_are_latencies():
    display = DRAWN["surface"](None)
    assert all(label.endswith("s") for label in tick_labels(display.figure_.axes[1].yaxis))


def test_a_surface_has_a_cell_for_each_width_whatever_the_style():
    with plt.rc_context({"pcolor.shading": "flat"}):
        display = DRAWN["surface"](None)
    assert display.ax_.collections[0].get_array().shape == (3, 3)


def test_axes_that_span_decades_are_logarithmic():
    wide = np.geomspace(1e-6, 1e-3, 20)
    for values, scale in ((wide, "log"), (1e-6 + wide / 1e4, "linear")):
        ax = PredictedLatencyDisplay.from_predictions(values, values).ax_
        assert [ax.get_xscale(), ax.get_yscale()] == [scale, scale]
    assert not spans_decades([0.0, 1.0])


def test_logarithmic_axes_have_plain_numbers():
    ax = plt.figure().add_subplot()
    ax.plot([0.3, 30], [0.3, 30])
    make_logarithmic(ax, "y")
    assert {"0.5", "1", "2", "10"} <= set(tick_labels(ax.yaxis))


def test_noise_band_is_drawn_where_the_floor_is_known():
    assert noise_band(0.01) == pytest.approx(1.96 * 0.01 / 0.79788, rel=1e-4)
    for kind in ("actual_vs_predicted", "residual_vs_predicted"):
        display = PredictedLatencyDisplay.from_predictions(Y, Y, noise_floor=0.01, kind=kind)
        assert any("±2.46 %" in text for text in legend(display))
        display = PredictedLatencyDisplay.from_predictions(Y, Y, kind=kind)
        assert legend(display) == ["perfect prediction"]
    with pytest.raises(ValueError, match="Valid ones"):
        display.plot(kind="both")


def test_relative_errors_are_signed_percent():
    display = PredictedLatencyDisplay.from_predictions(Y, 1.1 * Y, kind="residual_vs_predicted")
    offsets = display.ax_.collections[0].get_offsets()
    np.testing.assert_allclose(offsets[:, 1], 10.0)
    np.testing.assert_allclose(relative_errors([2.0], [1.0]), [-0.5])


def test_deviations_of_several_estimators_stand_side_by_side():
    predictions = pd.DataFrame({"good": 1.01 * Y, "bad": 3 * Y})
    display = AbsoluteDeviationDisplay.from_predictions(Y, predictions)
    assert tick_labels(display.ax_.xaxis) == ["good", "bad"]
    assert display.ax_.get_yscale() == "log"
    np.testing.assert_allclose(display.deviations["bad"], 2 * Y)


def test_comparison_puts_the_best_on_top_with_the_floor():
    result = compare(X, Y, estimators=["flops", "linear"], cv=3, noise_floor=0.001)
    display = ComparisonDisplay.from_comparison(result)
    assert tick_labels(display.ax_.yaxis) == ["mean", "flops", "linear"]
    assert legend(display) == ["noise floor"]
    same = ComparisonDisplay.from_predictions(result.target, result.predictions)
    pd.testing.assert_series_equal(same.errors, display.errors, check_names=False)


def test_quintiles_have_the_floors_of_the_dataset():
    rng = np.random.RandomState(0)
    reliability = assess_reliability(Y[:, None] * np.exp(rng.normal(0, 0.01, (60, 4))))
    display = QuintileErrorDisplay.from_predictions(Y, {"a": 1.2 * Y}, reliability=reliability)
    assert display.noise_floors == [part.noise_floor for part in reliability.by_quintile]
    assert set(legend(display)) == {"a", "noise floor"}
    heights = [bar.get_height() for bar in display.ax_.patches]
    np.testing.assert_allclose(heights, [20.0] * 5)


def test_errors_by_quintile_by_hand():
    measured = np.arange(1.0, 11.0)
    errors = errors_by_quintile(measured, np.where(measured > 8, 2 * measured, measured))
    assert errors["highest"].tolist() == [2, 4, 6, 8, 10]
    assert errors["mape"].tolist() == [0, 0, 0, 0, 1]
    assert errors["within_5"].tolist() == [1, 1, 1, 1, 0]
    with pytest.raises(ValueError, match="at least 5"):
        errors_by_quintile([1.0], [1.0])


def test_surface_varies_two_layers_and_ties_the_output():
    rows = surface_architectures((9, 8, 7, 9), layers=(4, 2), widths=[1, 2])
    assert rows.tolist() == [
        [1, 1, 7, 1, 0],
        [2, 1, 7, 2, 0],
        [1, 2, 7, 1, 0],
        [2, 2, 7, 2, 0],
    ]
    assert len(surface_architectures((9, 9, 9), layers=(1, 2))) == 50**2


def test_surface_grid_by_hand():
    rows = [(1, 3, 1), (2, 3, 2), (1, 4, 1), (1, 4, 1)]
    first, second, grid = surface_grid(rows, [1.0, 2.0, 3.0, 5.0], layers=(1, 2))
    assert (first.tolist(), second.tolist()) == ([1, 2], [3, 4])
    np.testing.assert_array_equal(grid, [[1.0, 2.0], [4.0, np.nan]])


def test_surface_of_a_pipeline_is_what_it_predicts():
    display = LatencySurfaceDisplay.from_estimator(MODEL, (9, 9, 9, 9), layers=(2, 3))
    assert display.latencies.shape == (50, 50)
    assert display.latencies[6, 4] == pytest.approx(MODEL.predict([[9, 5, 7, 9]])[0])
    assert display.ax_.get_title() == "architectures (9, ·, ·, 9)"
    assert display.plot(kind="surface").ax_.name == "3d"
    with pytest.raises(ValueError, match="Valid ones"):
        display.plot(kind="contour")


@pytest.mark.parametrize(
    ("architecture", "layers", "message"),
    [
        ((9, 9, 9), (1, 1), "two different layers from 1 to 3"),
        ((9, 9, 9), (2, 4), "two different layers from 1 to 3"),
        ((9, 9, 9), (1, 3), "input and output"),
        ((9, 9, 8), (1, 2), "Row 0"),
    ],
)
def test_impossible_surfaces_are_refused(architecture, layers, message):
    with pytest.raises(ValueError, match=message):
        surface_architectures(architecture, layers=layers)


@pytest.mark.parametrize(
    ("rows", "latencies", "message"),
    [
        ([(1, 3, 5, 1), (2, 3, 6, 2)], [1.0, 2.0], "differ in other layers"),
        ([(1, 3, 1), (1, 3, 3, 1)], [1.0, 2.0], "differ in other layers"),
        ([(1, 3, 1)], [1.0, 2.0], "must have the shape"),
    ],
)
def test_architectures_of_no_surface_are_refused(rows, latencies, message):
    with pytest.raises(ValueError, match=message):
        surface_grid(rows, latencies, layers=(1, 2))


def test_learning_curves_need_seconds_for_an_axis_of_seconds():
    settings = {"estimators": ["flops"], "sizes": [5, 20], "n_repeats": 2}
    known = sample_efficiency(X, Y, **settings, measuring_time=6.0, noise_floor=0.01)
    display = SampleEfficiencyDisplay.from_result(known, x="measuring_time")
    assert display.ax_.get_xlabel() == "time of measuring (s)"
    assert legend(display) == ["flops, random", "flops, maximin", "noise floor"]
    assert tick_labels(display.ax_.xaxis) == ["0.5", "2"]
    unknown = SampleEfficiencyDisplay.from_result(sample_efficiency(X, Y, **settings))
    with pytest.raises(ValueError, match="n_architectures"):
        unknown.plot(x="measuring_time")


def test_loss_is_logarithmic_only_over_a_factor_of_ten():
    few = LossCurveDisplay({"loss": [2.0, 1.0], "val_loss": [1.5, 0.9]}).plot()
    many = LossCurveDisplay({"loss": [2.0, 1.0], "val_loss": [1.5, 0.1]}).plot()
    assert (few.ax_.get_yscale(), many.ax_.get_yscale()) == ("linear", "log")


@pytest.mark.parametrize(
    ("target", "label"),
    [("relative", "mean absolute relative error"), ("absolute", "mean absolute error (s)")],
)
def test_unit_of_losses_follows_the_target(target, label):
    X = FCNNSpace().sample(20, random_state=0)
    model = LatencyRegressor((4,), target=target, epochs=2, random_state=0).fit(X, 1e-6 * X[:, 0])
    assert LossCurveDisplay.from_estimator(model, metric="mae").ax_.get_ylabel() == label


def test_history_alone_claims_no_unit():
    assert LossCurveDisplay({"mae": [0.2, 0.1]}, metric="mae").plot().ax_.get_ylabel() == (
        "mean absolute error"
    )


def test_losses_of_graphs_are_in_seconds():
    model = GraphConvolutionRegressor(epochs=2, random_state=0).fit(X, Y)
    display = LossCurveDisplay.from_estimator(model, metric="mae")
    assert display.ax_.get_ylabel() == "mean absolute error (s)"


def test_loss_names_what_the_history_lacks():
    display = LossCurveDisplay.from_estimator
    with pytest.raises(ValueError, match="no history_"):
        display(FLOPS)
    with pytest.raises(ValueError, match="no 'mae'"):
        LossCurveDisplay({"loss": [1.0]}, metric="mae").plot()
