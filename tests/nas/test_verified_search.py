"""Rounds of search and measuring."""

import math

import numpy as np
import optuna
import pytest
from sklearn.utils import Bunch

from fcnn_latency import (
    FCNNSpace,
    IntervalRegressor,
    make_dataset,
    make_latency_pipeline,
    search_and_verify,
)
from fcnn_latency.spaces._widths import trim_widths
from helpers.measurements import law
from helpers.searches import (
    SMALL,
    Constant,
    Improving,
    Remembering,
    Unteachable,
    UnteachableIntervals,
    UnteachableSum,
)

LABELS = FCNNSpace().sample(60, random_state=0)
#: The law adds 20 % to the sum of widths for all of these.
DEEP = FCNNSpace(max_layers=4, max_width=6, min_layers=3)
#: The latency in relation to its bound, for ten equal passes and a standard error of 1 %.
BOUND = 1 + 1.8331129 * 0.01


def labels(**changes):
    return Bunch(
        **{"data": LABELS, "target": law(LABELS), "space": FCNNSpace()}
        | {"runtime": "litert", "signal_length": 50}
        | changes
    )


def rounds(objective=sum, dataset=None, **changes):
    arguments = {
        "dataset": labels() if dataset is None else dataset,
        "latency_model": UnteachableSum(),
        "space": DEEP,
        "n_trials": 12,
        "n_finalists": 6,
        "random_state": 0,
    }
    return search_and_verify(objective, **arguments | changes)


def test_rounds_learn_from_measurements_and_evaluate_nothing_twice(measurements):
    objective = Improving()
    found = rounds(
        objective,
        latency_model=make_latency_pipeline("mean"),
        space=SMALL,
        max_latency="200us",
        n_trials=10,
        n_finalists=3,
    )
    asked = [widths for part in measurements.asked for widths in part]
    evaluated = objective.evaluated
    assert len(evaluated) == len(set(evaluated)) == found.rounds["evaluated"].sum()
    assert len(asked) == len(set(asked)) == found.rounds["measured"].sum()
    learnt = np.concatenate([law(LABELS), *(law([widths]) for widths in asked)])
    assert found.latency_model.predict([[4, 4, 0, 0, 0]]) == pytest.approx(learnt.mean())
    assert len(str(found).splitlines()) > 5


@pytest.mark.parametrize("max_latency", [None, "15us"])
def test_each_round_evaluates_so_many_new_architectures(measurements, max_latency):
    objective = Improving()
    found = rounds(objective, max_latency=max_latency, sampler="random")
    assert found.rounds["evaluated"].tolist() == [12, 12, 12]
    assert found.rounds["measured"].tolist() == [len(part) for part in measurements.asked]
    assert len(measurements.asked[0]) == 6 == max(found.rounds["measured"])
    assert len(set(objective.evaluated)) == len(objective.evaluated) == 36
    assert not found.stable


def test_rounds_end_when_the_front_is_stable(measurements):
    found = rounds(
        latency_model=make_latency_pipeline("linear"),
        space=FCNNSpace(max_layers=5, max_width=9),
        max_latency="30us",
        n_trials=25,
        n_rounds=8,
    )
    assert found.stable
    assert len(found.rounds) < 8
    assert law([found.best["widths"]])[0] <= 30e-6


def test_rounds_end_when_nothing_is_left_to_measure(measurements):
    found = rounds(space=FCNNSpace(max_layers=3, max_width=2, min_layers=3), n_rounds=4)
    assert found.rounds[["evaluated", "measured"]].to_numpy().tolist() == [[4, 4], [0, 0]]
    assert found.stable


def test_empty_front_is_not_stable(measurements):
    measurements.is_lost = lambda widths: True
    found = rounds(Improving(), sampler="random", n_rounds=3)
    assert found.rounds["front"].tolist() == [0, 0, 0]
    assert not found.stable


