"""Save a fitted pipeline to a file and load it, without pickle."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sklearn.exceptions import InconsistentVersionWarning
from sklearn.utils import Bunch
from sklearn.utils.validation import check_is_fitted

from fcnn_latency._files import check_writable, resolve
from fcnn_latency._validation import NAME, Rule, check
from fcnn_latency.datasets._files import describe_origin
from fcnn_latency.encoding._base import WidthsEncoder
from fcnn_latency.exceptions import ModelFileError, ModelFileWarning
from fcnn_latency.measurement.machine._environment import describe_environment
from fcnn_latency.persistence._file_format import read_model_file, write_model_file
from fcnn_latency.persistence._state import dump_state, load_state, nested_estimators

#: Packages that a model depends on.
PACKAGES = ("fcnn-latency", "numpy", "scikit-learn", "keras", "tensorflow", "skops")

#: Name of the member with the estimator in skops format.
STATE = "estimator.skops"

PREDICTOR = Rule(
    "a fitted estimator with a method predict", lambda value: hasattr(value, "predict")
)
TYPE_NAMES = Rule(
    "a sequence of full names of types, as ['lightgbm.sklearn.LGBMRegressor']",
    lambda value: not isinstance(value, str) and all(map(NAME.holds, value)),
)


def save(
    pipeline: Any,
    path: str | os.PathLike[str],
    *,
    dataset: Bunch | None = None,
    metrics: Mapping[str, Any] | None = None,
) -> Path:
    """Write a fitted pipeline to one file, without pickle.

    skops writes the estimators; networks are stored as arrays. A manifest describes the training
    data, the software and the errors of the model; `read_manifest` returns it. The file is written
    under a temporary name next to `path` and then renamed, so an interruption leaves an existing
    file unchanged.

    Parameters
    ----------
    pipeline : estimator
        Fitted pipeline from `make_latency_pipeline`, or an estimator that contains one, such as
        ``GridSearchCV`` or its ``best_estimator_``.
    path : path
        Path of the file, usually with the suffix ``.fcnn``. A missing folder is created.
    dataset : Bunch or None, default=None
        Training data, from `make_dataset` or `load_dataset`. Its runtime, environment, description
        and noise floor are stored in the file; labels are not.
    metrics : mapping of str or None, default=None
        Errors of the model, such as those from `latency_metrics`. Mappings can be nested:
        ``{"training": {...}, "cross_validated": {...}}``.

    Returns
    -------
    Path
        Path of the file.

    Raises
    ------
    NotFittedError
        If the pipeline is not fitted.
    ModelFileError
        If the pipeline contains objects that cannot be stored: functions outside modules,
        callbacks, open files.
    ValueError
        If `dataset` is not a dataset, or `metrics` contains a value that JSON cannot represent.
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from fcnn_latency import load, make_latency_pipeline, read_manifest, save
    >>> pipeline = make_latency_pipeline("flops").fit([[41, 41], [10, 10]], [2e-6, 1e-6])
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = save(pipeline, folder.name + "/model.fcnn", metrics={"mape": 0.004})
    >>> load(path).predict([[41, 41]]).round(8).tolist()
    [2e-06]
    >>> read_manifest(path)["metrics"]
    {'mape': 0.004}
    >>> folder.cleanup()
    """
    check(pipeline, PREDICTOR, "pipeline", "save")
    check_is_fitted(pipeline)
    path = check_writable(path)
    manifest = _manifest(pipeline, dataset, metrics)
    write_model_file(path, manifest, {STATE: dump_state(pipeline)})
    return path


def load(path: str | os.PathLike[str], *, trusted: Sequence[str] = ()) -> Any:
    """Load a pipeline that `save` wrote.

    The whole file is checked before any object is built: it must be intact, have a known format,
    and contain only trusted types. Estimators of scikit-learn and of this package are trusted.
    Trust refers to types, not to the author of the file: a file from a stranger can still predict
    nonsense.

    Parameters
    ----------
    path : path
        File written by `save`.
    trusted : sequence of str, default=()
        Full names of additional types that may be built, such as
        ``["lightgbm.sklearn.LGBMRegressor"]``. List only types whose code you would run. The error
        for types that are not trusted contains the list.

    Returns
    -------
    estimator
        Fitted estimator with the same predictions as the saved one. Parameters added to its class
        since then have their defaults.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    ModelFileError
        If the file is not a model file (a pickle, a folder, a file of another program), is damaged,
        has a newer format, or contains types that are not trusted. A subclass of ValueError.

    Warns
    -----
    ModelFileWarning
        If the file was written with another version of scikit-learn: predictions may differ.
    """
    check(trusted, TYPE_NAMES, "trusted", "load")
    path = resolve(path)
    manifest, members = read_model_file(path)
    if STATE not in members:
        raise ModelFileError(
            f"{path} was not written by fcnn_latency.save: it has no member {STATE}."
        )
    with warnings.catch_warnings():
        # A single warning for the file is more useful than one for each estimator.
        warnings.simplefilter("ignore", InconsistentVersionWarning)
        estimator = load_state(members[STATE], trusted, str(path))
    _warn_of_version(path, manifest)
    return estimator


def read_manifest(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the manifest of a model file, without building the model.

    Parameters
    ----------
    path : path
        File written by `save`.

    Returns
    -------
    dict
        ``format``, ``written_at`` (UTC), ``estimator`` (with its parameters), ``versions``,
        ``environment`` (of the fitting), ``space``, ``signal_length``, ``metrics``, and
        ``dataset``: ``runtime``, ``n_architectures``, ``noise_floor``, ``environment`` (of the
        measurement), ``description`` and more. ``dataset`` is None if none was given to `save`.

    Raises
    ------
    FileNotFoundError, ModelFileError
        As in `load`, except for types, which are not checked.
    """
    return read_model_file(resolve(path))[0]


