"""Studies of a search: what they optimize, what they propose, what they refuse."""

import numpy as np
import optuna
import pytest
from optuna.storages import InMemoryStorage
from optuna.trial import TrialState

from fcnn_latency import FCNNSpace
from fcnn_latency.nas._optuna import SAMPLERS
from helpers.searches import SMALL, SumWithIntervals, find


@pytest.mark.parametrize(
    ("settings", "directions"),
    [
        ({}, "maximize minimize"),
        ({"direction": "minimize"}, "minimize minimize"),
        ({"max_latency": "8us"}, "maximize"),
        ({"max_latency": "8us", "direction": "minimize"}, "minimize"),
        ({"max_latency": "8us", "front": True}, "maximize minimize"),
        ({"max_latency": "8us", "front": True, "direction": "minimize"}, "minimize minimize"),
        ({"front": False}, "maximize"),
        ({"front": False, "direction": "minimize"}, "minimize"),
    ],
)
def test_quality_is_optimized_in_its_direction_and_latency_downwards(settings, directions):
    found = find(lambda widths: 100.0 + sum(widths), n_trials=2, **settings)
    optimized = [direction.name.lower() for direction in found.study.directions]
    assert optimized == directions.split()
    assert found.direction == directions.split()[0]
    for trial, widths in zip(found.study.trials, found.trials["widths"], strict=True):
        expected = [100.0 + sum(widths), 1e-6 * sum(widths)]
        assert trial.values == pytest.approx(expected[: len(optimized)])


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
def test_best_and_front_are_those_of_the_direction(direction):
    sign = 1 if direction == "maximize" else -1
    # Between the extremes of latency lie those of quality.
    found = find(
        lambda widths: -sign * (sum(widths) - 8) ** 2,
        direction=direction,
        sampler="random",
        n_trials=43,
    )
    assert found.exhausted
    assert found.best["widths"] in {(4, 4), (1, 6, 1), (2, 4, 2), (3, 2, 3)}
    assert found.best["quality"] == 0
    front = found.front
    assert front["predicted"].tolist() == pytest.approx([1e-6 * n for n in range(2, 9)])
    assert front["quality"].tolist() == [-sign * (n - 8) ** 2 for n in range(2, 9)]


class Stubborn(optuna.samplers.RandomSampler):
    """Proposes the same again and again; notes how often, and of which trials it heard."""

    def __init__(self, layers, *widths):
        super().__init__(seed=0)
        self.proposal = {f"width_{i}": width for i, width in enumerate(widths, start=1)}
        self.proposal["layers"] = layers
        self.n_asked = 0
        self.begun, self.ended = [], []

    def sample_relative(self, study, trial, search_space):
        self.n_asked += 1
        return dict(self.proposal)

    def before_trial(self, study, trial):
        self.begun.append(trial.number)

    def after_trial(self, study, trial, state, values):
        self.ended.append((trial.number, state, values))


def test_proposals_over_the_budget_are_replaced_after_twenty():
    sampler = Stubborn(3, 6, 6)
    found = find(sampler=sampler, max_latency="8us", n_trials=3)
    assert sampler.n_asked == 3 * 20
    assert found.trials["widths"].nunique() == 3
    assert max(map(sum, found.trials["widths"])) <= 8


def test_proposal_at_the_budget_is_taken_once():
    sampler = Stubborn(2, 4, 1)
    found = find(sampler=sampler, max_latency="8us", n_trials=2)
    assert found.trials["widths"][0] == (4, 4)
    assert found.trials["widths"][1] != (4, 4)
    assert sampler.n_asked == 1 + 20


def test_proposal_is_held_to_the_budget_by_its_upper_end():
    settings = {"latency_model": SumWithIntervals(), "confidence": 0.9, "n_trials": 1}
    for budget, n_asked in (("8.7us", 20), ("8.9us", 1)):
        sampler = Stubborn(2, 4, 1)
        found = find(sampler=sampler, max_latency=budget, **settings)
        assert sampler.n_asked == n_asked
        assert (found.trials["widths"][0] == (4, 4)) == (n_asked == 1)


