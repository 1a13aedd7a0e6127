"""Which architectures to measure."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import pdist

from fcnn_latency import (
    FCNNSpace,
    make_latency_pipeline,
    select_architectures,
    select_for_transfer,
)
from fcnn_latency.datasets._design import DESIGNS, _central, _cost_features, _least_variance
from helpers.strategies import padded, spaces

CANDIDATES = FCNNSpace().sample(300, random_state=0)


@given(data=st.data(), space=spaces(), design=st.sampled_from(list(DESIGNS)))
@settings(max_examples=60)
def test_chosen_ones_are_distinct_candidates(data, space, design):
    candidates = np.array(data.draw(padded(space, min_size=2, max_size=12)))
    n = data.draw(st.integers(1, len(np.unique(candidates, axis=0))))
    chosen, index = select_architectures(
        candidates, n, design, space=space, random_state=0, return_index=True
    )
    assert len(np.unique(chosen, axis=0)) == n
    np.testing.assert_array_equal(candidates[index], chosen)


@pytest.mark.parametrize("design", DESIGNS)
def test_same_seed_chooses_the_same(design):
    first, second = (select_architectures(CANDIDATES, 20, design, random_state=3) for _ in "12")
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("design", DESIGNS)
def test_candidates_are_drawn_from_a_space(design):
    space = FCNNSpace(max_layers=3, max_width=9, tie_io=False)
    chosen = select_architectures(space, 15, design, random_state=0)
    assert chosen.shape == (15, 3)
    space.validate(chosen)


@pytest.mark.parametrize("design", ["maximin", "clusters"])
def test_depths_are_even_as_far_as_there_are_candidates(design):
    depths = np.count_nonzero(CANDIDATES, axis=1)
    few = np.concatenate([CANDIDATES[depths == 2][:3], CANDIDATES[depths > 3]])
    chosen = select_architectures(few, 23, design, random_state=0)
    assert np.bincount(np.count_nonzero(chosen, axis=1), minlength=6)[2:].tolist() == [3, 0, 10, 10]


def test_maximin_keeps_architectures_apart():
    def nearest(design):
        of_depth = CANDIDATES[np.count_nonzero(CANDIDATES, axis=1) == 5]
        return pdist(select_architectures(of_depth, 15, design, random_state=0)).min()

    assert nearest("maximin") > 1.5 * nearest("random")


def test_clusters_lie_nearer_to_all_candidates_than_random_ones():
    def mean_distance(design):
        of_depth = CANDIDATES[np.count_nonzero(CANDIDATES, axis=1) == 5].astype(float)
        chosen = select_architectures(of_depth.astype(int), 10, design, random_state=0)
        return np.linalg.norm(of_depth[:, None] - chosen[None], axis=2).min(axis=1).mean()

    assert mean_distance("clusters") < 0.95 * mean_distance("random")


def test_linear_design_leaves_a_linear_law_less_uncertain():
    features = np.hstack([np.ones((300, 1)), _cost_features(CANDIDATES, 50)])
    features = features / np.maximum(features.std(axis=0), 1e-9)

    def uncertainty(design):
        _, index = select_architectures(CANDIDATES, 50, design, random_state=0, return_index=True)
        gram = features[index].T @ features[index] + 1e-2 * np.eye(features.shape[1])
        return np.einsum("ij,ij->", features @ np.linalg.inv(gram), features)

    assert uncertainty("expected-linear-error") < 0.8 * uncertainty("random")


def test_least_variance_takes_what_stands_for_most():
    # Three alike, and one alone: one of them stands for the three, which comes first.
    covariance = np.array([[1, 0.9, 0.9, 0], [0.9, 1, 0.9, 0], [0.9, 0.9, 1, 0], [0, 0, 0, 1]])
    first, second = _least_variance(covariance, 2)
    assert first in (0, 1, 2)
    assert second == 3


def test_model_makes_fast_architectures_count():
    y = 1e-6 * CANDIDATES.sum(axis=1) ** 2.0
    model = make_latency_pipeline("flops").fit(CANDIDATES, y)
    sums = [
        select_architectures(
            CANDIDATES, 20, "expected-linear-error", model=given_model, random_state=0
        ).sum(axis=1)
        for given_model in (None, model)
    ]
    assert np.median(sums[1]) < np.median(sums[0])


@pytest.mark.parametrize(
    ("arguments", "changes", "message"),
    [
        ((CANDIDATES, 10, "best"), {}, "design must be one of"),
        ((CANDIDATES, 10, ["random"]), {}, "design must be one of"),
        ((CANDIDATES, 0), {}, "n must be"),
        ((CANDIDATES, True), {}, "n must be"),
        ((CANDIDATES[:5], 6), {}, "there are 5 distinct"),
        ((np.tile(CANDIDATES[:5], (2, 1)), 6), {}, "there are 5 distinct"),
        (([[5, 6]], 1), {}, "Row 0"),
        ((CANDIDATES, 5, "maximin"), {"model": make_latency_pipeline()}, "uses a model"),
    ],
)
def test_wrong_requests_are_refused(arguments, changes, message):
    with pytest.raises(ValueError, match=message):
        select_architectures(*arguments, **changes)


@pytest.mark.parametrize("width", [5.7, True])
def test_widths_that_are_no_whole_numbers_are_refused(width):
    with pytest.raises(ValueError, match="Row 0, layer 1"):
        select_for_transfer([[width, 5], [7, 7]], 1)


@pytest.mark.parametrize(
    "choose",
    [
        lambda **how: select_for_transfer(CANDIDATES, 20, random_state=0, **how).tolist(),
        lambda **how: select_architectures(
            CANDIDATES, 20, "expected-linear-error", random_state=0, **how
        ).tolist(),
    ],
    ids=["transfer", "linear"],
)
def test_costs_are_those_of_the_given_signal(choose):
    assert choose() == choose(signal_length=50) != choose(signal_length=1)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("n", [11, 20, 30])
def test_no_candidate_is_chosen_twice_for_transfer_where_many_are_equal(n):
    chosen = select_for_transfer(np.repeat(CANDIDATES[:10], 3, axis=0), n, random_state=0)
    assert len(set(chosen.tolist())) == n
    assert set(chosen.tolist()) <= set(range(30))


def test_point_that_is_nearest_to_two_centres_is_chosen_once():
    """Two hollow clusters around the axis; a point of one lies nearest to the centres of both."""
    angles = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    ring = np.column_stack([np.cos(angles), np.sin(angles), np.zeros(12)])
    points = np.vstack([10 * ring, 9 * ring + [0, 0, 18], [[0, 0, 9.5]]])
    for seed in range(3):
        chosen = _central(points, 2, np.random.RandomState(seed))
        assert 24 in chosen
        assert len(set(chosen.tolist())) == 2


def test_choice_for_transfer_depends_on_signal_and_seed():
    chosen = select_for_transfer(CANDIDATES, 20, random_state=0).tolist()
    assert select_for_transfer(CANDIDATES, 20, random_state=0).tolist() == chosen
    assert select_for_transfer(CANDIDATES, 20, signal_length=50, random_state=0).tolist() == chosen
    assert select_for_transfer(CANDIDATES, 20, signal_length=1, random_state=0).tolist() != chosen
    assert select_for_transfer(CANDIDATES, 20, random_state=1).tolist() != chosen


def test_all_candidates_may_be_chosen_for_transfer():
    few = CANDIDATES[:8]
    assert sorted(select_for_transfer(few, 8, random_state=0)) == list(range(8))