def test_measured_latency_replaces_the_prediction_in_later_rounds(measurements):
    found = rounds(Improving(), n_rounds=2)
    trials, report = found.result.trials, found.verification.report
    predicted = dict(zip(trials["widths"], trials["predicted"], strict=True))
    measured = dict(zip(report["widths"], report["measured"], strict=True))
    (first, _) = measurements.asked
    assert len(first) == 6
    expected = {widths: 1e-6 * sum(widths) for widths in predicted}
    expected |= {widths: measured[widths] for widths in first}
    assert predicted == pytest.approx(expected)
    assert measured[first[0]] == pytest.approx(1.2e-6 * sum(first[0]))
    assert trials["upper"].isna().all()
    values = [trial.values for trial in found.result.study.trials]
    assert values == trials[["quality", "predicted"]].to_numpy().tolist()


def test_measured_bound_replaces_the_upper_end_in_later_rounds(measurements):
    found = rounds(Improving(), n_rounds=2, latency_model=UnteachableIntervals(), confidence=0.95)
    trials = found.result.trials
    upper = dict(zip(trials["widths"], trials["upper"], strict=True))
    (first, _) = measurements.asked
    expected = {widths: 1.1e-6 * sum(widths) for widths in upper}
    expected |= {widths: 1.2e-6 * sum(widths) * BOUND for widths in first}
    assert upper == pytest.approx(expected)


class Halving(Unteachable):
    """Predicts 1 µs, and in each fit after the first 100 µs for a first layer of some width."""

    def fit(self, X, y):
        self.is_slow = len(y) > len(LABELS)
        return self

    def predict(self, X):
        return np.where(self.is_slow & (np.asarray(X)[:, 0] > 3), 100e-6, 1e-6)


def test_what_the_refitted_model_rules_out_is_left_out_of_later_rounds(measurements):
    objective = Improving()
    found = rounds(objective, latency_model=Halving(), max_latency="50us", n_rounds=2)
    first = objective.evaluated[:12]
    measured = set(measurements.asked[0])
    ruled_out = {widths for widths in first if widths[0] > 3} - measured
    assert ruled_out
    assert set(found.result.trials["widths"]) == set(objective.evaluated) - ruled_out
    assert all(widths[0] <= 3 for widths in objective.evaluated[12:])


def test_table_counts_what_was_measured_and_kept(measurements):
    found = rounds(Improving(), max_latency="15us", n_rounds=2)
    kept = [
        sum(1.2e-6 * sum(widths) * BOUND <= 15e-6 for widths in part) for part in measurements.asked
    ]
    assert 0 < sum(kept) < 12
    assert found.rounds["kept"].tolist() == kept
    assert found.rounds["error"].tolist() == pytest.approx([1 / 6, 1 / 6])  # 1 for 1.2
    assert found.rounds["front"].iloc[-1] == len(found.front)
    assert found.rounds.index.tolist() == [1, 2]
    assert found.verification.kept["quality"].is_monotonic_decreasing
    counts = [len(dataset.target) for dataset in found.verification.datasets]
    assert counts == found.rounds["measured"].tolist()


def test_labels_are_all_that_was_measured_within_the_budget_or_not(measurements):
    model = Remembering()
    found = rounds(Improving(), latency_model=model, max_latency="15us", n_rounds=2)
    assert not hasattr(model, "known")
    asked = [widths for part in measurements.asked for widths in part]
    expected = dict(zip(trim_widths(LABELS), law(LABELS), strict=True))
    expected |= {widths: 1.2e-6 * sum(widths) for widths in asked}
    assert found.latency_model.known == pytest.approx(expected)
    assert len(found.verification.kept) < len(asked)


def test_broken_architecture_is_not_proposed_again(measurements):
    found = rounds(
        latency_model=Constant(),
        space=FCNNSpace(max_layers=5, max_width=9),
        max_latency="20us",
        n_trials=25,
    )
    report = found.verification.report
    broken = set(report.loc[~report["keeps_budget"], "widths"])
    *earlier, _ = measurements.asked
    broken_earlier = broken & {widths for part in earlier for widths in part}
    assert len(broken_earlier) > 6
    assert broken_earlier.isdisjoint(found.result.trials["widths"])