def test_sampler_hears_of_each_trial():
    sampler = Stubborn(2, 4, 1)

    def objective(widths):
        if widths == (4, 4):
            raise ZeroDivisionError
        return 3.0

    find(objective, sampler=sampler, max_latency="8us", n_trials=2)
    assert sampler.begun == [0, 1]
    assert sampler.ended == [(0, TrialState.FAIL, None), (1, TrialState.COMPLETE, [3.0])]


class Lowest(optuna.samplers.RandomSampler):
    """Proposes the least of each parameter that it is asked for."""

    def sample_relative(self, study, trial, search_space):
        self.asked = set(search_space)
        return {name: distribution.low for name, distribution in search_space.items()}


def test_sampler_is_asked_for_what_the_space_leaves_open():
    sampler = Lowest()
    space = FCNNSpace(max_layers=3, max_width=4, min_layers=3)
    found = find(space=space, sampler=sampler, n_trials=1)
    assert sampler.asked == {"width_1", "width_2"}
    assert found.trials["widths"].tolist() == [(1, 1, 1)]


@pytest.mark.parametrize("sampler", list(SAMPLERS))
@pytest.mark.parametrize(
    "space",
    [
        FCNNSpace(max_layers=3, max_width=4, min_layers=3),
        FCNNSpace(max_layers=4, max_width=3, min_width=3),
        FCNNSpace(max_layers=3, max_width=3, min_width=2, tie_io=False),
    ],
    ids=["one depth", "one width", "untied"],
)
def test_spaces_with_fixed_parameters_are_searched(sampler, space):
    n_trials = min(space.size, 10)
    found = find(space=space, sampler=sampler, n_trials=n_trials)
    assert found.trials["widths"].nunique() == n_trials
    assert all(widths in space for widths in found.trials["widths"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"direction": "minimize"}, "direction: 'maximize' and 'minimize'"),
        ({"max_latency": "9us"}, "max_latency: 8e-06 and 9e-06"),
        ({"max_latency": None, "front": False}, "max_latency: 8e-06 and None"),
        ({"confidence": 0.9}, "confidence: 0.8 and 0.9"),
        ({"confidence": None}, "confidence: 0.8 and None"),
        ({"front": True}, "front: False and True"),
        ({"space": FCNNSpace(max_layers=3, max_width=5)}, "space: .*'max_width': 6.*: 5"),
    ],
)
def test_study_is_resumed_with_its_own_settings_alone(changes, message):
    settings = {"latency_model": SumWithIntervals(), "max_latency": "8us", "confidence": 0.8}
    settings |= {"n_trials": 2, "storage": InMemoryStorage()}
    trials = find(**settings).trials
    with pytest.raises(ValueError, match=message):
        find(**settings | changes)
    assert find(**settings).trials.equals(trials)


@pytest.mark.parametrize(("verbose", "shown"), [(0, False), (1, True)])
def test_progress_is_shown_if_asked_for(capsys, verbose, shown):
    find(n_trials=3, verbose=verbose)
    error = capsys.readouterr().err
    assert ("searching" in error) == ("3/3" in error) == shown


def test_seed_may_be_a_generator():
    one, other = (
        find(random_state=np.random.RandomState(seed)).trials["widths"] for seed in (1, 2)
    )
    assert one.tolist() != other.tolist()


def test_result_has_the_settings_of_the_search():
    found = find(latency_model=SumWithIntervals(), max_latency="8us", confidence=0.9, n_trials=2)
    assert (found.space, found.max_latency, found.confidence) == (SMALL, 8e-6, 0.9)
    assert isinstance(found.latency_model, SumWithIntervals)
    assert not found.exhausted
    assert "Budget: 8 µs, held on the upper bound of 90 %." in str(found)
