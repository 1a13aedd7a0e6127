"""Which machine, which versions, which settings: what a latency is worth nothing without."""

from __future__ import annotations

import os
import platform
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import psutil

from fcnn_latency._cpu import read_cpu_flags, read_file

__all__ = [
    "COMPARED_KEYS",
    "CpuTimes",
    "describe_environment",
    "environment_differences",
    "find_disturbances",
    "load",
    "missing_packages",
    "read_cpu_times",
    "stolen_fraction",
]

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
#: Those, and others recorded since. Not all of KMP: scikit-learn sets some that change nothing.
VARIABLE_PATTERN = re.compile(
    "|".join(VARIABLES) + r"|\w+_NUM_THREADS|(TF_NUM|TF_XLA|OMP|GOMP|MKL|DNNL|ONEDNN|MALLOC)_\w+"
    r"|KMP_(AFFINITY|BLOCKTIME|HW_SUBSET|LIBRARY)"
    r"|LD_PRELOAD|DYLD_INSERT_LIBRARIES|GLIBC_TUNABLES|PYTHONHASHSEED|PYTHONMALLOC|PYTHONOPTIMIZE"
)
#: Variables that set how many threads compute, or how they wait.
THREAD_PATTERN = re.compile(r"\w+_NUM_THREADS|(TF_NUM|OMP|GOMP|KMP)_\w+")
#: Variables that change how a runtime or the memory works.
MEDDLING_PATTERN = re.compile(
    r"LD_PRELOAD|DYLD_INSERT_LIBRARIES|GLIBC_TUNABLES|PYTHONMALLOC|MALLOC_\w+|XLA_FLAGS|TF_XLA_\w+"
    r"|TF_ENABLE_ONEDNN_OPTS|(DNNL|ONEDNN)_\w+"
)

#: What of two environments must agree, for readings to be comparable.
COMPARED_KEYS = (
    "cpu",
    "architecture",
    "cores",
    "system",
    "python",
    "versions",
    "variables",
    "cpu_flags",
    "affinity",
    "governor",
    "turbo",
    "virtualization",
)
#: Of these, None is a statement of its own; elsewhere it means that the system did not tell.
NONE_COUNTS = ("affinity", "virtualization")

#: A disturbance above this load, this fraction of time stolen since boot, and this much swap used.
MOST_LOAD, MOST_STOLEN, MOST_SWAP_BYTES = 0.5, 0.01, 2**28

CPU = "/sys/devices/system/cpu"
CGROUP = "/sys/fs/cgroup"

T = TypeVar("T")


class CpuTimes(NamedTuple):
    """Times of a core, or of all cores together, since boot.

    Parameters
    ----------
    stolen : float or None
        Seconds in which the core was ready and the hypervisor ran something else.
    total : float or None
        Seconds, idle ones included.
    """

    stolen: float | None
    total: float | None


def read_cpu_times(core: int | None = None) -> CpuTimes:
    """Read the counters from which the time stolen between two moments follows.

    Takes well below a millisecond and counts in hundredths of a second. What the system does not
    tell is None: stolen time outside Linux, and all of a single core there.

    Parameters
    ----------
    core : int or None, default=None
        None is all cores together.
    """
    return _told(lambda: _proc_stat(core)) or CpuTimes(None, _told(lambda: _total_time(core)))


def stolen_fraction(before: CpuTimes, after: CpuTimes) -> float | None:
    """Fraction of the time between two readings that was stolen; None where it is not told."""
    if None in (*before, *after) or after.total == before.total:
        return None
    stolen = (after.stolen or 0.0) - (before.stolen or 0.0)
    return max(0.0, stolen / ((after.total or 0.0) - (before.total or 0.0)))


