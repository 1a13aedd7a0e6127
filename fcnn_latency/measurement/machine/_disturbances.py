"""Find what could disturb a measurement, with advice."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from fcnn_latency.networks._cpu import CPU

#: Environment variables that set how many threads compute, or how they wait.
THREAD_PATTERN = re.compile(r"\w+_NUM_THREADS|(TF_NUM|OMP|GOMP|KMP)_\w+")


#: Environment variables that change how a runtime or memory allocation works.
MEDDLING_PATTERN = re.compile(
    r"LD_PRELOAD|DYLD_INSERT_LIBRARIES|GLIBC_TUNABLES|PYTHONMALLOC|MALLOC_\w+|XLA_FLAGS|TF_XLA_\w+"
    r"|TF_ENABLE_ONEDNN_OPTS|(DNNL|ONEDNN)_\w+"
)


#: Limits above which load, fraction of time stolen since boot, and used swap are reported.
MOST_LOAD, MOST_STOLEN, MOST_SWAP_BYTES = 0.5, 0.01, 2**28


def find_disturbances(environment: dict[str, Any]) -> list[str]:
    """List what could disturb a measurement, each with advice.

    Parameters
    ----------
    environment : dict
        Environment from `describe_environment`.

    Returns
    -------
    list of str
        One sentence or more for each finding; empty if nothing was found.
    """
    return [
        finding
        for find in (_crowding, _core_limits, _clock, _host_limits, _settings)
        for finding in find(environment)
    ]


def _crowding(environment: dict[str, Any]) -> Iterator[str]:
    running = environment.get("load_average")
    if running is not None and running > MOST_LOAD:
        yield (
            f"Other programs are running (load {running}): close them, or wait until they are done."
        )
    swap = environment.get("swap_used_bytes")
    if swap is not None and swap > MOST_SWAP_BYTES:
        yield (
            f"{swap / 2**20:.0f} MiB lie in swap, so memory is or was short: close programs that "
            "hold much of it."
        )


def _core_limits(environment: dict[str, Any]) -> Iterator[str]:
    siblings = environment.get("siblings") or []
    if environment.get("cores") == 1:
        yield (
            "There is one core only: the progress display shares it with the timing. "
            "A machine with two or more gives steadier labels."
        )
    if environment.get("affinity", "not recorded") is None:
        yield (
            "This system cannot pin a process to a core: labels will be noisier. "
            "Linux can; elsewhere use more passes."
        )
    if len(siblings) > 1:
        yield (
            f"Hardware threads share a core (as {siblings}), and what runs on one slows the other: "
            "leave them idle, or turn SMT off "
            f"(echo off > {CPU}/smt/control)."
        )
    quota = environment.get("cpu_quota")
    if quota is not None and quota < 1:
        yield (
            f"The container may use {quota:g} of a core and is halted in between: "
            "allow it one core or more (docker run --cpus)."
        )


def _clock(environment: dict[str, Any]) -> Iterator[str]:
    if environment.get("governor") not in (None, "performance"):
        yield (
            f"The frequency governor is {environment['governor']!r}: "
            "'performance' gives steadier labels (cpupower frequency-set -g performance)."
        )
    if environment.get("turbo"):
        yield (
            "Turbo is on: the frequency depends on temperature and on the other cores. The "
            "reference architecture corrects for most of that; turning turbo off (in the BIOS, or "
            f"echo 0 > {CPU}/cpufreq/boost, or echo 1 > {CPU}/intel_pstate/no_turbo) gives "
            "steadier labels."
        )
    if environment.get("on_battery"):
        yield "The machine runs on battery, which lowers its frequency: plug it in."


def _host_limits(environment: dict[str, Any]) -> Iterator[str]:
    if environment.get("virtualization"):
        yield (
            f"This is a virtual machine ({environment['virtualization']}): its host may take "
            "time away. The reference architecture corrects for that, as far as it goes."
        )
    stolen = environment.get("stolen_since_boot")
    if stolen is not None and stolen > MOST_STOLEN:
        yield (
            f"The hypervisor has taken {stolen:.1%} of the time since boot: measure when the host "
            "is quieter, or on a machine of your own."
        )


def _settings(environment: dict[str, Any]) -> Iterator[str]:
    variables = environment.get("variables") or {}
    threads = [name for name in variables if THREAD_PATTERN.fullmatch(name)]
    meddling = [name for name in variables if MEDDLING_PATTERN.fullmatch(name)]
    for names, what in ((threads, "the threads that compute"), (meddling, "how models run")):
        if names:
            listed = ", ".join(f"{name}={variables[name]}" for name in names)
            verb, them = ("changes", "it") if len(names) == 1 else ("change", "them")
            yield f"{listed} {verb} {what}: unset {them} unless that is what you want to measure."
