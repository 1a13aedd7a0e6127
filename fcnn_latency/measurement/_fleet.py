"""Distribute a campaign over the hosts of a Dask cluster."""

from __future__ import annotations

import multiprocessing
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from fcnn_latency.exceptions import MeasurementError, StoreError
from fcnn_latency.measurement._campaign import Campaign, Task
from fcnn_latency.measurement._workload import Model
from fcnn_latency.measurement.machine._differences import environment_differences
from fcnn_latency.measurement.machine._environment import describe_environment
from fcnn_latency.measurement.machine._lock import timing_lock
from fcnn_latency.measurement.process._readings import Block, BuildReport, Report
from fcnn_latency.measurement.process._worker import MeasuringWorker

#: Dask resource that limits a worker to timing one campaign at once.
RESOURCE = "timing"
#: Give up a host after it has had no Dask worker for this many seconds.
PATIENCE = 30.0
#: Seconds between two checks of the available hosts.
POLL = 2.0
#: Attempts at a task before its architectures count as failed.
MAX_ATTEMPTS = 3

#: Attribute of a Dask worker that holds its measuring processes, by campaign and turn; the
#: processes are kept between tasks.
PROCESSES = "fcnn_latency_processes"


@dataclass(frozen=True)
class _Order:
    """A task as it is sent to a host."""

    campaign: str
    shared: tuple[Any, ...]
    turn: int
    models: list[Model]
    rounds: tuple[int, ...]
    seed: int
    block: Block | None


def measure_on_host(order: _Order) -> tuple[Block, list[Report]]:
    """Measure one task; runs in a Dask worker.

    The measuring processes are children of the Dask worker and end with it. The machine is locked
    during the task, so that workers of one host take turns.
    """
    from distributed import get_worker

    key, processes = (order.campaign, order.turn), _processes_of(get_worker())
    with timing_lock(wait=True), _children_allowed():
        for other in [other for other in processes if other[0] != order.campaign]:
            processes.pop(other).stop()
        worker = processes.setdefault(key, MeasuringWorker(*order.shared))
        try:
            worker.start()
            reports: list[Report] = [worker.wait()]
            block = order.block or worker.calibrate()
            reports += worker.measure(order.models, order.rounds, order.seed, block)
        except BaseException:
            processes.pop(key).stop()
            raise
    return block, reports


def release_host(dask_worker: Any) -> None:
    """End the measuring processes of a Dask worker.

    Dask passes the worker because the parameter is called `dask_worker`.
    """
    processes = _processes_of(dask_worker)
    while processes:
        processes.popitem()[1].stop()


def _processes_of(dask_worker: Any) -> dict[tuple[str, int], MeasuringWorker]:
    found: dict[tuple[str, int], MeasuringWorker] = vars(dask_worker).setdefault(PROCESSES, {})
    return found


@contextmanager
def _children_allowed() -> Iterator[None]:
    """Allow a Dask worker to start child processes.

    Its nanny starts it as a daemon, and daemons must not have children.
    """
    process = multiprocessing.current_process()
    daemon, process.daemon = process.daemon, False
    try:
        yield
    finally:
        process.daemon = daemon


