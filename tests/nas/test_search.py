"""Search within a latency budget, on made-up laws of latency and quality."""

import signal
import subprocess
import sys

import numpy as np
import optuna
import pandas as pd
import pytest
from sklearn.base import BaseEstimator

from fcnn_latency import (
    FCNNSpace,
    IntervalRegressor,
    LatencyMap,
    SearchError,
    make_latency_pipeline,
    verify,
)
from fcnn_latency.nas._candidates import Candidates
from fcnn_latency.nas._result import front_of
from fcnn_latency.nas._trial import parameters_of, widths_of
from helpers import TESTS
from helpers.searches import SMALL, SumOfWidths, SumWithIntervals, find


def test_only_architectures_within_the_budget_are_evaluated():
    evaluated = []

    def objective(widths):
        evaluated.append(widths)
        return sum(widths)

    found = find(objective, max_latency="8us")
    assert len(evaluated) == 15
    assert max(map(sum, evaluated)) <= 8
    assert list(found.trials["widths"]) == evaluated
    assert sum(found.best["widths"]) == 8


def test_budget_is_held_on_the_upper_end():
    found = find(latency_model=SumWithIntervals(), max_latency=8e-6, confidence=0.95)
    assert max(map(sum, found.trials["widths"])) == 7
    assert (found.trials["upper"] <= 8e-6).all()


def test_confidence_takes_a_model_with_intervals():
    with pytest.raises(ValueError, match="needs a latency_model with intervals: IntervalRegressor"):
        find(max_latency=8e-6, confidence=0.95)


def test_interval_regressor_holds_the_budget():
    X = FCNNSpace().sample(60, random_state=0)
    noise = 1 + 0.05 * np.random.RandomState(0).randn(60)
    model = IntervalRegressor(make_latency_pipeline("flops"), adaptive=False)
    model.fit(X, (1e-6 + 1e-8 * X.sum(axis=1)) * noise)
    found = find(latency_model=model, max_latency="3us", confidence=0.95, space=None, n_trials=3)
    assert (found.trials["upper"] <= 3e-6).all()


@pytest.mark.parametrize("space", [SMALL, FCNNSpace(max_layers=12, max_width=100, min_width=3)])
def test_impossible_budget_states_the_least_latency_before_any_trial(space, monkeypatch):
    monkeypatch.setattr("fcnn_latency.nas._candidates.DRAWN_INSTEAD", 20_000)
    least = {SMALL: "is 2 µs, of \\(1, 1\\)"}.get(space, r"20,000 drawn .* of \(3, 3\)")
    with pytest.raises(ValueError, match=least):
        find(lambda widths: pytest.fail("evaluated"), max_latency="1.5us", space=space)


@pytest.mark.parametrize("budget", ["2", "2 kg", -1e-6, float("nan"), True])
def test_budget_has_a_unit_and_is_no_nonsense(budget):
    with pytest.raises(ValueError, match="latency"):
        find(max_latency=budget)


def test_no_architecture_is_evaluated_twice_and_the_search_ends_when_none_is_left():
    found = find(max_latency="6us", n_trials=100)
    within = [w for w in np.concatenate(list(SMALL.chunks())) if w.sum() <= 6]
    assert found.exhausted
    assert len(found.trials) == len(within) == found.trials["widths"].nunique()


def test_failed_objective_is_named_and_the_search_goes_on():
    def objective(widths):
        if len(widths) == 2:
            raise ZeroDivisionError("two layers")
        return float("nan") if widths[1] == 1 else sum(widths)

    found = find(objective, n_trials=40)
    assert len(found.trials) == 40
    errors = dict(zip(found.failed["widths"], found.failed["error"], strict=True))
    assert {"ZeroDivisionError: two layers"} == {e for w, e in errors.items() if len(w) == 2}
    assert any("finite number. Got nan" in error for error in errors.values())
    assert found.failed["quality"].isna().all()
    assert str(found.failed.iloc[0]["widths"]) in str(found)


@pytest.mark.parametrize(
    "value", [None, "0.9", True, np.True_, float("inf"), [0.9], np.array([0.9])]
)
def test_what_is_no_finite_number_is_a_failed_trial(value):
    with pytest.raises(SearchError, match=r"All 2 trials failed, the first, \(.*finite number"):
        find(lambda widths: value, n_trials=2)


@pytest.mark.parametrize("value", [1, np.float32(1), np.array(1.0)])
def test_numbers_of_any_kind_are_qualities(value):
    assert find(lambda widths: value, n_trials=1).best["quality"] == 1.0


@pytest.mark.parametrize("changes", [{}, {"max_latency": "8us"}, {"sampler": "nsga2"}])
def test_same_seed_gives_the_same_architectures(changes):
    one, other = find(**changes), find(**changes)
    assert list(one.trials["widths"]) == list(other.trials["widths"])
    assert list(one.trials["widths"]) != list(find(**changes, random_state=1).trials["widths"])


