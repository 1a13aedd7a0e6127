"""Measuring in this process, on a machine on which time passes only by calls of models.

Nothing is started and nothing is bound to a core: what a measuring process does to itself and to
its machine is noted.
"""

import signal
from collections import Counter
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from functools import cache, partial
from itertools import count, groupby
from types import SimpleNamespace

from fcnn_latency.measurement.machine._cores import Cores
from fcnn_latency.measurement.machine._cpu_times import CpuTimes
from fcnn_latency.measurement.machine._environment import describe_environment
from fcnn_latency.measurement.process import _readings, _session, _worker
from fcnn_latency.measurement.runtimes._base import Runtime

environment_of_this_machine = cache(describe_environment)


class FakeMachine:
    """Clock, memory, cores and counters as the test sets them; `log` has what happened.

    A model is known by the width of its input and how many of this width were built before it:
    ``(25, 0)`` is the first instance of the reference. Stands for the module `time` too.
    """

    def __init__(self):
        self.log, self.executors, self._names = [], [], count()
        self.nanoseconds = self.resident = 0
        self.bytes_per_model = 0
        self.cores, self.load = Cores(timing=3, building=1), 0.75
        self.refused, self.broken = set(), set()

    def lasts(self, model, number):
        """Nanoseconds of a call of a model, which is its call of this number."""
        return 1_100

    def cpu_times(self, core):
        """Counters of a core."""
        return CpuTimes(None, None)

    def kills(self, task, arguments):
        """Whether a process dies of a task."""
        return False

    def call_of(self, model):
        """An inference."""
        numbers = count()

        def call():
            self.log.append(("call", model))
            if model in self.broken:
                raise RuntimeError("worn out")
            self.nanoseconds += self.lasts(model, next(numbers))

        return call

    def calls(self):
        """The calls since the log was cleared: each model with its number of calls in a row."""
        models = [event[1] for event in self.log if event[0] == "call"]
        return [(model, len(list(group))) for model, group in groupby(models)]

    def perf_counter_ns(self):
        return self.nanoseconds

    def perf_counter(self):
        return self.nanoseconds * 1e-9

    def time(self):
        return 1e9 + self.nanoseconds * 1e-9

    def time_ns(self):
        """No two processes start at the same time."""
        return next(self._names)

    def note(self, *event):
        self.log.append(event)

    def read_cpu_times(self, core):
        self.note("counters", core)
        return self.cpu_times(core)

    def replace(self, monkeypatch):
        """Put this machine in the place of the real one."""
        own_signals = {"SIGINT": signal.SIGINT, "SIG_IGN": signal.SIG_IGN}
        memory = SimpleNamespace(memory_info=lambda: SimpleNamespace(rss=self.resident))
        for name, stand_in in {
            "time": self,
            "signal": SimpleNamespace(signal=partial(self.note, "signal"), **own_signals),
            "gc": SimpleNamespace(
                collect=partial(self.note, "collect"), freeze=partial(self.note, "freeze")
            ),
            "psutil": SimpleNamespace(Process=lambda: memory),
            "move_to": partial(self.note, "move"),
            "read_cpu_times": self.read_cpu_times,
            "load_average": lambda: self.load,
            "describe_environment": environment_of_this_machine,
            "_die_with_parent": lambda: None,
            "_give_memory_back": partial(self.note, "give back"),
        }.items():
            monkeypatch.setattr(_session, name, stand_in)
        monkeypatch.setattr(_session._Held, "session", None, raising=False)
        monkeypatch.setattr(_readings, "perf_counter_ns", self.perf_counter_ns)
        monkeypatch.setattr(_worker, "choose_cores", lambda: self.cores)
        monkeypatch.setattr(_worker, "ProcessPoolExecutor", partial(InlineExecutor, self))


class LoggedRuntime(Runtime):
    """Models that do nothing but let the time of a fake machine pass; `inputs` has their shapes."""

    def __init__(self, machine, name="logged"):
        self.name, self.machine = name, machine
        self.inputs, self._built = {}, Counter()

    def __repr__(self):
        return f"LoggedRuntime({self.name!r})"

    def load(self):
        self.machine.note("load")

    def release(self):
        self.machine.note("release")

    def prepare(self, widths, inputs, seed):
        model = (widths[0], self._built[widths[0]])
        self.machine.note("build", model)
        if widths[0] in self.machine.refused:
            raise RuntimeError("no such width")
        self._built[widths[0]] += 1
        self.inputs[model] = inputs.shape
        self.machine.resident += self.machine.bytes_per_model
        return self.machine.call_of(model)


class InlineExecutor:
    """Stands for loky's executor: does each task at once, with a session of its own."""

    def __init__(self, machine, max_workers, env):
        self.machine, self.max_workers, self.environment = machine, max_workers, env
        self.tasks, self.stopped, self._session, self._dead = [], [], None, False
        machine.executors.append(self)

    def submit(self, task, *arguments):
        """Do the task; a process that has died does nothing any more."""
        if task is _session.in_session:
            task, arguments = arguments[0], (self._session, *arguments[1:])
        future = Future()
        self._dead = self._dead or self.machine.kills(task, arguments)
        if self._dead:
            future.set_exception(BrokenProcessPool("died"))
            return future
        self.tasks.append((task.__name__, *arguments[1:]))
        try:
            future.set_result(task(*arguments))
        except Exception as error:
            future.set_exception(error)
        if task is _session.start_session:
            self._session = _session._Held.session
        return future

    def shutdown(self, **how):
        self.stopped.append(how)