def manifest_text(manifest: Mapping[str, Any]) -> str:
    """Return the most important information on a model file as text.

    Parameters
    ----------
    manifest : mapping
        Output of `read_manifest`.

    Returns
    -------
    str
        Lines of text.
    """
    versions = ", ".join(f"{name} {version}" for name, version in manifest["versions"].items())
    lines = [
        f"{manifest['estimator']}",
        f"Written {manifest['written_at']} with {versions}.",
        f"Fitted on: {manifest['environment']['cpu']}.",
    ]
    for name, value in (manifest["metrics"] or {}).items():
        found = value if isinstance(value, Mapping) else {"": value}
        lines.append(f"{name}: {', '.join(f'{k} {_short(v)}'.strip() for k, v in found.items())}")
    if manifest["dataset"] is not None:
        lines += ["", manifest["dataset"]["description"].rstrip()]
    return "\n".join(lines)


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _manifest(
    pipeline: Any, dataset: Bunch | None, metrics: Mapping[str, Any] | None
) -> dict[str, Any]:
    parts = list(nested_estimators(pipeline))
    encoder = next((part for part in parts if isinstance(part, WidthsEncoder)), None)
    space = getattr(encoder, "space_", None)
    environment = describe_environment(PACKAGES)
    versions = {name: environment["versions"][name] for name in PACKAGES}
    return {
        "written_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "estimator": " ".join(repr(pipeline).split()),
        "versions": {"python": environment["python"], **versions},
        "environment": environment,
        "space": None if space is None else asdict(space),
        "signal_length": next(
            (part.signal_length for part in parts if hasattr(part, "signal_length")), None
        ),
        "dataset": None if dataset is None else _about_dataset(dataset),
        "metrics": None if metrics is None else _json_able(metrics),
    }


def _about_dataset(dataset: Any) -> dict[str, Any]:
    needed = {"data", "DESCR", "noise_floor", "runtime", "space"}
    if not isinstance(dataset, Bunch) or not needed <= set(dataset):
        raise ValueError(
            "The 'dataset' parameter of save must be a Bunch, as from make_dataset or "
            f"load_dataset. Got a {type(dataset).__name__} instead."
        )
    return {
        "n_architectures": len(dataset.data),
        "noise_floor": dataset.noise_floor,
        "description": dataset.DESCR,
        **describe_origin(dataset),
    }


def _json_able(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Return metrics as JSON-compatible Python objects; convert NumPy numbers to Python numbers."""
    try:
        plain: dict[str, Any] = json.loads(
            json.dumps(metrics, allow_nan=False, default=lambda value: value.item())
        )
        if not isinstance(plain, dict):
            raise TypeError("no mapping")
    except (AttributeError, TypeError, ValueError) as error:
        raise ValueError(
            "The 'metrics' parameter of save must be a mapping of names to finite numbers, text, "
            f"None or such mappings. Got {metrics!r} instead: {error}."
        ) from error
    return plain


def _warn_of_version(path: Path, manifest: Mapping[str, Any]) -> None:
    import sklearn

    written = manifest.get("versions", {}).get("scikit-learn")
    if written != sklearn.__version__:
        msg = (
            f"{path} was written with scikit-learn {written}, and is read with "
            f"{sklearn.__version__}: it may predict otherwise. Fit and save it again, or install "
            f"scikit-learn=={written}."
        )
        warnings.warn(ModelFileWarning(msg), stacklevel=3)
