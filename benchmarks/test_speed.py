"""Speed of operations that users wait for; run by ``make bench``.

``python -m benchmarks compare_speed --against CHECKOUT`` compares two trees side by side.
"""

import subprocess
import sys

import pytest

from fcnn_latency import FCNNSpace, LatencyMap, MeasurementProtocol, Runtime, make_latency_pipeline
from fcnn_latency.networks import layer_costs

SPACE = FCNNSpace()
SEEN = SPACE.sample(1000, random_state=0)
#: Made-up latencies: the time of a prediction does not depend on the training labels.
LATENCIES = 4e-7 + 1e-11 * layer_costs(SEEN, 50)["macs"].sum(axis=1)
MANY = 1_000_000


@pytest.fixture(scope="module")
def pipeline():
    return make_latency_pipeline(random_state=0).fit(SEEN, LATENCIES)


@pytest.fixture(scope="module")
def many():
    return SPACE.sample(MANY, random_state=1, unique=False)


@pytest.mark.parametrize("statement", ["import fcnn_latency", "from fcnn_latency import *"])
def test_import(benchmark, statement):
    benchmark.pedantic(
        subprocess.run, ([sys.executable, "-c", statement],), {"check": True}, rounds=5
    )


def test_one_encoded(benchmark, pipeline):
    one = pipeline[:-1].transform(SEEN[:1])
    assert benchmark(pipeline[-1].predict, one).shape == (1,)


def test_one_from_widths(benchmark, pipeline):
    assert benchmark(pipeline.predict, SEEN[:1]).shape == (1,)


def test_encoding_a_million(benchmark, pipeline, many):
    assert len(benchmark.pedantic(pipeline[:-1].transform, (many,), rounds=3)) == MANY


def test_a_million_encoded(benchmark, pipeline, many):
    encoded = pipeline[:-1].transform(many)
    assert len(benchmark.pedantic(pipeline[-1].predict, (encoded,), rounds=3)) == MANY


def test_a_million_from_widths(benchmark, pipeline, many):
    assert len(benchmark.pedantic(pipeline.predict, (many,), rounds=3)) == MANY


def test_map_of_the_default_space(benchmark, pipeline):
    assert len(benchmark.pedantic(LatencyMap.from_estimator, (pipeline,), rounds=2)) == SPACE.size


class Idle(Runtime):
    """A runtime that computes nothing, so that a campaign mostly does bookkeeping."""

    name = "idle"

    def prepare(self, widths, inputs, seed):
        """Return an empty call."""
        return lambda: None


def test_campaign_that_computes_nothing(benchmark, tmp_path):
    from fcnn_latency import make_dataset

    protocol = MeasurementProtocol("short", rounds=4, group_size=50, reference_every=5)
    paths = (tmp_path / f"{number}.sqlite" for number in range(10))

    def campaign():
        return make_dataset(
            SEEN[:100], runtime=Idle(), protocol=protocol, store=next(paths), random_state=0
        )

    benchmark.pedantic(campaign, rounds=3)
