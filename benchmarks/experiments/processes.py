"""Differences between measuring processes, and the effect of a busy second core."""

import subprocess
import sys
from time import monotonic

import click
import numpy as np
from loky import ProcessPoolExecutor

from benchmarks import _options as options
from fcnn_latency import MeasurementProtocol
from fcnn_latency.measurement import Workload
from fcnn_latency.measurement._workload import Model
from fcnn_latency.measurement.machine._cores import choose_cores
from fcnn_latency.measurement.process._readings import Block
from fcnn_latency.measurement.process._session import Session, in_session, start_session
from fcnn_latency.measurement.process._worker import WORKER_ENVIRONMENT
from fcnn_latency.measurement.runtimes import get_runtime

PROTOCOL = MeasurementProtocol("reference only", reference_every=1)
BLOCK = Block(samples=5, calls_per_sample=1)
N_ROUNDS = 20
BUSY = f"import os\nos.sched_setaffinity(0, {{{choose_cores().building}}})\nwhile True: pass"


def start(runtime):
    """Start one measuring process."""
    executor = ProcessPoolExecutor(max_workers=1, env=WORKER_ENVIRONMENT)
    shared = (get_runtime(runtime), PROTOCOL, Workload(), choose_cores(), False)
    executor.submit(start_session, *shared).result()
    return executor


def reference_latency(executor):
    """Return a low quantile of reference readings, in seconds."""
    executor.submit(in_session, Session.build, [Model(PROTOCOL.reference_widths)], False).result()
    rounds = [
        executor.submit(in_session, Session.time_round, number, 0, BLOCK)
        for number in range(N_ROUNDS)
    ]
    readings = np.concatenate([round.result().seconds for round in rounds])
    executor.submit(in_session, Session.release).result()
    return float(np.quantile(readings, PROTOCOL.reference_quantile))


def levels(executors, seconds):
    """Return the log latency of each process relative to their mean, read in turn."""
    read, end = [], monotonic() + seconds
    while not read or monotonic() < end:
        read.append([reference_latency(executor) for executor in executors])
    level = np.median(np.log(read), axis=0)
    return level - level.mean()


def busy_to_idle(executor, readings=10):
    """Return the ratio of reference latencies with the other core busy and idle."""
    idle = np.median([reference_latency(executor) for _ in range(readings)])
    process = subprocess.Popen([sys.executable, "-c", BUSY])
    try:
        busy = np.median([reference_latency(executor) for _ in range(readings)])
    finally:
        process.kill()
        process.wait()
    return float(busy / idle)


@click.command()
@options.runtime_option("keras")
@click.option("--processes", "n", default=6, show_default=True, help="Processes, two at least.")
@click.option("--seconds", default=30.0, show_default=True, help="Of reading processes in turn.")
@options.repeats_option(8, "Comparisons of a busy with an idle core.")
@options.save_option("processes")
def processes(runtime, n, seconds, repeats, save):
    """Differences between measuring processes, and the effect of a busy second core.

    Prints how the reference latency differs between measuring processes with identical work, read
    in turn on one core, and how a busy second core changes it. This shows why campaigns share a
    scale, and may build models while they time others.
    """
    executors = [start(runtime) for _ in range(n)]
    level = levels(executors, seconds)
    click.echo(f"processes against their mean: {np.round(level, 4).tolist()}")
    ratios = [busy_to_idle(executors[0]) for _ in range(repeats)]
    for executor in executors:
        executor.shutdown()
    row = {
        "runtime": runtime,
        "processes": n,
        "repeats": repeats,
        "standard_deviation": float(level.std(ddof=1)),
        "busy_to_idle": float(np.median(ratios)),
    }
    options.report("processes", [row], ["runtime"], save)