class Fleet:
    """The hosts of a Dask cluster, each of which times one task at a time.

    Parameters
    ----------
    client : distributed.Client
        Client of a running cluster. If any workers have the resource ``timing``, only these are
        used; otherwise all workers are used.
    """

    def __init__(self, client: Any) -> None:
        self.client = client
        self._name = uuid4().hex  # identifies this fleet on hosts that others use too
        self._seen: dict[str, float] = {}

    def hosts(self) -> dict[str, list[str]]:
        """Return the addresses of the Dask workers of each host."""
        workers = self.client.scheduler_info(n_workers=-1)["workers"]
        offering = {a: w for a, w in workers.items() if RESOURCE in w.get("resources", {})}
        found: dict[str, list[str]] = {}
        for address, worker in (offering or workers).items():
            found.setdefault(worker["host"], []).append(address)
        return found

    def measure(self, campaign: Campaign, tasks: Sequence[Task]) -> Iterator[tuple[Task, Report]]:
        """Measure tasks of a campaign, one at a time on each host.

        Raises
        ------
        MeasurementError
            If there is no Dask worker, or the last one was lost.
        StoreError
            If hosts differ so that their readings are not comparable; the message says how.
        """
        hosts = self.hosts()
        if not hosts:
            raise MeasurementError(
                "The Dask cluster has no workers. Start one on each host that shall measure: "
                f'dask worker SCHEDULER --nworkers 1 --nthreads 1 --resources "{RESOURCE}=1"'
            )
        self._check_alike(hosts, campaign.runtime.packages)
        try:
            yield from self._distribute(campaign, deque(tasks))
        finally:
            self.client.run(release_host, on_error="ignore")

    def _check_alike(self, hosts: dict[str, list[str]], packages: Sequence[str]) -> None:
        chosen = {addresses[0]: host for host, addresses in hosts.items()}
        found = self.client.run(describe_environment, packages, workers=list(chosen))
        (first, environment), *others = found.items()
        for address, other in others:
            differences = environment_differences(environment, other)
            if differences:
                raise StoreError(
                    f"Hosts {chosen[first]} and {chosen[address]} differ, so their readings are "
                    f"not pooled: {'; '.join(differences)}. Offer the resource "
                    f"'{RESOURCE}' on hosts of one kind only."
                )

    def _distribute(self, campaign: Campaign, left: deque[Task]) -> Iterator[tuple[Task, Report]]:
        """Keep every host busy until all tasks are done."""
        from distributed import wait  # untyped

        wait_for: Any = wait
        running: dict[Any, tuple[str, Task]] = {}
        attempts: Counter[Task] = Counter()
        models = campaign.models  # read once, not at each poll
        try:
            while left or running:
                self._submit(campaign, models, left, running)
                if not running:  # every host is gone
                    self._give_up_lost_hosts(left, running)
                    time.sleep(POLL)
                    continue
                try:
                    done = wait_for(list(running), timeout=POLL, return_when="FIRST_COMPLETED").done
                except TimeoutError:
                    self._give_up_lost_hosts(left, running)
                    continue
                for future in done:
                    _, task = running.pop(future)
                    attempts[task] += 1
                    if future.status == "finished":
                        block, reports = future.result()
                        if campaign.store.block(campaign.number) is None:
                            campaign.store.set_block(campaign.number, block)
                        yield from ((task, report) for report in reports)
                    elif attempts[task] < MAX_ATTEMPTS:
                        left.append(task)
                    else:
                        reason = f"failed on {MAX_ATTEMPTS} hosts: {future.exception()!r}"
                        failures = dict.fromkeys(range(len(task.group.members)), reason)
                        yield task, BuildReport("", failures=failures)
        finally:
            self.client.cancel(list(running))

    def _submit(
        self,
        campaign: Campaign,
        models: list[Model],
        left: deque[Task],
        running: dict[Any, tuple[str, Task]],
    ) -> None:
        """Give each idle host a task.

        The first task runs alone: it calibrates how many calls make one reading.
        """
        block = campaign.store.block(campaign.number)
        shared = (campaign.runtime, campaign.protocol, campaign.workload)
        busy = {host for host, _ in running.values()}
        for host, addresses in self.hosts().items():
            if not left or host in busy or (block is None and running):
                continue
            task = left.popleft()
            order = _Order(
                campaign=self._name,
                shared=shared,
                turn=task.group.pass_number % campaign.protocol.processes,
                models=[models[row] for row in task.group.members],
                rounds=task.rounds,
                seed=task.group.seed,
                block=block,
            )
            resources = {RESOURCE: 1} if self._offers(addresses) else None
            future = self.client.submit(
                measure_on_host, order, workers=[host], resources=resources, pure=False
            )
            running[future] = (host, task)

    def _offers(self, addresses: Sequence[str]) -> bool:
        workers = self.client.scheduler_info(n_workers=-1)["workers"]
        return all(RESOURCE in workers[a].get("resources", {}) for a in addresses if a in workers)

    def _give_up_lost_hosts(self, left: deque[Task], running: dict[Any, tuple[str, Task]]) -> None:
        """Take back the tasks of hosts without a Dask worker for longer than `PATIENCE`."""
        now, there = time.monotonic(), self.hosts()
        for host in there:
            self._seen[host] = now
        for future, (host, task) in list(running.items()):
            if now - self._seen.get(host, now) > PATIENCE:
                self.client.cancel([future])
                left.append(task)
                del running[future]
        if not running and not there:
            raise MeasurementError(
                "The Dask cluster has lost its last worker. What was measured is kept where a "
                "store was given: the same call resumes."
            )
