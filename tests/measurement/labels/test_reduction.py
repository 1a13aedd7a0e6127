"""From readings to the latency of each architecture in each pass, by hand."""

import numpy as np
import pandas as pd
import pytest

from fcnn_latency import MeasurementProtocol
from fcnn_latency.measurement.labels._reduction import (
    process_references,
    reduce_passes,
    reference_drift,
    relative_readings,
    round_errors,
)
from fcnn_latency.measurement.process._readings import REFERENCE


def protocol(**fields):
    return MeasurementProtocol("by hand", **{"reference_window": 0, **fields})


def readings(architecture, seconds, *, pass_number=0, group=0, process=1):
    """Readings of one architecture, or of the reference, in one group: one in each round."""
    rows = range(len(seconds))
    columns = {"architecture": architecture, "pass": pass_number, "group": group}
    return pd.DataFrame({**columns, "round": rows, "process": process, "seconds": seconds})


def together(*parts):
    return pd.concat(parts, ignore_index=True)


def groups(process, *references, first=0):
    """Groups of a process, each with some readings of the reference."""
    numbered = enumerate(references, first)
    return together(*(readings(REFERENCE, read, group=g, process=process) for g, read in numbered))


FIVE_GROUPS = groups(1, [5.0], [1.0], [3.0], [2.0], [4.0])


def test_reference_of_a_process_is_the_lower_quartile_of_its_groups():
    assert process_references(FIVE_GROUPS, protocol()).to_dict() == {1: 2.0}


def test_each_process_has_its_own_reference():
    # The processes share group 0; the fast model counts in neither.
    both = together(FIVE_GROUPS, groups(2, [30.0], [10.0]), readings(0, [0.001, 0.001]))
    assert process_references(both, protocol()).to_dict() == {1: 2.0, 2: 15.0}


@pytest.mark.parametrize(("quantile", "expected"), [(0.0, 1.0), (0.1, 1.4), (0.5, 3.0), (1.0, 9.0)])
def test_reference_of_a_group_is_the_quantile_of_the_protocol(quantile, expected):
    group = groups(1, [9.0, 1.0, 3.0, 5.0, 2.0])
    found = process_references(group, protocol(reference_quantile=quantile))
    assert found[1] == pytest.approx(expected)


def test_no_reference_is_read_without_one():
    assert not len(process_references(readings(0, [1.0, 2.0]), protocol(reference_every=0)))


def test_drift_is_the_largest_that_a_process_shows():
    drifts = together(groups(1, [1.1], [1.0], [1.2]), groups(2, [2.0], [2.1], first=3))
    assert reference_drift(drifts, protocol()) == pytest.approx(0.2)
    swapped = together(groups(1, [2.0], [2.1]), groups(2, [1.1], [1.0], [1.2], first=2))
    assert reference_drift(swapped, protocol()) == pytest.approx(0.2)


def test_drift_of_a_group_is_that_of_its_quantile():
    bursts = groups(1, [1.0, 1.0, 1.0, 8.0, 9.0], [1.1, 1.1, 1.1, 5.0, 9.0])
    drift = reference_drift(bursts, protocol(reference_quantile=0.25))
    assert drift == pytest.approx(0.1)


def test_drift_takes_two_groups_of_one_process():
    one_each = together(groups(1, [1.0]), groups(2, [1.5], first=1))
    assert reference_drift(one_each, protocol()) is None
    second = together(one_each, groups(2, [1.8], first=2))
    assert reference_drift(second, protocol()) == pytest.approx(0.2)
    assert reference_drift(readings(0, [1.0]), protocol(reference_every=0)) is None


REFERENCES = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0]


def between_references():
    """A model, then each reference followed by a model."""
    architectures = [0] + [REFERENCE, 0] * len(REFERENCES)
    seconds = [240.0] + [value for reference in REFERENCES for value in (reference, 240.0)]
    part = readings(0, seconds)
    return part.assign(architecture=architectures)


@pytest.mark.parametrize(
    ("window", "units"),
    [
        (0, [6, 6, 6, 6, 6, 6, 6]),
        (1, [1, 1, 2, 4, 8, 16, 32]),
        (2, [1.5, 1.5, 3, 6, 12, 24, 24]),
        (3, [2, 2, 2, 4, 8, 16, 16]),
        (4, [3, 3, 3, 6, 12, 12, 12]),
        (5, [4, 4, 4, 4, 8, 8, 8]),
        (6, [6, 6, 6, 6, 6, 6, 6]),
        (7, [6, 6, 6, 6, 6, 6, 6]),
    ],
)
def test_window_has_as_many_references_before_a_reading_as_after(window, units):
    how = protocol(reference_window=window, reference_quantile=0.5)
    relative = relative_readings(between_references(), how)["relative"]
    assert (240 / relative).tolist() == pytest.approx(units)


