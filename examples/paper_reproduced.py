"""Reproduce Beglaryan and Ringhofer (2023): on their labels, then on labels that repeat.

Run as `python examples/paper_reproduced.py [n] [epochs] [runtime ...]`: n of the paper's
architectures, 300 unless told, are measured again with each runtime, litert and keras unless told.
The paper's network is trained for 100 epochs and the default one for 50, or both as told. Writes
the paper's figures, and logs for TensorBoard. It takes fcnn-latency[litert,plots,tensorboard],
and a few minutes.

The data are downloaded once; the environment variable FCNN_LATENCY_CAPSTONE2023 names a local
copy where the network is out of reach.
"""

import sys

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.model_selection import GroupShuffleSplit

from fcnn_latency import (
    AbsoluteDeviationDisplay,
    LatencySurfaceDisplay,
    LossCurveDisplay,
    PredictedLatencyDisplay,
    fetch_capstone2023,
    make_dataset,
    make_latency_pipeline,
)
from fcnn_latency.metrics import latency_metrics
from fcnn_latency.spaces import surface_architectures

n_architectures = int(sys.argv[1]) if len(sys.argv) > 1 else 300
epochs = {"paper": 100, "deep": 50}
if len(sys.argv) > 2:
    epochs = dict.fromkeys(epochs, int(sys.argv[2]))
runtimes = sys.argv[3:] or ["litert", "keras"]
METRICS = ["mse", "mae", "rmse", "r2", "mape", "within_5"]

# The same architectures with labels as published, and measured here.
published = fetch_capstone2023()
distinct = np.unique(published.data, axis=0)
rng = np.random.default_rng(0)
chosen = distinct[rng.choice(len(distinct), n_architectures, replace=False)]
datasets = {"published": published}
for runtime in runtimes:
    datasets[runtime] = make_dataset(chosen, runtime=runtime, random_state=0, verbose=1)

models, tests, predictions = {}, {}, {}
for name, dataset in datasets.items():
    X, y = dataset.data, dataset.target
    # Four fifths to learn from, as the paper has it; repeats of an architecture stay together.
    groups = pd.DataFrame(X).groupby(list(range(X.shape[1]))).ngroup()
    train, test = next(GroupShuffleSplit(1, test_size=0.2, random_state=0).split(X, y, groups))
    models[name] = {
        "mean": make_latency_pipeline("mean"),
        "median": make_latency_pipeline("mean", strategy="median"),
        "paper": make_latency_pipeline(
            "paper", random_state=0, epochs=epochs["paper"], log_dir=f"logs/{name}"
        ),
        "linear": make_latency_pipeline("linear"),
        "deep": make_latency_pipeline("deep", random_state=0, epochs=epochs["deep"]),
        "mixed": make_latency_pipeline("mixed", random_state=0),
    }
    for model in models[name].values():
        model.fit(X[train], y[train])
    tests[name] = y[test]
    predictions[name] = {each: model.predict(X[test]) for each, model in models[name].items()}
    table = pd.DataFrame(
        {each: latency_metrics(y[test], p) for each, p in predictions[name].items()}
    ).T
    print(f"\n{name}: {len(train)} to learn from, {len(test)} others, times in seconds")
    print(f"two measurements of an architecture correlate at {dataset.reliability.retest_r:.3f};")
    print(f"a perfect predictor would show a MAPE of {dataset.noise_floor:.2%}")
    print(table[METRICS].map("{:.4g}".format).to_string())

# Fig. 1, latency over two layers: measured, and predicted by what learnt from other architectures.
surface = surface_architectures((25, 25, 25), layers=(1, 2), widths=np.arange(5, 51, 5))
measured = make_dataset(surface, runtime=runtimes[0], protocol="quick", random_state=0, verbose=1)
predicted = models[runtimes[0]]["mixed"].predict(surface)
figure, axes = plt.subplots(1, 2, figsize=(10, 4.5), subplot_kw={"projection": "3d"})
figure.subplots_adjust(left=0, right=0.94, bottom=0, top=1)
for ax, title, latencies in zip(
    axes, ("measured", "predicted"), (measured.target, predicted), strict=True
):
    LatencySurfaceDisplay.from_predictions(surface, latencies, layers=(1, 2), kind="surface", ax=ax)
    ax.set_title(title, y=0.95)
figure.savefig("fig1_surface.png", dpi=100)


def side_by_side(draw, path):
    """One of the paper's figures for each kind of labels."""
    figure, axes = plt.subplots(
        1, len(datasets), figsize=(4.7 * len(datasets), 4), layout="constrained"
    )
    for ax, name in zip(axes, datasets, strict=True):
        draw(name, ax)
        ax.set_title(f"{name} labels")
    figure.savefig(path, dpi=100)


side_by_side(
    lambda name, ax: LossCurveDisplay.from_estimator(models[name]["paper"], ax=ax),
    "fig7_loss.png",
)
side_by_side(
    lambda name, ax: AbsoluteDeviationDisplay.from_predictions(
        tests[name], predictions[name], ax=ax
    ),
    "fig8_deviations.png",
)
side_by_side(
    lambda name, ax: PredictedLatencyDisplay.from_predictions(
        tests[name], predictions[name]["paper"], noise_floor=datasets[name].noise_floor, ax=ax
    ),
    "predicted.png",
)
print("\nWritten: fig1_surface.png, fig7_loss.png, fig8_deviations.png, predicted.png.")
print("The training of the paper's network, live too: tensorboard --logdir logs")
