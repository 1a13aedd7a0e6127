"""The Makefile sets up the environment."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
#: Stands for Python: `-m venv` makes an environment whose Python does nothing.
PYTHON = "#!/bin/sh\nmkdir -p .venv/bin\ncp {true} .venv/bin/python\n"


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
def test_an_interrupted_setup_is_repeated(tmp_path):
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    python = tmp_path / "python"
    python.write_text(PYTHON.format(true=shutil.which("true")))
    python.chmod(0o755)
    (tmp_path / ".venv").mkdir()  # begun and killed
    command = ["make", f"PYTHON={python}", ".venv/usable"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    assert (tmp_path / ".venv" / "usable").exists()
