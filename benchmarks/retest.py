"""Two campaigns over the same architectures, each in a process of its own, in different orders.

``python benchmarks/retest.py`` prints how far they agree and what an architecture costs;
``--protocol paper`` does so for the paper's labels.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np

from fcnn_latency import FCNNSpace, load_dataset, make_dataset, save_dataset


def campaign(arguments: argparse.Namespace, seed: int, path: Path) -> None:
    """Measure, save, and print the wall time of an architecture."""
    architectures = FCNNSpace().sample(arguments.n, random_state=0)
    start = perf_counter()
    dataset = make_dataset(
        architectures,
        runtime=arguments.runtime,
        protocol=arguments.protocol,
        random_state=seed,
    )
    elapsed = perf_counter() - start
    save_dataset(dataset, path)
    print(f"campaign {seed}: {1e3 * elapsed / len(dataset.data):.1f} ms an architecture")
    print(f"campaign {seed}: {dataset.reliability}")


def main() -> None:
    """Run both campaigns and compare them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=200)
    parser.add_argument("--runtime", default=None)
    parser.add_argument("--protocol", default="reliable")
    parser.add_argument("--campaign", nargs=2, metavar=("SEED", "PATH"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.campaign:
        campaign(arguments, int(arguments.campaign[0]), Path(arguments.campaign[1]))
        return
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, f"{seed}.csv") for seed in (1, 2)]
        for seed, path in enumerate(paths, start=1):
            command = [sys.executable, *sys.argv, "--campaign", str(seed), str(path)]
            subprocess.run(command, check=True)
        first, second = (load_dataset(path).target for path in paths)
    ratio = second / first
    print(f"retest r {np.corrcoef(first, second)[0, 1]:.5f}")
    print(f"retest MAPE {100 * np.mean(np.abs(ratio - 1)):.2f} %")
    print(f"common factor {100 * (np.median(ratio) - 1):+.2f} %")
    aligned = np.mean(np.abs(ratio / np.median(ratio) - 1))
    print(f"retest MAPE without the common factor {100 * aligned:.2f} %")


if __name__ == "__main__":
    main()
