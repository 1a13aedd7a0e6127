"""From the readings of a store to a dataset, by hand."""

from dataclasses import asdict, replace
from math import log, sqrt

import numpy as np
import pytest

from fcnn_latency import FCNNSpace, MeasurementError, MeasurementProtocol, StoreError
from fcnn_latency.datasets import _from_store
from fcnn_latency.datasets._from_store import dataset_of_campaigns, scale_of_campaign
from fcnn_latency.measurement._plan import Group
from fcnn_latency.measurement._store import Store
from fcnn_latency.measurement.labels._scale import Scale
from fcnn_latency.measurement.process._readings import (
    REFERENCE,
    BuildReport,
    ProcessReport,
    RoundReport,
)

PROTOCOL = MeasurementProtocol(
    "by hand",
    passes=2,
    rounds=2,
    round_statistic="mean",
    reference_every=1,
    reference_quantile=0.0,
    reference_window=0,
)
CONDITIONS = {
    "runtime": "keras",
    "signal_length": 80,
    "scale": "campaign",
    "random_state": 3,
    "protocol": PROTOCOL.as_dict(),
    "space": asdict(FCNNSpace()),
}
ARCHITECTURES = [(5, 8, 5), (7, 7), (9, 4, 9)]
ENVIRONMENT = {"cpu": "made up"}

#: Seconds of reference and architectures in the two rounds of each pass. In units of the least
#: reference of its pass, an architecture takes 4, 2 and 6 in the first pass, 5, 2.5 and 7.5 in
#: the second one.
PASSES = (
    ([1.0, 3.0, 2.0, 6.0], [2.0, 5.0, 2.0, 6.0]),
    ([4.5, 16.0, 10.0, 30.0], [4.0, 24.0, 10.0, 30.0]),
)


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "latencies.sqlite") as store:
        yield store


def add_round(store, campaign, group, number, seconds, **changes):
    models = np.array([REFERENCE, *range(len(group.members))])
    fields = {"started_at": 10.0 * number, **changes}
    process = ("first", "second")[group.pass_number % 2]
    report = RoundReport(process, number, models, np.array(seconds), **fields)
    store.add(campaign, group, report)


def add_campaign(store, passes=PASSES, *, environment=ENVIRONMENT, factor=1.0, **conditions):
    """Add a campaign; each pass is one group in a process of its own."""
    request = f"request {len(store.campaigns())}"
    campaign = store.add_campaign(request, 0, CONDITIONS | conditions, ARCHITECTURES)
    for number, rounds in enumerate(passes):
        group = Group(number, number, (0, 1, 2), 0)
        process = ("first", "second")[number]
        store.add(campaign, group, ProcessReport(process, f"{process} host", environment))
        store.add(campaign, group, BuildReport(process, {0: 1.0 + number, 2: 30.0}))
        for i, seconds in enumerate(rounds):
            add_round(store, campaign, group, i, factor * np.array(seconds))
    return campaign


def passes_of(dataset):
    return dataset.frame.filter(like="pass_").to_numpy()


def test_labels_are_in_units_of_the_reference_times_the_scale(store):
    dataset = dataset_of_campaigns(store, [add_campaign(store)])
    # The reference takes 1 second in one process and 4 in the other.
    assert dataset.scale["reference_latency"] == pytest.approx(2.0)
    np.testing.assert_allclose(passes_of(dataset), [[8, 10], [4, 5], [12, 15]])
    assert dataset.target == pytest.approx([sqrt(8 * 10), sqrt(4 * 5), sqrt(12 * 15)])
    assert dataset.reliability.pass_bias == pytest.approx(0.25)
    assert dataset.target_std == pytest.approx([0, 0, 0], abs=1e-9)


def test_scale_that_was_stored_holds(store):
    campaign = add_campaign(store)
    store.set_scale(campaign, asdict(Scale(3.0, 2.0, "2020-01-01")))
    dataset = dataset_of_campaigns(store, [campaign])
    np.testing.assert_allclose(passes_of(dataset), [[12, 15], [6, 7.5], [18, 22.5]])
    assert dataset.scale == {
        "reference_latency": 3.0,
        "campaign_latency": 2.0,
        "set_at": "2020-01-01",
    }


def test_raw_labels_are_seconds(store):
    dataset = dataset_of_campaigns(store, [add_campaign(store)], corrected=False)
    np.testing.assert_allclose(passes_of(dataset), [[4, 20], [2, 10], [6, 30]])
    assert dataset.scale is None
    assert dataset.corrected is False
    assert "Raw: " in dataset.DESCR


