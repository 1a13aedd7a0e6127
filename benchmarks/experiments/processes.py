"""Why campaigns share a scale, and may build while they time.

``python -m benchmarks processes`` prints how the reference latency differs between measuring
processes with identical work, read in turn on one core, and what a busy second core does to it.
"""

import subprocess
import sys
from time import monotonic

import numpy as np
from loky import ProcessPoolExecutor

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
N_PROCESSES, SECONDS = 6, 30
BUSY = f"import os\nos.sched_setaffinity(0, {{{choose_cores().building}}})\nwhile True: pass"


def start() -> ProcessPoolExecutor:
    """One measuring process, started."""
    executor = ProcessPoolExecutor(max_workers=1, env=WORKER_ENVIRONMENT)
    shared = (get_runtime("keras"), PROTOCOL, Workload(), choose_cores(), False)
    executor.submit(start_session, *shared).result()
    return executor


def reference_latency(executor: ProcessPoolExecutor) -> float:
    """A low quantile of reference readings, in seconds."""
    executor.submit(in_session, Session.build, [Model(PROTOCOL.reference_widths)], False).result()
    rounds = [
        executor.submit(in_session, Session.time_round, number, 0, BLOCK)
        for number in range(N_ROUNDS)
    ]
    readings = np.concatenate([round.result().seconds for round in rounds])
    executor.submit(in_session, Session.release).result()
    return float(np.quantile(readings, PROTOCOL.reference_quantile))


def main() -> None:
    """Read processes in turn, then one with the other core idle and busy in turn."""
    executors = [start() for _ in range(N_PROCESSES)]
    read, end = [], monotonic() + SECONDS
    while monotonic() < end:
        read.append([reference_latency(executor) for executor in executors])
    level = np.median(np.log(read), axis=0)
    print("processes against their mean:", np.round(100 * (level - level.mean()), 2), "%")
    print(f"standard deviation: {100 * level.std(ddof=1):.2f} %")
    ratios = []
    for _ in range(8):
        idle = np.median([reference_latency(executors[0]) for _ in range(10)])
        process = subprocess.Popen([sys.executable, "-c", BUSY])
        busy = np.median([reference_latency(executors[0]) for _ in range(10)])
        process.kill()
        process.wait()
        ratios.append(busy / idle)
    print(f"other core busy / idle, median of 8: {np.median(ratios):.4f}")


if __name__ == "__main__":
    main()
