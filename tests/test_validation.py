"""Rules at their limits and beside them."""

from math import inf, nan, nextafter

import numpy as np
import pytest

from fcnn_latency._validation import (
    BOOLEAN,
    NAME,
    SEED,
    VERBOSITY,
    are_whole,
    check,
    check_latencies,
    choice,
    number,
    or_none,
    refuse_first,
    whole,
)

NO_NUMBERS = (True, np.True_, "1", None, nan, inf, -inf, 1j, 10**400)
BELOW_1, ABOVE_0 = nextafter(1, 0), nextafter(0, 1)


@pytest.mark.parametrize(
    ("rule", "right", "wrong"),
    [
        (whole(1), (1, 2, np.int8(1), np.uint16(9)), (0, -1, 1.0, np.float64(2), True, "1", None)),
        (whole(0), (0, 1), (-1, False, 0.0)),
        (whole(2, 10), (2, 10, np.int64(10)), (1, 11, 2.5)),
        (number(), (-1e300, 0, np.float32(2)), (*NO_NUMBERS,)),
        (number(above=0), (ABOVE_0, 1), (0, -ABOVE_0, *NO_NUMBERS)),
        (number(least=0), (0, -0.0, 5), (-ABOVE_0, *NO_NUMBERS)),
        (number(above=0.5, below=1), (0.75, BELOW_1), (0.5, 1, 0.3, *NO_NUMBERS)),
        (number(least=0, below=1), (0, BELOW_1), (-ABOVE_0, 1)),
        (number(least=0, most=1), (0, 1), (-ABOVE_0, nextafter(1, 2), *NO_NUMBERS)),
        (choice(["a", "b"]), ("a", "b"), ("c", "", None, ["a"], ("a", "b"))),
        (or_none(whole(1)), (None, 1), (0, True, nan)),
        (BOOLEAN, (True, False, np.False_), (0, 1, None, "True")),
        (NAME, ("a",), ("", None, 1, b"a")),
        (SEED, (None, 0, 2**32 - 1, np.random.RandomState(0)), (-1, 2**32, 1.0, True, "0")),
        (VERBOSITY, (True, False, 0, 1, 2), (-1, 3, 1.0, None)),
    ],
)
def test_rules_hold_at_their_limits_and_not_beside_them(rule, right, wrong):
    assert [value for value in right if not rule.holds(value)] == []
    assert [value for value in wrong if rule.holds(value)] == []


@pytest.mark.parametrize(
    ("values", "count", "are"),
    [
        ((1, 2), 2, True),
        ([1, 2], 2, True),
        ((1, 2), 3, False),
        ((0, 2), 2, False),
        ((True, 2), 2, False),
        ((1.0, 2), 2, False),
        (np.array([1, 2]), 2, False),
        (2, 1, False),
    ],
)
def test_sequences_of_whole_numbers(values, count, are):
    assert are_whole(values, count) == are


def test_what_is_checked_is_returned_as_plain_number():
    assert type(check(np.int64(3), whole(1), "n")) is int
    assert check(2.5, number(), "share") == 2.5
    assert check(True, BOOLEAN, "flag") is True


@pytest.mark.parametrize(
    ("owner", "subject"),
    [(None, "n must"), ("save", "The 'n' parameter of save"), ([], "The 'n' parameter of list")],
)
def test_an_error_names_parameter_rule_and_value(owner, subject):
    with pytest.raises(ValueError, match=rf"^{subject} .*number of at least 1\. Got 0 instead"):
        check(0, whole(1), "n", owner)


def test_the_first_bad_value_is_named_with_its_place():
    values = np.array([[1, 2, 3], [4, -5, -6]])
    with pytest.raises(ValueError, match=r"^row 1, layer 2 at \[1, 1\]: -5$"):
        refuse_first(values < 0, values, "row {row}, layer {layer} at {place}: {value}")
    refuse_first(values < -6, values, "none is")


@pytest.mark.parametrize("wrong", [0.0, -0.0, -1e-12, -inf])
def test_no_latency_is_zero_or_less(wrong):
    with pytest.raises(ValueError, match=r"^list requires latencies above 0 .* Row 1 of y is -?"):
        check_latencies(np.array([1e-6, wrong, -1.0]), [])
    check_latencies(np.array([ABOVE_0, 1e9]), [])
