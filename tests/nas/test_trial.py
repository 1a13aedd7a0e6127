"""Trials, and their parameters in a study."""

import math
from types import SimpleNamespace

import pytest

from fcnn_latency import FCNNSpace
from fcnn_latency.nas._trial import (
    Trial,
    parameter_ranges,
    parameters_of,
    trial_frame,
    trials_of,
    widths_of,
)

TIED = FCNNSpace(max_layers=4, max_width=9, min_layers=3, min_width=2)
UNTIED = FCNNSpace(max_layers=3, max_width=9, min_width=2, tie_io=False)
COMPLETE = Trial((2, 5, 2), 0.75, 1e-6, 2e-6, duration=3.0)
FAILED = Trial((2, 5, 2), math.nan, 1e-6, 2e-6, "failed", "ValueError: no")


def test_parameters_range_over_depths_and_the_widths_that_are_free():
    widths = dict.fromkeys(["width_1", "width_2", "width_3"], (2, 9))
    assert parameter_ranges(TIED) == {"layers": (3, 4), **widths}
    assert parameter_ranges(UNTIED) == {"layers": (2, 3), **widths}


@pytest.mark.parametrize(
    ("space", "widths", "parameters"),
    [
        (TIED, (7, 5, 7), {"layers": 3, "width_1": 7, "width_2": 5, "width_3": 2}),
        (TIED, (7, 5, 3, 7), {"layers": 4, "width_1": 7, "width_2": 5, "width_3": 3}),
        (UNTIED, (7, 5), {"layers": 2, "width_1": 7, "width_2": 5, "width_3": 2}),
        (UNTIED, (7, 5, 3), {"layers": 3, "width_1": 7, "width_2": 5, "width_3": 3}),
    ],
)
def test_parameters_name_depth_and_free_widths(space, widths, parameters):
    assert parameters_of(widths, space) == parameters
    assert widths_of(parameters, space) == widths


@pytest.mark.parametrize("trial", [COMPLETE, FAILED])
def test_a_study_keeps_all_of_a_trial(trial):
    stored = SimpleNamespace(
        params=parameters_of(trial.widths, TIED), user_attrs=trial.attributes()
    )
    assert str(Trial.from_study(stored, TIED)) == str(trial)  # NaN equals NaN in words
    assert str(trials_of(trial_frame([trial]))) == str([trial])


def test_a_study_keeps_that_there_is_no_interval():
    trial = Trial((2, 5, 2), 0.75, 1e-6, math.nan)
    assert trial.attributes()["latencies"] == [1e-6, None]
    stored = SimpleNamespace(
        params=parameters_of(trial.widths, TIED), user_attrs=trial.attributes()
    )
    assert math.isnan(Trial.from_study(stored, TIED).upper)


def test_values_are_quality_then_predicted_latency():
    assert COMPLETE.values(1) == [0.75]
    assert COMPLETE.values(2) == [0.75, 1e-6]
    assert FAILED.values(2) is None
