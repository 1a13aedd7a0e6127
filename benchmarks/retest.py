"""Two campaigns over the same architectures, each in a process of its own, in different orders.

``python benchmarks/retest.py`` prints how far the labels of the protocols ``reliable`` and
``paper`` agree with themselves, and what an architecture costs in wall time, all included. The
reference latencies of this machine start afresh, in a temporary folder that the campaigns share.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np

from fcnn_latency import FCNNSpace, load_dataset, make_dataset, save_dataset


def campaign(protocol: str, n: int, seed: int, path: Path) -> None:
    """Measure, save, and print the wall time of an architecture."""
    architectures = FCNNSpace().sample(n, random_state=0)
    start = perf_counter()
    dataset = make_dataset(architectures, protocol=protocol, random_state=seed)
    cost = (perf_counter() - start) / len(dataset.data)
    save_dataset(dataset, path)
    path.with_suffix(".cost").write_text(str(cost), encoding="utf-8")


def retest(protocol: str, n: int, folder: Path) -> float:
    """Run both campaigns, print how they agree, return the seconds of an architecture."""
    paths = [folder / f"{protocol}-{seed}.csv" for seed in (1, 2)]
    for seed, path in enumerate(paths, start=1):
        arguments = ["--campaign", protocol, str(n), str(seed), str(path)]
        subprocess.run([sys.executable, __file__, *arguments], check=True)
    datasets = [load_dataset(path) for path in paths]
    cost = float(np.mean([float(path.with_suffix(".cost").read_text("utf-8")) for path in paths]))
    first, second = (dataset.target for dataset in datasets)
    ratio = second / first
    print(f"protocol {protocol}, {n} architectures, twice")
    print(f"  retest r                      {np.corrcoef(first, second)[0, 1]:.5f}")
    print(f"  retest MAPE                   {100 * np.mean(np.abs(ratio - 1)):.2f} %")
    if datasets[0].scale is not None:
        own = [d.scale["campaign_latency"] / d.scale["reference_latency"] for d in datasets]
        apart = ratio * own[1] / own[0]
        print(f"  with scale='campaign'         {100 * np.mean(np.abs(apart - 1)):.2f} %")
        print(f"    common factor then          {100 * (np.median(apart) - 1):+.2f} %")
    aligned = np.mean(np.abs(ratio / np.median(ratio) - 1))
    print(f"  without the common factor     {100 * aligned:.2f} %")
    for dataset in datasets:
        if dataset.noise_floor is not None:
            print(f"  noise of a pass, noise floor  {100 * dataset.reliability.noise:.2f} %, "
                  f"{100 * dataset.noise_floor:.2f} %")  # fmt: skip
    print(f"  wall time of an architecture  {1e3 * cost:.0f} ms", flush=True)
    return cost


def main() -> None:
    """Run the protocols and compare their cost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=200, help="architectures of protocol reliable")
    parser.add_argument("--n-paper", type=int, default=60, help="architectures of protocol paper")
    parser.add_argument("--campaign", nargs=4, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.campaign:
        protocol, n, seed, path = arguments.campaign
        campaign(protocol, int(n), int(seed), Path(path))
        return
    with tempfile.TemporaryDirectory() as folder:
        os.environ["FCNN_LATENCY_HOME"] = folder
        reliable = retest("reliable", arguments.n, Path(folder))
        if arguments.n_paper:
            paper = retest("paper", arguments.n_paper, Path(folder))
            print(f"wall time, reliable / paper: {reliable / paper:.2f}")


if __name__ == "__main__":
    main()
