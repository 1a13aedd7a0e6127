"""Memory and time per architecture over the course of a long campaign."""

import tempfile
import threading
import warnings
from pathlib import Path
from time import perf_counter, sleep

import click
import numpy as np
import psutil

from benchmarks import _options as options
from fcnn_latency import MeasurementWarning, load_dataset, make_dataset
from fcnn_latency.measurement import Store

#: Seconds between two samples of the memory.
PERIOD = 1.0


class Memory(threading.Thread):
    """Thread that samples the resident memory of this process and its children."""

    def __init__(self):
        super().__init__(daemon=True)
        self.seen = []
        self.done = threading.Event()

    def run(self):
        process = psutil.Process()
        while not self.done.is_set():
            total = 0
            for one in (process, *process.children(recursive=True)):
                try:
                    total += one.memory_info().rss
                except psutil.Error:
                    continue
            self.seen.append((perf_counter(), total))
            sleep(PERIOD)

    def around(self, moment, seconds=30.0):
        """Return the mean memory in bytes over the `seconds` before a moment."""
        near = [size for at, size in self.seen if moment - seconds <= at <= moment]
        return float(np.mean(near))


def finished_at(path, start, end):
    """Return numbers of architectures, and the moments when so many were done."""
    with Store(path, read_only=True) as store:
        rounds, readings = store.rounds(1), store.readings(1)
    # An architecture is done when its group has its last round.
    last = rounds.groupby("group")["started_at"].max()
    models = readings[readings["architecture"] >= 0]
    n_passes = models["pass"].max() + 1
    done = models.groupby("group")["architecture"].nunique().sort_index().cumsum() / n_passes
    offset = end - rounds["started_at"].max()  # between the two clocks
    moments = np.concatenate([[start], last.sort_index().to_numpy() + offset])
    return np.concatenate([[0.0], done.to_numpy()]), moments


def course(path, memory, start, end, marks):
    """Return memory and seconds per architecture up to each mark."""
    at = np.interp(marks, *finished_at(path, start, end))
    return [
        {
            "architectures": int(mark),
            "memory": memory.around(moment),
            "seconds_per_architecture": (moment - before) / step,
        }
        for mark, step, before, moment in zip(
            marks[1:], np.diff(marks), at[:-1], at[1:], strict=True
        )
    ]


def print_totals(path, memory, seconds, n):
    """Print figures of the campaign as a whole."""
    before = perf_counter()
    loaded = len(load_dataset(path).data)
    click.echo(
        f"at the end {memory.seen[-1][1] / 1e6:.0f} MB, "
        f"highest {max(size for _, size in memory.seen) / 1e6:.0f} MB; "
        f"all included {1e3 * seconds / n:.1f} ms an architecture\n"
        f"load_dataset: {loaded} in {perf_counter() - before:.1f} s, "
        f"{path.stat().st_size / 1e6:.0f} MB"
    )


@click.command()
@options.runtime_option()
@options.space_option()
@options.n_option(15_000)
@click.option("--every", default=1_000, show_default=True, help="Architectures between two lines.")
@options.protocol_option()
@options.seed_option()
@options.store_option()
@options.save_option("endurance")
def endurance(runtime, space, n, every, protocol, seed, store, save):
    """Memory and time per architecture over the course of a long campaign.

    Prints the total resident memory of all processes in bytes, averaged over half a minute, and
    the seconds per architecture. With --store, the store is kept, and the same command resumes the
    campaign.
    """
    warnings.simplefilter("ignore", MeasurementWarning)
    memory = Memory()
    memory.start()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(store or Path(folder, "latencies.sqlite"))
        start = perf_counter()
        dataset = make_dataset(
            n,
            space=options.SPACES[space],
            runtime=runtime,
            protocol=protocol,
            random_state=seed,
            store=path,
        )
        end = perf_counter()
        memory.done.set()
        about = {"runtime": runtime, "space": space, "protocol": protocol, "n": n}
        marks = np.arange(0, n + 1, every)
        rows = [{**about, **row} for row in course(path, memory, start, end, marks)]
        click.echo(dataset.DESCR)
        key = ["runtime", "space", "protocol", "n", "architectures"]
        options.report("endurance", rows, key, save)
        print_totals(path, memory, end - start, n)