def load() -> float | None:
    """Programs that ran or waited in the last minute, on average; None where it is not told."""
    return _told(lambda: round(psutil.getloadavg()[0], 2))


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
        frequency settings, virtualisation, limits, load. What the system does not tell is None.
    """
    affinity = _told(lambda: list(psutil.Process().cpu_affinity()))
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
        "thread_pools": _told(_thread_pools),
    }


def environment_differences(first: dict[str, Any], second: dict[str, Any]) -> list[str]:
    """What makes readings of two environments incomparable, in plain words.

    Parameters
    ----------
    first, second : dict
        As from `describe_environment`. A key that an older record lacks is no difference.

    Returns
    -------
    list of str
        Such as ``"cpu: 'AMD EPYC' and 'Intel Xeon'"``, in the order of `COMPARED_KEYS`; empty
        where they agree.
    """
    found = []
    for key in COMPARED_KEYS:
        if key in first and key in second:
            found += _differences(key, first, second)
    return found


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
    return [
        finding
        for find in (_crowding, _core_limits, _clock, _host_limits, _settings)
        for finding in find(environment)
    ]


def missing_packages(packages: Sequence[str]) -> list[str]:
    """Those distributions that are not installed."""
    return [name for name in packages if _version(name) is None]


def _machine(core: int) -> dict[str, Any]:
    return {
        "host": platform.node() or None,
        "cpu": _cpu_model(),
        "architecture": platform.machine(),
        "cpu_flags": _told(read_cpu_flags),
        "cores": os.cpu_count(),
        "physical_cores": _told(lambda: psutil.cpu_count(logical=False)),
        "smt": _switch(f"{CPU}/smt/active"),
        "siblings": _told(lambda: _siblings(core)),
        "caches": _caches(core),
        "memory_bytes": _told(lambda: psutil.virtual_memory().total),
    }


def _frequency(core: int) -> dict[str, Any]:
    return {
        "governor": read_file(f"{CPU}/cpu{core}/cpufreq/scaling_governor"),
        "turbo": _turbo(),
        "frequency_mhz": _told(lambda: round(psutil.cpu_freq().current)) or None,
        "max_frequency_mhz": _told(lambda: round(psutil.cpu_freq().max)) or None,
        "on_battery": _told(_on_battery),
    }


def _host() -> dict[str, Any]:
    times = read_cpu_times()
    return {
        "virtualization": _virtualization(),
        "container": _container(),
        "cpu_quota": _told(_cpu_quota),
        "stolen_since_boot": stolen_fraction(CpuTimes(0.0, 0.0), times),
        "load_average": load(),
        "swap_used_bytes": _told(lambda: psutil.swap_memory().used),
    }


def _software() -> dict[str, Any]:
    return {
        "system": f"{platform.system()} {platform.release()}",
        "kernel": platform.version() or None,
        "aslr": _told(lambda: int(read_file("/proc/sys/kernel/randomize_va_space") or "")),
        "python": platform.python_version(),
        "python_implementation": platform.python_implementation(),
        "python_compiler": platform.python_compiler(),
    }


def _cpu_model() -> str | None:
    for line in (read_file("/proc/cpuinfo") or "").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or None


def _siblings(core: int) -> list[int] | None:
    """The hardware threads of a core's physical core, itself included."""
    text = read_file(f"{CPU}/cpu{core}/topology/thread_siblings_list")
    if not text:
        return None
    ranges = [part.partition("-") for part in text.split(",")]
    return [i for first, _, last in ranges for i in range(int(first), int(last or first) + 1)]


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
    for line in (read_file("/proc/cpuinfo") or "").splitlines():
        if line.startswith("flags") and " hypervisor" in line:
            return read_file("/sys/class/dmi/id/sys_vendor") or "hypervisor"
    return None


def _container() -> str | None:
    if _told(Path("/.dockerenv").exists):
        return "docker"
    if _told(Path("/run/.containerenv").exists):
        return "podman"
    groups = read_file("/proc/1/cgroup") or ""
    named = [name for name in ("kubepods", "docker", "lxc", "podman") if name in groups]
    return os.environ.get("container") or next(iter(named), None)  # noqa: SIM112 - systemd's name


def _cpu_quota() -> float | None:
    """Cores that the control groups of this process allow it; None without a limit."""
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
    """What the BLAS and OpenMP libraries in this process say of themselves."""
    from threadpoolctl import threadpool_info

    kept = ("user_api", "internal_api", "version", "architecture", "num_threads")
    return [{key: pool.get(key) for key in kept} for pool in threadpool_info()]


def _proc_stat(core: int | None) -> CpuTimes | None:
    """From ``user nice system idle iowait irq softirq steal``; guests' time is in the first two."""
    name = "cpu" if core is None else f"cpu{core}"
    for line in (read_file("/proc/stat") or "").splitlines():
        label, *ticks = line.split()
        if label == name:
            seconds = [int(tick) / os.sysconf("SC_CLK_TCK") for tick in ticks[:8]]
            return CpuTimes(seconds[7] if len(seconds) > 7 else None, sum(seconds))
    return None


def _total_time(core: int | None) -> float | None:
    return float(sum(psutil.cpu_times())) if core is None else None


def _differences(key: str, first: dict[str, Any], second: dict[str, Any]) -> list[str]:
    a, b = first[key], second[key]
    if a == b or (None in (a, b) and key not in NONE_COUNTS):
        return []
    if key == "variables":
        names = sorted(_watched(first, {*a, *b}) & _watched(second, {*a, *b}))
        pairs = [(name, a.get(name), b.get(name)) for name in names]
        return [f"{name}: {_value(x)} and {_value(y)}" for name, x, y in pairs if x != y]
    if key == "versions":
        pairs = [(name, a[name], b[name]) for name in sorted(a.keys() & b.keys())]
        return [f"{name}: {x or 'none'} and {y or 'none'}" for name, x, y in pairs if x != y]
    if key == "cpu_flags":
        return [f"cpu_flags: {_only(a, b)} and {_only(b, a)}"] if set(a) != set(b) else []
    if key == "affinity":
        x, y = (f"{len(cores)} core(s)" if cores else "not pinned" for cores in (a, b))
        return [f"affinity: {x} and {y}"] if x != y else []
    return [f"{key}: {_value(a)} and {_value(b)}"]


def _watched(environment: dict[str, Any], names: set[str]) -> set[str]:
    """The variables that a record would hold if they were set; an older one watched fewer."""
    return names if "cpu_flags" in environment else names & set(VARIABLES)


def _value(value: Any) -> str:
    return "none" if value is None else repr(value)


def _only(flags: Sequence[str], others: Sequence[str]) -> str:
    return " ".join(sorted(set(flags) - set(others))) or "nothing more"


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


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _switch(path: str) -> bool | None:
    return {"0": False, "1": True}.get(read_file(path) or "")


def _told(ask: Callable[[], T]) -> T | None:
    """What the system says, or None: systems refuse in more ways than can be listed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ask()
    except Exception:
        return None
