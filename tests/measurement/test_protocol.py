"""Which settings a protocol may have, and what the presets are."""

from dataclasses import fields
from math import inf, nan

import numpy as np
import pytest

from fcnn_latency import MeasurementProtocol
from fcnn_latency.measurement import get_protocol

NO_NUMBERS = (True, np.True_, "2", nan, inf)
NOT_WHOLE = (1.0, 1.5, *NO_NUMBERS)
COUNTS = (
    "passes",
    "processes",
    "rounds",
    "least_samples",
    "group_size",
    "group_bytes",
    "reference_models",
    "max_passes",
)
COUNTS_OR_NONE = ("samples_per_block", "calls_per_sample")
COUNTS_OR_NEVER = (
    "warmup_calls",
    "reference_every",
    "reference_window",
    "models_per_worker",
    "worker_growth_bytes",
)
#: Of each field, values at the limits that it may have, and values beside these.
FIELDS = {
    **dict.fromkeys(COUNTS, ((1, 2, np.int64(3)), (0, -1, None, *NOT_WHOLE))),
    **dict.fromkeys(COUNTS_OR_NONE, ((None, 1, np.int64(3)), (0, -1, *NOT_WHOLE))),
    **dict.fromkeys(COUNTS_OR_NEVER, ((0, 1, np.int64(3)), (-1, None, *NOT_WHOLE))),
    **dict.fromkeys(
        ("block_seconds", "sample_seconds"), ((1e-9, 2), (0, -1e-9, None, *NO_NUMBERS))
    ),
    **dict.fromkeys(("shuffle", "pin", "build_ahead"), ((True, False), (0, 1, None, "yes"))),
    **dict.fromkeys(("name", "default_runtime"), (("own",), ("", None, 3))),
    **dict.fromkeys(
        ("block_statistic", "round_statistic"),
        (("min", "low-mean", "median", "mean"), ("max", "", None, ["min"])),
    ),
    "reference_quantile": ((0, 0.5, 1), (-1e-9, 1 + 1e-9, None, *NO_NUMBERS)),
    "target_error": ((None, 1e-9, 2), (0, -1e-9, *NO_NUMBERS)),
    "reference_widths": (
        ((1, 1), (25, 30, 5)),
        ((3,), (), (3, 0), (3, -1), (3, 2.5), (3, True), 3, None, "33"),
    ),
}
RIGHT = [(name, value) for name, (values, _) in FIELDS.items() for value in values]
WRONG = [(name, value) for name, (_, values) in FIELDS.items() for value in values]


def protocol(**settings):
    return MeasurementProtocol(**{"name": "own", **settings})


def test_every_field_is_tried():
    assert sorted(FIELDS) == sorted(field.name for field in fields(MeasurementProtocol))


@pytest.mark.parametrize(("name", "value"), RIGHT)
def test_values_within_the_limits_are_kept(name, value):
    assert getattr(protocol(**{name: value}), name) == value


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_values_beside_the_limits_are_refused(name, value):
    with pytest.raises(ValueError, match=f"'{name}' parameter of MeasurementProtocol must be"):
        protocol(**{name: value})


def test_one_pass_of_one_round_is_refused_and_two_of_either_suffice():
    with pytest.raises(ValueError, match="at least 2 passes or 2 rounds"):
        protocol(passes=1, rounds=1)
    assert protocol(passes=1, rounds=2).rounds == protocol(passes=2, rounds=1).passes == 2


def test_a_target_error_needs_two_passes():
    with pytest.raises(ValueError, match="target_error needs at least 2 passes"):
        protocol(passes=1, target_error=0.01)
    assert protocol(passes=1, target_error=None).passes == 1
    assert protocol(passes=2, target_error=0.01).target_error == 0.01


@pytest.mark.parametrize(
    ("rounds", "quick"), [(1, 2), (2, 2), (3, 2), (4, 2), (5, 2), (6, 3), (24, 12)]
)
def test_quick_is_two_passes_of_half_the_rounds_but_at_least_two(rounds, quick):
    found = get_protocol("quick", {"passes": 10, "rounds": rounds})
    assert (found.name, found.passes, found.rounds) == ("quick", 2, quick)
    assert found.target_error is None


def test_thorough_is_twice_the_passes_of_as_many_rounds():
    found = get_protocol("thorough", {"passes": 3, "rounds": 5})
    assert (found.name, found.passes, found.rounds) == ("thorough", 6, 5)
    assert (found.max_passes, found.target_error) == (12, 0.005)


@pytest.mark.parametrize("name", ["reliable", "quick", "thorough"])
def test_presets_keep_what_else_a_runtime_changes(name):
    found = get_protocol(name, {"least_samples": 1, "group_size": 7})
    assert (found.name, found.least_samples, found.group_size) == (name, 1, 7)


def test_paper_is_five_first_and_later_calls_of_a_single_model():
    paper = get_protocol("paper")
    assert (paper.passes, paper.rounds, paper.warmup_calls) == (1, 5, 0)
    assert (paper.samples_per_block, paper.calls_per_sample) == (1, 1)
    assert (paper.round_statistic, paper.reference_every) == ("mean", 0)
    assert (paper.group_size, paper.shuffle, paper.pin) == (1, False, False)
    assert paper.default_runtime == "keras-predict"


def test_a_protocol_of_ones_own_is_not_changed():
    own = protocol(rounds=5)
    assert get_protocol(own, {"rounds": 3}) is own


@pytest.mark.parametrize("unknown", ["best", "", None, ["quick"], 2])
def test_valid_names_are_told(unknown):
    with pytest.raises(ValueError, match=r"Valid ones: \['paper', 'quick', 'reliable'"):
        get_protocol(unknown)
