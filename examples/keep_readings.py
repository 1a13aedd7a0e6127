"""Keep every reading in a store, resume, and load labels raw or corrected.

Run as `python examples/keep_readings.py [n]`: n architectures, 100 unless told.
"""

import sys

from fcnn_latency import load_dataset, make_dataset, save_dataset

n_architectures = int(sys.argv[1]) if len(sys.argv) > 1 else 100

# Interrupt this at any moment and run it again: it goes on where it was.
dataset = make_dataset(
    n_architectures, runtime="litert", store="latencies.sqlite", random_state=0, verbose=1
)
print(dataset.DESCR)

corrected = load_dataset("latencies.sqlite")
raw = load_dataset("latencies.sqlite", corrected=False)
change = abs(raw.target / corrected.target - 1).mean()
print(f"{len(corrected.readings)} readings; the reference moves labels by {change:.1%} on average")
print(f"first call: {(corrected.frame['first_call'] / corrected.target).median():.0f} x the label")
save_dataset(corrected, "latencies.csv")