def test_what_could_not_be_measured_is_no_label_and_not_proposed_again(measurements):
    measurements.is_lost = lambda widths: len(widths) == 4
    found = rounds(Improving(), latency_model=make_latency_pipeline("mean"), n_rounds=2)
    first, second = measurements.asked
    lost = {widths for widths in first if len(widths) == 4}
    assert lost
    assert lost.isdisjoint(found.result.trials["widths"])
    counts = [sum(len(widths) == 3 for widths in part) for part in (first, second)]
    assert found.rounds["measured"].tolist() == found.rounds["kept"].tolist() == counts
    kept = law([widths for widths in first + second if len(widths) == 3])
    expected = np.concatenate([law(LABELS), kept]).mean()
    assert found.latency_model.predict([[4, 4]])[0] == pytest.approx(expected)


def test_failed_objective_is_not_tried_again_in_later_rounds(measurements):
    evaluated = []

    def objective(widths):
        evaluated.append(widths)
        if widths[0] < 3:
            raise ZeroDivisionError
        return float(len(evaluated))

    found = rounds(objective, n_rounds=2)
    assert len(evaluated) == len(set(evaluated)) == 24
    failed = {widths for widths in evaluated if widths[0] < 3}
    assert failed
    assert set(found.result.failed["widths"]) == failed
    assert not failed & {widths for part in measurements.asked for widths in part}


def test_interrupted_search_is_verified_and_ends_the_rounds(measurements):
    objective = Improving()

    def interrupted(widths):
        if len(objective.evaluated) == 5:
            raise KeyboardInterrupt
        return objective(widths)

    found = rounds(interrupted, n_rounds=3)
    assert found.result.interrupted
    assert found.rounds["evaluated"].tolist() == [5]
    assert sorted(measurements.asked[0]) == sorted(objective.evaluated)


@pytest.mark.parametrize(("given", "of_bound"), [(None, 0.95), (0.8, 0.8)])
def test_confidence_is_that_of_search_and_verification(measurements, given, of_bound):
    found = rounds(latency_model=UnteachableIntervals(), confidence=given, n_rounds=1)
    assert found.verification.confidence == of_bound
    assert found.result.confidence == given
    assert found.result.trials["upper"].isna().all() == (given is None)


def test_settings_reach_every_measurement(measurements):
    settings = {
        "runtime": "xla",
        "protocol": "quick",
        "store": "readings.sqlite",
        "scale": "campaign",
        "target_error": 0.02,
        "client": object(),
        "wait": False,
        "verbose": 2,
    }
    rounds(Improving(), labels(signal_length=80), n_rounds=2, **settings)
    assert len(measurements.calls) == 2
    expected = settings | {"signal_length": 80, "space": DEEP}
    for call in measurements.calls:
        assert {name: call[name] for name in expected} == expected


def test_settings_that_are_not_given_are_those_of_the_docstring(measurements):
    settings = {"latency_model": UnteachableSum(), "sampler": "random", "n_rounds": 1}
    found = search_and_verify(Improving(), dataset=labels(space=DEEP), **settings)
    assert found.rounds["evaluated"].tolist() == [100]
    assert len(measurements.asked[0]) == 10
    assert {call["protocol"] for call in measurements.calls} == {"reliable"}
    assert {call["runtime"] for call in measurements.calls} == {"litert"}
    assert {call["space"] for call in measurements.calls} == {DEEP}
    assert found.verification.confidence == 0.95


def test_seed_is_that_of_proposals_and_measurements(measurements):
    def run(seed):
        objective = Improving()
        rounds(objective, random_state=seed, n_rounds=1)
        return objective.evaluated, measurements.calls[-1]["random_state"]

    evaluated, seed = run(3)
    assert run(3) == (evaluated, seed)
    other, other_seed = run(4)
    assert evaluated != other
    assert seed != other_seed
    assert isinstance(seed, int)


