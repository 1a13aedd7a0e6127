"""The latencies of a whole space: counted, ordered, drawn from."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from fcnn_latency import (
    ArchitectureEncoder,
    FCNNSpace,
    IntervalRegressor,
    LatencyMap,
    LatencyRegressor,
    RelativeLinearRegressor,
    TransferRegressor,
    make_latency_pipeline,
)
from fcnn_latency.networks import layer_costs
from helpers.strategies import spaces

SMALL = FCNNSpace(max_layers=4, max_width=4)
EVERY = np.concatenate(list(SMALL.chunks()))


def law(widths):
    """A made-up law; real latencies are in test_datasets."""
    macs = layer_costs(widths, 50)["macs"].sum(axis=1)
    return 1e-7 * np.count_nonzero(widths, axis=1) + 1e-10 * macs


def named(widths):
    return pd.DataFrame(widths, columns=[f"layer_{i + 1}" for i in range(widths.shape[1])])


@pytest.fixture
def small():
    return LatencyMap(SMALL, law(EVERY))


@st.composite
def maps(draw):
    space = draw(spaces())
    values = st.integers(1, 20)  # so that there are ties
    drawn = draw(st.lists(values, min_size=space.size, max_size=space.size))
    return LatencyMap(space, 1e-7 * np.array(drawn))


@given(maps(), st.integers(0, 21), st.integers(0, 21))
def test_counts_and_ranks_are_those_of_brute_force(latency_map, one, other):
    least, most = sorted((1e-7 * one, 1e-7 * other))
    expected = [k for k, y in enumerate(latency_map.latencies.astype(float)) if least <= y <= most]
    assert latency_map.ranks(most, least).tolist() == expected
    assert latency_map.count(most, least) == len(expected)
    assert latency_map.count() == len(latency_map) == latency_map.space.size


@given(maps(), st.floats(0, 1))
def test_a_quantile_is_the_least_latency_that_so_many_keep(latency_map, share):
    found = latency_map.quantile(share)
    assert latency_map.count(found) >= share * len(latency_map) * (1 - 1e-12)
    below = np.nextafter(found, 0)
    assert latency_map.count(below) <= share * len(latency_map) * (1 + 1e-12)


@given(maps(), st.data())
def test_extremes_are_those_of_sorting(latency_map, data):
    n = data.draw(st.integers(1, len(latency_map)))
    order = np.argsort(latency_map.latencies, kind="stable")
    expected = latency_map.space.unrank(order[:n])
    np.testing.assert_array_equal(latency_map.fastest(n), expected)
    slowest = latency_map.predict(latency_map.slowest(n))
    np.testing.assert_array_equal(slowest, np.sort(latency_map.latencies)[::-1][:n])


@given(maps(), st.data(), st.sampled_from(["uniform", "paper"]), st.integers(0, 1000))
def test_samples_are_distinct_and_within_the_band(latency_map, data, distribution, seed):
    least, most = sorted(data.draw(st.tuples(*[st.sampled_from(latency_map.latencies)] * 2)))
    n = data.draw(st.integers(0, latency_map.count(most, least)))
    rows = latency_map.sample(n, most, least, distribution=distribution, random_state=seed)
    assert len(rows) == n == len(np.unique(rows, axis=0))
    latencies = latency_map.predict(rows)
    assert ((least <= latencies) & (latencies <= most)).all()
    again = latency_map.sample(n, most, least, distribution=distribution, random_state=seed)
    np.testing.assert_array_equal(again, rows)


def drawn_counts(latency_map, budget, distribution, draws=2500, n=2):
    """How often each architecture within a budget is the first of a sample, and the last."""
    rng = np.random.RandomState(0)
    samples = [
        latency_map.space.rank(
            latency_map.sample(n, budget, distribution=distribution, random_state=rng)
        )
        for _ in range(draws)
    ]
    return [np.bincount(of, minlength=len(latency_map)) for of in np.transpose(samples)]


def test_every_architecture_within_a_budget_is_drawn_as_often(small):
    budget = float(small.quantile(0.2))
    within = small.ranks(budget)
    assert len(within) >= 16
    for counts in drawn_counts(small, budget, "uniform"):
        assert counts.sum() == counts[within].sum()
        assert chisquare(counts[within]).pvalue > 1e-3


def test_the_law_of_the_paper_is_kept_within_a_budget(small):
    budget = float(small.quantile(0.6))
    within = small.ranks(budget)
    depths = np.count_nonzero(EVERY[within], axis=1)
    assert set(depths) == {2, 3, 4}
    expected = 1 / 4.0 ** (depths - 1)
    counts = drawn_counts(small, budget, "paper", n=1)[0][within]
    assert chisquare(counts, expected / expected.sum() * counts.sum()).pvalue > 1e-3
    assert chisquare(counts).pvalue < 1e-9


def test_latencies_are_looked_up(small):
    np.testing.assert_allclose(small.predict(EVERY), law(EVERY), rtol=1e-6)
    assert (
        small.predict([[2, 3, 2], [4, 4]]).tolist()
        == small.predict([[2, 3, 2, 0], [4, 4, 0, 0]]).tolist()
    )


@given(st.lists(st.floats(1e-9, 1e2), min_size=2, max_size=2))
def test_what_keeps_a_budget_was_predicted_within_it(latencies):
    latency_map = LatencyMap(FCNNSpace(max_layers=2, max_width=2), latencies)
    assert (latency_map.latencies.astype(float) >= latencies).all()
    np.testing.assert_allclose(latency_map.latencies, latencies, rtol=1.2e-7)


def test_budgets_may_have_units(small):
    assert small.count("300 ns") == small.count(3e-7) == small.count("0.3us") > 0


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"max_latency": "100ns"}, r"takes at most 100 ns: .* least above is 20\d.* of \(\d, \d\)"),
        ({"min_latency": "1 s"}, r"at least 1 s: the most below is [\d.]+ ns, of \(1, 4, 4, 1\)"),
        (
            {"max_latency": 2e-7, "min_latency": 1e-7},
            "at least 100 ns and at most 200 ns: the least",
        ),
        (
            {"max_latency": "210ns"},
            r"20 architectures were asked for, and [1-9] take at most 210 ns",
        ),
        ({"max_latency": -1}, "max_latency must be seconds of at least 0"),
        ({"min_latency": np.nan}, "min_latency must be seconds of at least 0"),
        ({"max_latency": "2"}, "Got '2' instead"),
        (
            {"max_latency": 1e-7, "min_latency": "2us"},
            "min_latency='2us' is above max_latency=1e-07",
        ),
        ({"distribution": "fair"}, r"one of \['uniform', 'paper'\]. Got 'fair'"),
    ],
)
def test_what_cannot_be_drawn_is_said(small, limits, message):
    with pytest.raises(ValueError, match=message):
        small.sample(20, **limits)


def test_a_band_between_two_latencies_names_both():
    latency_map = LatencyMap(FCNNSpace(max_layers=2, max_width=2), [1e-6, 3e-6])
    message = r"most below is 1 µs, of \(1, 1\), the least above is 3 µs, of \(2, 2\)"
    with pytest.raises(ValueError, match=message):
        latency_map.sample(1, "2.5us", "1.5us")


@pytest.mark.parametrize("n", [-1, 1.5, True, "3"])
def test_wrong_numbers_are_refused(small, n):
    for method in (small.sample, small.fastest, small.slowest):
        with pytest.raises(ValueError, match="n must be a whole number"):
            method(n)


def test_more_than_there_are_is_an_error(small):
    with pytest.raises(ValueError, match=r"85 .* asked for, and the space holds 84"):
        small.fastest(85)
    with pytest.raises(ValueError, match=r"85 .* asked for, and 84 are in the space"):
        small.sample(85)


@pytest.mark.parametrize(
    ("latencies", "message"),
    [
        (np.ones(3), r"must be 84 numbers.*shape \(3,\)"),
        (np.ones((84, 1)), "must be 84 numbers"),
        (["1us"] * 84, "must be 84 numbers"),
        (np.where(np.arange(84) == 5, np.nan, 1), r"latency of \(1, 2, 1\), rank 5, is nan"),
    ],
)
def test_wrong_latencies_are_refused(latencies, message):
    with pytest.raises(ValueError, match=message):
        LatencyMap(SMALL, latencies)


def test_a_space_too_large_says_its_size_and_what_would_be_right():
    untied = FCNNSpace(tie_io=False)
    model = make_latency_pipeline("linear", space=untied).fit([[1, 1], [9, 9]], [1e-6, 2e-6])
    with pytest.raises(
        ValueError, match=r"holds 318,877,500 .* at most 10,000,000. Pass a smaller"
    ):
        LatencyMap.from_estimator(model)


SEEN = FCNNSpace().sample(60, random_state=0)
WITHIN = FCNNSpace(max_layers=3, max_width=50)
MODELS = {
    "deep": lambda: make_pipeline(
        ArchitectureEncoder(features="tiles"), LatencyRegressor((4,), epochs=2, random_state=0)
    ),
    "linear": lambda: make_latency_pipeline("linear"),
    "mixed": lambda: make_latency_pipeline("mixed", random_state=0),
    "roofline": lambda: make_latency_pipeline("roofline"),
    "lookup": lambda: make_latency_pipeline("lookup"),
    "frames": lambda: make_pipeline(
        ArchitectureEncoder(features="costs").set_output(transform="pandas"),
        RelativeLinearRegressor(),
    ),
    "intervals": lambda: IntervalRegressor(make_latency_pipeline("linear"), cv=3),
    "without encoder": lambda: TransferRegressor(),
}


@pytest.mark.parametrize(
    ("name", "form"),
    [*((name, np.array) for name in MODELS), *((name, named) for name in ("frames", "intervals"))],
)
def test_a_map_holds_what_the_model_predicts(name, form):
    model = MODELS[name]().fit(form(SEEN), law(SEEN))
    rows = np.pad(np.concatenate(list(WITHIN.chunks())), ((0, 0), (0, 2)))
    latency_map = LatencyMap.from_estimator(model, WITHIN)
    np.testing.assert_allclose(latency_map.latencies, model.predict(form(rows)), rtol=1e-6)


@pytest.mark.parametrize("form", [np.array, named], ids=["array", "frame"])
def test_a_map_of_bounds_holds_the_upper_ends(form):
    model = IntervalRegressor(make_latency_pipeline("linear"), cv=3)
    model.fit(form(SEEN), law(SEEN) * np.random.default_rng(0).lognormal(sigma=0.1, size=60))
    latency_map = LatencyMap.from_estimator(model, FCNNSpace(max_layers=2), confidence=0.9)
    rows = form(np.pad(np.concatenate(list(FCNNSpace(max_layers=2).chunks())), ((0, 0), (0, 3))))
    np.testing.assert_allclose(latency_map.latencies, model.predict_upper(rows, 0.9), rtol=1e-6)
    assert (latency_map.latencies > model.predict(rows)).all()


def test_the_default_space_is_predicted_as_a_whole():
    model = make_latency_pipeline("flops").fit(SEEN, law(SEEN))
    latency_map = LatencyMap.from_estimator(model)
    assert len(latency_map) == FCNNSpace().size
    assert latency_map.latencies.nbytes < 26e6
    rows = FCNNSpace().sample(1000, random_state=1)
    np.testing.assert_allclose(latency_map.predict(rows), model.predict(rows), rtol=1e-6)
    budget = latency_map.quantile(0.01)
    assert (model.predict(latency_map.sample(1000, budget, random_state=0)) <= budget).all()


@pytest.mark.parametrize(
    ("model", "arguments", "error", "message"),
    [
        ("linear", {"space": FCNNSpace(max_width=51)}, ValueError, "does not lie"),
        ("linear", {"space": FCNNSpace(max_layers=2, tie_io=False)}, ValueError, "does not lie"),
        ("linear", {"space": "default"}, ValueError, "space must be an FCNNSpace. Got 'default'"),
        (
            "linear",
            {"confidence": 0.9},
            ValueError,
            r"Got a Pipeline: fit IntervalRegressor\(model\)",
        ),
        (
            "intervals",
            {"confidence": 1.5},
            ValueError,
            r"confidence must be a number in \(0.5, 1\)",
        ),
    ],
)
def test_what_cannot_be_predicted_is_said(model, arguments, error, message):
    fitted = MODELS[model]().fit(SEEN, law(SEEN))
    with pytest.raises(error, match=message):
        LatencyMap.from_estimator(fitted, **arguments)


def test_models_that_are_not_fitted_or_measure_are_refused():
    with pytest.raises(NotFittedError):
        LatencyMap.from_estimator(make_latency_pipeline("linear"))
    measured = make_latency_pipeline("measured", runtime="litert").fit(SEEN, law(SEEN))
    with pytest.raises(ValueError, match="MeasuredLatency are measurements"):
        LatencyMap.from_estimator(measured)


def test_a_map_prints_its_range():
    latency_map = LatencyMap(FCNNSpace(max_layers=2, max_width=3), [1e-6, 3e-6, 2e-6])
    assert str(latency_map) == "3 architectures of 1 µs to 3 µs, half of them up to 2 µs"


#: Latencies that a float32 holds exactly, in about 1 µs: of (1, 1) to (5, 5).
UNIT = 2.0**-20
BY_HAND = LatencyMap(FCNNSpace(max_layers=2, max_width=5), UNIT * np.array([3, 1, 3, 2, 1]))


def test_extremes_come_in_order_and_equal_ones_as_in_the_space():
    assert BY_HAND.fastest(5)[:, 0].tolist() == [2, 5, 4, 1, 3]
    assert BY_HAND.fastest(1).tolist() == [[2, 2]]
    assert BY_HAND.slowest(5)[:, 0].tolist() == [1, 3, 4, 2, 5]
    assert BY_HAND.slowest(1).tolist() == [[1, 1]]


@pytest.mark.parametrize(
    ("most", "least", "ranks"),
    [
        (None, None, [0, 1, 2, 3, 4]),
        (2, None, [1, 3, 4]),
        (np.nextafter(2, 0), None, [1, 4]),
        (None, 2, [0, 2, 3]),
        (None, np.nextafter(2, 3), [0, 2]),
        (2, 2, [3]),
        (1, 1, [1, 4]),
        (3, 2, [0, 2, 3]),
        (0.5, 0, []),
        (None, 3.5, []),
    ],
)
def test_both_ends_of_a_band_are_within_it(most, least, ranks):
    limits = [None if limit is None else UNIT * limit for limit in (most, least)]
    assert BY_HAND.ranks(*limits).tolist() == ranks
    assert BY_HAND.count(*limits) == len(ranks)
    drawn = BY_HAND.sample(len(ranks), *limits, random_state=0)
    assert sorted(drawn[:, 0].tolist()) == [rank + 1 for rank in ranks]


def test_quantiles_are_latencies_that_so_large_a_part_keeps():
    shares = [0, 0.39, 0.41, 0.59, 0.61, 1]
    found = BY_HAND.quantile(shares)
    assert found.dtype == np.float64
    assert (found / UNIT).tolist() == [1, 1, 2, 2, 3, 3]
    assert BY_HAND.quantile(0.5) == 2 * UNIT


@pytest.mark.parametrize("share", [-0.01, 1.01, np.nan])
def test_shares_lie_between_0_and_1(share):
    with pytest.raises(ValueError, match="range"):
        BY_HAND.quantile(share)


def test_seed_of_a_sample_is_used():
    drawn = [BY_HAND.sample(5, random_state=seed)[:, 0].tolist() for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]
