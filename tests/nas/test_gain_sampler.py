"""Proposals of the sampler that learns quality and knows latency."""

import numpy as np
import pytest

from fcnn_latency import FCNNSpace, make_latency_pipeline, search
from fcnn_latency.nas._gain_sampler import MARGIN, N_FIRST, expected_gain

SPACE = FCNNSpace(max_layers=3, max_width=14)


@pytest.fixture(scope="module")
def latency_model():
    """Made-up latencies, learnt on the default space, which is larger than the one searched."""
    X = FCNNSpace().sample(100, random_state=0)
    return make_latency_pipeline("linear").fit(X, 1e-6 + 1e-8 * X.sum(axis=1))


def bumpy(widths):
    """More is better up to a point; even widths are a little worse."""
    return float(np.tanh(np.log(widths).sum() / 4) - 0.01 * (widths[0] % 2 == 0))


def area(latencies, qualities, floor, end):
    """Between front and reference point, by counting small squares."""
    at = np.linspace(0, end, 4001)
    best = [max([floor, *qualities[latencies <= one]]) for one in at]
    return np.sum(np.subtract(best, floor)) * (at[1] - at[0])


@pytest.mark.parametrize("candidate", [(0.5, 4.0), (2.5, 1.0), (2.5, 4.5), (3.1, 6.5), (0.8, 0.5)])
def test_certain_gain_is_growth_of_the_area(candidate):
    latency, quality = candidate
    latencies, qualities = np.array([1.0, 2.0, 3.0, 2.5]), np.array([1.0, 3.0, 4.0, 2.0])
    end, floor = 3.0 + MARGIN * 2, 1.0 - MARGIN * 3
    gain = expected_gain(
        np.array([quality]), np.array([1e-12]), np.array([latency]), qualities, latencies
    )
    before = area(latencies, qualities, floor, end)
    after = area(np.append(latencies, latency), np.append(qualities, quality), floor, end)
    assert gain[0] == pytest.approx(after - before, abs=0.01)


def test_uncertainty_promises_gain():
    gain = expected_gain(
        np.array([1.0, 1.0]), np.array([0.1, 1.0]), np.zeros(2), np.array([2.0]), np.zeros(1)
    )
    assert 0 < gain[0] < gain[1]


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
def test_best_is_found_in_a_fifth_of_the_space(latency_model, direction):
    sign = 1 if direction == "maximize" else -1
    found = search(
        lambda widths: sign * bumpy(widths),
        space=SPACE,
        latency_model=latency_model,
        max_latency="1.255us",
        direction=direction,
        sampler="gain",
        n_trials=40,
        random_state=0,
    )
    rows = [row for block in SPACE.chunks() for row in block]
    sums = [1e-6 + 1e-8 * row.sum() for row in rows]
    within = [
        tuple(row[row > 0].tolist()) for row, s in zip(rows, sums, strict=True) if s < 1.255e-6
    ]
    assert found.best["widths"] == max(within, key=bumpy)


def test_large_space_is_searched_within_the_budget_and_once(latency_model):
    found = search(
        bumpy,
        latency_model=latency_model,
        max_latency="1.605us",
        sampler="gain",
        n_trials=30,
        random_state=0,
    )
    assert (found.trials["predicted"] <= 1.605e-6).all()
    assert found.trials["widths"].nunique() == 30
    by_chance, by_model = found.trials["quality"][:N_FIRST], found.trials["quality"][N_FIRST:]
    assert by_model.mean() > by_chance.mean()


def test_all_of_a_small_space_is_evaluated(latency_model):
    tiny = FCNNSpace(max_layers=3, max_width=5)
    found = search(
        bumpy, space=tiny, latency_model=latency_model, sampler="gain", n_trials=99, random_state=0
    )
    assert found.exhausted
    assert len(found.trials) == tiny.size


def test_resumed_search_proposes_what_an_uninterrupted_one_does(latency_model, tmp_path):
    def run(n_trials, storage):
        return search(
            bumpy,
            space=SPACE,
            latency_model=latency_model,
            sampler="gain",
            n_trials=n_trials,
            storage=storage,
            random_state=0,
        ).trials["widths"]

    path = tmp_path / "study.journal"
    run(N_FIRST + 1, path)
    assert run(N_FIRST + 2, path).tolist() == run(N_FIRST + 2, None).tolist()
