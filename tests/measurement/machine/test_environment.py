"""Machine, versions and settings, and what disturbs a measurement."""

import json
import os
import time

import pytest
from click.testing import CliRunner

from fcnn_latency.cli import main
from fcnn_latency.measurement.machine import _cpu_times
from fcnn_latency.measurement.machine import _environment as module
from fcnn_latency.measurement.machine._cpu_times import (
    CpuTimes,
    load_average,
    read_cpu_times,
    stolen_fraction,
)
from fcnn_latency.measurement.machine._differences import COMPARED_KEYS, environment_differences
from fcnn_latency.measurement.machine._disturbances import find_disturbances
from fcnn_latency.measurement.machine._environment import describe_environment, missing_packages
from fcnn_latency.networks import _cpu

FIRST_KEYS = (
    "cpu",
    "architecture",
    "cores",
    "memory_bytes",
    "affinity",
    "virtualization",
    "governor",
    "load_average",
    "system",
    "python",
    "versions",
    "variables",
)

QUIET = {
    "cpu": "AMD EPYC",
    "architecture": "x86_64",
    "cores": 4,
    "cpu_flags": ["avx2", "fma"],
    "affinity": [3],
    "siblings": [3],
    "governor": "performance",
    "turbo": False,
    "on_battery": False,
    "virtualization": None,
    "cpu_quota": 4.0,
    "load_average": 0.1,
    "stolen_since_boot": 0.001,
    "swap_used_bytes": 0,
    "system": "Linux 6.1",
    "python": "3.11.7",
    "versions": {"numpy": "2.4.6", "keras": "3.15.1"},
    "variables": {"CUDA_VISIBLE_DEVICES": "-1", "PYTHONHASHSEED": "0"},
}

CPUINFO = """processor\t: 0
model name\t: AMD EPYC
flags\t\t: fpu sse4_2 smep avx avx2 avx512f amx_tile fma hypervisor
"""

STAT = """cpu  100 0 300 400 0 0 0 200 50 0
cpu0 60 0 100 240 0 0 0 0 0 0
cpu1 40 0 200 160 0 0 0 200 0 0
cpu11 1 0 0 0 0 0 0 0 0 0
intr 1 2 3
"""


def told(monkeypatch, files):
    """Let the system show these files and no others."""
    for place in (module, _cpu):
        monkeypatch.setattr(place, "read_file", files.get)


class Mute:
    """A psutil on which nothing works."""

    def __getattr__(self, name):
        def refuse(*arguments, **keywords):
            raise NotImplementedError(name)

        return refuse


def test_environment_is_json_and_has_the_first_keys():
    environment = describe_environment(("keras", "no-such-package"))
    assert json.loads(json.dumps(environment)) == environment
    assert set(FIRST_KEYS) <= set(environment)
    assert set(COMPARED_KEYS) <= set(environment)
    assert environment["versions"]["keras"]
    assert environment["versions"]["no-such-package"] is None
    assert environment_differences(environment, describe_environment(("keras",))) == []


def test_mute_system_gives_none(monkeypatch):
    told(monkeypatch, {})
    for place in (module, _cpu_times):
        monkeypatch.setattr(place, "psutil", Mute())
    monkeypatch.setattr(module, "Path", lambda path: Mute())
    monkeypatch.setattr(module.platform, "processor", str)
    monkeypatch.setattr(module.os, "cpu_count", lambda: None)
    monkeypatch.setitem(module.__dict__, "_thread_pools", Mute().refuse)
    for variable in ("container", *module.VARIABLES):
        monkeypatch.delenv(variable, raising=False)
    environment = describe_environment()
    known = {
        "host",
        "architecture",
        "system",
        "kernel",
        "python",
        "python_implementation",
        "python_compiler",
        "versions",
        "variables",
    }
    assert {key for key, value in environment.items() if value is not None} <= known
    assert read_cpu_times() == read_cpu_times(0) == CpuTimes(None, None)
    assert load_average() is None
    assert find_disturbances(environment) == [
        "This system cannot pin a process to a core: labels will be noisier. "
        "Linux can; elsewhere use more passes."
    ]
    assert find_disturbances({}) == []


@pytest.mark.skipif(not hasattr(os, "sysconf"), reason="there is no /proc on this system")
def test_stolen_time_is_that_of_the_core(monkeypatch, tmp_path):
    tick = 1 / os.sysconf("SC_CLK_TCK")
    monkeypatch.setattr(_cpu_times.psutil, "PROCFS_PATH", str(tmp_path))
    stat = tmp_path / "stat"
    stat.write_text(STAT)
    assert read_cpu_times() == pytest.approx((200 * tick, 1000 * tick))
    assert read_cpu_times(1) == pytest.approx((200 * tick, 600 * tick))
    assert read_cpu_times(0).stolen == 0
    before = read_cpu_times(1)
    later = STAT.replace("cpu1 40 0 200 160 0 0 0 200", "cpu1 130 0 200 160 0 0 0 210")
    stat.write_text(later)
    assert stolen_fraction(before, read_cpu_times(1)) == pytest.approx(0.1)


def test_time_of_guests_counts_once(monkeypatch, tmp_path):
    monkeypatch.setattr(_cpu_times.psutil, "PROCFS_PATH", str(tmp_path))
    (tmp_path / "stat").write_text("cpu 50 10 0 40 0 0 0 0 30 10\ncpu0 50 10 0 40 0 0 0 0 30 10\n")
    tick = 1 / os.sysconf("SC_CLK_TCK")
    assert read_cpu_times(0).total == pytest.approx(100 * tick)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (CpuTimes(None, 1.0), CpuTimes(None, 2.0)),
        (CpuTimes(0.0, 1.0), CpuTimes(None, None)),
        (CpuTimes(0.0, 1.0), CpuTimes(0.0, 1.0)),
    ],
)
def test_stolen_time_is_not_guessed(before, after):
    assert stolen_fraction(before, after) is None


