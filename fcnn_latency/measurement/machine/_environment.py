"""Describe the machine, versions and settings that latencies are measured with."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

from fcnn_latency.measurement.machine._cpu_times import (
    CpuTimes,
    load_average,
    read_cpu_times,
    stolen_fraction,
)
from fcnn_latency.networks._cpu import (
    CPU,
    ask,
    read_cpu_flags,
    read_cpuinfo,
    read_file,
    thread_siblings,
)

#: Distributions whose versions are always recorded.
PACKAGES = ("fcnn-latency", "numpy", "scikit-learn")

#: Environment variables that change what is measured.
VARIABLES = (
    "CUDA_VISIBLE_DEVICES",
    "KERAS_BACKEND",
    "MKL_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "TF_ENABLE_ONEDNN_OPTS",
    "TF_NUM_INTEROP_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "XLA_FLAGS",
)
#: `VARIABLES` and others recorded since then. Only some KMP variables are included, since
#: scikit-learn sets others that change nothing.
VARIABLE_PATTERN = re.compile(
    "|".join(VARIABLES) + r"|\w+_NUM_THREADS|(TF_NUM|TF_XLA|OMP|GOMP|MKL|DNNL|ONEDNN|MALLOC)_\w+"
    r"|KMP_(AFFINITY|BLOCKTIME|HW_SUBSET|LIBRARY)"
    r"|LD_PRELOAD|DYLD_INSERT_LIBRARIES|GLIBC_TUNABLES|PYTHONHASHSEED|PYTHONMALLOC|PYTHONOPTIMIZE"
)


CGROUP = "/sys/fs/cgroup"


def describe_environment(packages: Sequence[str] = ()) -> dict[str, Any]:
    """Describe the machine and the process in which this function is called.

    Parameters
    ----------
    packages : sequence of str
        Distributions whose versions are recorded in addition to those of this package, NumPy
        and scikit-learn.

    Returns
    -------
    dict
        JSON-serializable: machine, cores, affinity, system, Python, versions, environment
        variables, frequency settings, virtualisation, limits, load. Unknown values are None.
    """
    affinity = ask(lambda: list(psutil.Process().cpu_affinity()))
    core = affinity[0] if affinity else 0
    return {
        **_machine(core),
        "affinity": affinity,
        **_frequency(core),
        **_host(),
        **_software(),
        "versions": {name: _version(name) for name in (*PACKAGES, *packages)},
        "variables": {
            name: value
            for name, value in sorted(os.environ.items())
            if VARIABLE_PATTERN.fullmatch(name)
        },
        "thread_pools": ask(_thread_pools),
    }


def missing_packages(packages: Sequence[str]) -> list[str]:
    """Return the distributions that are not installed."""
    return [name for name in packages if _version(name) is None]


def _machine(core: int) -> dict[str, Any]:
    return {
        "host": platform.node() or None,
        "cpu": read_cpuinfo("model name") or platform.processor() or None,
        "architecture": platform.machine(),
        "cpu_flags": ask(read_cpu_flags),
        "cores": os.cpu_count(),
        "physical_cores": ask(lambda: psutil.cpu_count(logical=False)),
        "smt": _switch(f"{CPU}/smt/active"),
        "siblings": ask(lambda: thread_siblings(core)),
        "caches": _caches(core),
        "memory_bytes": ask(lambda: psutil.virtual_memory().total),
    }


def _frequency(core: int) -> dict[str, Any]:
    return {
        "governor": read_file(f"{CPU}/cpu{core}/cpufreq/scaling_governor"),
        "turbo": _turbo(),
        "frequency_mhz": ask(lambda: round(psutil.cpu_freq().current)) or None,
        "max_frequency_mhz": ask(lambda: round(psutil.cpu_freq().max)) or None,
        "on_battery": ask(_on_battery),
    }


def _host() -> dict[str, Any]:
    return {
        "virtualization": _virtualization(),
        "container": _container(),
        "cpu_quota": ask(_cpu_quota),
        "stolen_since_boot": stolen_fraction(CpuTimes(0.0, 0.0), read_cpu_times()),
        "load_average": load_average(),
        "swap_used_bytes": ask(lambda: psutil.swap_memory().used),
    }


def _software() -> dict[str, Any]:
    return {
        "system": f"{platform.system()} {platform.release()}",
        "kernel": platform.version() or None,
        "aslr": ask(lambda: int(read_file("/proc/sys/kernel/randomize_va_space") or "")),
        "python": platform.python_version(),
        "python_implementation": platform.python_implementation(),
        "python_compiler": platform.python_compiler(),
    }


def _caches(core: int) -> dict[str, str] | None:
    """Sizes as the system writes them, by level: ``{"L1 Data": "32K", "L2": "1024K"}``."""
    sizes = {}
    for number in range(8):
        folder = f"{CPU}/cpu{core}/cache/index{number}"
        level, kind, size = (read_file(f"{folder}/{name}") for name in ("level", "type", "size"))
        if level and size:
            sizes[f"L{level}" if kind in (None, "Unified") else f"L{level} {kind}"] = size
    return sizes or None


def _turbo() -> bool | None:
    no_turbo = _switch(f"{CPU}/intel_pstate/no_turbo")
    return _switch(f"{CPU}/cpufreq/boost") if no_turbo is None else not no_turbo


def _on_battery() -> bool | None:
    battery = psutil.sensors_battery()
    return None if battery is None else not battery.power_plugged


def _virtualization() -> str | None:
    if "hypervisor" not in (read_cpuinfo("flags") or "").split():
        return None
    return read_file("/sys/class/dmi/id/sys_vendor") or "hypervisor"


def _container() -> str | None:
    if ask(Path("/.dockerenv").exists):
        return "docker"
    if ask(Path("/run/.containerenv").exists):
        return "podman"
    groups = read_file("/proc/1/cgroup") or ""
    named = [name for name in ("kubepods", "docker", "lxc", "podman") if name in groups]
    return os.environ.get("container") or next(iter(named), None)  # noqa: SIM112 - systemd's name


def _cpu_quota() -> float | None:
    """Return the number of cores that the control groups allow; None without a limit."""
    quotas = []
    for line in (read_file("/proc/self/cgroup") or "").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "" or "cpu" in controllers.split(","):
            parts = Path(path).parts[1:]
            folders = ["/".join(parts[:i]) for i in range(len(parts) + 1)]
            quotas += [_folder_quota(controllers == "", folder) for folder in folders]
    return min((quota for quota in quotas if quota is not None), default=None)


def _folder_quota(unified: bool, folder: str) -> float | None:
    if unified:
        quota, _, period = (read_file(f"{CGROUP}/{folder}/cpu.max") or "max").partition(" ")
    else:
        quota = read_file(f"{CGROUP}/cpu/{folder}/cpu.cfs_quota_us") or "-1"
        period = read_file(f"{CGROUP}/cpu/{folder}/cpu.cfs_period_us") or ""
    return None if quota in ("max", "-1") else int(quota) / int(period or 100_000)


def _thread_pools() -> list[dict[str, Any]]:
    """Describe the BLAS and OpenMP libraries in this process."""
    from threadpoolctl import threadpool_info

    kept = ("user_api", "internal_api", "version", "architecture", "num_threads")
    return [{key: pool.get(key) for key in kept} for pool in threadpool_info()]


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _switch(path: str) -> bool | None:
    return {"0": False, "1": True}.get(read_file(path) or "")
