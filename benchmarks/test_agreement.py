"""Our labels against an independent instrument: the median of pytest-benchmark.

``python -m pytest benchmarks/test_agreement.py -s --save`` times 20 architectures with both, for
the runtimes `keras`, `litert` and `onnxruntime`, in the paper's space and in a wider one.
pytest-benchmark runs through them in five successive repeats, since the machine drifts over time.
Each repeat builds the models again. The lowest of the five medians of an architecture is the least
disturbed one, and is compared. The ratio to the middle one is printed too. ``--save`` stores the
figures in ``benchmarks/results/agreement.csv``.

Our labels use the level of the campaign, so that both instruments measure the machine in the same
state. The collector is off for both, and a round of pytest-benchmark times a loop of calls without
arguments. Its process has built hundreds of models, though, and was up to 12 % slower than a new
one, less in some runs. Hence the wide bound of the level; the order is what has to agree.

Some architectures differ by less than an instrument resolves, such as the clusters by depth
of the paper's space on Keras. There the agreement of pytest-benchmark with itself limits the rank
correlation.
"""

import os

import numpy as np
import pytest
from scipy.stats import spearmanr

from benchmarks._results import save_result
from fcnn_latency import FCNNSpace, make_dataset
from fcnn_latency.measurement import Workload
from fcnn_latency.measurement.machine._cores import choose_cores, move_to
from fcnn_latency.measurement.runtimes import get_runtime
from fcnn_latency.spaces import trim_widths

N_ARCHITECTURES, N_REPEATS = 20, 5
SPACES = {"paper": FCNNSpace(), "wide": FCNNSpace(max_layers=10, max_width=512)}
#: Calls per round of pytest-benchmark.
CALLS = {"keras": 1, "litert": 50, "onnxruntime": 10}
CASES = [(runtime, space) for runtime in CALLS for space in SPACES]
ARCHITECTURES = {
    name: space.sample(N_ARCHITECTURES, random_state=7) for name, space in SPACES.items()
}
MEDIANS = {case: np.full((N_REPEATS, N_ARCHITECTURES), np.nan) for case in CASES}


@pytest.fixture(scope="module", autouse=True)
def one_core():
    """Bind this process to the core that the labels are measured on."""
    before = os.sched_getaffinity(0)
    move_to(choose_cores().timing)
    yield before
    os.sched_setaffinity(0, before)


@pytest.mark.benchmark(disable_gc=True)
@pytest.mark.parametrize("row", range(N_ARCHITECTURES))
@pytest.mark.parametrize("repeat", range(N_REPEATS))
@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_model(benchmark, case, repeat, row):
    runtime, space = case
    widths = trim_widths(ARCHITECTURES[space])[row]
    call = get_runtime(runtime).prepare(widths, Workload().inputs(widths[0]), 0)

    def calls():
        for _ in range(CALLS[runtime]):
            call()

    benchmark.pedantic(calls, rounds=200, warmup_rounds=5)
    MEDIANS[case][repeat, row] = benchmark.stats.stats.median / CALLS[runtime]


@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_agreement(one_core, case, request):
    runtime, space = case
    os.sched_setaffinity(0, one_core)
    dataset = make_dataset(
        ARCHITECTURES[space],
        space=SPACES[space],
        runtime=runtime,
        scale="campaign",
        random_state=0,
    )
    ours, repeats = dataset.target, MEDIANS[case]
    theirs = repeats.min(axis=0)
    halves = [half.min(axis=0) for half in (repeats[::2], repeats[1::2])]
    row = {
        "runtime": runtime,
        "space": space,
        "n": N_ARCHITECTURES,
        "spearman": float(spearmanr(ours, theirs).statistic),
        "spearman_own": float(spearmanr(*halves).statistic),
        "ratio": float(np.median(ours / theirs)),
        "ratio_middle": float(np.median(ours / np.median(repeats, axis=0))),
        "pearson": float(np.corrcoef(ours, theirs)[0, 1]),
    }
    print(f"\n{row}")
    if request.config.getoption("--save"):
        save_result("agreement", [row], key=["runtime", "space"])
    rank, own, ratio = row["spearman"], row["spearman_own"], row["ratio"]
    assert abs(ratio - 1) <= 0.15
    # 0.99 is wanted, but no rank correlation can be asked for that the instrument has not itself.
    # Of 20 clustered architectures it changes by some hundredths from run to run.
    assert rank >= min(0.99, own - 0.06)
