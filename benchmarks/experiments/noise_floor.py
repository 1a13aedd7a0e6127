"""Stated errors of labels against the spread of labels between campaigns."""

import warnings

import click
import numpy as np

from benchmarks import _options as options
from fcnn_latency import MeasurementWarning, make_dataset


def truth_of_errors(datasets):
    """Return the spread between campaigns and the errors that they state."""
    logs = np.log([dataset.target for dataset in datasets])
    logs -= np.median(logs - logs.mean(axis=0), axis=1, keepdims=True)
    spread = logs.std(axis=0, ddof=1)
    stated = np.array([dataset.target_std / dataset.target for dataset in datasets])
    # Error of a perfect predictor on one campaign; the mean of the others serves as predictor.
    shown = np.mean(np.abs(logs - logs.mean(axis=0))) / np.sqrt(1 - 1 / len(datasets))
    rms = [np.sqrt(np.mean(errors**2)) for errors in (spread, stated)]
    median = [np.median(errors) for errors in (spread, stated)]
    return {
        "spread_rms": rms[0],
        "stated_rms": rms[1],
        "ratio_rms": rms[0] / rms[1],
        "spread_median": median[0],
        "stated_median": median[1],
        "ratio_median": median[0] / median[1],
        "floor_stated": np.mean([dataset.noise_floor for dataset in datasets]),
        "floor_shown": shown,
    }


@click.command("noise_floor")
@options.runtimes_option(("keras", "litert", "onnxruntime"), "Repeat for several.")
@options.space_option()
@options.n_option(50)
@options.repeats_option(10, "Campaigns.", least=2)
@options.seed_option()
@options.save_option("noise_floor")
def noise_floor(runtimes, space, n, repeats, seed, save):
    """Stated errors of labels against the spread of labels between campaigns.

    Measures the same architectures in several campaigns. Compares the spread of labels between
    campaigns, without their common factors, with the standard errors that they state. The target
    for the ratio of spread to stated error is 1/1.5 to 1.5.
    """
    warnings.simplefilter("ignore", MeasurementWarning)
    architectures = options.SPACES[space].sample(n, random_state=seed)
    for runtime in runtimes:
        datasets = [
            make_dataset(
                architectures,
                space=options.SPACES[space],
                runtime=runtime,
                random_state=seed + campaign,
            )
            for campaign in range(repeats)
        ]
        about = {"runtime": runtime, "space": space, "n": n, "repeats": repeats}
        row = {**about, **truth_of_errors(datasets)}
        options.report("noise_floor", [row], ["runtime", "space"], save)
