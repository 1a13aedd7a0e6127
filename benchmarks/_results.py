"""Results of experiments in tracked files, with machine, versions, date and commit."""

import platform
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from fcnn_latency._files import write_whole
from fcnn_latency.measurement import describe_environment

FOLDER = Path(__file__).parent / "results"
#: The widest vectors of a CPU: machines of one name may differ in them.
VECTORS = {"avx512f": "AVX-512", "avx2": "AVX2", "asimd": "NEON"}
PACKAGES = ("keras", "tensorflow", "ai-edge-litert", "onnxruntime")


def provenance():
    """Return machine, versions, date and commit for figures that are measured now."""
    environment = describe_environment(PACKAGES)
    versions, flags = environment["versions"], environment["cpu_flags"] or ()
    vectors = [name for flag, name in VECTORS.items() if flag in flags][:1]
    return {
        "cpu": ", ".join([f"{environment['cpu']}, {environment['cores']} cores", *vectors]),
        "python": platform.python_version(),
        "versions": "; ".join(f"{name} {versions[name]}" for name in sorted(versions)),
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "commit": _commit(),
    }


def _commit():
    """Return the current commit, with "-dirty" if code differs; results and pages may differ."""
    if shutil.which("git") is None:
        return "unknown"

    def ask(*arguments):
        done = subprocess.run(
            ["git", *arguments], capture_output=True, text=True, check=False, cwd=FOLDER.parent
        )
        return done.stdout.strip()

    code = ("../fcnn_latency", ".", ":!results")
    dirty = "-dirty" if ask("status", "--porcelain", "--", *code) else ""
    return (ask("rev-parse", "--short", "HEAD") or "unknown") + dirty


def save_result(name, rows, key, folder=FOLDER):
    """Add rows to ``results/NAME.csv``; those of this machine with the same `key` are replaced."""
    path = Path(folder) / f"{name}.csv"
    new = pd.DataFrame(rows).assign(**provenance())
    if path.exists():
        old = pd.read_csv(path)
        key = ["cpu", *key]
        replaced = old.set_index(key).index.isin(new.set_index(key).index)
        new = pd.concat([old[~replaced], new], ignore_index=True)
    write_whole(path, new.to_csv(index=False, float_format="%.6g").encode())
    return path


def read_result(name, folder=FOLDER):
    """Return the stored figures of an experiment; None if it was not run."""
    path = Path(folder) / f"{name}.csv"
    return pd.read_csv(path) if path.exists() else None
