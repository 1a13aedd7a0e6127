"""A lock that allows one campaign at a time on a machine."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from fcnn_latency.exceptions import MeasurementError, MeasurementWarning


def timing_lock_file() -> Path:
    """Return the file that a campaign locks while it measures; all users share it.

    Its folder is writable for all users and not sticky. In a sticky folder, such as the one for
    temporary files, users may not use the files of others.
    """
    return Path(tempfile.gettempdir(), "fcnn_latency", "timing.lock")


@contextmanager
def timing_lock(wait: bool) -> Iterator[None]:
    """Lock the machine, since two campaigns at a time would disturb each other.

    The system releases the lock when the process ends, even if it is killed.

    Parameters
    ----------
    wait : bool
        Whether to wait until another campaign has ended.

    Raises
    ------
    MeasurementError
        If another campaign is measuring and `wait` is False, or the lock cannot be used.

    Warns
    -----
    MeasurementWarning
        If another campaign is measuring and this one waits for it.
    """
    path = timing_lock_file()
    lock = FileLock(path, mode=0o666)
    try:
        _make_open(path.parent)
        lock.acquire(blocking=False)
    except Timeout:
        _wait_or_refuse(lock, wait)
    except OSError as error:
        raise MeasurementError(
            f"The lock of this machine, {path}, cannot be used: {error}. Remove it."
        ) from error
    try:
        yield
    finally:
        lock.release()


def _make_open(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with suppress(PermissionError):  # the owner of the folder has done it
        folder.chmod(0o777)


def _wait_or_refuse(lock: FileLock, wait: bool) -> None:
    held = f"Another campaign is measuring on this machine (it holds {timing_lock_file()})"
    if not wait:
        raise MeasurementError(f"{held}: try again when it is done, or pass wait=True.")
    warnings.warn(MeasurementWarning(f"{held}; waiting for it to end."), stacklevel=4)
    lock.acquire()
