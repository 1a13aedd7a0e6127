"""The denoising task of ``examples/denoise.py``, which is not a package."""

import sys
from functools import cache
from pathlib import Path

TASK = Path(__file__).resolve().parents[1] / "examples" / "denoise.py"


@cache
def _task():
    # Import late: the example loads its signal and Optuna.
    sys.path.insert(0, str(TASK.parent))
    import denoise

    return denoise


def quality(widths, **given):
    """Return the noise in dB that networks of these widths remove."""
    return _task().quality(widths, **given)
