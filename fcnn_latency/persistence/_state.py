"""The state of a fitted estimator, written and read by skops; what of it is trusted.

How a file of an earlier release stays readable while estimators change: a parameter that the file
lacks gets its default, so a new one's default must mean what was done before. A new fitted
attribute that prediction needs gets a class attribute of its name for those that lack it, or
``__setstate__`` derives it. What was moved is found by its name, see `OWN_TYPES`.
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

#: Packages whose objects are looked into.
OWN_PACKAGES = ("fcnn_latency", "sklearn")

#: Kernels of Gaussian processes.
KERNELS = (
    *("ConstantKernel", "DotProduct", "Exponentiation", "ExpSineSquared", "Matern", "Product"),
    *("RBF", "RationalQuadratic", "Sum", "WhiteKernel"),
)
#: Splitters that leave architectures together or apart.
SPLITTERS = ("GroupKFold", "GroupShuffleSplit", "KFold", "RepeatedKFold", "ShuffleSplit")

#: Trusted beside scikit-learn's estimators, which skops knows, and our own public ones. The first
#: two hold raw indices into memory, which `check_trees` holds against their bounds.
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
    """An estimator as skops writes it.

    Raises
    ------
    ModelFileError
        If it holds what skops cannot write, or no other process could import.
    """
    from skops.io import dumps, get_untrusted_types  # slow: it imports all of scikit-learn

    try:
        data: bytes = dumps(estimator)
        names = get_untrusted_types(data=data)
    except Exception as error:  # skops calls __reduce__ of whatever it meets, which raises anything
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
    """The estimator that `dump_state` wrote, once all of its types are found trusted.

    Raises
    ------
    ModelFileError
        If a type is not trusted, or the state cannot be read.
    """
    from skops.io import get_untrusted_types, loads  # slow, as above

    try:
        data = with_current_types(data)
        names = get_untrusted_types(data=data)
    except Exception as error:  # of a state that skops did not write
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
    except Exception as error:  # skops, and each type's __setstate__, raise what they meet
        raise ModelFileError(
            f"{path} holds a state that this version of its packages cannot read: {error!r}. Its "
            "versions are in fcnn_latency.read_manifest."
        ) from error
    return estimator


def nested_estimators(estimator: Any, trusted: Sequence[str] = ()) -> Iterator[BaseEstimator]:
    """An estimator and all that it holds, the outer ones first."""
    packages = {*OWN_PACKAGES, *(name.partition(".")[0] for name in trusted)}
    seen: set[int] = set()
    found = [estimator]
    for part in found:  # which grows
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
        return True  # a method: its class stands before it


def _is_trusted(name: str) -> bool:
    """Whether a type is listed or a metric; what is named is not looked up before."""
    return name in TRUSTED or name in {
        f"{function.__module__}.{function.__name__}"
        for module in (metrics, sklearn_metrics)
        for public in module.__all__
        if inspect.isfunction(function := getattr(module, public))
    }


def _held(part: Any, packages: Container[str]) -> Iterable[Any]:
    """What a part holds, unless it is another package's: a live network is a world of its own."""
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
    """Give parameters that the class of an estimator has got since their defaults."""
    for parameter in inspect.signature(type(estimator)).parameters.values():
        if parameter.default is not inspect.Parameter.empty:
            vars(estimator).setdefault(parameter.name, parameter.default)
