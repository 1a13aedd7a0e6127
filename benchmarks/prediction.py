"""How long predictions take: one architecture, a million, and scikeras' own call beside them.

``python benchmarks/prediction.py`` fits the default pipeline to a made-up law, since the time of
a prediction does not depend on what was learnt, and prints times and rates.
"""

from statistics import median
from time import perf_counter

import numpy as np

from fcnn_latency import FCNNSpace, make_latency_pipeline
from fcnn_latency.networks._layers import layer_costs

MANY = 1_000_000


def seconds(call, repeats):
    """Median seconds of a call."""
    call()
    elapsed = []
    for _ in range(repeats):
        start = perf_counter()
        call()
        elapsed.append(perf_counter() - start)
    return median(elapsed)


def main() -> None:
    """Fit, predict, print."""
    space = FCNNSpace()
    seen = space.sample(1000, random_state=0)
    latencies = 1e-7 * (3 + np.count_nonzero(seen, axis=1)) + 1e-11 * layer_costs(seen, 50)[
        "macs"
    ].sum(axis=1)
    pipeline = make_latency_pipeline(random_state=0).fit(seen, latencies)
    encoder, model = pipeline[:-1], pipeline[-1]
    one = encoder.transform(seen[:1])
    engine = model.regressors_[0]
    read = model._inputs(one)
    single = seconds(lambda: model.predict(one), 2000)
    whole = seconds(lambda: pipeline.predict(seen[:1]), 500)
    keras = seconds(lambda: engine.predict(read), 20)
    print(f"one encoded architecture: {1e6 * single:.0f} us; from widths {1e6 * whole:.0f} us")
    print(
        f"the same by scikeras' predict: {1e3 * keras:.1f} ms, {keras / single:.0f} times as long"
    )
    many = space.sample(MANY, random_state=1, unique=False)
    encoded = encoder.transform(many)
    batch = seconds(lambda: model.predict(encoded), 5)
    whole = seconds(lambda: pipeline.predict(many), 5)
    print(f"a million encoded: {MANY / batch / 1e6:.2f} million/s")
    print(f"a million padded widths, encoding included: {MANY / whole / 1e6:.2f} million/s")


if __name__ == "__main__":
    main()
