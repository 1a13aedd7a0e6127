"""Architectures within a budget, and at the bound of it."""

import numpy as np
import pytest

from fcnn_latency import FCNNSpace, LatencyMap
from fcnn_latency.nas import _candidates
from fcnn_latency.nas._candidates import Candidates
from helpers.searches import SMALL, SumOfWidths, SumWithIntervals

#: The latency of (1, 1), which is the least.
LEAST = float(SumOfWidths().predict([[1, 1]])[0])
UP_TO_4 = {(1, 1), (2, 2), (1, 1, 1), (1, 2, 1)}


def candidates(latency_model=None, space=SMALL, **settings):
    return Candidates(space, SumOfWidths() if latency_model is None else latency_model, **settings)


def draws(of, n=60, taken=frozenset()):
    return {of.draw(np.random.RandomState(seed), taken) for seed in range(n)}


@pytest.fixture(params=["drawn", "enumerated", "sampled"])
def way(request, monkeypatch):
    """Ways to draw: from the space, from all within the budget, from a part of a large space."""
    if request.param != "drawn":
        monkeypatch.setattr(_candidates, "MOST_DRAWN", 0)
    if request.param == "sampled":
        monkeypatch.setattr(_candidates, "MAX_ENUMERATED", SMALL.size - 1)
        monkeypatch.setattr(_candidates, "DRAWN_INSTEAD", 1)


@pytest.mark.usefixtures("way")
def test_each_architecture_within_the_budget_is_drawn_and_no_other():
    assert draws(candidates(max_latency="4us")) == UP_TO_4


@pytest.mark.usefixtures("way")
def test_a_budget_of_the_least_latency_is_met_and_one_below_is_not():
    assert draws(candidates(max_latency=LEAST), 5) == {(1, 1)}
    below = candidates(max_latency=float(np.nextafter(LEAST, 0)))
    with pytest.raises(ValueError, match=r"the least predicted latency is 2 µs, of \(1, 1\)"):
        below.check_possible()


@pytest.mark.usefixtures("way")
def test_a_budget_with_confidence_is_held_by_the_upper_end():
    upper = float(SumWithIntervals().predict_upper(np.array([[1, 1]]), 0.9)[0])
    settings = {"latency_model": SumWithIntervals(), "confidence": 0.9}
    assert draws(candidates(max_latency=upper, **settings), 5) == {(1, 1)}
    below = candidates(max_latency=float(np.nextafter(upper, 0)), **settings)
    with pytest.raises(ValueError, match=r"least upper end of an interval is 2.2 µs, of \(1, 1\)"):
        below.check_possible()


@pytest.mark.usefixtures("way")
def test_what_is_taken_or_excluded_is_not_drawn():
    of = candidates(max_latency="4us", excluded={(2, 2)})
    assert draws(of) == UP_TO_4 - {(2, 2)}
    assert draws(of, taken={(1, 1), (1, 2, 1)}) == {(1, 1, 1)}
    assert draws(of, 3, taken=UP_TO_4) == {None}


def test_draws_have_even_depths_although_most_architectures_are_deep():
    of = candidates()
    drawn = [of.draw(np.random.RandomState(seed)) for seed in range(100)]
    assert 35 <= sum(len(widths) == 2 for widths in drawn) <= 65  # 6 of 42 have two layers


@pytest.mark.parametrize(
    ("settings", "kept"),
    [
        ({"max_latency": 2.0}, [True, True, False]),
        ({"max_latency": np.nextafter(2.0, 0)}, [True, False, False]),
        ({}, [True, True, True]),
        ({"max_latency": 2.0, "confidence": 0.9}, [False, True, True]),
        ({"max_latency": np.nextafter(2.0, 0), "confidence": 0.9}, [False, False, True]),
        ({"confidence": 0.9}, [True, True, True]),
    ],
)
def test_budget_is_held_by_the_prediction_or_with_confidence_by_the_upper_end(settings, kept):
    of = candidates(SumWithIntervals(), **settings)
    assert of.keep(np.array([[1.0, 3.0], [2.0, 2.0], [3.0, 1.0]])).tolist() == kept


class Confident(SumOfWidths):
    """The upper end depends on the confidence."""

    def predict_upper(self, X, confidence):
        return self.predict(X) * (1 + confidence)


def test_upper_ends_have_the_confidence_that_is_asked_for():
    rows = [[1, 1], [2, 3, 2]]
    ends = candidates(Confident(), confidence=0.75).predict(rows)
    assert ends == pytest.approx(np.array([[2e-6, 3.5e-6], [7e-6, 12.25e-6]]))
    without = candidates(Confident()).predict(rows)
    assert without[:, 0] == pytest.approx([2e-6, 7e-6])
    assert np.isnan(without[:, 1]).all()


class Scaled:
    """The same latency for all."""

    def __init__(self, seconds):
        self.seconds = seconds

    def predict(self, X):
        return np.full(len(X), self.seconds)


@pytest.mark.parametrize("seconds", [0.0, -1e-9, np.nan, np.inf])
def test_latency_that_is_not_positive_and_finite_is_refused(seconds):
    with pytest.raises(ValueError, match=r"predicts .* s for \(.*finite number above 0"):
        candidates(Scaled(seconds))
    assert candidates(Scaled(5e-324)).predict([[1, 1]])[0, 0] == 5e-324


def test_space_is_the_given_one_or_that_of_the_map_or_the_default():
    latency_map = LatencyMap(SMALL, np.full(SMALL.size, 1e-6))
    assert candidates(space=None).space == FCNNSpace()
    assert candidates(latency_map, space=None).space == SMALL
    assert candidates(latency_map).space == SMALL


def test_map_of_candidates_holds_what_the_budget_is_held_by():
    every = np.concatenate(list(SMALL.chunks()))
    for settings, factor in (({}, 1.0), ({"confidence": 0.75}, 1.75)):
        held = candidates(Confident(), **settings).latency_map
        assert held.predict(every) == pytest.approx(factor * 1e-6 * every.sum(axis=1))
