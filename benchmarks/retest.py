"""Two campaigns over the same architectures, each in a process of its own, in different orders.

``python benchmarks/retest.py`` prints, for every runtime, how far its labels agree with themselves
and what an architecture costs in wall time, all included. The reference latencies of this machine
start afresh, in a temporary folder that the campaigns share. ``--runtime`` (repeatable), ``-n`` and
``--protocol`` choose; the default is the table of the documentation, with the paper's labels.
``--space wide`` takes 10 layers and 1,024 neurons.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from time import perf_counter

import numpy as np

from fcnn_latency import FCNNSpace, MeasurementWarning, load_dataset, make_dataset
from fcnn_latency.measurement.runtimes import RUNTIMES

#: What is wanted: retest r, retest MAPE, seconds of an architecture.
TARGETS = {
    "keras": (0.9998, 0.0045, 0.110),
    "litert": (0.9995, 0.009, 0.060),
    "onnxruntime": (0.999, 0.0045, 0.050),
    "xla": (0.998, 0.008, 0.250),
    "tf-function": (0.997, 0.0075, 0.120),
}
SPACES = {"paper": FCNNSpace(), "wide": FCNNSpace(max_layers=10, max_width=1024)}
#: Slow runtimes are measured on fewer architectures.
FEWER = {"keras-predict": 60}


def campaign(runtime: str, protocol: str, space: str, n: int, seed: int, path: Path) -> None:
    """Measure into a store, and keep the wall time of an architecture."""
    warnings.simplefilter("ignore", MeasurementWarning)
    architectures = SPACES[space].sample(n, random_state=0)
    start = perf_counter()
    dataset = make_dataset(
        architectures,
        space=SPACES[space],
        runtime=runtime,
        protocol=protocol,
        random_state=seed,
        store=path,
    )
    cost = (perf_counter() - start) / len(dataset.data)
    path.with_suffix(".cost").write_text(str(cost), encoding="utf-8")


def retest(runtime: str, protocol: str, space: str, n: int, folder: Path) -> None:
    """Run both campaigns and print how they agree."""
    paths = [folder / f"{runtime}-{protocol}-{seed}.sqlite" for seed in (1, 2)]
    for seed, path in enumerate(paths, start=1):
        arguments = ["--campaign", runtime, protocol, space, str(n), str(seed), str(path)]
        subprocess.run([sys.executable, __file__, *arguments], check=True)
    datasets = [load_dataset(path) for path in paths]
    cost = float(np.mean([float(path.with_suffix(".cost").read_text("utf-8")) for path in paths]))
    first, second = (dataset.target for dataset in datasets)
    ratio = second / first
    r, mape = float(np.corrcoef(first, second)[0, 1]), float(np.mean(np.abs(ratio - 1)))
    aligned = float(np.mean(np.abs(ratio / np.median(ratio) - 1)))
    found = (r, mape, cost)
    met = ""
    if runtime in TARGETS and (protocol, space) == ("reliable", "paper"):
        wanted = TARGETS[runtime]
        good = (r >= wanted[0], mape <= wanted[1], cost <= wanted[2])
        met = " ".join("met" if fine else "MISSED" for fine in good)
    print(
        f"{runtime:<14}{protocol:<10}{n:>5}{found[0]:>10.5f}{100 * mape:>8.2f} %"
        f"{100 * aligned:>8.2f} %{1e3 * cost:>8.0f} ms   {met}"
    )
    for dataset in datasets:
        if dataset.noise_floor is not None:
            noise, floor = dataset.reliability.noise, dataset.noise_floor
            print(f"    mean {1e6 * dataset.target.mean():.3f} us, noise of a pass "
                  f"{100 * noise:.2f} %, noise floor {100 * floor:.2f} %")  # fmt: skip
            for warning in dataset.reliability.warnings(runtime):
                print(f"    {warning}")
    sys.stdout.flush()


def main() -> None:
    """Run the runtimes one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=200, help="architectures")
    parser.add_argument("--n-paper", type=int, default=60, help="architectures of protocol paper")
    parser.add_argument("--protocol", default="reliable")
    parser.add_argument("--space", choices=list(SPACES), default="paper")
    parser.add_argument("--runtime", action="append", choices=list(RUNTIMES))
    parser.add_argument("--campaign", nargs=6, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.campaign:
        runtime, protocol, space, n, seed, path = arguments.campaign
        campaign(runtime, protocol, space, int(n), int(seed), Path(path))
        return
    print("runtime       protocol      n  retest r    MAPE     aligned   wall time   targets")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["FCNN_LATENCY_HOME"] = folder
        for runtime in arguments.runtime or list(RUNTIMES):
            n = min(arguments.n, FEWER.get(runtime, arguments.n))
            retest(runtime, arguments.protocol, arguments.space, n, Path(folder))
        if arguments.n_paper and not arguments.runtime:
            retest("keras-predict", "paper", "paper", arguments.n_paper, Path(folder))


if __name__ == "__main__":
    main()
