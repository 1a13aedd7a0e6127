"""Results of a search that are made by hand: finalists, front, best."""

import math

import numpy as np
import pandas as pd
import pytest

from fcnn_latency.nas._result import front_of
from helpers.searches import result_of

QUALITIES = {
    (5, 5): 3.0,
    (1, 1): 1.0,
    (1, 4, 1): 2.75,  # as fast as the next
    (3, 3): 3.0,
    (6, 1, 6): math.nan,
    (2, 2): 2.0,
    (6, 6): 0.0,
    (4, 4): 2.5,
}


def searched(direction):
    sign = 1 if direction == "maximize" else -1
    return result_of({widths: sign * value for widths, value in QUALITIES.items()}, direction)


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
@pytest.mark.parametrize(
    ("n", "finalists"),
    [
        (1, [(3, 3)]),
        (2, [(3, 3), (2, 2)]),
        (3, [(3, 3), (2, 2), (1, 1)]),
        (4, [(3, 3), (5, 5), (2, 2), (1, 1)]),
        (5, [(3, 3), (5, 5), (1, 4, 1), (2, 2), (1, 1)]),
        (99, [(3, 3), (5, 5), (1, 4, 1), (4, 4), (2, 2), (1, 1), (6, 6)]),
    ],
)
def test_finalists_are_the_best_of_the_front_then_the_best_of_the_others(direction, n, finalists):
    assert searched(direction).finalists(n)["widths"].tolist() == finalists


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
def test_front_rises_with_latency_and_ends_in_the_best(direction):
    found = searched(direction)
    assert found.front["widths"].tolist() == [(1, 1), (2, 2), (3, 3)]
    assert found.best["widths"] == (3, 3)
    assert found.failed["widths"].tolist() == [(6, 1, 6)]


def test_front_leaves_out_what_has_no_quality_or_no_latency():
    frame = pd.DataFrame({"quality": [1, 9, np.nan, 3], "measured": [1e-6, np.nan, 5e-7, 2e-6]})
    assert front_of(frame, "maximize", "measured").index.tolist() == [0, 3]
    assert front_of(frame, "minimize", "measured").index.tolist() == [0]


def test_ten_finalists_are_the_default():
    found = result_of(
        {(width, other, width): width for width in (1, 2, 3) for other in range(1, 6)}
    )
    assert len(found.finalists()) == 10


def test_text_counts_qualities_and_names_failures():
    lines = str(searched("minimize")).splitlines()
    assert lines[0] == "8 architectures evaluated, 7 with a quality (minimize)."
    assert lines[1] == "Front of quality and predicted latency, 3 architectures:"
    assert [line.split()[:2] for line in lines[3:6]] == [
        ["3,3", "-3"],
        ["2,2", "-2"],
        ["1,1", "-1"],
    ]
    assert lines[6:] == ["Failed, 1 (see .failed):", "  (6, 1, 6): no quality"]


@pytest.mark.parametrize(("n", "shown", "rest"), [(12, 12, None), (13, 12, 1), (15, 12, 3)])
def test_text_shows_the_twelve_best_of_a_longer_front(n, shown, rest):
    lines = str(result_of({(1, other, 1): other for other in range(1, n + 1)})).splitlines()
    assert lines[1] == f"Front of quality and predicted latency, {n} architectures:"
    assert [line.split()[0] for line in lines[3 : 3 + shown]] == [
        f"1,{other},1" for other in range(n, n - shown, -1)
    ]
    end = [] if rest is None else [f"... and {rest} faster ones (see .front)"]
    assert lines[3 + shown :] == end
