"""What `doctor` writes about a machine."""

import pytest

from fcnn_latency.cli._doctor import DOCTOR_GROUPS, list_environment

#: A machine of which nothing is known.
MUTE = {
    **dict.fromkeys(key for keys in DOCTOR_GROUPS.values() for key in keys),
    "python": "3.11.7",
    "python_compiler": "GCC 12",
    "python_implementation": "CPython",
    "versions": {},
    "variables": {},
}


@pytest.mark.parametrize(
    ("key", "value", "shown"),
    [
        ("memory_bytes", 3 * 2**29, "1.5 GiB"),
        ("swap_used_bytes", 2**30, "1.0 GiB"),
        ("stolen_since_boot", 0.0125, "1.25%"),
        ("turbo", True, "yes"),
        ("turbo", False, "no"),
        ("turbo", None, "unknown or none"),
        ("affinity", [0, 3], "0 3"),
        ("caches", {"L1 Data": "32K", "L2": "1M"}, "L1 Data 32K, L2 1M"),
        ("thread_pools", [{"internal_api": "openblas", "num_threads": 4}], "openblas (4)"),
        ("cpu_quota", 1.5, "1.5"),
        ("cores", 8, "8"),
    ],
)
def test_values_are_shown_in_units_for_people(key, value, shown):
    lines = list_environment({**MUTE, key: value}, {})
    (line,) = [line for line in lines if line.startswith(f"  {key}:")]
    assert line.partition(":")[2].strip() == shown


def test_versions_variables_and_runtimes_are_listed():
    environment = {**MUTE, "versions": {"keras": "3.1", "onnx": None}, "variables": {"A": "1"}}
    lines = list_environment(environment, {"litert": [], "xla": ["keras", "jax"]})
    shown = {name.strip(): value.strip() for name, _, value in (x.partition(":") for x in lines)}
    assert shown["CPython"] == "3.11.7 (GCC 12)"
    assert (shown["keras"], shown["onnx"]) == ("3.1", "not installed")
    assert shown["A"] == "1"
    assert (shown["litert"], shown["xla"]) == ("usable", "not usable, missing keras, jax")