def test_labels_without_a_reference_are_seconds(store):
    protocol = replace(PROTOCOL, reference_every=0).as_dict()
    campaign = add_campaign(store, protocol=protocol)
    store.set_scale(campaign, asdict(Scale(3.0, 2.0, "2020-01-01")))
    dataset = dataset_of_campaigns(store, [campaign])
    np.testing.assert_allclose(passes_of(dataset), [[4, 20], [2, 10], [6, 30]])
    assert dataset.scale is None


def test_errors_of_a_single_pass_are_those_of_its_rounds(store):
    protocol = replace(PROTOCOL, passes=1).as_dict()
    dataset = dataset_of_campaigns(store, [add_campaign(store, PASSES[:1], protocol=protocol)])
    assert dataset.target == pytest.approx([4, 2, 6])
    # Rounds of 3 and 5: their standard error is 1.
    assert dataset.target_std == pytest.approx([1, 0, 0])
    assert dataset.reliability is None


def test_first_calls_and_widths_belong_to_their_rows(store):
    frame = dataset_of_campaigns(store, [add_campaign(store)]).frame
    assert frame["first_call"].tolist() == pytest.approx([1.5, np.nan, 30.0], nan_ok=True)
    widths = [[5, 8, 5, 0, 0], [7, 7, 0, 0, 0], [9, 4, 9, 0, 0]]
    assert frame.filter(like="layer_").to_numpy().tolist() == widths


def test_failed_and_incomplete_architectures_are_missing(store):
    campaign = add_campaign(store, PASSES[:1])
    group = Group(1, 1, (0, 1, 2), 0)
    store.add(campaign, group, ProcessReport("second", "host", ENVIRONMENT))
    add_round(store, campaign, group, 0, [4.0, 16.0, 10.0, 30.0])
    add_round(store, campaign, replace(group, members=(0, 2)), 1, [4.0, 24.0, 30.0])
    store.add(campaign, group, BuildReport("second", failures={2: "no memory"}))
    dataset = dataset_of_campaigns(store, [campaign])
    assert dataset.data.tolist() == [[5, 8, 5, 0, 0]]
    assert dataset.missing["reason"].to_dict() == {
        1: "interrupted before its last pass",
        2: "no memory",
    }
    assert dataset.missing["layer_1"].to_dict() == {1: 7, 2: 9}
    assert "Missing: 2 of 3" in dataset.DESCR


def test_failed_architectures_do_not_count_in_the_errors_of_others(store):
    campaign = add_campaign(store)
    store.add(campaign, Group(1, 1, (0, 1, 2), 0), BuildReport("second", failures={2: "no memory"}))
    dataset = dataset_of_campaigns(store, [campaign])
    # With two architectures, the factor of 1.25 between the passes counts as noise.
    noise, own = 1.4826 * log(1.25) / sqrt(2), log(1.25) ** 2 / 2
    error = sqrt((4 * noise**2 + own) / 5 / 2)
    assert dataset.target_std == pytest.approx([sqrt(8 * 10) * error, sqrt(4 * 5) * error])


def test_campaign_without_a_label_is_refused(store):
    campaign = add_campaign(store, PASSES[:1])
    with pytest.raises(MeasurementError, match=r"Not one of 3 .* \(5, 8, 5\), failed: interrupted"):
        dataset_of_campaigns(store, [campaign])
    empty = store.add_campaign("never begun", 0, CONDITIONS, ARCHITECTURES)
    with pytest.raises(MeasurementError, match="no readings"):
        dataset_of_campaigns(store, [empty])


def test_further_passes_count_where_they_are_complete(store):
    campaign = add_campaign(store)
    group = Group(2, 2, (0, 1), 0)
    add_round(store, campaign, group, 0, [2.0, 8.0, 4.0])
    add_round(store, campaign, replace(group, members=(0,)), 1, [2.0, 10.0])
    passes = passes_of(dataset_of_campaigns(store, [campaign], corrected=False))
    np.testing.assert_array_equal(passes[:, 2], [9.0, np.nan, np.nan])


