"""The denoising task of ``examples/denoise.py``, which is no package."""

import sys
from functools import cache
from pathlib import Path

TASK = Path(__file__).resolve().parents[1] / "examples" / "denoise.py"


@cache
def _task():
    # Not before it is needed: the example loads its signal and Optuna.
    sys.path.insert(0, str(TASK.parent))
    import denoise

    return denoise


def quality(widths, **given):
    """How many dB of noise networks of these widths remove."""
    return _task().quality(widths, **given)