@pytest.mark.parametrize(("quantile", "unit"), [(0.0, 2.0), (0.25, 3.5), (1.0, 16.0)])
def test_window_has_the_quantile_of_the_protocol(quantile, unit):
    how = protocol(reference_window=4, reference_quantile=quantile)
    # The fourth model has two references on either side: 2 and 4, 8 and 16.
    fourth = relative_readings(between_references(), how)["relative"].iloc[3]
    assert 240 / fourth == pytest.approx(unit)


@pytest.mark.parametrize("window", [0, 2])
@pytest.mark.parametrize("column", ["group", "process"])
def test_references_of_another_group_or_process_do_not_count(column, window):
    one = together(readings(REFERENCE, [2.0, 2.0, 2.0]), readings(0, [6.0]))
    other = one.assign(**{column: 5, "seconds": [10.0, 10.0, 10.0, 10.0]})
    interleaved = pd.concat([one, other]).sort_index(kind="stable").reset_index(drop=True)
    found = relative_readings(interleaved, protocol(reference_window=window))
    assert found["relative"].tolist() == [3.0, 1.0]


@pytest.mark.parametrize(("every", "corrected"), [(10, False), (0, True), (0, False)])
def test_uncorrected_readings_are_the_seconds_that_were_read(every, corrected):
    read = together(readings(REFERENCE, [2.0, 2.0]), readings(3, [6.0, 7.0]))
    found = relative_readings(read, protocol(reference_every=every), corrected=corrected)
    assert found["relative"].tolist() == [6.0, 7.0]
    assert found["architecture"].tolist() == [3, 3]


ROUNDS = [4.0, 1.0, 9.0, 2.0, 3.0, 8.0]


@pytest.mark.parametrize(
    ("statistic", "expected"), [("min", 1.0), ("low-mean", 1.5), ("median", 3.5), ("mean", 4.5)]
)
def test_pass_is_the_statistic_of_its_rounds(statistic, expected):
    how = protocol(passes=1, rounds=6, round_statistic=statistic)
    read = together(readings(REFERENCE, [2.0, 2.0]), readings(0, ROUNDS))
    assert reduce_passes(read, 1, how, corrected=False).tolist() == [[expected]]
    assert reduce_passes(read, 1, how).tolist() == [[expected / 2]]


@pytest.mark.parametrize("statistic", ["min", "low-mean", "median", "mean"])
def test_pass_that_lacks_a_round_has_no_latency(statistic):
    how = protocol(passes=2, rounds=3, reference_every=0, round_statistic=statistic)
    read = together(
        readings(2, [6.0, 6.0, 6.0]),
        readings(0, [5.0, 5.0]),  # lacks the third round
        readings(0, [7.0, 7.0, 7.0], pass_number=1),
        readings(2, [8.0, 8.0], pass_number=1).assign(round=[0, 2]),
    )
    nan = np.nan
    expected = [[nan, 7.0], [nan, nan], [6.0, nan]]
    np.testing.assert_array_equal(reduce_passes(read, 3, how), expected)


def test_there_are_as_many_passes_as_asked_for_or_read():
    how = protocol(passes=2, rounds=1, reference_every=0)
    assert reduce_passes(readings(0, [5.0]), 1, how).shape == (1, 2)
    fourth = together(readings(0, [5.0]), readings(0, [6.0], pass_number=3))
    np.testing.assert_array_equal(reduce_passes(fourth, 1, how), [[5.0, np.nan, np.nan, 6.0]])
    assert reduce_passes(fourth.iloc[:0], 3, how).shape == (3, 2)


def test_error_of_a_single_pass_is_the_standard_error_of_its_rounds():
    how = protocol(passes=1, rounds=3, reference_every=0)
    read = together(readings(0, [1.0, 2.0, 3.0]), readings(1, [10.0, 10.0, 40.0]))
    # Spreads of 1 around 2, and of the square root of 300 around 20.
    expected = [1 / 2 / 3**0.5, 300**0.5 / 20 / 3**0.5]
    assert round_errors(read, 2, how) == pytest.approx(expected)


def test_error_of_rounds_is_corrected_and_of_the_first_pass():
    how = protocol(passes=2, rounds=2, reference_window=1)
    read = together(
        readings(REFERENCE, [1.0]),
        readings(0, [1.0]),
        readings(REFERENCE, [2.0]),
        readings(0, [6.0]).assign(round=1),
        readings(0, [9.0, 9.0], pass_number=1),
    )
    # In units of the reference 1 and 3: a spread of the square root of 2 around 2.
    assert round_errors(read, 1, how) == pytest.approx([0.5])
