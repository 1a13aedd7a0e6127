"""Find the networks that denoise a recorded signal best within a latency budget.

Run as `python examples/denoise.py [n]`: n networks are trained, 60 unless told, and the latencies
of five times as many measured to learn from.
"""

import sys
import warnings

import numpy as np
from matplotlib.cbook import get_sample_data
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

from fcnn_latency import (
    FrontDisplay,
    IntervalRegressor,
    make_dataset,
    make_latency_pipeline,
    search,
    verify,
)

#: Ratio of signal to added noise, in dB.
SNR = 0.0
#: Readings before this one train, the others test.
SPLIT = 7_000
N_WINDOWS = 2_000


def load_signal():
    """A neuron's membrane potential while a current drives it, clean and noisy.

    Recorded data that matplotlib ships; zero mean and unit variance over the training part.
    """
    path = get_sample_data("membrane.dat", asfileobj=False)
    recorded = np.fromfile(path, dtype=np.float32).astype(np.float64)[1_000:11_000]
    clean = (recorded - recorded[:SPLIT].mean()) / recorded[:SPLIT].std()
    noise = np.random.default_rng(0).normal(scale=10 ** (-SNR / 20), size=clean.shape)
    return clean, clean + noise


CLEAN, NOISY = load_signal()


def windows(signal, width, starts):
    """Windows of the signal, one a row."""
    return np.lib.stride_tricks.sliding_window_view(signal, width)[starts]


def quality(widths, seeds=(0, 1)):
    """How many dB of noise networks of these widths remove from the test part, mean over seeds."""
    width = int(widths[0])
    chosen = np.random.default_rng(0).choice(SPLIT - width + 1, N_WINDOWS, replace=False)
    unseen = np.arange(SPLIT, len(CLEAN) - width + 1, width)
    noisy, clean = (windows(signal, width, unseen) for signal in (NOISY, CLEAN))
    gains = []
    for seed in seeds:
        network = MLPRegressor(
            hidden_layer_sizes=[int(w) for w in widths[1:-1]],
            solver="lbfgs",
            max_iter=60,
            random_state=seed,
        )
        with warnings.catch_warnings():
            # Sixty iterations tell networks apart; more would only cost time.
            warnings.simplefilter("ignore", ConvergenceWarning)
            targets = windows(CLEAN, width, chosen)
            network.fit(windows(NOISY, width, chosen), targets.ravel() if width == 1 else targets)
        denoised = network.predict(noisy).reshape(clean.shape)
        gains.append(
            10 * np.log10(np.mean((noisy - clean) ** 2) / np.mean((denoised - clean) ** 2))
        )
    return float(np.mean(gains))


def main():
    """Measure, search within a budget, verify what was found."""
    n_trials = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    dataset = make_dataset(5 * n_trials, runtime="litert", random_state=0, verbose=1)
    model = IntervalRegressor(make_latency_pipeline("linear"))
    model.fit(dataset.data, dataset.target)
    upper = model.predict_interval(dataset.data)[:, 1]
    found = search(
        quality,
        latency_model=model,
        max_latency=float(np.quantile(upper, 0.1)),  # what a tenth of them meets for sure
        confidence=0.95,
        front=True,
        n_trials=n_trials,
        sampler="gain",
        random_state=0,
        verbose=1,
    )
    print(found)
    verified = verify(found, runtime="litert", n_finalists=5, random_state=0, verbose=1)
    print(verified)
    if verified.kept.empty:
        print("None keeps the budget for sure. Search within a smaller one.")
    else:
        best = verified.best
        print(f"{best['widths']} improves the ratio of signal to noise by {best['quality']:.1f} dB")
    FrontDisplay.from_result(found, verified).figure_.savefig("front.png", dpi=150)


if __name__ == "__main__":
    main()
