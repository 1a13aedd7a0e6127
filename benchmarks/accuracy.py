"""Five-fold comparison of all estimators on 300 architectures measured now, runtime keras.

``python benchmarks/accuracy.py [SEED]`` prints the labels' noise and the table.
"""

import sys

from fcnn_latency import compare, make_dataset


def main() -> None:
    """Measure, compare, print."""
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    dataset = make_dataset(300, random_state=seed)
    print(dataset.DESCR)
    print(compare(dataset, random_state=seed))


if __name__ == "__main__":
    main()
