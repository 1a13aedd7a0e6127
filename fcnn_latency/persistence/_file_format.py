"""The file that holds a fitted model: its layout, whether it is whole, how it is written.

The first line is ``fcnn-latency model FORMAT SHA256``; behind it lies a zip archive, whose bytes
the digest is of. Zip readers pass over the line: ``unzip -p model.fcnn manifest.json``.
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

#: Number of the layout that is written. When to raise it: when a release of the package that reads
#: the present number would misread what is written from now on (a member renamed, a state that
#: means something else). Not for a further key of the manifest, a further parameter or attribute of
#: an estimator, or a further estimator. How: raise it by one; write a golden file with the last
#: release first (``python tests/persistence/golden/make.py``) and keep the old ones, which
#: tests/persistence/test_golden.py goes on reading; teach `read_model_file` to bring what an older
#: number holds into the present form; say so in CHANGELOG.md. The first line stays as it is in all
#: formats.
FORMAT = 1

#: Bytes at most of the first line.
LINE_LENGTH = 128
LINE = re.compile(rb"fcnn-latency model ([1-9][0-9]{0,8}) ([0-9a-f]{64})\n")

MANIFEST = "manifest.json"

#: What files begin with that are often taken for models.
FOREIGN = {
    b"\x80": "a pickle, which could run any code, and is never read",
    b"\x78": "compressed, as joblib's pickles are, which are never read",
    b"\x1f\x8b": "compressed, as joblib's pickles may be, which are never read",
    b"PK": "a zip archive, as skops and Keras write them, without the first line of a model file",
    b"\x89HDF": "an HDF5 file, as older versions of Keras write them",
    b"SQLite": "an SQLite file, as the stores of readings are",
}


def write_model_file(path: Path, manifest: Mapping[str, Any], members: Mapping[str, bytes]) -> None:
    """Write a model file, or leave what was there untouched.

    Parameters
    ----------
    path : Path
        A link is followed; a file that exists keeps its permissions.
    manifest : mapping
        Of what JSON can say; gets the ``format``.
    members : mapping of str to bytes
        By their names.

    Raises
    ------
    ValueError
        If the manifest holds what JSON cannot say.
    OSError
        If the file cannot be written.
    """
    about = {"format": FORMAT, **manifest}
    content = io.BytesIO()
    # Place for the first line: the archive's offsets count from the start of the file.
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
    """Read a model file that is whole and of a known format.

    Returns
    -------
    manifest : dict
        What the file says of itself.
    members : dict of str to bytes
        The rest of it, by name.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ModelFileError
        If it is no model file, is damaged, or of a newer format.
    """
    data = _checked(path)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        manifest = json.loads(members.pop(MANIFEST))
        if manifest["format"] != FORMAT:
            raise ValueError(f"its manifest says format {manifest['format']!r}")
    except Exception as error:  # zipfile and zlib raise many kinds on an archive that is not ours
        raise ModelFileError(f"{path} was not written by fcnn_latency.save: {error}") from error
    return manifest, members


def _checked(path: Path) -> bytes:
    """The bytes of a whole file of this format."""
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
