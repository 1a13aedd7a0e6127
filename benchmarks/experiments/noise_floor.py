"""Whether the errors that datasets state are true.

``python -m benchmarks noise_floor [runtime ...]`` measures the same 50 architectures in ten
campaigns and compares the spread of labels between campaigns, without the campaigns' common
factors, with the standard errors that they state: the ratio of the one to the other, which is
wanted between 1/1.5 and 1.5.
"""

import sys
import warnings

import numpy as np

from fcnn_latency import FCNNSpace, MeasurementWarning, make_dataset

N_ARCHITECTURES, N_CAMPAIGNS = 50, 10


def main() -> None:
    """Measure and compare."""
    warnings.simplefilter("ignore", MeasurementWarning)
    architectures = FCNNSpace().sample(N_ARCHITECTURES, random_state=0)
    for runtime in sys.argv[1:] or ["keras", "litert", "onnxruntime"]:
        datasets = [
            make_dataset(architectures, runtime=runtime, random_state=seed)
            for seed in range(N_CAMPAIGNS)
        ]
        logs = np.log([dataset.target for dataset in datasets])
        logs -= np.median(logs - logs.mean(axis=0), axis=1, keepdims=True)
        spread = logs.std(axis=0, ddof=1)
        stated = np.array([dataset.target_std / dataset.target for dataset in datasets])
        floors = [100 * dataset.noise_floor for dataset in datasets]
        # What a perfect predictor shows against one campaign: the mean of the others serves as it.
        shown = 100 * np.mean(np.abs(logs - logs.mean(axis=0))) / np.sqrt(1 - 1 / N_CAMPAIGNS)
        rms, median = (
            (np.sqrt(np.mean(spread**2)), np.sqrt(np.mean(stated**2))),
            (np.median(spread), np.median(stated)),
        )
        print(f"{runtime}: {N_CAMPAIGNS} campaigns, {N_ARCHITECTURES} architectures")
        for name, (seen, said) in (("root mean square", rms), ("median", median)):
            print(
                f"  {name:<17} spread {100 * seen:.3f} %, stated standard error "
                f"{100 * said:.3f} %, ratio {seen / said:.2f}"
            )
        print(f"  noise floor stated {np.mean(floors):.3f} %, shown {shown:.3f} %", flush=True)


if __name__ == "__main__":
    main()
