"""What a store says of a campaign, next to others."""

import numpy as np
import pytest

from fcnn_latency import StoreError
from fcnn_latency.measurement._plan import Group
from fcnn_latency.measurement._store import Store
from fcnn_latency.measurement.process._readings import (
    REFERENCE,
    Block,
    BuildReport,
    ProcessReport,
    RoundReport,
)

#: Place 0 of this group is the third architecture, and place 1 the first one.
GROUP = Group(number=3, pass_number=1, members=(2, 0), seed=0)
OTHER = Group(number=5, pass_number=0, members=(2,), seed=0)


def one_round(**changes):
    fields = {"number": 4, "models": [0], "seconds": [1.0], "started_at": 1.0, **changes}
    fields |= {"models": np.array(fields["models"]), "seconds": np.array(fields["seconds"])}
    return RoundReport("second", **fields)


def fill(store, k):
    """Add a campaign whose every value depends on `k`."""
    widths = [(k, 1), (k, 2), (k, 3)]
    campaign = store.add_campaign(f"request {k}", 10 * k, {"runtime": f"runtime {k}"}, widths)
    for name in ("first", "second"):
        store.add(campaign, GROUP, ProcessReport(name, f"host {k}", {"cpu": f"{name} {k}"}))
    store.set_block(campaign, Block(k, 2 * k))
    store.set_scale(campaign, {"reference_latency": k})
    store.add(campaign, GROUP, BuildReport("first", {0: k, 1: 10 * k}, {0: f"failure {k}"}))
    models, seconds = [1, REFERENCE, 0], [0.1 * k, 0.2 * k, 0.3 * k]
    measured = {"models": models, "seconds": seconds, "started_at": 100 * k}
    store.add(campaign, GROUP, one_round(**measured, load=k + 0.5, stolen=k / 100))
    store.add(campaign, OTHER, one_round(number=7, seconds=[0.4 * k]))
    return campaign


def said(store, k):
    """All that a store says of a campaign."""
    return {
        "seed": store.seed(k),
        "conditions": store.conditions(k),
        "architectures": store.architectures(k),
        "block": store.block(k),
        "scale": store.scale(k),
        "failures": store.failures(k),
        "first_calls": store.first_calls(k).to_dict(),
        "rounds_read": [store.rounds_read(k, group) for group in (GROUP, OTHER)],
        "readings": store.readings(k).to_dict("list"),
        "rounds": store.rounds(k).fillna(-1).to_dict("list"),
        "processes": store.processes(k).reset_index().to_dict("list"),
    }


def expected(k):
    first, second = 2 * k - 1, 2 * k  # numbers of the processes
    return {
        "seed": 10 * k,
        "conditions": {"runtime": f"runtime {k}"},
        "architectures": [(k, 1), (k, 2), (k, 3)],
        "block": Block(samples=k, calls_per_sample=2 * k),
        "scale": {"reference_latency": k},
        "failures": {2: f"failure {k}"},
        "first_calls": {2: k, 0: 10 * k},
        "rounds_read": [{2: {4}, 0: {4}}, {2: {7}}],
        "readings": {
            "architecture": [0, -1, 2, 2],
            "pass": [1, 1, 1, 0],
            "group": [3, 3, 3, 5],
            "round": [4, 4, 4, 7],
            "process": [second] * 4,
            "seconds": [0.1 * k, 0.2 * k, 0.3 * k, 0.4 * k],
        },
        "rounds": {
            "group": [3, 5],
            "process": [second, second],
            "started_at": [100 * k, 1],
            "load": [k + 0.5, -1],
            "stolen": [k / 100, -1],
        },
        "processes": {
            "process": [first, second],
            "name": ["first", "second"],
            "host": [f"host {k}"] * 2,
            "environment": [{"cpu": f"first {k}"}, {"cpu": f"second {k}"}],
        },
    }


CAMPAIGNS = (1, 2, 3)


@pytest.fixture
def store(tmp_path):
    """Three campaigns that measured the same groups in processes of the same names."""
    with Store(tmp_path / "latencies.sqlite") as store:
        assert [fill(store, k) for k in CAMPAIGNS] == list(CAMPAIGNS)
        yield store


def test_each_campaign_gives_back_its_own(store):
    assert store.campaigns() == list(CAMPAIGNS)
    for k in CAMPAIGNS:
        assert store.find_campaign(f"request {k}") == k
        assert said(store, k) == expected(k)
    assert store.find_campaign("request") is None


WRITES = {
    "conditions": lambda store: store.set_conditions(2, {"runtime": "another"}),
    "block": lambda store: store.set_block(2, Block(70, 80)),
    "scale": lambda store: store.set_scale(2, {"reference_latency": 9.0}),
    "failures": lambda store: store.forget_failures(2),
    "first_calls": lambda store: store.add(2, GROUP, BuildReport("first", {0: 77.0})),
    "processes": lambda store: store.add(2, GROUP, ProcessReport("third", "host", {})),
}


