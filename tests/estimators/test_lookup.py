"""Tables of layers, looked up and summed."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import RegularGridInterpolator
from sklearn import config_context
from sklearn.base import clone

from fcnn_latency import (
    FCNNSpace,
    LookupTableRegressor,
    RooflineRegressor,
    make_latency_pipeline,
)

AXES = [np.array([1, 4, 50]), np.array([1, 10, 50]), np.array([1, 16, 17, 50])]
OVERHEAD = 3e-7
X = FCNNSpace().sample(300, random_state=0)


def table_of(latency, axes=AXES):
    """A table of a law of rows, fan_in and fan_out; the overhead of a call is its first entry."""
    sizes = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    frame = pd.DataFrame(sizes, columns=["rows", "fan_in", "fan_out"])
    frame["latency"] = OVERHEAD + latency(*sizes.T)
    return pd.concat([pd.DataFrame([dict.fromkeys(frame, 0) | {"latency": OVERHEAD}]), frame])


def sum_of(latency, widths):
    """What the law says of whole architectures."""
    rows = np.ceil(50 / widths[:, :1])
    each = latency(rows, widths[:, :-1], widths[:, 1:])
    return OVERHEAD + np.where(widths[:, 1:] > 0, each, 0.0).sum(axis=1)


def products(rows, fan_in, fan_out):
    """A law that is linear in each size."""
    return 7e-8 + 1e-9 * rows * fan_out + 1e-10 * fan_in * fan_out + 1e-11 * rows * fan_in * fan_out


def tiled(rows, fan_in, fan_out):
    """A law with the steps of a kernel of 7 rows by 16 outputs."""
    return 7e-8 + 1e-9 * np.ceil(rows / 7) * np.ceil(fan_out / 16) * (4 + fan_in)


def test_sums_what_entries_add_to_the_overhead():
    table = table_of(lambda r, i, o: np.random.default_rng(0).random(len(r)) * 1e-6)
    known = table.set_index(["rows", "fan_in", "fan_out"])["latency"]
    model = LookupTableRegressor(table).fit([[50, 50, 16]])
    layers = known[1, 50, 50] + known[1, 50, 16] - 2 * OVERHEAD
    np.testing.assert_allclose(model.predict([[50, 50, 16]]), OVERHEAD + layers)


def test_linear_interpolation_is_exact_for_products_of_sizes():
    model = LookupTableRegressor(table_of(products)).fit(X)
    np.testing.assert_allclose(model.predict(X), sum_of(products, X))


@given(st.integers(0, 2**32 - 1), st.integers(1, 50), st.integers(1, 50))
def test_linear_interpolation_is_that_of_scipy(seed, fan_in, fan_out):
    values = np.random.default_rng(seed).random([len(axis) for axis in AXES])
    table = table_of(lambda *_: values.ravel())
    rows = -(-50 // fan_in)
    expected = OVERHEAD + RegularGridInterpolator(AXES, values)([rows, fan_in, fan_out])
    model = LookupTableRegressor(table).fit([[fan_in, fan_out]])
    np.testing.assert_allclose(model.predict([[fan_in, fan_out]]), expected)


def test_nearest_is_by_ratio():
    table = table_of(lambda r, i, o: 1e-9 * o)
    model = LookupTableRegressor(table, interpolation="nearest").fit([[50, 50]])
    predicted = model.predict([[50, 3], [50, 5], [50, 30]])
    np.testing.assert_allclose(predicted, OVERHEAD + 1e-9 * np.array([1, 16, 50]))


def test_nearest_takes_any_table_and_linear_needs_a_grid():
    table = table_of(products).drop_duplicates().iloc[:-1]
    LookupTableRegressor(table, interpolation="nearest").fit(X).predict(X)
    with pytest.raises(ValueError, match=r"needs an entry for each.*: 36\. Got 35 entries"):
        LookupTableRegressor(table).fit(X)


def test_layer_outside_a_given_table_is_named():
    model = LookupTableRegressor(table_of(products)).fit([[50, 50, 0]])
    with pytest.raises(ValueError, match=r"Row 1: the layer between layers 2 and 3 .*fan_out 51"):
        model.predict([[50, 50, 0], [50, 50, 51]])


def test_estimated_table_is_continued_beyond_its_data():
    model = LookupTableRegressor().fit(X, sum_of(products, X))
    wide = np.array([[60, 70, 60, 0, 0]])
    np.testing.assert_allclose(model.predict(wide), sum_of(products, wide), rtol=0.1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table.iloc[1:], r"rows, fan_in and fan_out are 0\. Got 0"),
        (lambda table: pd.concat([table, table.iloc[:1]]), "Got 2 of them"),
        (lambda table: pd.concat([table, table.iloc[-1:]]), "Got 37 entries for 36 layers"),
        (lambda table: table.assign(latency=-1e-6), "finite numbers of at least 0"),
        (lambda table: table.assign(rows=table.rows * 2.5), "must be whole numbers"),
        (lambda table: table.assign(fan_out=table.fan_out > 0), "must be whole numbers"),
        (lambda table: table.assign(fan_in=np.inf), "finite numbers of at least 0"),
        (lambda table: table.drop(columns="fan_in"), "The 'table' parameter"),
        (lambda table: table.to_numpy(), "The 'table' parameter"),
    ],
)
def test_wrong_table_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        LookupTableRegressor(change(table_of(products))).fit(X)


def test_only_a_table_as_measured_needs_no_labels():
    table = table_of(products)
    LookupTableRegressor(table).fit(X)
    for model in (LookupTableRegressor(), LookupTableRegressor(table, rescale=True)):
        with pytest.raises(ValueError, match="requires y to be passed"):
            model.fit(X)


@pytest.mark.parametrize("interpolation", ["linear", "nearest"])
def test_rescaling_adjusts_a_table_to_whole_architectures(interpolation):
    y = OVERHEAD + 1.3 * (sum_of(products, X) - OVERHEAD)
    model = LookupTableRegressor(table_of(products), interpolation=interpolation)
    raw, rescaled = (
        clone(model).set_params(rescale=r).fit(X[:100], y[:100]) for r in (False, True)
    )
    errors = [np.abs(m.predict(X[100:]) / y[100:] - 1).mean() for m in (raw, rescaled)]
    assert errors[1] < errors[0] * (0.1 if interpolation == "linear" else 0.8)


def test_estimated_table_learns_more_than_the_roofline_that_it_starts_from():
    def law(rows, fan_in, fan_out):
        return tiled(rows, fan_in, fan_out) * np.where(fan_out == 1, 0.5, 1.0) + 3e-10 * rows

    y = sum_of(law, X)
    table, roofline = LookupTableRegressor(), RooflineRegressor()
    errors = [
        np.abs(model.fit(X[:250], y[:250]).predict(X[250:]) / y[250:] - 1).mean()
        for model in (table, roofline)
    ]
    assert errors[0] < 0.01
    assert errors[0] < errors[1] / 2


def test_estimated_table_is_the_same_under_pandas_output():
    y = sum_of(products, X)
    expected = LookupTableRegressor().fit(X, y).predict(X)
    with config_context(transform_output="pandas"):
        np.testing.assert_array_equal(LookupTableRegressor().fit(X, y).predict(X), expected)


def test_pipeline_takes_a_table():
    table = table_of(products)
    pipeline = make_latency_pipeline("lookup", table=table).fit(X, np.ones(len(X)))
    np.testing.assert_allclose(pipeline.predict(X), sum_of(products, X))
    again = clone(pipeline).fit(X, np.ones(len(X)))
    np.testing.assert_allclose(again.predict(X), sum_of(products, X))


def test_rows_of_layers_are_those_of_the_given_signal():
    # 80 values in rows of 30 and of 20 are 3 and 4 rows.
    table = table_of(lambda r, i, o: 1e-7 * r + 1e-9 * o)
    model = LookupTableRegressor(table, signal_length=80).fit([[30, 1, 7], [20, 9, 0]])
    predicted = model.predict([[30, 1, 7], [20, 9, 0]])
    expected = OVERHEAD + np.array([2 * 3e-7 + 8e-9, 4e-7 + 9e-9])
    np.testing.assert_allclose(predicted, expected)


def test_table_is_rescaled_to_the_given_signal():
    # Of 80 values, rows of 10 are 8, which cost as much as this table says of 5.
    table = table_of(lambda r, i, o: 1e-7 * r * 5 / 8)
    widths = np.array([[10, out] for out in range(1, 51)])
    y = np.full(50, OVERHEAD + 5e-7)
    model = LookupTableRegressor(table, signal_length=80, rescale=True).fit(widths, y)
    np.testing.assert_allclose(model.predict(widths), y, rtol=1e-6)


def test_roofline_of_an_estimated_table_has_its_signal():
    few = X[:30]
    given = {"peak_flops": 1e10, "peak_bandwidth": 1e11, "call_overhead": 3e-7}
    law = RooflineRegressor(80, **given, layer_overhead=8e-8, tiles=(4, 1, 8))
    y = law.fit(few, np.ones(30)).predict(few)
    model = LookupTableRegressor(signal_length=80).fit(few, y)
    assert model.roofline_.signal_length == 80
    np.testing.assert_allclose(model.roofline_.predict(few), y, rtol=1e-3)


def test_rescaling_minimizes_relative_errors():
    # One layer with two latencies: sum (1 - t / y)^2 is least at 1.2 µs, sum (t - y)^2 at 1.5 µs.
    table = pd.DataFrame({"rows": [0, 1], "fan_in": [0, 50], "fan_out": [0, 50]})
    table["latency"] = [0, 1e-6]
    y = np.repeat([1e-6, 2e-6], 200)
    model = LookupTableRegressor(table, rescale=True).fit([[50, 50]] * 400, y)
    np.testing.assert_allclose(model.predict([[50, 50]]), 1.2e-6, rtol=0.01)


def test_no_entry_is_rescaled_below_0():
    # Architectures that take less time than the overhead would need negative costs.
    model = LookupTableRegressor(table_of(products), rescale=True).fit(X, np.full(300, 1e-7))
    assert (model.costs_ >= 0).all()
    assert (model.predict(X) >= OVERHEAD).all()
