"""A fitted pipeline to a file and back, without pickle."""

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

from fcnn_latency._files import check_writable
from fcnn_latency._validation import NAME, Rule, check
from fcnn_latency.datasets._files import describe_origin
from fcnn_latency.encoding._base import WidthsEncoder
from fcnn_latency.exceptions import ModelFileError, ModelFileWarning
from fcnn_latency.measurement.machine._environment import describe_environment
from fcnn_latency.persistence._file_format import read_model_file, write_model_file
from fcnn_latency.persistence._state import dump_state, load_state, nested_estimators

#: Distributions that a model depends on.
PACKAGES = ("fcnn-latency", "numpy", "scikit-learn", "keras", "tensorflow", "skops")

#: The member that holds the estimator, as skops writes it.
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

    Estimators are written by skops, networks as the arrays that predict. Beside them the file
    says with what it was fitted and how well, which `read_manifest` shows. It is written beside
    `path` and renamed, so that an interruption leaves what was there before.

    Parameters
    ----------
    pipeline : estimator
        Fitted: a pipeline of `make_latency_pipeline`, or what is built on one, as
        ``GridSearchCV`` or its ``best_estimator_``.
    path : path
        The file, by custom ``.fcnn``; its folder is made where there is none.
    dataset : Bunch or None, default=None
        What the pipeline was fitted on, from `make_dataset` or `load_dataset`: its runtime,
        environment, description and noise floor go into the file. Labels do not.
    metrics : mapping of str or None, default=None
        What is known of its errors, as from `latency_metrics`; mappings of mappings are fine:
        ``{"training": {...}, "cross_validated": {...}}``.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    NotFittedError
        If the pipeline is not fitted.
    ModelFileError
        If it holds what a file cannot: functions of no module, callbacks, open files.
    ValueError
        If `dataset` is no dataset, or `metrics` holds what JSON cannot say.
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
    path = Path(path).expanduser()
    check_writable(path)
    manifest = _manifest(pipeline, dataset, metrics)
    write_model_file(path, manifest, {STATE: dump_state(pipeline)})
    return path


def load(path: str | os.PathLike[str], *, trusted: Sequence[str] = ()) -> Any:
    """Read a pipeline that `save` wrote.

    Nothing of the file is built before all of it has been checked: that it is whole, of a known
    format, and of trusted types only, which are scikit-learn's estimators and those of this
    package. Trust is a matter of its types, not of who wrote it: a file from a stranger can still
    predict nonsense.

    Parameters
    ----------
    path : path
        A file of `save`.
    trusted : sequence of str, default=()
        Further types that may be built, by their full names, as
        ``["lightgbm.sklearn.LGBMRegressor"]``: those whose code you would run. The error that
        names what is not trusted gives the list.

    Returns
    -------
    estimator
        Fitted; it predicts the same as the one that was written. Parameters that its class has
        got since have their defaults.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ModelFileError
        If it is no model file (a pickle, a folder, another's), is damaged, has a newer format, or
        holds types that are not trusted. A ValueError.

    Warns
    -----
    ModelFileWarning
        If it was written with another version of scikit-learn, whose estimators may predict
        otherwise.
    """
    check(trusted, TYPE_NAMES, "trusted", "load")
    path = Path(path).expanduser()
    manifest, members = read_model_file(path)
    if STATE not in members:
        raise ModelFileError(
            f"{path} was not written by fcnn_latency.save: it has no member {STATE}."
        )
    with warnings.catch_warnings():
        # One for each estimator, where one for the file says more.
        warnings.simplefilter("ignore", InconsistentVersionWarning)
        estimator = load_state(members[STATE], trusted, str(path))
    _warn_of_version(path, manifest)
    return estimator


def read_manifest(path: str | os.PathLike[str]) -> dict[str, Any]:
    """What a model file says of itself, without building the model.

    Parameters
    ----------
    path : path
        A file of `save`.

    Returns
    -------
    dict
        ``format``, ``written_at`` (UTC), ``estimator`` (with its parameters), ``versions``,
        ``environment`` (of the fitting), ``space``, ``signal_length``, ``metrics``, and
        ``dataset``: ``runtime``, ``n_architectures``, ``noise_floor``, ``environment`` (of the
        measurement), ``description`` and more; None where no dataset was given.

    Raises
    ------
    FileNotFoundError, ModelFileError
        As `load`, types apart.
    """
    return read_model_file(Path(path).expanduser())[0]


def manifest_text(manifest: Mapping[str, Any]) -> str:
    """What people want to know of a model file first.

    Parameters
    ----------
    manifest : mapping
        From `read_manifest`.
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
    parts = nested_estimators(pipeline)
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
        "signal_length": getattr(encoder, "signal_length", None),
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
    """Mappings of text, numbers and None; numbers of NumPy as Python's."""
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
