"""Measure a custom runtime: a forward pass in plain NumPy.

Run as `python examples/own_runtime.py [n]`: n architectures, 100 unless told.
"""

import sys

import numpy as np

from fcnn_latency import compare, make_dataset
from fcnn_latency.measurement import Runtime, make_weights

n_architectures = int(sys.argv[1]) if len(sys.argv) > 1 else 100


class NumPyRuntime(Runtime):
    """Matrix products and ReLU, linear output."""

    name = "numpy"
    packages = ("numpy",)

    def prepare(self, widths, inputs, seed):
        """Return a callable without arguments; each call is one inference."""
        *hidden, (last_kernel, last_bias) = make_weights(widths, seed)

        def infer():
            values = inputs
            for kernel, bias in hidden:
                values = np.maximum(values @ kernel + bias, 0)
            return values @ last_kernel + last_bias

        return infer


dataset = make_dataset(n_architectures, runtime=NumPyRuntime(), random_state=0, verbose=1)
print(dataset.DESCR)
print(compare(dataset, estimators=["linear"]))