@pytest.mark.parametrize("what", WRITES)
def test_what_is_written_to_a_campaign_leaves_the_rest_and_the_others_alone(store, what):
    WRITES[what](store)
    assert said(store, 1) == expected(1)
    assert said(store, 3) == expected(3)
    left, changed = said(store, 2), expected(2)
    assert left.pop(what) != changed.pop(what)
    assert left == changed


@pytest.mark.parametrize("campaign", CAMPAIGNS)
@pytest.mark.parametrize(
    "report",
    [
        BuildReport("first", failures={1: "why"}),
        one_round(models=[], seconds=[], failures={1: "why"}),
    ],
    ids=["build", "round"],
)
def test_failure_is_that_of_one_architecture_of_its_campaign(store, campaign, report):
    store.add(campaign, GROUP, report)
    for k in CAMPAIGNS:
        failures = {2: f"failure {k}"} | ({0: "why"} if k == campaign else {})
        # A round without readings is no round.
        assert said(store, k) == expected(k) | {"failures": failures}


@pytest.mark.parametrize("campaign", CAMPAIGNS)
def test_forgotten_failures_are_those_of_one_campaign(store, campaign):
    store.forget_failures(campaign)
    for k in CAMPAIGNS:
        assert store.failures(k) == ({} if k == campaign else {2: f"failure {k}"})


def test_reading_of_a_campaign_shows_in_its_own_alone(store):
    store.add(2, GROUP, one_round(number=5, models=[1], seconds=[7.0]))
    assert store.readings(2).iloc[-1].to_dict() == {
        "architecture": 0,
        "pass": 1,
        "group": 3,
        "round": 5,
        "process": 4,
        "seconds": 7.0,
    }
    assert store.rounds_read(2, GROUP) == {2: {4}, 0: {4, 5}}
    assert [said(store, k) for k in (1, 3)] == [expected(1), expected(3)]


@pytest.mark.parametrize(
    ("seconds", "median"), [([1.0, 9.0, 2.0], 2.0), ([9.0, 1.0], 5.0), ([3.0], 3.0)]
)
def test_first_call_is_the_median_over_passes(tmp_path, seconds, median):
    with Store(tmp_path / "latencies.sqlite") as store:
        store.add_campaign("request", 0, {}, [(1, 1), (2, 2)])
        store.add(1, GROUP, ProcessReport("first", "host", {}))
        for number, first in enumerate(seconds):
            group = Group(number, number, (0, 1), 0)
            store.add(1, group, BuildReport("first", {0: first, 1: 100 * first}))
        assert store.first_calls(1).to_dict() == {0: median, 1: 100 * median}


def test_pass_that_is_built_again_has_the_new_first_call(store):
    store.add(1, GROUP, BuildReport("first", {1: 5.0}))
    assert store.first_calls(1).to_dict() == {2: 1.0, 0: 5.0}


def test_process_that_reports_twice_is_one(store):
    store.add(1, GROUP, ProcessReport("first", "other host", {"cpu": "other"}))
    assert said(store, 1) == expected(1)


def test_campaign_that_was_only_added_holds_nothing(tmp_path):
    with Store(tmp_path / "latencies.sqlite") as store:
        campaign = store.add_campaign("request", 0, {}, [(1, 2)])
        assert (store.block(campaign), store.scale(campaign)) == (None, None)
        assert store.failures(campaign) == {}
        tables = (store.readings, store.rounds, store.processes, store.first_calls)
        assert [len(table(campaign)) for table in tables] == [0, 0, 0, 0]


# -- whole, or not at all --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("report", "error"),
    [
        (BuildReport("unknown", {0: 1.0}, {1: "why"}), IndexError),
        (one_round(models=[0, 1], seconds=[1.0], failures={1: "why"}), ValueError),
        (one_round(started_at=None, failures={1: "why"}), StoreError),
    ],
    ids=["process unknown", "a reading too few", "a column empty"],
)
def test_report_that_cannot_be_written_leaves_nothing(store, report, error):
    with pytest.raises(error):
        store.add(1, GROUP, report)
    assert said(store, 1) == expected(1)
    store.set_scale(1, {"reference_latency": 2})
    with Store(store.path, read_only=True) as read:
        assert said(read, 1) == expected(1) | {"scale": {"reference_latency": 2}}


def test_interrupted_campaign_is_not_added(store):
    def interrupted():
        yield (1, 2)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.add_campaign("another", 0, {}, interrupted())
    assert store.find_campaign("another") is None
    assert store.add_campaign("another", 0, {}, [(5, 6)]) == 4
    assert store.architectures(4) == [(5, 6)]


def test_request_is_added_once(store):
    with pytest.raises(StoreError, match="UNIQUE"):
        store.add_campaign("request 2", 0, {}, [(9, 9)])
    assert store.campaigns() == list(CAMPAIGNS)
    assert said(store, 2) == expected(2)


def test_nothing_is_written_to_a_campaign_that_is_not_there(store):
    with pytest.raises(StoreError, match="FOREIGN KEY"):
        store.add(9, GROUP, ProcessReport("first", "host", {}))