@pytest.mark.parametrize("name", ["trials.sqlite", "trials.journal"])
def test_resumed_search_is_that_which_was_not_stopped(tmp_path, name):
    evaluated = []
    whole = find(n_trials=20)
    find(n_trials=12, storage=tmp_path / name)

    def objective(widths):
        evaluated.append(widths)
        return sum(widths)

    resumed = find(objective, n_trials=20, storage=tmp_path / name)
    assert len(evaluated) == 8
    columns = ["widths", "quality", "predicted", "state"]
    pd.testing.assert_frame_equal(whole.trials[columns], resumed.trials[columns])


KILLED = """
import os, signal, sys
sys.path.insert(0, {tests!r})
from helpers.searches import find

def objective(widths, calls=[]):
    calls.append(widths)
    if len(calls) == 4:
        os.kill(os.getpid(), signal.SIGKILL)
    return sum(widths)

find(objective, n_trials=9, storage={storage!r})
"""


def test_killed_search_loses_no_trial(tmp_path):
    storage = tmp_path / "trials.sqlite"
    script = KILLED.format(tests=TESTS, storage=str(storage))
    run = subprocess.run([sys.executable, "-c", script], check=False)
    assert run.returncode == -signal.SIGKILL
    evaluated = []

    def objective(widths):
        evaluated.append(widths)
        return sum(widths)

    found = find(objective, n_trials=9, storage=storage)
    assert len(found.trials) == 9 == found.trials["widths"].nunique()
    assert list(found.trials["widths"])[:3] == list(find(n_trials=3).trials["widths"])
    assert len(evaluated) == 6
    assert not found.study.get_trials(states=[optuna.trial.TrialState.RUNNING])


def test_two_searches_at_a_time_share_the_work(tmp_path):
    inner = {}

    def outer(widths):
        inner[widths] = find(n_trials=3, storage=tmp_path / "trials.journal")
        return sum(widths)

    found = find(outer, n_trials=1, storage=tmp_path / "trials.journal")
    ((widths, other),) = inner.items()
    assert widths not in set(other.trials["widths"])
    assert {*other.trials["widths"], widths} == set(found.trials["widths"])


def test_study_of_other_settings_is_refused(tmp_path):
    path = tmp_path / "trials.sqlite"
    find(max_latency="8us", storage=path)
    with pytest.raises(ValueError, match=r"max_latency: 8e-06 and 9e-06.*another study_name"):
        find(max_latency="9us", storage=path)
    with pytest.raises(ValueError, match="latency_model"):
        find(max_latency="8us", storage=path, latency_model=SlowerSum())
    assert len(find(max_latency="9us", storage=path, study_name="nine").trials) == 15


class SlowerSum(SumOfWidths):
    """Another law."""

    def predict(self, X):
        return 1.01 * super().predict(X)


def test_storage_of_unknown_kind_is_refused(tmp_path):
    for storage in (tmp_path / "trials.xlsx", 3):
        with pytest.raises(ValueError, match="file ending in one of"):
            find(storage=storage)


@pytest.mark.parametrize("name", ["trials.sqlite", "trials.journal"])
def test_home_in_a_storage_is_the_users(tmp_path, monkeypatch, name):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    find(n_trials=2, storage=f"~/searches/{name}")
    assert (tmp_path / "searches" / name).exists()
    assert not (tmp_path / "~").exists()


def test_storage_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "trials.sqlite").mkdir()
    with pytest.raises(PermissionError, match=r"trials\.sqlite cannot be written"):
        find(storage=tmp_path / "trials.sqlite")


@pytest.mark.parametrize("n", [0, -1, 1.5, True, "3"])
def test_finalists_are_counted(n):
    found = find()
    with pytest.raises(ValueError, match="must be a whole number of at least 1"):
        found.finalists(n)
    with pytest.raises(ValueError, match="n_finalists must be a whole number of at least 1"):
        verify(found, runtime="litert", n_finalists=n)


@pytest.mark.parametrize(("direction", "sign"), [("maximize", 1), ("minimize", -1)])
def test_finalists_are_the_front_then_the_best_then_the_fastest(direction, sign):
    found = find(lambda widths: sign * min(len(widths), 3), direction=direction)
    quality, predicted = sign * found.trials["quality"], found.trials["predicted"]
    front = set(found.front["widths"])
    chosen = found.finalists(5)
    expected = sorted(
        zip(found.trials["widths"], quality, predicted, strict=True),
        key=lambda row: (row[0] not in front, -row[1], row[2]),
    )
    assert set(chosen["widths"]) == {row[0] for row in expected[:5]}
    order = list(zip(-sign * chosen["quality"], chosen["predicted"], strict=True))
    assert order == sorted(order)


def test_interrupted_search_returns_what_is_there():
    left = iter(range(5))

    def objective(widths):
        if next(left, None) is None:
            raise KeyboardInterrupt
        return sum(widths)

    found = find(objective)
    assert found.interrupted
    assert len(found.trials) == 5


def test_front_is_what_none_beats():
    frame = pd.DataFrame({"quality": [1, 3, 2, 3, np.nan], "predicted": [1.0, 3, 2, 4, 0]})
    assert list(front_of(frame, "maximize").index) == [0, 2, 1]
    assert list(front_of(frame, "minimize").index) == [0]


