"""Late imports: packages of extras, and Keras on TensorFlow without its start-up messages."""

from __future__ import annotations

import logging
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

#: Lines that C++ code always writes: TensorFlow at import, LiteRT at the first model.
CHATTER = re.compile(
    rb"^(I0000 |WARNING: All log messages before absl::InitializeLog"
    rb"|INFO: Created TensorFlow Lite XNNPACK delegate)"
)


def import_extra(name: str, extra: str, user: str) -> Any:
    """Import a module of an optional package.

    Parameters
    ----------
    name : str
        Name of the module.
    extra : str
        The extra of this package that installs it.
    user : str
        The function or class that needs it, for the error.

    Returns
    -------
    module

    Raises
    ------
    ImportError
        If the package is not installed; the message says how to install it.
    """
    try:
        return import_module(name)
    except ImportError as error:
        package = name.partition(".")[0].replace("_", "-")
        raise ImportError(
            f'{user} needs the package {package}: pip install "fcnn-latency[{extra}]"'
        ) from error


def import_keras() -> Any:
    """Import `keras` with the TensorFlow backend; the first import takes seconds.

    Raises
    ------
    ImportError
        If TensorFlow or Keras is missing, or Keras already runs on another backend.
    """
    if "keras" not in sys.modules:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        os.environ.setdefault("KERAS_BACKEND", "tensorflow")
        with without_chatter():
            import keras
        # This warning is spurious here: many small models are built, and each is traced once.
        logging.getLogger("tensorflow").addFilter(_is_no_retracing_warning)
    import keras

    if keras.backend.backend() != "tensorflow":
        raise ImportError(
            f"fcnn_latency needs Keras on TensorFlow, but it runs on {keras.backend.backend()!r}: "
            "set KERAS_BACKEND=tensorflow before Keras is imported."
        )
    return keras


def _is_no_retracing_warning(record: logging.LogRecord) -> bool:
    return "triggered tf.function retracing" not in str(record.msg)


@contextmanager
def without_chatter() -> Iterator[None]:
    """Hold back standard error, also that of C++ code; then write all of it but `CHATTER`."""
    sys.stderr.flush()
    with tempfile.TemporaryFile() as held:
        kept = os.dup(2)
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            held.seek(0)
            for line in held:
                if not CHATTER.match(line):
                    os.write(2, line)
