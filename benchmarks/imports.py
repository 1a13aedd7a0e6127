"""What ``import fcnn_latency`` takes, beside a bare interpreter, and whether it loads TensorFlow.

``python benchmarks/imports.py`` exits with 1 where the import takes more than 0.5 s, the start of
the interpreter included, or loads TensorFlow. The names of the package are imported when first
used, so ``from fcnn_latency import *`` stands beside it: all of them, which must not load
TensorFlow either.
"""

import subprocess
import sys
from statistics import median
from time import perf_counter

STARTS = 7
LIMIT = 0.5
BARE, PACKAGE, NAMES = "pass", "import fcnn_latency", "from fcnn_latency import *"


def seconds(statement: str) -> float:
    """Median wall time of fresh interpreters that run `statement`, their own start included."""
    times = []
    for _ in range(STARTS):
        start = perf_counter()
        subprocess.run([sys.executable, "-c", statement], check=True)
        times.append(perf_counter() - start)
    return median(times)


def loads_tensorflow(statement: str) -> bool:
    """Whether TensorFlow is among the modules after `statement`."""
    look = f"{statement}\nimport sys; print('tensorflow' in sys.modules)"
    return subprocess.check_output([sys.executable, "-c", look], text=True).strip() == "True"


def main() -> int:
    """Time, look, print."""
    seconds(NAMES)  # writes the bytecode and warms the disk cache
    times = {statement: seconds(statement) for statement in (BARE, PACKAGE, NAMES)}
    loaded = {statement: loads_tensorflow(statement) for statement in times}
    print(f"Fresh interpreters, median of {STARTS}; limit {LIMIT} s for {PACKAGE!r}")
    for statement, time in times.items():
        print(f"{statement:28} {time:.3f} s, tensorflow loaded: {loaded[statement]}")
    return int(times[PACKAGE] > LIMIT or any(loaded.values()))


if __name__ == "__main__":
    sys.exit(main())
