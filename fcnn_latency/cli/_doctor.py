"""The output of the command `doctor`."""

from __future__ import annotations

from typing import Any

#: Fields that `doctor` lists, by heading; versions, variables and runtimes follow.
DOCTOR_GROUPS = {
    "Machine": (
        "host",
        "cpu",
        "architecture",
        "cpu_flags",
        "cores",
        "physical_cores",
        "caches",
        "memory_bytes",
        "max_frequency_mhz",
        "virtualization",
        "container",
        "system",
        "kernel",
    ),
    "Settings": (
        "affinity",
        "cpu_quota",
        "smt",
        "siblings",
        "governor",
        "turbo",
        "frequency_mhz",
        "on_battery",
        "aslr",
        "load_average",
        "stolen_since_boot",
        "swap_used_bytes",
        "thread_pools",
    ),
}


def list_environment(environment: dict[str, Any], missing: dict[str, list[str]]) -> list[str]:
    """Return lines that describe a machine; `missing` are the packages that each runtime lacks."""
    python = f"{environment['python']} ({environment['python_compiler']})"
    groups: dict[str, dict[str, Any]] = {
        name: {key: environment[key] for key in keys} for name, keys in DOCTOR_GROUPS.items()
    }
    groups["Versions"] = {
        environment["python_implementation"]: python,
        **{name: found or "not installed" for name, found in environment["versions"].items()},
    }
    groups["Variables"] = environment["variables"]
    groups["Runtimes"] = {
        name: f"not usable, missing {', '.join(lacks)}" if lacks else "usable"
        for name, lacks in missing.items()
    }
    width = 2 + max(len(key) for group in groups.values() for key in group)
    lines = []
    for name, group in groups.items():
        lines += [name, *(f"  {key + ':':{width}}{_plain(key, group[key])}" for key in group)]
        lines += [*([] if group else ["  none set"]), ""]
    return lines


def _plain(key: str, value: Any) -> str:
    """Format a value of an environment for people."""
    if value is None:
        return "unknown or none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if key.endswith("_bytes"):
        return f"{value / 2**30:.1f} GiB"
    if key == "stolen_since_boot":
        return f"{value:.2%}"
    if key == "thread_pools":
        return ", ".join(f"{pool['internal_api']} ({pool['num_threads']})" for pool in value)
    if isinstance(value, dict):
        return ", ".join(f"{name} {size}" for name, size in value.items())
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def list_findings(found: list[str]) -> list[str]:
    """Return lines about conditions that would disturb a measurement."""
    if not found:
        return ["Nothing found that would disturb a measurement."]
    return ["What to do", *(f"- {disturbance}" for disturbance in found)]
