"""Campaigns whose readings are made up: for tests of what is measured, in which order, by whom."""

import numpy as np

from fcnn_latency.measurement._campaign import Campaign
from fcnn_latency.measurement._protocol import MeasurementProtocol
from fcnn_latency.measurement._workload import Workload
from fcnn_latency.measurement.process._readings import (
    REFERENCE,
    Block,
    BuildReport,
    ProcessReport,
    RoundReport,
)
from helpers.numpy_runtime import NumPyRuntime

#: Seconds of the reference architecture.
REFERENCE_LATENCY = 1e-6

ENVIRONMENT = {
    "cpu": "made up",
    "cpu_flags": ["avx2"],
    "affinity": [3],
    "versions": {"numpy": "2.0"},
    "variables": {"OMP_NUM_THREADS": "1"},
}


def begin(store, n_architectures=4, conditions=None, **fields):
    """A campaign in a store, of which nothing is measured."""
    fields = {"rounds": 2, "group_size": 2, "reference_every": 1, "reference_window": 0} | fields
    protocol = MeasurementProtocol("made up", **fields)
    architectures = [(5 + row, 5) for row in range(n_architectures)]
    conditions = {"protocol": protocol.as_dict(), **(conditions or {})}
    number = store.add_campaign("made up", 3, conditions, architectures)
    return Campaign(store, number, NumPyRuntime(), protocol, Workload(50))


class MadeUp:
    """Measures by a law, with a process for each pass; notes its tasks.

    Parameters
    ----------
    law : callable
        Seconds of an architecture in a pass, by row and number.
    most : int or None
        Tasks before Ctrl-C is pressed.
    broken : set of (int, int)
        Rows that fail, each with the pass in which it does.
    """

    def __init__(self, law, most=None, broken=()):
        self.law, self.most, self.broken, self.tasks = law, most, broken, []

    def __call__(self, campaign, tasks):
        for task in tasks:
            if len(self.tasks) == self.most:
                raise KeyboardInterrupt
            self.tasks.append(task)
            for report in self._reports(task):
                yield task, report

    def _reports(self, task):
        name, passed = f"process {task.group.pass_number}", task.group.pass_number
        members = list(enumerate(task.group.members))
        failures = {place: "broken" for place, row in members if (row, passed) in self.broken}
        models = {place: self.law(row, passed) for place, row in members if place not in failures}
        yield ProcessReport(name, "host", ENVIRONMENT)
        yield BuildReport(name, failures=failures)
        for number in task.rounds:
            places = np.array([REFERENCE, *models])
            seconds = np.array([REFERENCE_LATENCY, *models.values()])
            yield RoundReport(name, number, places, seconds, started_at=float(number))


class NotedWorkers:
    """Stands for `MeasuringWorker`: makes workers that do nothing but tell what they are asked."""

    def __init__(self, fails=False):
        self.log, self.workers, self.fails = [], [], fails

    def __call__(self, runtime, protocol, workload):
        self.workers.append(NotedWorker(self, len(self.workers), (runtime, protocol, workload)))
        return self.workers[-1]


class NotedWorker:
    def __init__(self, notes, number, shared):
        self.notes, self.number, self.shared = notes, number, shared

    def _note(self, what, *arguments):
        self.notes.log.append((what, self.number, *arguments))

    def start(self):
        self._note("start")

    def stop(self):
        self._note("stop")

    def wait(self):
        self._note("wait")
        return ProcessReport(f"process {self.number}", "host", ENVIRONMENT)

    def calibrate(self):
        self._note("calibrate")
        return Block(50, 20)

    def build_ahead(self, models):
        self._note("ahead", models)

    def measure(self, models, rounds, seed, block):
        self._note("measure", models, rounds, seed, block)
        if self.notes.fails:
            raise RuntimeError("out of order")
        yield BuildReport(f"process {self.number}")
