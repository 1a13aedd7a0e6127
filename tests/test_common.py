"""scikit-learn's own checks on every estimator and transformer."""

import os
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest
from sklearn.base import is_regressor
from sklearn.linear_model import Ridge
from sklearn.utils import check_array, get_tags
from sklearn.utils.estimator_checks import estimator_checks_generator, parametrize_with_checks

from fcnn_latency import (
    ArchitectureEncoder,
    FCNNSpace,
    GraphConvolutionRegressor,
    GraphEncoder,
    IntervalRegressor,
    LatencyRegressor,
    LookupTableRegressor,
    MeasuredLatency,
    MeasurementProtocol,
    MixedLatencyRegressor,
    RelativeLinearRegressor,
    RooflineRegressor,
    TransferRegressor,
)
from helpers.numpy_runtime import NumPyRuntime

pytestmark = [
    pytest.mark.usefixtures("untraced"),
    pytest.mark.filterwarnings("ignore:Even though the `tf.config:UserWarning"),
]


@dataclass(frozen=True)
class AnyMatrixSpace(FCNNSpace):
    """Takes any finite, non-negative matrix for architectures.

    The checks feed real numbers, which are no layer widths: this lets them reach all of the
    encoder but the rejection of such rows, which tests/spaces/test_fcnn.py covers.
    """

    def validate(self, architectures):
        """Round to widths of at least 1."""
        if isinstance(architectures, pd.DataFrame):
            architectures = architectures.to_numpy()
        widths = check_array(architectures, ensure_non_negative=True).round().astype(np.int64) + 1
        return np.pad(widths, ((0, 0), (0, self.max_layers - widths.shape[1])))


#: No more than a label takes.
SHORTEST = MeasurementProtocol(
    "shortest",
    passes=1,
    processes=1,
    rounds=2,
    samples_per_block=1,
    calls_per_sample=1,
    reference_every=0,
    build_ahead=False,
)
#: Some checks want the same prediction twice: what a store holds is not measured again.
FOLDER = TemporaryDirectory()


class TemporaryStore(os.PathLike):
    """Prints the same in every process, since names of tests must not differ between them."""

    def __fspath__(self):
        return str(Path(FOLDER.name, "latencies.sqlite"))

    def __repr__(self):
        return "TemporaryStore()"


ESTIMATORS = [
    ArchitectureEncoder(space=AnyMatrixSpace(max_layers=40, tie_io=False), features="costs"),
    ArchitectureEncoder(space=AnyMatrixSpace(max_layers=40, tie_io=False), features="tiles"),
    # Small, since building a network takes most of a check; the line learns what is scored.
    LatencyRegressor((2,), epochs=1, batch_size=1000, validation_fraction=0, random_state=0),
    RelativeLinearRegressor(),
    RelativeLinearRegressor("nonnegative"),
    MixedLatencyRegressor(random_state=0),
    RooflineRegressor(),
    LookupTableRegressor(),
    MeasuredLatency(
        NumPyRuntime(),
        SHORTEST,
        space=AnyMatrixSpace(max_layers=40, tie_io=False),
        scale="campaign",
        store=TemporaryStore(),
        random_state=0,
    ),
    IntervalRegressor(Ridge(), cv=3),
    TransferRegressor(),
    GraphEncoder(space=AnyMatrixSpace(max_layers=40, tie_io=False)),
    # The line learns what the score is checked on; a network without extras is built sooner.
    GraphConvolutionRegressor(
        n_convolutions=1,
        units=4,
        bidirectional=False,
        layer_normalization=False,
        linear_part=True,
        dropout=0.0,
        epochs=1,
        batch_size=100,
        random_state=0,
    ),
]


@parametrize_with_checks(ESTIMATORS)
def test_scikit_learn_check(estimator, check):
    check(estimator)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda estimator: type(estimator).__name__)
def test_checks_are_not_skipped_by_a_tag(estimator):
    least = 50 if is_regressor(estimator) else 45
    least -= 10 * get_tags(estimator).non_deterministic
    assert len(list(estimator_checks_generator(estimator))) >= least
