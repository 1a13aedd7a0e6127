"""Which calls are the same campaign of a store, and what a campaign keeps."""

from dataclasses import fields, replace

import numpy as np
import pytest

from fcnn_latency import FCNNSpace, MeasurementProtocol, make_dataset
from fcnn_latency.datasets import _make
from fcnn_latency.measurement._measurement import Measurement
from fcnn_latency.measurement._store import Store
from fcnn_latency.measurement.labels._scale import SCALE_VARIABLE
from helpers.fake_machine import FakeMachine, LoggedRuntime, environment_of_this_machine
from helpers.numpy_runtime import NumPyRuntime

TINY = MeasurementProtocol(
    "tiny", rounds=1, samples_per_block=1, calls_per_sample=1, reference_every=1, reference_models=1
)


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A machine on which an inference takes 1 µs for each neuron of the input."""
    machine = FakeMachine()
    machine.replace(monkeypatch)
    machine.lasts = lambda model, number: 1000 * model[0]
    monkeypatch.setattr(_make, "describe_environment", environment_of_this_machine)
    monkeypatch.setenv(SCALE_VARIABLE, str(tmp_path / "scale"))
    return machine


def measure(machine, path, runtime="logged", **changes):
    settings = {"architectures": [[5, 5], [6, 6]], "protocol": TINY, "random_state": 0}
    return make_dataset(**settings | changes, store=path, runtime=LoggedRuntime(machine, runtime))


def campaigns(path):
    with Store(path, read_only=True) as store:
        return store.campaigns()


@pytest.mark.parametrize(
    "changes",
    [
        {"signal_length": 80},
        {"random_state": 1},
        {"random_state": None},
        {"runtime": "another"},
        {"protocol": replace(TINY, rounds=2)},
        {"scale": "campaign"},
        {"space": FCNNSpace(max_width=49)},
        {"architectures": [[5, 5], [7, 7]]},
        {"architectures": [[6, 6], [5, 5]]},
        {"architectures": 2},
    ],
    ids=lambda changes: "-".join(changes),
)
def test_a_call_with_another_setting_begins_a_campaign_of_its_own(machine, tmp_path, changes):
    path = tmp_path / "latencies.sqlite"
    measure(machine, path)
    other = measure(machine, path, **changes)
    assert campaigns(path) == [1, 2]
    assert set(other.readings["campaign"]) == {2}


@pytest.mark.parametrize(
    "changes",
    [
        {"wait": False},
        {"verbose": 1},
        {"as_frame": True},
        {"random_state": np.random.RandomState(0)},
        {"architectures": np.array([[5, 5, 0], [6, 6, 0]])},
        {"space": FCNNSpace()},
        {"target_error": 0.9},
        {"protocol": replace(TINY, name="other", max_passes=7)},
    ],
    ids=lambda changes: "-".join(changes),
)
def test_the_same_question_in_other_words_measures_nothing_again(machine, tmp_path, changes):
    path = tmp_path / "latencies.sqlite"
    first = measure(machine, path)
    machine.log.clear()
    again = measure(machine, path, **changes)
    assert campaigns(path) == [1]
    assert machine.log == []
    assert again.readings.equals(first.readings)


def request(protocol):
    """The words by which a store knows a call."""
    settings = {"signal_length": 50, "target_error": None, "scale": "machine", "store": None}
    settings |= {"client": None, "wait": True, "random_state": 0, "verbose": 0}
    made = Measurement.from_settings(runtime=NumPyRuntime(), protocol=protocol, **settings)
    return _make._ask([[5, 5]], FCNNSpace(), 0, made.conditions()).request


def another(value):
    """A valid value of a field of a protocol that differs from this one."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, tuple):
        return (*value, 9)
    if isinstance(value, str):
        return "median"
    return 3 * value + 1 if isinstance(value, int) else (value or 0.6) / 2


@pytest.mark.parametrize("field", [field.name for field in fields(MeasurementProtocol)])
def test_each_field_of_the_protocol_but_those_that_add_passes_tells_campaigns_apart(field):
    changed = replace(TINY, **{field: another(getattr(TINY, field))})
    assert changed != TINY
    same = request(changed) == request(TINY)
    assert same == (field in ("name", "target_error", "max_passes"))


# -- scale ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("scale", "level"), [("machine", 25e-6), ("campaign", 25.5e-6)])
def test_a_finished_campaign_keeps_its_scale(machine, tmp_path, monkeypatch, scale, level):
    path = tmp_path / "latencies.sqlite"
    measure(machine, None)  # a reference takes 25 µs, and then 2 % more
    machine.lasts = lambda model, number: 1020 * model[0]
    first = measure(machine, path, scale=scale)
    assert first.scale["reference_latency"] == pytest.approx(level)
    assert first.scale["campaign_latency"] == pytest.approx(25.5e-6)
    assert first.target == pytest.approx([level * 5 / 25, level * 6 / 25])
    monkeypatch.setenv(SCALE_VARIABLE, str(tmp_path / "another"))
    again = measure(machine, path, scale=scale)
    assert again.scale == first.scale
    assert again.target.tolist() == first.target.tolist()


def test_readings_that_are_added_to_a_campaign_count_in_its_scale(machine, tmp_path):
    path = tmp_path / "latencies.sqlite"
    machine.refused = {6}
    first = measure(machine, path)
    assert first.missing.index.tolist() == [1]
    assert first.scale["reference_latency"] == pytest.approx(25e-6)
    machine.refused, machine.lasts = set(), lambda model, number: 2000 * model[0]
    second = measure(machine, path)
    assert len(second.missing) == 0
    # Two processes of 25 µs and two of 50 µs: their geometric mean.
    assert second.scale["reference_latency"] == pytest.approx(np.sqrt(25e-6 * 50e-6))