def test_counters_are_cheap():
    start = time.process_time()
    for _ in range(100):
        read_cpu_times(0)
        load_average()
    assert (time.process_time() - start) / 100 < 1e-3


def test_equal_environments_do_not_differ():
    assert environment_differences(QUIET, QUIET) == []
    assert environment_differences(QUIET, {}) == []


@pytest.mark.parametrize(
    ("key", "value", "difference"),
    [
        ("cpu", "Intel Xeon", "cpu: 'AMD EPYC' and 'Intel Xeon'"),
        ("cores", 8, "cores: 4 and 8"),
        ("system", "Linux 6.2", "system: 'Linux 6.1' and 'Linux 6.2'"),
        ("versions", {"numpy": "2.5.0"}, "numpy: 2.4.6 and 2.5.0"),
        ("versions", {"numpy": None}, "numpy: 2.4.6 and none"),
        ("variables", {"CUDA_VISIBLE_DEVICES": "-1"}, "PYTHONHASHSEED: '0' and none"),
        ("cpu_flags", ["avx512f", "fma"], "cpu_flags: avx2 and avx512f"),
        ("cpu_flags", ["fma"], "cpu_flags: avx2 and nothing more"),
        ("affinity", [1, 2], "affinity: 1 core(s) and 2 core(s)"),
        ("affinity", None, "affinity: 1 core(s) and not pinned"),
        ("governor", "powersave", "governor: 'performance' and 'powersave'"),
        ("turbo", True, "turbo: False and True"),
        ("virtualization", "KVM", "virtualization: none and 'KVM'"),
    ],
)
def test_differences_are_named(key, value, difference):
    assert environment_differences(QUIET, {**QUIET, key: value}) == [difference]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("affinity", [1]),
        ("versions", {"torch": "2.0"}),
        ("governor", None),
        ("turbo", None),
        ("cpu_flags", None),
        ("load_average", 3.0),
    ],
)
def test_what_does_not_matter_is_no_difference(key, value):
    assert environment_differences(QUIET, {**QUIET, key: value}) == []


def test_what_an_older_record_did_not_watch_is_no_difference():
    older = {key: QUIET[key] for key in FIRST_KEYS if key in QUIET}
    older["variables"] = {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "-1"}
    expected = ["OMP_NUM_THREADS: none and '1'"]
    assert environment_differences(QUIET, older) == expected


def test_quiet_machine_has_nothing_to_mend():
    assert find_disturbances(QUIET) == []


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("load_average", 0.6, "close them"),
        ("swap_used_bytes", 2**30, "1024 MiB lie in swap"),
        ("cores", 1, "one core only"),
        ("affinity", None, "cannot pin"),
        ("siblings", [3, 7], "turn SMT off"),
        ("cpu_quota", 0.5, "may use 0.5 of a core"),
        ("governor", "powersave", "cpupower"),
        ("turbo", True, "Turbo is on"),
        ("on_battery", True, "plug it in"),
        ("virtualization", "KVM", "virtual machine (KVM)"),
        ("stolen_since_boot", 0.02, "taken 2.0% of the time"),
        ("variables", {"OMP_NUM_THREADS": "4"}, "OMP_NUM_THREADS=4 changes the threads"),
        ("variables", {"LD_PRELOAD": "x.so", "PYTHONMALLOC": "debug"}, "change how models run"),
    ],
)
def test_disturbances_are_found(key, value, words):
    [finding] = find_disturbances({**QUIET, key: value})
    assert words in finding
    assert find_disturbances({**QUIET, key: None}) in ([], [finding])


def test_missing_packages_are_named():
    assert missing_packages(("numpy", "no-such-package")) == ["no-such-package"]


def doctor(*options):
    result = CliRunner().invoke(main, ["doctor", *options])
    assert result.exit_code == 0, result.output
    return result.output


def test_doctor_lists_groups_and_findings(monkeypatch):
    disturbed = {**describe_environment(("keras",)), "load_average": 2.5}
    monkeypatch.setattr(module, "describe_environment", lambda packages: disturbed)
    lines = doctor().splitlines()
    for heading in ("Machine", "Settings", "Versions", "Variables", "Runtimes", "What to do"):
        assert heading in lines
    [cores] = [line for line in lines if line.startswith("  cores:")]
    [keras] = [line for line in lines if line.startswith("  keras:") and "usable" not in line]
    assert cores.index(str(disturbed["cores"])) == keras.index(disturbed["versions"]["keras"])
    assert any(line.startswith("- Other programs are running (load 2.5)") for line in lines)


def test_doctor_of_a_mute_machine(monkeypatch):
    mute = dict.fromkeys(describe_environment())
    mute |= {"versions": {"keras": None}, "variables": {}, "affinity": [0]}
    mute |= {"python": "3", "python_implementation": "CPython"}
    monkeypatch.setattr(module, "describe_environment", lambda packages: mute)
    output = doctor()
    assert "not installed" in output
    assert "none set" in output
    assert "Nothing found that would disturb a measurement." in output


def test_doctor_names_what_a_runtime_lacks(monkeypatch):
    monkeypatch.setattr(module, "missing_packages", lambda packages: ["keras"])
    assert "not usable, missing keras" in doctor()


def test_doctor_prints_json():
    about = json.loads(doctor("--json"))
    assert about["missing_packages"]["keras"] == []
    assert isinstance(about["disturbances"], list)
    assert set(FIRST_KEYS) <= set(about)
