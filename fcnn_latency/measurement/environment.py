"""Which machine, which versions, which settings: what a latency is worth nothing without."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

__all__ = ["describe_environment", "find_disturbances"]

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


def describe_environment(packages: Sequence[str] = ()) -> dict[str, Any]:
    """Describe the process in which it is called.

    Parameters
    ----------
    packages : sequence of str
        Distributions whose versions matter beside numpy's and scikit-learn's.

    Returns
    -------
    dict
        JSON-ready: machine, cores, affinity, system, Python, versions, environment variables,
        governor, virtualisation, load. What the system does not tell is None.
    """
    cores = psutil.Process().cpu_affinity() if hasattr(psutil.Process, "cpu_affinity") else None
    return {
        "cpu": _cpu_model(),
        "architecture": platform.machine(),
        "cores": os.cpu_count(),
        "memory_bytes": psutil.virtual_memory().total,
        "affinity": cores,
        "virtualization": _virtualization(),
        "governor": _read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        "load_average": round(psutil.getloadavg()[0], 2),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in (*PACKAGES, *packages)},
        "variables": {name: os.environ[name] for name in VARIABLES if name in os.environ},
    }


def find_disturbances(environment: dict[str, Any]) -> list[str]:
    """What would disturb a measurement, each with what to mend.

    Parameters
    ----------
    environment : dict
        As from `describe_environment`.

    Returns
    -------
    list of str
        Empty where nothing was found.
    """
    found = []
    if environment["load_average"] > 0.5:
        found.append(
            f"Other programs are running (load {environment['load_average']}): close them, "
            "or wait until they are done."
        )
    if environment["cores"] == 1:
        found.append("There is one core only: the progress display shares it with the timing.")
    if environment["affinity"] is None:
        found.append("This system cannot pin a process to a core: labels will be noisier.")
    if environment["governor"] not in (None, "performance"):
        found.append(
            f"The frequency governor is {environment['governor']!r}: "
            "'performance' gives steadier labels (cpupower frequency-set -g performance)."
        )
    if environment["virtualization"]:
        found.append(
            f"This is a virtual machine ({environment['virtualization']}): its host may take "
            "time away. The reference architecture corrects for that, as far as it goes."
        )
    battery = psutil.sensors_battery() if hasattr(psutil, "sensors_battery") else None
    if battery is not None and not battery.power_plugged:
        found.append("The machine runs on battery, which lowers its frequency: plug it in.")
    return found


def _cpu_model() -> str | None:
    for line in (_read("/proc/cpuinfo") or "").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or None


def _virtualization() -> str | None:
    for line in (_read("/proc/cpuinfo") or "").splitlines():
        if line.startswith("flags") and " hypervisor" in line:
            return _read("/sys/class/dmi/id/sys_vendor") or "hypervisor"
    return None


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _read(path: str) -> str | None:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError:
        return None
