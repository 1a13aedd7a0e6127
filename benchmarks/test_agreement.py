"""Our labels against an instrument that we did not write: pytest-benchmark's median.

``python -m pytest benchmarks/test_agreement.py`` times 20 architectures with both.
"""

import os

import numpy as np
import pytest
from scipy.stats import spearmanr

from fcnn_latency import FCNNSpace, make_dataset
from fcnn_latency.measurement.runtimes import get_runtime
from fcnn_latency.measurement.workload import Workload
from fcnn_latency.widths import trim_widths

ARCHITECTURES = FCNNSpace().sample(20, random_state=7)
MEDIANS: dict[int, float] = {}


@pytest.fixture(scope="module", autouse=True)
def one_core():
    """Bind this process to the core that the labels are measured on."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    yield
    os.sched_setaffinity(0, before)


@pytest.mark.parametrize("row", range(20))
def test_model(benchmark, row):
    widths = trim_widths(ARCHITECTURES)[row]
    call = get_runtime("keras").prepare(widths, Workload().inputs(widths[0]), 0)
    call()
    benchmark.pedantic(call, rounds=1000, iterations=1, warmup_rounds=5)
    MEDIANS[row] = benchmark.stats.stats.median


def test_agreement():
    ours = make_dataset(ARCHITECTURES, random_state=0).target
    theirs = np.array([MEDIANS[row] for row in range(20)])
    rank, ratio = spearmanr(ours, theirs).statistic, float(np.median(ours / theirs))
    print(f"\nSpearman {rank:.4f}, median ratio ours / pytest-benchmark {ratio:.4f}")
    assert rank >= 0.99
    assert abs(ratio - 1) <= 0.05
