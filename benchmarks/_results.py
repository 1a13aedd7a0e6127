"""Results of experiments as tracked files: figures with machine, versions, date and commit."""

import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from fcnn_latency.measurement import describe_environment

FOLDER = Path(__file__).parent / "results"
PACKAGES = ("keras", "tensorflow", "ai-edge-litert", "onnxruntime")


def provenance():
    """Machine, versions, date and commit of a figure that is measured now."""
    environment = describe_environment(PACKAGES)
    versions = environment["versions"]
    return {
        "cpu": f"{environment['cpu']}, {environment['cores']} cores",
        "python": platform.python_version(),
        "versions": "; ".join(f"{name} {versions[name]}" for name in sorted(versions)),
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "commit": _commit(),
    }


def _commit():
    """The commit that runs; "-dirty" if code differs from it, which results and pages may."""

    def ask(*arguments):
        done = subprocess.run(
            ["git", *arguments], capture_output=True, text=True, check=False, cwd=FOLDER.parent
        )
        return done.stdout.strip()

    code = ("../fcnn_latency", ".", ":!results")
    dirty = "-dirty" if ask("status", "--porcelain", "--", *code) else ""
    return (ask("rev-parse", "--short", "HEAD") or "unknown") + dirty


def save_result(name, rows, key, folder=FOLDER):
    """Put rows into ``results/NAME.csv``; rows with the same `key` columns are replaced."""
    path = Path(folder) / f"{name}.csv"
    new = pd.DataFrame(rows).assign(**provenance())
    if path.exists():
        old = pd.read_csv(path)
        replaced = old.set_index(key).index.isin(new.set_index(key).index)
        new = pd.concat([old[~replaced], new], ignore_index=True)
    path.parent.mkdir(exist_ok=True)
    new.to_csv(path, index=False, float_format="%.6g")
    return path


def read_result(name, folder=FOLDER):
    """The stored figures of an experiment; None if it was not run."""
    path = Path(folder) / f"{name}.csv"
    return pd.read_csv(path) if path.exists() else None
