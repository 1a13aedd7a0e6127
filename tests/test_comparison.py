"""Estimators side by side."""

import numpy as np

from fcnn_latency import FCNNSpace, compare
from fcnn_latency.architecture import layer_costs


def test_comparison_has_the_mean_and_ranks_a_linear_law():
    X = FCNNSpace().sample(40, random_state=1)
    y = 1e-4 * np.count_nonzero(X, axis=1) + 1e-9 * layer_costs(X, 50)["macs"].sum(axis=1)
    result = compare(X, y, estimators=["linear"], noise_floor=0.01, cv=4)
    assert list(result.table.index) == ["mean", "linear"]
    assert result.table.loc["linear", "mape"] < 0.01 < result.table.loc["mean", "mape"]
    assert result.table["error_to_noise"].notna().all()
    assert result.predictions.notna().to_numpy().all()
