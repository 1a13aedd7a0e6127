"""Write the golden files of this release: ``python tests/persistence/golden/make.py``.

Run once for each release that changes what model files hold, before the change; files of earlier
releases stay as they are, and tests/persistence/test_golden.py goes on reading all of them.
"""

import json
from importlib.metadata import version
from pathlib import Path

import numpy as np

from fcnn_latency import FCNNSpace, make_latency_pipeline, save
from fcnn_latency.networks import layer_costs

FOLDER = Path(__file__).parent
SEEN = FCNNSpace().sample(40, random_state=0)
#: A made-up law, in seconds.
LATENCIES = 1e-4 * np.count_nonzero(SEEN, axis=1) + 1e-9 * layer_costs(SEEN, 50)["macs"].sum(axis=1)
UNSEEN = [[41, 41], [14, 21, 31, 14], [1, 50, 3, 7, 1]]


def write_golden_files():
    """One file without a network and one with a tiny network, and what they predict."""
    pipelines = {
        "linear": make_latency_pipeline("linear"),
        "deep": make_latency_pipeline("deep", random_state=0).set_params(
            latencyregressor__hidden_layer_sizes=(4,), latencyregressor__epochs=5
        ),
    }
    for name, pipeline in pipelines.items():
        path = FOLDER / f"{version('fcnn-latency')}-{name}.fcnn"
        if path.exists():
            raise SystemExit(f"{path.name} is there; golden files are never overwritten.")
        pipeline.fit(SEEN, LATENCIES)
        save(pipeline, path, metrics={"training": {"r2": pipeline.score(SEEN, LATENCIES)}})
        expected = {"architectures": UNSEEN, "latencies": pipeline.predict(UNSEEN).tolist()}
        path.with_suffix(".json").write_text(json.dumps(expected, indent=2) + "\n")


if __name__ == "__main__":
    write_golden_files()
