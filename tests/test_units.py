"""Latencies as people write and read them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcnn_latency._units import format_seconds, parse_seconds


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ("2us", 2e-6),
        ("0.5 ms", 5e-4),
        (" 700ns ", 7e-7),
        ("1.5 µs", 1.5e-6),
        ("1.5 \N{GREEK SMALL LETTER MU}s", 1.5e-6),
        ("3 s", 3.0),
        (".5e1s", 5.0),
        (2e-6, 2e-6),
        (np.float32(0.5), 0.5),
        (1, 1.0),
        (0, 0.0),
    ],
)
def test_seconds_are_read(given, seconds):
    assert parse_seconds(given) == seconds


WRONG = ["2", "", "us", "2 parsecs", "-2us", "2 US", "2,5us", "1.2.3us", "1 2us", "nan s", "inf s"]


@pytest.mark.parametrize("given", [*WRONG, -1e-6, np.nan, np.inf, True, None, [2e-6], b"2us"])
def test_what_is_no_latency_is_refused_with_what_would_be_right(given):
    with pytest.raises(ValueError, match=r"max_latency must be .* '2us' or '0.5 ms'. Got") as error:
        parse_seconds(given, "max_latency")
    assert repr(given) in str(error.value)


@given(st.floats(1e-9, 1e3))
def test_what_is_printed_is_read_back(seconds):
    assert parse_seconds(format_seconds(seconds, 12)) == pytest.approx(seconds, rel=1e-11)
