"""Paths given by users, and files that are written completely or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
from pathlib import Path


def resolve(path: str | os.PathLike[str]) -> Path:
    """Return the path of a file; a leading ``~`` is the home folder.

    Raises
    ------
    FileNotFoundError
        If it names the home folder of an unknown user.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise FileNotFoundError(f"{str(path)!r} names no home folder: {error}") from error


def check_writable(path: str | os.PathLike[str]) -> Path:
    """Check, before long work, that a file can be written. Nothing is created.

    Returns
    -------
    Path
        See `resolve`.

    Raises
    ------
    OSError
        If the folder cannot be created or the file cannot be written.
    """
    path = resolve(path)
    there = next(place for place in (path, *path.absolute().parents) if place.exists())
    if there != path and not there.is_dir():
        raise NotADirectoryError(f"{path} cannot be written: {there} is a file.")
    if path.is_dir():
        raise PermissionError(f"{path} cannot be written: it is a folder.")
    if not os.access(there, os.W_OK):
        raise PermissionError(f"{path} cannot be written: {there} is read-only.")
    return path


def write_whole(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a file completely or leave the old one untouched: write beside it, then rename.

    A missing folder is created. Links are followed, and an existing file keeps its permissions.
    Pipes and other special files are written to and not replaced.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    path = Path(os.path.realpath(resolve(path)))
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and not path.is_file():
        path.write_bytes(data)
        return
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    # Not by tempfile: only the owner can read its files, whatever the umask.
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            shutil.copymode(path, beside)
        os.replace(beside, path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
