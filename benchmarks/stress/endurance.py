"""A long campaign: memory and cost of an architecture from its beginning to its end.

``python -m benchmarks endurance litert`` measures 15,000 architectures (``-n``) and prints the
resident memory of all processes together and the time of an architecture, every thousand
architectures. ``--space wide`` takes 10 layers and 1,024 neurons. A store is kept where ``--store``
names one; the same command then resumes.
"""

import argparse
import os
import tempfile
import threading
import warnings
from pathlib import Path
from time import perf_counter, sleep

import numpy as np
import psutil

from fcnn_latency import FCNNSpace, MeasurementWarning, load_dataset, make_dataset
from fcnn_latency.measurement import Store

SPACES = {"paper": FCNNSpace(), "wide": FCNNSpace(max_layers=10, max_width=1024)}
#: Seconds between two looks at the memory.
PERIOD = 1.0


class Memory(threading.Thread):
    """Looks at the resident memory of this process and its children."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.seen: list[tuple[float, float]] = []
        self.done = threading.Event()

    def run(self) -> None:
        process = psutil.Process()
        while not self.done.is_set():
            total = 0
            for one in (process, *process.children(recursive=True)):
                try:
                    total += one.memory_info().rss
                except psutil.Error:
                    continue
            self.seen.append((perf_counter(), total / 1e6))
            sleep(PERIOD)

    def around(self, moment: float, seconds: float = 30.0) -> float:
        """Mean over the seconds before a moment, in MB."""
        near = [size for at, size in self.seen if moment - seconds <= at <= moment]
        return float(np.mean(near))


def main() -> None:
    """Measure, then print what was seen."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runtime")
    parser.add_argument("-n", type=int, default=15_000, help="architectures")
    parser.add_argument("--every", type=int, default=1_000, help="architectures between two lines")
    parser.add_argument("--protocol", default="reliable")
    parser.add_argument("--space", choices=list(SPACES), default="paper")
    parser.add_argument("--store", help="where to keep the readings")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", MeasurementWarning)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(arguments.store or Path(folder, "latencies.sqlite"))
        memory = Memory()
        memory.start()
        start = perf_counter()
        dataset = make_dataset(
            arguments.n,
            space=SPACES[arguments.space],
            runtime=arguments.runtime,
            protocol=arguments.protocol,
            random_state=0,
            store=path,
        )
        end = perf_counter()
        memory.done.set()
        report(path, memory, start, end, arguments)
        print(dataset.DESCR)
        before = perf_counter()
        assert len(load_dataset(path).data) == len(dataset.data)
        print(
            f"load_dataset: {perf_counter() - before:.1f} s, {os.path.getsize(path) / 1e6:.0f} MB"
        )


def report(path: Path, memory: Memory, start: float, end: float, arguments) -> None:
    """Print the table."""
    with Store(path, read_only=True) as store:
        rounds, readings = store.rounds(1), store.readings(1)
    # An architecture is done when its group has its last round.
    last = rounds.groupby("group")["started_at"].max()
    models = readings[readings["architecture"] >= 0]
    n_passes = models["pass"].max() + 1
    done = models.groupby("group")["architecture"].nunique().sort_index().cumsum() / n_passes
    offset = end - rounds["started_at"].max()  # of one clock against the other
    moments = np.concatenate([[start], last.sort_index().to_numpy() + offset])
    counts = np.concatenate([[0.0], done.to_numpy()])
    marks = np.arange(0, arguments.n + 1, arguments.every)
    at = np.interp(marks, counts, moments)
    print(f"{arguments.runtime}, {arguments.space} space, protocol {arguments.protocol}")
    print("architectures  memory MB  ms an architecture")
    for mark, before, moment in zip(marks[1:], at[:-1], at[1:], strict=True):
        cost = 1e3 * (moment - before) / arguments.every
        print(f"{mark:>13}{memory.around(moment):>11.0f}{cost:>12.1f}")
    peak = max(size for _, size in memory.seen)
    print(f"at the end {memory.seen[-1][1]:.0f} MB, highest {peak:.0f} MB")
    print(f"all included {1e3 * (end - start) / arguments.n:.1f} ms an architecture", flush=True)


if __name__ == "__main__":
    main()
