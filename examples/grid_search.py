"""Search the hidden layers of the estimator's network with scikit-learn's GridSearchCV.

Run as `python examples/grid_search.py [n]`: n architectures, 30 unless told.
"""

import sys

from sklearn.model_selection import GridSearchCV, KFold

from fcnn_latency import make_dataset, make_latency_pipeline
from fcnn_latency.metrics import SCORERS

n_architectures = int(sys.argv[1]) if len(sys.argv) > 1 else 30

dataset = make_dataset(n_architectures, random_state=0, verbose=1)

search = GridSearchCV(
    make_latency_pipeline(random_state=0).set_params(latencyregressor__epochs=30),
    {"latencyregressor__hidden_layer_sizes": [(16,), (32, 32), (64, 64)]},
    scoring=SCORERS["neg_mean_absolute_percentage_error"],
    cv=KFold(2, shuffle=True, random_state=0),
    n_jobs=2,
)
search.fit(dataset.data, dataset.target)

results = search.cv_results_
for parameters, score in zip(results["params"], results["mean_test_score"], strict=True):
    (sizes,) = parameters.values()
    print(f"hidden layers {sizes}: cross-validated MAPE {-score:.2%}")
print(f"best: {search.best_params_['latencyregressor__hidden_layer_sizes']}")