def test_search_without_budget_finds_most_of_the_front():
    """Both aims: of a space that is small enough to know, from a tenth of its architectures."""
    space = FCNNSpace(max_layers=3, max_width=25)

    def quality(widths):
        return float(np.sum(np.sqrt(widths)) - 0.2 * abs(widths[0] - widths[1]))

    everything = [tuple(int(w) for w in row if w) for row in np.concatenate(list(space.chunks()))]
    truth = pd.DataFrame({"quality": map(quality, everything)})
    truth["predicted"] = [1e-6 * sum(widths) for widths in everything]
    found = find(quality, space=space, n_trials=65)
    assert hypervolume(found.front, truth) >= 0.95 * hypervolume(truth, truth)


def hypervolume(frame, truth):
    """Area that a front dominates, from the worst corner of all architectures."""
    front = front_of(frame, "maximize")
    ends = np.append(front["predicted"], truth["predicted"].max())
    return float(((front["quality"] - truth["quality"].min()) * np.diff(ends)).sum())


@pytest.mark.parametrize("space", [SMALL, FCNNSpace(max_layers=4, min_layers=4, tie_io=False)])
def test_parameters_tell_the_architecture(space):
    for row in space.sample(20, random_state=0):
        widths = tuple(int(w) for w in row if w)
        assert widths_of(parameters_of(widths, space), space) == widths


def test_model_that_predicts_no_latency_is_named():
    class Nonsense:
        def predict(self, X):
            return np.full(len(X), -1.0)

    with pytest.raises(ValueError, match=r"predicts -1.0 s for \("):
        Candidates(SMALL, Nonsense())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"objective": "quality"}, "objective must be a function"),
        ({"n_trials": 0}, "n_trials must be"),
        ({"direction": "up"}, "direction must be one of"),
        ({"sampler": "cobra"}, "Unknown sampler 'cobra'"),
        ({"space": 5}, "space must be an FCNNSpace"),
        ({"latency_model": 5}, "latency_model must be a fitted estimator"),
        ({"study_name": ""}, "study_name must be"),
    ],
)
def test_wrong_parameter_is_named(changes, message):
    with pytest.raises(ValueError, match=message):
        find(**changes)


def test_without_optuna_the_error_says_what_to_install(monkeypatch):
    monkeypatch.delitem(sys.modules, "fcnn_latency.nas._optuna", raising=False)
    monkeypatch.setitem(sys.modules, "optuna", None)
    monkeypatch.delattr("fcnn_latency.nas._optuna", raising=False)
    with pytest.raises(ImportError, match=r"fcnn-latency\[search\]"):
        find()


@pytest.mark.parametrize("settings", [{"max_latency": "8us"}, {}])
def test_a_map_searches_as_the_model_that_it_was_made_from(settings):
    # Latencies that a float32 holds exactly, since a map keeps no more.
    class Exact:
        def predict(self, X):
            return np.asarray(X).sum(axis=1) * 2.0**-20

    latency_map = LatencyMap(SMALL, Exact().predict(SMALL.unrank(range(SMALL.size))))
    from_map = find(space=None, latency_model=latency_map, **settings)
    from_model = find(latency_model=Exact(), **settings)
    pd.testing.assert_frame_equal(
        from_map.trials.drop(columns="duration"), from_model.trials.drop(columns="duration")
    )


def test_a_map_of_another_space_is_refused():
    latency_map = LatencyMap(SMALL, np.full(SMALL.size, 1e-6))
    with pytest.raises(ValueError, match=r"The LatencyMap holds FCNNSpace\(max_layers=3"):
        find(space=FCNNSpace(max_layers=3, max_width=5), latency_model=latency_map)


def test_results_have_a_short_repr():
    found = find(max_latency="8us")
    assert repr(found) == f"<SearchResult of 15 trials, {len(found.front)} on the front>"
    assert found != find(max_latency="8us")
    html = found._repr_html_()
    assert "&lt;SearchResult of 15 trials" in html
    assert str(found.best["widths"]) in html
    assert repr(LatencyMap(FCNNSpace(max_layers=2, max_width=2), [1e-6, 2e-6])) == (
        "<LatencyMap of 2 architectures of 1 µs to 2 µs, half of them up to 1 µs>"
    )


class Fixed(BaseEstimator):
    """A law that needs no fit, and keeps nothing of one."""

    def fit(self, X, y):
        return self

    def predict(self, X):
        return 1e-6 * np.asarray(X).sum(axis=1)


class NoEstimator:
    """As `Fixed`, and none of scikit-learn's."""

    fit, predict = Fixed.fit, Fixed.predict


@pytest.mark.parametrize("model", [Fixed(), NoEstimator()], ids=["estimator", "object"])
@pytest.mark.parametrize("budget", [None, 1e39])
def test_a_space_is_exhausted_whatever_predicts(model, budget):
    space = FCNNSpace(max_layers=3, max_width=4)
    found = find(space=space, latency_model=model, max_latency=budget, n_trials=99)
    assert found.exhausted
    assert len(found.trials) == space.size == 20
