"""Which models are timed together, and in which order."""

import pytest

from fcnn_latency.measurement._plan import plan_groups
from fcnn_latency.measurement._protocol import MeasurementProtocol


def plan(architectures, rows=None, passes=range(2), seed=3, first_number=0, **fields):
    rows = range(len(architectures)) if rows is None else rows
    protocol = MeasurementProtocol("made up", **fields)
    return plan_groups(architectures, protocol, seed, rows, passes, first_number)


def sizes(groups):
    return [len(group.members) for group in groups if group.pass_number == 0]


@pytest.mark.parametrize(
    ("n", "expected"),
    [(1, [1]), (49, [49]), (50, [50]), (51, [26, 25]), (101, [34, 34, 33]), (0, [])],
)
def test_groups_are_even_and_not_larger_than_allowed(n, expected):
    assert sizes(plan([(5, 5)] * n, group_size=50)) == expected


@pytest.mark.parametrize(("most_bytes", "expected"), [(4000, [10]), (3999, [5, 5]), (1, [1] * 10)])
def test_weights_of_a_group_take_no_more_memory_than_allowed(most_bytes, expected):
    # 10 x 10 numbers of 4 bytes are 400.
    assert sizes(plan([(10, 10)] * 10, group_bytes=most_bytes)) == expected


def test_weights_of_all_layers_count():
    # 4 (2 x 3 + 3 x 5) = 84 bytes.
    assert sizes(plan([(2, 3, 5)] * 2, group_bytes=168)) == [2]
    assert sizes(plan([(2, 3, 5)] * 2, group_bytes=167)) == [1, 1]


def test_all_passes_over_a_group_come_before_the_next_group():
    groups = plan([(5, 5)] * 9, passes=range(3), group_size=3)
    assert [group.pass_number for group in groups] == [0, 1, 2] * 3
    for first in (0, 3, 6):
        assert len({frozenset(group.members) for group in groups[first : first + 3]}) == 1


def test_each_pass_builds_in_an_order_of_its_own_and_times_in_others():
    groups = plan([(5, 5)] * 40, passes=range(4), group_size=20)
    assert len({group.members for group in groups}) == 8
    assert len({group.seed for group in groups}) == 8


def test_rows_do_not_stay_in_the_order_given():
    rows = [row for group in plan([(5, 5)] * 40, group_size=20)[::2] for row in group.members]
    assert sorted(rows) == list(range(40))
    assert sorted(rows[:20]) != list(range(20))


def test_without_shuffling_the_order_given_is_kept():
    groups = plan([(5, 5)] * 5, rows=[4, 2, 0], shuffle=False, group_size=2)
    assert [group.members for group in groups] == [(4, 2), (4, 2), (0,), (0,)]


def test_a_plan_follows_from_its_seed_alone():
    assert plan([(5, 5)] * 40, seed=3) == plan([(5, 5)] * 40, seed=3)
    first, second = (plan([(5, 5)] * 40, seed=seed)[0] for seed in (3, 4))
    assert first.members != second.members
    assert first.seed != second.seed


def test_an_added_pass_is_numbered_on_and_has_an_order_of_its_own():
    first = plan([(5, 5)] * 40, passes=range(2), group_size=20)
    added = plan([(5, 5)] * 40, passes=range(2, 3), first_number=len(first), group_size=20)
    assert [group.number for group in first + added] == list(range(6))
    assert [group.pass_number for group in added] == [2, 2]
    assert frozenset(added[0].members) != frozenset(first[0].members)
    assert not {group.seed for group in added} & {group.seed for group in first}


def test_an_added_pass_covers_the_rows_asked_for():
    groups = plan([(5, 5)] * 40, rows=[7, 11, 30], passes=range(5, 6), first_number=9)
    assert [(g.number, g.pass_number, sorted(g.members)) for g in groups] == [(9, 5, [7, 11, 30])]
