"""Finalists measured, and rounds of search and measuring."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.utils import Bunch

from fcnn_latency import (
    FCNNSpace,
    FrontDisplay,
    IntervalRegressor,
    MeasurementError,
    SearchError,
    make_dataset,
    make_latency_pipeline,
    search_and_verify,
    verify,
)
from fcnn_latency.nas import _verification as verification
from helpers.searches import SMALL, SumOfWidths, find

LABELS = FCNNSpace().sample(60, random_state=0)


def law(widths):
    """A made-up latency in seconds: the deeper, the more it exceeds what costs tell."""
    widths = np.asarray(widths)
    return 1e-6 * widths.sum(axis=1) * (1 + 0.2 * (np.count_nonzero(widths, axis=1) > 2))


@pytest.fixture
def measured_by_law(monkeypatch):
    """Measurements that follow the law, with a standard error of 1 %; what was asked for."""
    asked = []

    def made_up(rows, *, space, **settings):
        asked.append([tuple(int(w) for w in row if w) for row in rows])
        target = law(rows)
        frame = pd.DataFrame({f"pass_{i}": target for i in range(1, 11)})
        names = [f"layer_{i + 1}" for i in range(rows.shape[1])]
        missing = pd.DataFrame(columns=[*names, "reason"])
        return Bunch(
            data=rows,
            target=target,
            target_std=0.01 * target,
            frame=frame,
            missing=missing,
            feature_names=names,
        )

    monkeypatch.setattr("fcnn_latency.nas._verification.make_dataset", made_up)
    return asked


def test_what_breaks_the_budget_when_measured_is_not_returned(measured_by_law):
    found = find(max_latency="8us", n_trials=40)
    assert len(found.best["widths"]) == 3  # predicted within, measured 20 % above
    checked = verify(found, runtime="litert", n_finalists=12)
    broken = checked.report[~checked.report["keeps_budget"]]
    assert not broken.empty
    assert (law_of(checked.kept) <= 8e-6).all()
    assert set(broken["widths"]).isdisjoint(checked.front["widths"])
    assert checked.best["widths"] in set(checked.kept["widths"])
    assert checked.report["keeps_budget"].is_monotonic_decreasing
    assert "OVER BUDGET" in str(checked)


def law_of(report):
    return np.array([law([widths])[0] for widths in report["widths"]])


def test_uncertainty_of_the_measurement_counts(measured_by_law):
    """8 µs with an error of 1 % is no proof of at most 8.1 µs, but one of at most 8.2 µs."""
    assert verify([[4, 4]], runtime="litert", max_latency="8.1us").kept.empty
    assert len(verify([[4, 4]], runtime="litert", max_latency="8.2us").kept) == 1
    tolerant = verify([[4, 4]], runtime="litert", max_latency="8.1us", confidence=0.8)
    assert len(tolerant.kept) == 1


def test_uncertain_level_of_the_passes_counts():
    passes = np.outer([1e-6, 2e-6, 3e-6], [0.96, 1.0, 1.04])  # all slower in the third
    assert verification._level_error(passes) == pytest.approx(0.04 / np.sqrt(3), rel=0.01)
    assert verification._level_error(passes[:2]) == 0.0


def test_when_none_keeps_the_budget_there_is_no_best(measured_by_law):
    checked = verify([[4, 4], [5, 5]], runtime="litert", max_latency="5us")
    with pytest.raises(SearchError, match=r"Not one of 2 .* nearest, \(4, 4\), .* 8 µs"):
        _ = checked.best
    assert checked.front.empty


def test_given_architectures_are_ranked_by_what_was_measured(measured_by_law):
    checked = verify([[3, 3, 3], [5, 5], [9, 9]], runtime="litert", latency_model=SumOfWidths())
    assert list(checked.report["widths"]) == [(5, 5), (3, 3, 3), (9, 9)]
    assert list(checked.report["predicted"]) == pytest.approx([10e-6, 9e-6, 18e-6])


def test_what_could_not_be_measured_does_not_keep_the_budget(measured_by_law, monkeypatch):
    whole = verification.make_dataset

    def lossy(rows, **settings):
        dataset = whole(rows[1:], **settings)
        lost = pd.DataFrame(rows[:1], columns=dataset.feature_names).assign(reason="out of memory")
        return Bunch(**dataset | {"missing": lost})

    monkeypatch.setattr("fcnn_latency.nas._verification.make_dataset", lossy)
    checked = verify([[2, 2], [5, 5]], runtime="litert", max_latency="50us")
    assert list(checked.kept["widths"]) == [(5, 5)]
    assert "not measured: (2, 2): out of memory" in str(checked)


def test_single_pass_tells_nothing_of_a_budget():
    dataset = Bunch(target_std=None, frame=pd.DataFrame({"pass_1": [1e-6]}))
    with pytest.raises(MeasurementError, match="single pass"):
        verification._measured(pd.Series([(2, 2)]), dataset, 0.95)


def test_model_of_another_signal_is_refused():
    model = make_latency_pipeline("flops", signal_length=100).fit(LABELS, law(LABELS))
    with pytest.raises(ValueError, match=r"signal of \[100\] values"):
        verify([[4, 4]], runtime="litert", latency_model=model)
    with pytest.raises(ValueError, match="confidence must be"):
        verify([[4, 4]], runtime="litert", confidence=95)


def rounds(**changes):
    dataset = Bunch(
        data=LABELS, target=law(LABELS), space=FCNNSpace(), runtime="litert", signal_length=50
    )
    arguments = {
        "dataset": dataset,
        "latency_model": make_latency_pipeline("linear"),
        "space": FCNNSpace(max_layers=5, max_width=9),
        "n_trials": 25,
        "n_finalists": 6,
        "random_state": 0,
    }
    return search_and_verify(sum, **arguments | changes)


def test_rounds_learn_from_measurements_and_evaluate_nothing_twice(measured_by_law):
    evaluated = []

    def objective(widths):
        evaluated.append(widths)
        return sum(widths)

    found = search_and_verify(
        objective,
        dataset=Bunch(
            data=LABELS, target=law(LABELS), space=FCNNSpace(), runtime="x", signal_length=50
        ),
        latency_model=make_latency_pipeline("mean"),
        space=SMALL,
        max_latency="200us",
        n_trials=10,
        n_rounds=3,
        n_finalists=3,
        random_state=0,
    )
    asked = [widths for part in measured_by_law for widths in part]
    assert len(evaluated) == len(set(evaluated)) == found.rounds["evaluated"].sum()
    assert len(asked) == len(set(asked)) == found.rounds["measured"].sum()
    learnt = np.concatenate([law(LABELS), law_of(found.verification.report)])
    assert found.latency_model.predict([[4, 4, 0, 0, 0]]) == pytest.approx(learnt.mean())
    assert len(str(found).splitlines()) > 5


def test_rounds_end_when_the_front_is_stable(measured_by_law):
    found = rounds(max_latency="30us", n_rounds=8)
    assert found.stable
    assert len(found.rounds) < 8
    assert law([found.best["widths"]])[0] <= 30e-6


def test_broken_architecture_is_not_proposed_again(measured_by_law):
    found = rounds(latency_model=ConstantModel(), max_latency="20us", n_rounds=3, front=False)
    report = found.verification.report
    broken = set(report.loc[~report["keeps_budget"], "widths"])
    *earlier, _ = measured_by_law
    broken_earlier = broken & {widths for part in earlier for widths in part}
    assert len(broken_earlier) > 6
    assert broken_earlier.isdisjoint(found.result.trials["widths"])


class ConstantModel(SumOfWidths):
    """Always within the budget, and learns nothing."""

    def fit(self, X, y):
        return self

    def get_params(self, deep=True):
        return {}

    def predict(self, X):
        return np.full(len(X), 1e-6)


def test_front_is_drawn_with_budget_and_measurements(measured_by_law):
    pytest.importorskip("matplotlib").use("agg")
    found = find(max_latency="8us", n_trials=30)
    checked = verify(found, runtime="litert")
    display = FrontDisplay.from_result(found, checked)
    labels = display.ax_.get_legend_handles_labels()[1]
    assert labels == [
        "evaluated",
        "front, predicted",
        "measured",
        "measured, over budget",
        "budget, 8 µs",
    ]
    front = display.ax_.get_lines()[1]
    assert list(front.get_xdata()) == pytest.approx(list(found.front["predicted"]))
    without = FrontDisplay.from_result(replace(found, max_latency=None)).ax_
    assert "µs" in "".join(label.get_text() for label in without.xaxis.get_ticklabels())


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


def test_another_signal_length_than_the_datasets_is_no_parameter():
    dataset = Bunch(
        data=SMALL.sample(20, random_state=0),
        target=np.linspace(1e-6, 2e-6, 20),
        space=SMALL,
        signal_length=50,
        runtime="litert",
    )
    with pytest.raises(TypeError, match="signal_length"):
        search_and_verify(
            sum,
            dataset=dataset,
            latency_model=make_latency_pipeline("linear", space=SMALL),
            n_trials=3,
            signal_length=100,
        )


class Refusing:
    """A model that cannot predict."""

    def predict(self, X):
        raise ValueError("not today")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"latency_model": Refusing()}, ValueError),
        ({"protocol": "paper"}, MeasurementError),
        ({"protocol": "nonsense"}, ValueError),
        ({"space": 3}, ValueError),
    ],
)
def test_what_cannot_be_verified_is_refused_before_it_is_measured(monkeypatch, changes, error):
    def measured(*arguments, **settings):
        pytest.fail("measured first")

    monkeypatch.setattr("fcnn_latency.nas._verification.make_dataset", measured)
    with pytest.raises(error):
        verify([[4, 4]], **{"runtime": "litert", **changes})