def test_drift_and_stolen_time_are_the_worst_of_the_campaigns(store):
    # The second group of the first process has a slower reference: by a quarter, and by a half.
    for slower, stolen in ((1.25, [0.02, 0.04]), (1.5, [0.0, 0.01])):
        campaign = add_campaign(store)
        store.set_scale(campaign, asdict(Scale(2.0, 2.0, "2020-01-01")))
        group = Group(7, 2, (0, 1, 2), 0)
        for number, fraction in enumerate(stolen):
            seconds = [slower, 4.0, 2.0, 6.0]
            add_round(store, campaign, group, number, seconds, stolen=fraction)
    both = dataset_of_campaigns(store, [1, 2]).reliability
    # Rounds that know of no stolen time do not count in its mean.
    assert (both.reference_drift, both.stolen_time) == pytest.approx((0.5, 0.03))
    first = dataset_of_campaigns(store, [1]).reliability
    assert (first.reference_drift, first.stolen_time) == pytest.approx((0.25, 0.03))
    second = dataset_of_campaigns(store, [2]).reliability
    assert (second.reference_drift, second.stolen_time) == pytest.approx((0.5, 0.005))


def test_what_is_not_known_is_none(store):
    reliability = dataset_of_campaigns(store, [add_campaign(store)]).reliability
    assert reliability.reference_drift is None
    assert reliability.stolen_time is None


def test_measuring_times_of_campaigns_add_up(store):
    campaigns = [add_campaign(store), add_campaign(store)]
    # Each of the two hosts of a campaign has rounds that start at 0 and 10 seconds.
    assert dataset_of_campaigns(store, campaigns[:1]).measuring_time == pytest.approx(40.0)
    assert dataset_of_campaigns(store, campaigns).measuring_time == pytest.approx(80.0)


def test_pooled_campaigns_stand_one_after_the_other(store):
    campaigns = [add_campaign(store), add_campaign(store, factor=3.0)]
    for campaign in campaigns:
        store.set_scale(campaign, asdict(Scale(2.0, 2.0, "2020-01-01")))
    dataset = dataset_of_campaigns(store, campaigns, corrected=False)
    expected = np.array([[4, 20], [2, 10], [6, 30]])
    np.testing.assert_allclose(passes_of(dataset), [*expected, *(3 * expected)])
    assert dataset.readings.groupby("campaign").size().to_dict() == {1: 16, 2: 16}
    assert dataset.readings.groupby("host", observed=True).size().to_dict() == {
        "first host": 16,
        "second host": 16,
    }


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"runtime": "litert"}, "runtime: 'keras' and 'litert'"),
        ({"signal_length": 50}, "signal_length: 80 and 50"),
        ({"scale": "machine"}, "scale: 'campaign' and 'machine'"),
        ({"input_rows": [1, 2, 3]}, "single layers and whole architectures"),
        ({"protocol": replace(PROTOCOL, group_size=9).as_dict()}, "group_size: 100 and 9"),
        ({"environment": {"cpu": "another"}}, "cpu: 'made up' and 'another'"),
    ],
)
def test_campaigns_measured_otherwise_are_not_pooled(store, other, words):
    campaigns = [add_campaign(store), add_campaign(store, **other)]
    with pytest.raises(StoreError, match=words):
        dataset_of_campaigns(store, campaigns)


def test_campaigns_with_other_numbers_of_further_passes_are_pooled(store):
    refined = replace(PROTOCOL, name="longer", target_error=0.01, max_passes=5).as_dict()
    campaigns = [add_campaign(store), add_campaign(store, protocol=refined)]
    assert len(dataset_of_campaigns(store, campaigns).data) == 6


@pytest.mark.parametrize(("level", "alike"), [(2.000001, True), (2.00001, False)])
def test_campaigns_of_another_scale_are_not_pooled(store, level, alike):
    campaigns = [add_campaign(store), add_campaign(store)]
    for campaign, latency in zip(campaigns, (2.0, level), strict=True):
        store.set_scale(campaign, asdict(Scale(latency, 2.0, "2020-01-01")))
    if alike:
        assert len(dataset_of_campaigns(store, campaigns).data) == 6
    else:
        with pytest.raises(StoreError, match=r"scale \(reference latency"):
            dataset_of_campaigns(store, campaigns)


def test_scale_of_a_campaign_is_its_own_or_that_of_the_machine(store, monkeypatch):
    asked = []

    def machine_scale(latencies, **conditions):
        asked.append((latencies, conditions))
        return Scale(9.0, 2.0, "2020-01-01")

    monkeypatch.setattr(_from_store, "machine_scale", machine_scale)
    own = scale_of_campaign(store, add_campaign(store))
    assert own.reference_latency == own.campaign_latency == pytest.approx(2.0)
    assert not asked
    assert scale_of_campaign(store, add_campaign(store, scale="machine")).reference_latency == 9.0
    conditions = {"runtime": "keras", "signal_length": 80, "environment": ENVIRONMENT}
    assert asked == [([1.0, 4.0], {**conditions, "protocol": PROTOCOL})]
