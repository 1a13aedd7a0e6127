"""Campaigns that take a second: for tests of what happens to their readings."""

from fcnn_latency import FCNNSpace, MeasurementProtocol, make_dataset
from helpers.numpy_runtime import NumPyRuntime

SHORT = MeasurementProtocol("short", rounds=3, group_size=4, reference_every=2)
ARCHITECTURES = FCNNSpace().sample(10, random_state=0)


def measure(path, runtime=None, architectures=ARCHITECTURES, **changes):
    """Measure into a store."""
    arguments = {"protocol": SHORT, "random_state": 0, "store": path, **changes}
    runtime = NumPyRuntime() if runtime is None else runtime
    return make_dataset(architectures, runtime=runtime, **arguments)


def assert_read_once(dataset, n_architectures=10):
    """Each architecture has each round of each pass, once."""
    models = dataset.readings[dataset.readings["architecture"] >= 0]
    counts = models.groupby(["architecture", "pass", "round"]).size()
    assert len(counts) == n_architectures * SHORT.passes * SHORT.rounds
    assert (counts == 1).all()
