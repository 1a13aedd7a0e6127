"""State of a fitted estimator, written and read by skops, and the types that are trusted.

How to keep files of earlier releases readable when estimators change: a parameter missing in the
file gets its default, so the default of a new parameter must keep the previous behaviour. If
prediction needs a new fitted attribute, add a class attribute of the same name for older files, or
derive it in ``__setstate__``. Classes that moved are found by name, see `OWN_TYPES`.
"""

from __future__ import annotations

import inspect
from collections.abc import Container, Iterable, Iterator, Sequence
from importlib import import_module
from typing import Any

import numpy as np
from sklearn import metrics as sklearn_metrics
from sklearn.base import BaseEstimator

from fcnn_latency import metrics
from fcnn_latency.exceptions import ModelFileError
from fcnn_latency.persistence._own_types import OWN_TYPES, with_current_types
from fcnn_latency.persistence._tree_bounds import check_trees

#: Packages whose objects are searched for nested estimators.
OWN_PACKAGES = ("fcnn_latency", "sklearn")

#: Kernels of Gaussian processes.
KERNELS = (
    *("ConstantKernel", "DotProduct", "Exponentiation", "ExpSineSquared", "Matern", "Product"),
    *("RBF", "RationalQuadratic", "Sum", "WhiteKernel"),
)
#: Cross-validation splitters, with and without grouping by architecture.
SPLITTERS = ("GroupKFold", "GroupShuffleSplit", "KFold", "RepeatedKFold", "ShuffleSplit")

#: Trusted types, in addition to scikit-learn's estimators, which skops trusts. The first two
#: contain raw indices into memory; `check_trees` checks their bounds.
TRUSTED = {
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.tree._tree.Tree",
    "sklearn._loss.loss.HalfTweedieLoss",
    "sklearn._loss.loss.HalfTweedieLossIdentity",
    "sklearn.metrics._scorer._PassthroughScorer",
    "sklearn.metrics._scorer._Scorer",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
    "sklearn.utils._bunch.Bunch",
    *(f"sklearn.gaussian_process.kernels.{name}" for name in KERNELS),
    *(f"sklearn.model_selection._split.{name}" for name in SPLITTERS),
    *(f"{module}.{name}" for name, module in OWN_TYPES.items()),
}


def dump_state(estimator: Any) -> bytes:
    """Return an estimator in skops format.

    Raises
    ------
    ModelFileError
        If it contains an object that skops cannot write or another process cannot import.
    """
    from skops.io import dumps, get_untrusted_types  # slow: it imports all of scikit-learn

    try:
        data: bytes = dumps(estimator)
        names = get_untrusted_types(data=data)
    except Exception as error:  # skops calls __reduce__ of every object, which can raise anything
        raise ModelFileError(
            f"{type(estimator).__name__} cannot be written to a model file: {error}"
        ) from error
    homeless = [name for name in names if not _is_importable(name)]
    if homeless:
        raise ModelFileError(
            f"{type(estimator).__name__} cannot be written to a model file: it holds {homeless}, "
            "which another process cannot import. Use functions and classes of a module, and set "
            "parameters that only training needs to None."
        )
    return data


def load_state(data: bytes, trusted: Sequence[str], path: str) -> Any:
    """Return the estimator that `dump_state` wrote, after checking that its types are trusted.

    Raises
    ------
    ModelFileError
        If a type is not trusted, or the state cannot be read.
    """
    from skops.io import get_untrusted_types, loads  # slow, as above

    try:
        data = with_current_types(data)
        names = get_untrusted_types(data=data)
    except Exception as error:  # for a state that skops did not write
        raise ModelFileError(f"{path} holds a state that skops cannot read: {error!r}") from error
    unknown = sorted(name for name in names if name not in trusted and not _is_trusted(name))
    if unknown:
        raise ModelFileError(
            f"{path} holds types that are not trusted: {unknown}. Nothing of it was built. If you "
            f"trust their code and the file, pass trusted={unknown} to fcnn_latency.load."
        )
    try:
        estimator = loads(data, trusted=names)
        for part in list(nested_estimators(estimator, trusted)):
            _complete(part)
            check_trees(part)
    except ModelFileError:
        raise
    except Exception as error:  # skops and __setstate__ of any type can raise anything
        raise ModelFileError(
            f"{path} holds a state that this version of its packages cannot read: {error!r}. Its "
            "versions are in fcnn_latency.read_manifest."
        ) from error
    return estimator


def nested_estimators(estimator: Any, trusted: Sequence[str] = ()) -> Iterator[BaseEstimator]:
    """Yield an estimator and all estimators nested in it, outer ones first."""
    packages = {*OWN_PACKAGES, *(name.partition(".")[0] for name in trusted)}
    seen: set[int] = set()
    found = [estimator]
    for part in found:  # the list grows during the loop
        if id(part) not in seen:
            seen.add(id(part))
            found += _held(part, packages)
            if isinstance(part, BaseEstimator):
                yield part


def _is_importable(name: str) -> bool:
    module, _, attribute = name.rpartition(".")
    if module == "__main__" or "<" in name:
        return False
    try:
        return hasattr(import_module(module), attribute)
    except ImportError:
        return True  # a method: the part before it is a class


def _is_trusted(name: str) -> bool:
    """Return whether a type is listed or is a metric, without importing the named type."""
    return name in TRUSTED or name in {
        f"{function.__module__}.{function.__name__}"
        for module in (metrics, sklearn_metrics)
        for public in module.__all__
        if inspect.isfunction(function := getattr(module, public))
    }


def _held(part: Any, packages: Container[str]) -> Iterable[Any]:
    """Return the objects in a part, or nothing for other packages, such as a live network."""
    kind = type(part)
    if kind is dict:
        return list(part.values())
    if kind in (list, tuple, set):
        return list(part)
    if kind is np.ndarray:
        return part.ravel().tolist() if part.dtype.hasobject else ()
    if isinstance(part, BaseEstimator) or kind.__module__.partition(".")[0] in packages:
        return list(getattr(part, "__dict__", {}).values())
    return ()


def _complete(estimator: BaseEstimator) -> None:
    """Set parameters that were added to the class after saving to their defaults."""
    for parameter in inspect.signature(type(estimator)).parameters.values():
        if parameter.default is not inspect.Parameter.empty:
            vars(estimator).setdefault(parameter.name, parameter.default)
