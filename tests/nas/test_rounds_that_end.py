"""Rounds of search and measuring that cannot go on: what was measured is returned."""

import pytest
from sklearn.utils import Bunch

from fcnn_latency import (
    FCNNSpace,
    MeasurementError,
    SearchError,
    StoreError,
    search_and_verify,
)
from helpers.measurements import law
from helpers.searches import Improving, UnteachableSum

LABELS = FCNNSpace().sample(60, random_state=0)
#: Their sums of widths, 15, 16 and 17, are within the budget. The law adds 20 %.
SPACE = FCNNSpace(max_layers=3, max_width=6, min_layers=3, min_width=5)
WITHIN = [(5, 5, 5), (5, 6, 5), (6, 5, 6)]


def rounds(objective, n_trials):
    dataset = Bunch(
        data=LABELS, target=law(LABELS), space=FCNNSpace(), runtime="litert", signal_length=50
    )
    return search_and_verify(
        objective,
        dataset=dataset,
        latency_model=UnteachableSum(),
        space=SPACE,
        max_latency="17.5us",
        n_trials=n_trials,
        n_finalists=6,
        random_state=0,
    )


class Ending(Improving):
    """Raises an error from a call on."""

    def __init__(self, error, calls):
        super().__init__()
        self.error, self.calls = error, calls

    def __call__(self, widths):
        if len(self.evaluated) >= self.calls:
            raise self.error
        return super().__call__(widths)


def test_nothing_is_left_where_all_within_the_budget_measured_over_it(measurements):
    with pytest.warns(UserWarning, match="ended after round 1: .*is left to evaluate"):
        found = rounds(Improving(), 5)
    assert sorted(found.verification.report["widths"]) == WITHIN
    assert found.rounds["measured"].tolist() == [3]
    with pytest.raises(SearchError, match="nearest"):
        _ = found.best


@pytest.mark.parametrize(
    ("error", "why"),
    [(KeyboardInterrupt(), "interrupted"), (ValueError("no more data"), "no more data")],
)
def test_objective_that_ends_in_a_later_round_loses_no_measurement(measurements, error, why):
    with pytest.warns(UserWarning, match=f"ended after round 1: .*{why}"):
        found = rounds(Ending(error, 2), 2)
    assert len(found.verification.report) == 2
    assert set(found.verification.report["widths"]) < set(WITHIN)


@pytest.mark.parametrize(
    ("error", "raised"), [(KeyboardInterrupt(), KeyboardInterrupt), (ValueError(), SearchError)]
)
def test_objective_that_ends_before_a_measurement_is_an_error(measurements, error, raised):
    with pytest.raises(raised):
        rounds(Ending(error, 0), 2)
    assert measurements.asked == []


@pytest.mark.parametrize(
    "error", [MeasurementError("no network ran"), StoreError("disk full"), KeyboardInterrupt()]
)
def test_measuring_that_fails_in_a_later_round_loses_no_measurement(
    measurements, monkeypatch, error
):
    def failing(*arguments, **settings):
        if measurements.calls:
            raise error
        return measurements(*arguments, **settings)

    monkeypatch.setattr("fcnn_latency.nas._verification.make_dataset", failing)
    with pytest.warns(UserWarning, match=f"ended after round 1: {error or 'interrupted'}"):
        found = rounds(Improving(), 2)
    assert len(found.verification.report) == 2
    assert found.rounds["measured"].tolist() == [2]
    assert len(found.result.trials) == 1  # evaluated in the second round, not measured
