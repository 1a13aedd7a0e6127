"""scikit-learn's own checks on every estimator and transformer."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from sklearn.utils import check_array
from sklearn.utils.estimator_checks import estimator_checks_generator, parametrize_with_checks

from fcnn_latency import (
    ArchitectureEncoder,
    FCNNSpace,
    GraphConvolutionRegressor,
    GraphEncoder,
    LatencyRegressor,
)


@dataclass(frozen=True)
class AnyMatrixSpace(FCNNSpace):
    """Takes any finite, non-negative matrix for architectures.

    The checks feed real numbers, which are no layer widths: this lets them reach all of the
    encoder but the rejection of such rows, which test_architecture.py covers.
    """

    def validate(self, architectures):
        """Round to widths of at least 1."""
        if isinstance(architectures, pd.DataFrame):
            architectures = architectures.to_numpy()
        widths = check_array(architectures, ensure_non_negative=True).round().astype(np.int64) + 1
        return np.pad(widths, ((0, 0), (0, self.max_layers - widths.shape[1])))


ESTIMATORS = [
    ArchitectureEncoder(space=AnyMatrixSpace(max_layers=40, tie_io=False), features="costs"),
    LatencyRegressor(epochs=3, random_state=0),
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


@pytest.mark.parametrize(
    ("estimator", "least"), list(zip(ESTIMATORS, [45, 50, 45, 50], strict=True))
)
def test_checks_are_not_skipped_by_a_tag(estimator, least):
    assert len(list(estimator_checks_generator(estimator))) >= least
