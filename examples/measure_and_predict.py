"""Measure random architectures on this machine, fit the default estimator, predict unseen ones.

Run as `python examples/measure_and_predict.py [n]`: n architectures, 80 unless told.
"""

import sys

from sklearn.model_selection import train_test_split

from fcnn_latency import make_dataset, make_latency_pipeline
from fcnn_latency.metrics import latency_metrics

n_architectures = int(sys.argv[1]) if len(sys.argv) > 1 else 80

dataset = make_dataset(n_architectures, random_state=0, verbose=1)
print(dataset.DESCR)

X_train, X_test, y_train, y_test = train_test_split(dataset.data, dataset.target, random_state=0)
model = make_latency_pipeline(random_state=0).fit(X_train, y_train)
scores = latency_metrics(y_test, model.predict(X_test), noise_floor=dataset.noise_floor)

print(f"On {len(y_test)} architectures that the model has not seen:")
print(f"  mean absolute percentage error {scores['mape']:.2%}")
print(f"  within 5 %: {scores['within_5']:.0%}")
print(f"  error over noise floor: {scores['error_to_noise']:.1f}")

for widths in ([41, 41], [14, 21, 31, 14]):
    print(f"predicted for {widths}: {1e6 * model.predict([widths])[0]:.1f} µs")
