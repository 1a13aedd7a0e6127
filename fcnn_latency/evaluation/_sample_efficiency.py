"""Error as a function of the number of measured architectures and their measuring time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from joblib import Parallel, delayed
from sklearn.base import clone
from sklearn.model_selection import GroupShuffleSplit
from tqdm.auto import tqdm

from fcnn_latency._units import format_percent, format_seconds
from fcnn_latency._validation import Ints, Rule, check, whole
from fcnn_latency.datasets._design import DESIGNS, select_architectures
from fcnn_latency.datasets._labelled import LabelledArchitectures, as_labelled
from fcnn_latency.evaluation._comparison import named_estimators
from fcnn_latency.evaluation._html import ShownAsTable
from fcnn_latency.metrics import latency_metrics

DESIGN_NAMES = Rule(
    f"a sequence of {list(DESIGNS)}",
    lambda names: not isinstance(names, str) and len(names) > 0 and set(names) <= set(DESIGNS),
)


@dataclass(frozen=True, eq=False, repr=False)
class SampleEfficiency(ShownAsTable):
    """Result of `sample_efficiency`.

    Parameters
    ----------
    table : DataFrame
        One row per fit: ``estimator``, ``design``, ``n_architectures`` (number of training
        architectures), ``measuring_time`` (seconds for measuring these; NaN if unknown),
        ``repeat``, and the columns of `latency_metrics` on the test architectures.
    noise_floor : float or None
        Noise floor of the labels, as a fraction; None if unknown.
    """

    table: pd.DataFrame
    noise_floor: float | None = None

    def summary(self) -> pd.DataFrame:
        """Return mean, minimum and maximum MAPE over repeats, by estimator, design and number.

        Returns
        -------
        DataFrame
            Columns ``estimator``, ``design``, ``n_architectures``, ``measuring_time`` (mean,
            in seconds), ``mape`` (mean), ``mape_min`` and ``mape_max`` (fractions).
        """
        keys = ["estimator", "design", "n_architectures"]
        return self.table.groupby(keys, sort=False, as_index=False).agg(
            measuring_time=("measuring_time", "mean"),
            mape=("mape", "mean"),
            mape_min=("mape", "min"),
            mape_max=("mape", "max"),
        )

    def _shown(self) -> pd.DataFrame:
        return self.summary()

    def __repr__(self) -> str:
        """Return the number of fits."""
        return f"<SampleEfficiency of {len(self.table)} fits>"

    def __str__(self) -> str:
        """Return a table of MAPE by estimator, design and number as text."""
        mean = self.summary()
        wide = mean.pivot_table(
            index=["estimator", "design"], columns="n_architectures", values="mape", sort=False
        )
        text = wide.map(format_percent)
        costs = mean.groupby("n_architectures")["measuring_time"].mean()
        text.columns = [
            f"{n}" if np.isnan(costs[n]) else f"{n} ({format_seconds(costs[n])})"
            for n in wide.columns
        ]
        repeats = self.table["repeat"].nunique()
        title = "MAPE by number of measured architectures (seconds of measuring)"
        title += f", mean of {repeats} repeats" if repeats > 1 else ""
        lines = [title, text.reset_index().to_string(index=False)]
        if self.noise_floor is not None:
            lines.append(f"Noise floor: {format_percent(self.noise_floor)}.")
        return "\n".join(lines)


def sample_efficiency(
    X: Any,
    y: npt.ArrayLike | None = None,
    *,
    estimators: Sequence[str] | Mapping[str, Any] = ("linear", "deep"),
    sizes: Sequence[int] = (25, 50, 100, 200, 500),
    designs: Sequence[str] = ("random", "maximin"),
    n_repeats: int = 3,
    test_size: float = 0.3,
    random_state: Any = 0,
    n_jobs: int | None = None,
    verbose: int = 0,
    **about: Any,
) -> SampleEfficiency:
    """Fit estimators on training sets of increasing size, chosen by experimental designs.

    One set of architectures is held out for testing. The designs choose among the others without
    knowing their latencies.

    Parameters
    ----------
    X : Bunch, or sequence of sequences, array or DataFrame of shape (n_samples, <= max_layers)
        A dataset as from `make_dataset`, or architectures. Only the first of repeated training
        architectures is used.
    y : array-like of shape (n_samples,) or None, default=None
        Latencies in seconds. None with a dataset, which contains them.
    estimators : sequence of str or mapping of str to estimator, default=("linear", "deep")
        As in `compare`.
    sizes : sequence of int, default=(25, 50, 100, 200, 500)
        Numbers of training architectures. Sizes larger than the training pool are left out.
    designs : sequence of str, default=("random", "maximin")
        Methods of `select_architectures`.
    n_repeats : int, default=3
        Number of times each design is drawn, each with a different seed.
    test_size : float, default=0.3
        Fraction of the architectures to test on.
    random_state : int, default=0
        Seed of the test set, the designs and the estimators.
    n_jobs : int or None, default=None
        Number of parallel fits, each in its own process.
    verbose : int, default=0
        Whether to show progress with the remaining time.
    **about
        `space`, `signal_length`, `noise_floor` and `measuring_time`, as in `compare`.

    Returns
    -------
    SampleEfficiency
        The errors of all fits.

    Raises
    ------
    ValueError
        If all sizes are larger than the training pool, or an architecture, a latency, a name or a
        number is wrong.

    Examples
    --------
    >>> from fcnn_latency import FCNNSpace
    >>> from fcnn_latency.evaluation import sample_efficiency
    >>> X = FCNNSpace().sample(100, random_state=0)
    >>> y = 1e-6 * X.sum(axis=1) ** 1.5  # made up, and not linear
    >>> result = sample_efficiency(X, y, estimators=["linear"], sizes=[10, 60], n_repeats=1)
    >>> error = result.summary().query("design == 'random'")["mape"].to_numpy()
    >>> bool(error[0] > error[1])
    True
    """
    data = as_labelled(X, y, **about)
    models = named_estimators(estimators, data, random_state)
    check(designs, DESIGN_NAMES, "designs")
    check(n_repeats, whole(1), "n_repeats")
    pool, test = _split(data, test_size, random_state)
    sizes = sorted({int(size) for size in sizes if size <= len(pool)})
    if not sizes or sizes[0] < 2:
        raise ValueError(
            f"sizes must be whole numbers of at least 2, and one at least of at most {len(pool)}, "
            "the architectures that are left to train on."
        )
    rng = np.random.RandomState(random_state)
    seeds = rng.randint(np.iinfo(np.int32).max, size=n_repeats)
    tasks = list(product(models, designs, sizes, range(n_repeats)))
    calls = (
        delayed(_run)(models[name], design, size, int(seeds[repeat]), data, pool, test)
        for name, design, size, repeat in tasks
    )
    results = Parallel(n_jobs=n_jobs, return_as="generator")(calls)
    rows = list(tqdm(results, total=len(tasks), desc="sampling", unit="fit", disable=not verbose))
    table = pd.DataFrame(tasks, columns=["estimator", "design", "n_architectures", "repeat"])
    table.insert(3, "measuring_time", table["n_architectures"] * data.seconds_each)
    return SampleEfficiency(table.join(pd.DataFrame(rows)), data.noise_floor)


def _split(data: LabelledArchitectures, test_size: float, random_state: Any) -> tuple[Ints, Ints]:
    """Return rows to train on, one per architecture, and rows to test on."""
    groups = data.groups
    splitter = GroupShuffleSplit(1, test_size=test_size, random_state=random_state)
    ((left, test),) = splitter.split(data.widths, groups=groups)
    _, first = np.unique(groups[left], return_index=True)
    return left[np.sort(first)], test


def _run(
    model: Any,
    design: str,
    size: int,
    seed: int,
    data: LabelledArchitectures,
    pool: Ints,
    test: Ints,
) -> dict[str, float]:
    """Return the metrics of one fit on one design."""
    _, chosen = select_architectures(
        data.widths[pool],
        size,
        design=design,
        space=data.space,
        signal_length=data.signal_length,
        random_state=seed,
        return_index=True,
    )
    train = pool[chosen]
    fitted = clone(model).fit(data.widths[train], data.latencies[train])
    predicted = fitted.predict(data.widths[test])
    return latency_metrics(data.latencies[test], predicted, noise_floor=data.noise_floor)