@pytest.mark.parametrize(
    ("settings", "directions"),
    [
        ({}, "maximize minimize"),
        ({"max_latency": "15us"}, "maximize"),
        ({"max_latency": "15us", "front": True}, "maximize minimize"),
        ({"front": False}, "maximize"),
        ({"direction": "minimize"}, "minimize minimize"),
    ],
)
def test_rounds_optimize_quality_in_its_direction_and_latency_downwards(
    measurements, settings, directions
):
    found = rounds(n_rounds=1, n_finalists=12, **settings)
    optimized = [direction.name.lower() for direction in found.result.study.directions]
    assert optimized == directions.split()
    kept = found.verification.kept["quality"]
    best = kept.min() if settings.get("direction") == "minimize" else kept.max()
    assert found.best["quality"] == best
    assert kept.nunique() > 1


class Counting(optuna.samplers.RandomSampler):
    """Counts its trials."""

    n_trials = 0

    def before_trial(self, study, trial):
        self.n_trials += 1


def test_sampler_and_storage_are_those_of_each_round(measurements):
    sampler, storage = Counting(seed=0), optuna.storages.InMemoryStorage()
    settings = {"sampler": sampler, "storage": storage, "study_name": "deep", "n_rounds": 2}
    found = rounds(Improving(), **settings)
    assert sampler.n_trials == 24
    assert sorted(optuna.get_all_study_names(storage)) == ["deep-1", "deep-2"]
    again = Improving()
    resumed = rounds(again, **settings)
    assert not again.evaluated
    assert resumed.rounds.equals(found.rounds)
    assert resumed.result.trials.equals(found.result.trials)


def test_model_of_another_signal_is_refused_before_the_search(measurements):
    objective = Improving()
    model = make_latency_pipeline("flops", signal_length=100)
    with pytest.raises(ValueError, match=r"signal of \[100\] values, and signal_length=50"):
        rounds(objective, latency_model=model)
    assert not objective.evaluated
    found = rounds(objective, labels(signal_length=100), latency_model=model, n_rounds=1)
    assert measurements.calls[0]["signal_length"] == 100
    assert math.isfinite(found.rounds["error"][1])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_rounds": 0}, "n_rounds must be a whole number of at least 1"),
        ({"n_finalists": 0}, "n_finalists must be a whole number of at least 1"),
        ({"n_trials": 0}, "n_trials must be a whole number of at least 1"),
        ({"direction": "up"}, "direction must be one of"),
        ({"study_name": ""}, "study_name must be a name"),
        ({"confidence": 0.9}, "needs a latency_model with intervals"),
    ],
)
def test_wrong_parameters_are_refused_before_the_search(measurements, changes, message):
    objective = Improving()
    with pytest.raises(ValueError, match=message):
        rounds(objective, **changes)
    assert not objective.evaluated


def test_another_signal_length_than_the_datasets_is_no_parameter():
    with pytest.raises(TypeError, match="signal_length"):
        rounds(signal_length=100)


def test_search_ends_in_measured_architectures_within_the_budget(tmp_path):
    """From labels to a verified choice, all of it measured here."""
    space = FCNNSpace(max_layers=3, max_width=20)
    settings = {"runtime": "litert", "protocol": "quick", "space": space, "random_state": 0}
    dataset = make_dataset(60, **settings)
    model = IntervalRegressor(make_latency_pipeline("linear", space=space), adaptive=False)
    budget = float(np.quantile(dataset.target, 0.6))
    found = search_and_verify(
        lambda widths: widths[0],
        dataset=dataset,
        latency_model=model,
        max_latency=budget,
        confidence=0.9,
        n_rounds=1,
        n_trials=20,
        n_finalists=5,
        protocol="quick",
        store=tmp_path / "readings.sqlite",
        random_state=0,
    )
    report = found.verification.report
    assert len(report) == 5
    assert (report["bound"] > report["measured"]).all()
    assert (report["bound"][report["keeps_budget"]] <= budget).all()
    assert np.allclose(report["measured"], report["predicted"], rtol=0.5)
    assert (tmp_path / "readings.sqlite").exists()
