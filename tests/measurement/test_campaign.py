"""What a campaign keeps, whatever it warns of."""

import warnings

import pytest

from fcnn_latency import MeasurementProtocol, MeasurementWarning, load_dataset
from fcnn_latency.measurement._store import Store
from helpers.numpy_runtime import NumPyRuntime
from helpers.short_campaigns import assert_read_once, measure

TWO_REFERENCES = MeasurementProtocol(
    "two references", rounds=3, group_size=4, reference_every=2, reference_models=2
)


class LosingRuntime(NumPyRuntime):
    """The first model that a process builds, which is a reference, fails in the first round.

    It does so once the others have been called more often than their warm-up does.
    """

    built = 0
    calls_of_others = 0

    def prepare(self, widths, inputs, seed):
        """Build a product; the first works some times only."""
        call = super().prepare(widths, inputs, seed)
        LosingRuntime.built += 1

        def counted():
            LosingRuntime.calls_of_others += 1
            return call()

        def failing():
            if LosingRuntime.calls_of_others > 100:
                raise RuntimeError("worn out")
            return call()

        return failing if LosingRuntime.built == 1 else counted


def test_a_lost_reference_warns_and_is_written_down(tmp_path):
    path = tmp_path / "latencies.sqlite"
    with pytest.warns(MeasurementWarning, match=r"reference architecture failed.*worn out"):
        measure(path, LosingRuntime(), protocol=TWO_REFERENCES)
    assert_read_once(load_dataset(path))


def test_no_reading_is_lost_where_warnings_are_errors(tmp_path):
    path = tmp_path / "latencies.sqlite"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(MeasurementWarning, match="worn out"):
            measure(path, LosingRuntime(), protocol=TWO_REFERENCES)
    with Store(path, read_only=True) as store:
        read = store.readings(1)
    # The round that lost an instance is there with its four models, and no other one is.
    models = read[read["architecture"] >= 0]
    assert models.groupby(["group", "round"]).size().tolist() == [4]
