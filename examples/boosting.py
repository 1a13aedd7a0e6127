"""Gradient boosting of LightGBM, XGBoost and CatBoost, through their scikit-learn interfaces.

Run as `python examples/boosting.py [labels]`: labels is a number of architectures to measure, 300
unless told, or a file of `save_dataset`. Whichever of the three is installed is compared with
scikit-learn's boosting ("boosting") and with the linear law that it corrects ("linear").
"""

import sys
from importlib import import_module

import numpy as np
from sklearn.compose import TransformedTargetRegressor
from sklearn.pipeline import make_pipeline

from fcnn_latency import (
    ArchitectureEncoder,
    MixedLatencyRegressor,
    compare,
    load,
    load_dataset,
    make_dataset,
    make_latency_pipeline,
    save,
)

labels = sys.argv[1] if len(sys.argv) > 1 else "300"

# Small trees, since labels are few; one thread, since so few rows do not keep more of them busy.
COMMON = {"n_estimators": 500, "learning_rate": 0.05, "random_state": 0}
RECIPES = {
    "lightgbm": (
        "LGBMRegressor",
        {"num_leaves": 8, "min_child_samples": 5, "n_jobs": 1, "verbosity": -1},
        ["collections.OrderedDict", "lightgbm.basic.Booster", "lightgbm.sklearn.LGBMRegressor"],
    ),
    "xgboost": (
        "XGBRegressor",
        {"max_depth": 4, "n_jobs": 1},
        ["xgboost.core.Booster", "xgboost.sklearn.XGBRegressor"],
    ),
    "catboost": (
        "CatBoostRegressor",
        {"depth": 4, "thread_count": 1, "verbose": 0, "allow_writing_files": False},
        ["catboost.core.CatBoostRegressor"],
    ),
}

if labels.isdigit():
    dataset = make_dataset(int(labels), runtime="litert", random_state=0, verbose=1)
else:
    dataset = load_dataset(labels)
print(dataset.DESCR)

shared = {"space": dataset.space, "signal_length": dataset.signal_length}
encoder = ArchitectureEncoder(features="tiles", **shared)
models = {
    name: make_latency_pipeline(name, random_state=0, **shared)
    for name in ("linear", "boosting", "mixed")
}
trusted = {}
for package, (class_name, parameters, types) in RECIPES.items():
    try:
        library = import_module(package)
    except ModuleNotFoundError:
        print(f"{package} is missing: pip install {package}")
        continue
    trees = getattr(library, class_name)(**COMMON, **parameters)
    # Trees on the logarithm of the latency, so that errors are relative ones ...
    models[package] = make_pipeline(
        encoder, TransformedTargetRegressor(trees, func=np.log, inverse_func=np.exp)
    )
    # ... and the same trees as a correction of the linear law.
    mixed = MixedLatencyRegressor(correction=trees, random_state=0)
    models[f"{package}, mixed"] = make_pipeline(encoder, mixed)
    trusted[f"{package}, mixed"] = types

print(compare(dataset, estimators=models, verbose=1))

# A file names the types that it holds, and loads once those of other libraries are trusted.
for name, types in trusted.items():
    model = models[name].fit(dataset.data, dataset.target)
    path = save(model, f"{name.partition(',')[0]}.fcnn", dataset=dataset)
    same = load(path, trusted=types).predict(dataset.data) == model.predict(dataset.data)
    print(f"{path}: saved, loaded, {same.sum()} of {len(same)} predictions the same")
