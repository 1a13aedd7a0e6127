"""Model files: layout, integrity check, reading and writing.

The first line is ``fcnn-latency model FORMAT SHA256``. A zip archive follows, and the digest is
that of its bytes. Zip readers skip the first line: ``unzip -p model.fcnn manifest.json``.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fcnn_latency._files import write_whole
from fcnn_latency.exceptions import ModelFileError

#: Number of the layout that is written.
#:
#: Raise it if a release that reads the current number would misread new files (a member is renamed,
#: a state changes its meaning). Do not raise it for a new key of the manifest, a new parameter or
#: attribute of an estimator, or a new estimator.
#:
#: How to raise it: first write a golden file with the last release
#: (``python tests/persistence/golden/make.py``) and keep the old ones, which
#: tests/persistence/test_golden.py continues to read. Raise the number by one. Make
#: `read_model_file` convert older formats to the current one. Add an entry to CHANGELOG.md. The
#: first line stays the same in all formats.
FORMAT = 1

#: Maximum length of the first line in bytes.
LINE_LENGTH = 128
LINE = re.compile(rb"fcnn-latency model ([1-9][0-9]{0,8}) ([0-9a-f]{64})\n")

MANIFEST = "manifest.json"

#: First bytes of files that are often mistaken for model files.
FOREIGN = {
    b"\x80": "a pickle, which could run any code, and is never read",
    b"\x78": "compressed, as joblib's pickles are, which are never read",
    b"\x1f\x8b": "compressed, as joblib's pickles may be, which are never read",
    b"PK": "a zip archive, as skops and Keras write them, without the first line of a model file",
    b"\x89HDF": "an HDF5 file, as older versions of Keras write them",
    b"SQLite": "an SQLite file, as the stores of readings are",
}


def write_model_file(path: Path, manifest: Mapping[str, Any], members: Mapping[str, bytes]) -> None:
    """Write a model file; if this fails, leave an existing file unchanged.

    Parameters
    ----------
    path : Path
        Path of the file. A link is followed. An existing file keeps its permissions.
    manifest : mapping
        Values that JSON can represent; ``format`` is added.
    members : mapping of str to bytes
        Content of each member, by name.

    Raises
    ------
    ValueError
        If the manifest contains a value that JSON cannot represent.
    OSError
        If the file cannot be written.
    """
    about = {"format": FORMAT, **manifest}
    content = io.BytesIO()
    # Reserve space for the first line, because offsets of the archive start at the file's start.
    content.write(_first_line(b""))
    start = content.tell()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(MANIFEST, json.dumps(about, indent=2, allow_nan=False))
        for name, data in members.items():
            archive.writestr(name, data)
    data = content.getvalue()
    write_whole(path, _first_line(data[start:]) + data[start:])


def _first_line(data: bytes) -> bytes:
    return f"fcnn-latency model {FORMAT} {hashlib.sha256(data).hexdigest()}\n".encode()


def read_model_file(path: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Read a model file, and check that it is intact and of a known format.

    Returns
    -------
    manifest : dict
        Description of the model.
    members : dict of str to bytes
        Content of the other members, by name.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    ModelFileError
        If the file is not a model file, is damaged, or has a newer format.
    """
    data = _checked(path)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        manifest = json.loads(members.pop(MANIFEST))
        if manifest["format"] != FORMAT:
            raise ValueError(f"its manifest says format {manifest['format']!r}")
    except Exception as error:  # zipfile and zlib raise many types for a foreign archive
        raise ModelFileError(f"{path} was not written by fcnn_latency.save: {error}") from error
    return manifest, members


def _checked(path: Path) -> bytes:
    """Return the bytes of a file, after checking its first line and its digest."""
    if path.is_dir():
        raise ModelFileError(
            f"{path} is a folder; a model file is one file, as fcnn_latency.save writes it."
        )
    if not path.exists():
        raise FileNotFoundError(f"There is no model file {str(path)!r}.")
    with path.open("rb") as file:
        line = file.readline(LINE_LENGTH)
        found = LINE.fullmatch(line)
        if found is None:
            raise ModelFileError(f"{path} is no model file that fcnn-latency wrote: {_kind(line)}.")
        number, digest = int(found[1]), found[2].decode()
        if number > FORMAT:
            raise ModelFileError(
                f"{path} has format {number}; this release of fcnn-latency reads formats up to "
                f"{FORMAT}. Install a newer one to read it."
            )
        data = file.read()
    if hashlib.sha256(data).hexdigest() != digest:
        raise ModelFileError(
            f"{path} is damaged: its bytes are not those that were written (SHA-256 differs). "
            "Copy it anew from where it came, or fit and save again."
        )
    return line + data


def _kind(line: bytes) -> str:
    if not line:
        return "it is empty"
    if line.startswith(b"fcnn-latency model "):
        return "its first line is damaged"
    kinds = (f"it is {kind}" for start, kind in FOREIGN.items() if line.startswith(start))
    return next(kinds, "its first line is another's")
