"""Show that no estimator beats the mean on the published data of Beglaryan and Ringhofer (2023).

Run as `python examples/paper_data.py`.

The data are downloaded once; the environment variable FCNN_LATENCY_CAPSTONE2023 names a local
copy where the network is out of reach.
"""

import numpy as np

from fcnn_latency import compare, fetch_capstone2023

dataset = fetch_capstone2023()
print(dataset.DESCR)

distinct, repeats = np.unique(dataset.data, axis=0, return_counts=True)
print(f"{len(dataset.data)} measurements of {len(distinct)} distinct architectures;")
print(f"{(repeats > 1).sum()} were measured more than once: two measurements of the same one")
print(f"correlate at {dataset.reliability.retest_r:.3f}.\n")

result = compare(dataset.data, dataset.target, estimators=["flops", "linear"])
print("Five-fold cross-validation, times in seconds:")
print(result.table[["mse", "mae", "rmse", "r2", "mape"]].round(6).to_string())
