"""Choose which architectures to measure, since each one costs time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.cluster import KMeans
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_random_state

from fcnn_latency._validation import Floats, Ints, check, choice, whole
from fcnn_latency.encoding._architecture_encoder import ArchitectureEncoder
from fcnn_latency.networks._layers import layers_of
from fcnn_latency.spaces._fcnn import FCNNSpace
from fcnn_latency.spaces._widths import pad_widths

#: Minimum number of candidates sampled from a space, in total and per architecture to choose.
LEAST_CANDIDATES, CANDIDATES_PER_CHOICE = 2000, 10
#: Maximum number of candidates whose expected errors are compared, in a square matrix; twice the
#: number of architectures to choose if that is more.
MOST_COMPARED = 1000
#: Squared length scale of the kernel of "expected-error", in units of the median squared distance
#: of two candidates; 0.15, 0.3 and 1 were tried.
LENGTH_SCALE = 0.3
#: Assumed variance of the noise relative to that of the latencies, for expected errors.
NOISE_VARIANCE = 1e-2
#: Names of the designs; see `select_architectures`.
DESIGNS = ("random", "maximin", "clusters", "expected-error", "expected-linear-error")


def select_architectures(
    candidates: Any,
    n: int,
    design: str = "expected-linear-error",
    *,
    space: FCNNSpace | None = None,
    signal_length: int = 50,
    model: Any = None,
    random_state: Any = None,
    return_index: bool = False,
) -> Any:
    """Choose architectures to measure, so that models fitted on them predict the others well.

    ``"random"``
        A random sample.
    ``"maximin"``
        The same number of each depth. Each is as far as possible from those chosen before, in
        standardized widths: Johnson, Moore and Ylvisaker, "Minimax and maximin distance designs"
        (1990), by the greedy method of Kennard and Stone, "Computer aided design of experiments"
        (1969).
    ``"clusters"``
        The same number of each depth: the architecture nearest to the centre of each k-means
        cluster of the standardized widths.
    ``"expected-error"``
        Each choice reduces the mean variance of the predictions of all candidates the most: the
        sequential form of Yu, Bi and Tresp, "Active learning via transductive experimental design"
        (2006), section 4. It assumes that architectures with similar widths and depth have similar
        latencies (a Gaussian kernel).
    ``"expected-linear-error"``
        The same, but it assumes that latencies are linear in the logarithms of the layers' costs.

    No design uses measured latencies.

    Parameters
    ----------
    candidates : FCNNSpace, or sequence of sequences, array or DataFrame
        A space, from which at least ten times `n` architectures are sampled, or the architectures
        to choose from.
    n : int
        How many to choose.
    design : str, default="expected-linear-error"
        One of the above.
    space : FCNNSpace or None, default=None
        Space that contains the given candidates; None is ``FCNNSpace()``.
    signal_length : int, default=50
        Values that one inference reads.
    model : estimator or None, default=None
        A fitted pipeline from architectures to latencies, for example from another machine or from
        a few first measurements. "expected-linear-error" then uses errors relative to its
        predictions.
    random_state : int, RandomState or None, default=None
        Seed of the candidates, and of the choice among equal ones.
    return_index : bool, default=False
        Whether to also return the rows of the candidates.

    Returns
    -------
    architectures : ndarray of int64, shape (n, max_layers)
        Zero-padded widths, distinct rows of the candidates, for `make_dataset`.
    index : ndarray of int64, shape (n,)
        Their rows in the candidates, if `return_index`.

    Raises
    ------
    ValueError
        If a candidate is no architecture, there are fewer than `n` candidates, no design has that
        name, or `model` is given to a design that does not use it.

    Examples
    --------
    >>> from fcnn_latency import FCNNSpace
    >>> from fcnn_latency.datasets import select_architectures
    >>> chosen = select_architectures(FCNNSpace(), 40, "maximin", random_state=0)
    >>> np.bincount(np.count_nonzero(chosen, axis=1))[2:]  # of each depth
    array([10, 10, 10, 10])
    """
    check(design, choice(DESIGNS), "design")
    if model is not None and design != "expected-linear-error":
        raise ValueError(
            f'Only design="expected-linear-error" uses a model. Got design={design!r}.'
        )
    check(n, whole(1), "n")
    rng = check_random_state(random_state)
    if isinstance(candidates, FCNNSpace):
        space = candidates
        drawn = min(space.size, max(LEAST_CANDIDATES, CANDIDATES_PER_CHOICE * int(n)))
        widths = space.sample(drawn, random_state=rng)
    else:
        space = FCNNSpace() if space is None else space
        widths = space.validate(candidates)
    _, distinct = np.unique(widths, axis=0, return_index=True)
    if len(distinct) < n:
        raise ValueError(
            f"{n} architectures were asked for, and there are {len(distinct)} distinct ones."
        )
    rows = np.sort(distinct)
    chosen = _choose(design, widths[rows], int(n), signal_length, model, rng)
    index = np.asarray(rows[chosen])
    return (widths[index], index) if return_index else widths[index]


def _choose(
    design: str, widths: Ints, n: int, signal_length: int, model: Any, rng: np.random.RandomState
) -> Ints:
    """Return the rows that a design chooses among distinct candidates."""
    if design == "maximin":
        return _by_depth(widths, n, rng, _farthest)
    if design == "clusters":
        return _by_depth(widths, n, rng, _central)
    order = rng.permutation(len(widths))
    if design == "random":
        return np.asarray(order[:n])
    kept = order[: max(MOST_COMPARED, 2 * n)]
    if design == "expected-error":
        covariance = _likeness(widths[kept])
    else:
        covariance = _linear_covariance(widths[kept], signal_length, model)
    return np.asarray(kept[_least_variance(covariance, n)])


def _likeness(widths: Ints) -> Floats:
    depths = np.count_nonzero(widths, axis=1)[:, None]
    distances = euclidean_distances(_scaled(np.hstack([widths, depths])), squared=True)
    scale = LENGTH_SCALE * max(float(np.median(distances)), np.finfo(np.float64).tiny)
    return np.asarray(np.exp(-distances / scale))


def _linear_covariance(widths: Ints, signal_length: int, model: Any) -> Floats:
    features = _scaled(_cost_features(widths, signal_length))
    features = np.hstack([np.ones((len(widths), 1)), features])
    if model is not None:
        latencies = np.asarray(model.predict(widths), dtype=np.float64)
        features = features / np.maximum(latencies, np.median(latencies) / 100)[:, None]
    covariance = features @ features.T
    return np.asarray(covariance / np.diag(covariance).mean())


def _by_depth(
    widths: Ints, n: int, rng: np.random.RandomState, choose: Callable[[Floats, int, Any], Ints]
) -> Ints:
    """Choose the same number of each depth; the other depths replace what one depth lacks."""
    depths = np.count_nonzero(widths, axis=1)
    members = [np.flatnonzero(depths == depth) for depth in np.unique(depths)]
    order = rng.permutation(len(members))
    most = max(map(len, members))
    turns = [part for turn in range(most) for part in order if turn < len(members[part])]
    counts = np.bincount(turns[:n], minlength=len(members))
    chosen = [
        rows[choose(_scaled(widths[rows].astype(np.float64)), int(count), rng)]
        for rows, count in zip(members, counts, strict=True)
        if count
    ]
    return np.concatenate(chosen)


def _scaled(values: Floats) -> Floats:
    return np.asarray(StandardScaler().fit_transform(values))


def _farthest(points: Floats, n: int, rng: np.random.RandomState) -> Ints:
    """Greedy maximin: a random first point, then each the farthest from all chosen ones."""
    chosen = [int(rng.randint(len(points)))]
    nearest = np.full(len(points), np.inf)
    for _ in range(n - 1):
        nearest = np.minimum(nearest, np.sum((points - points[chosen[-1]]) ** 2, axis=1))
        chosen.append(int(np.argmax(nearest)))
    return np.array(chosen)


def _central(points: Floats, n: int, rng: Any, n_init: int = 3) -> Ints:
    """Return the point nearest to the centre of each cluster, each point once."""
    to_centres = KMeans(n, n_init=n_init, random_state=rng).fit_transform(points)
    chosen: list[int] = []
    for distances in to_centres.T:
        distances[chosen] = np.inf
        chosen.append(int(np.argmin(distances)))
    return np.array(chosen)


def _least_variance(covariance: Floats, n: int) -> Ints:
    """Greedy: each chosen point reduces the remaining total variance the most."""
    left = covariance.copy()
    chosen: list[int] = []
    for _ in range(n):
        variances = np.diag(left)
        gains = np.sum(left**2, axis=0) / (variances + NOISE_VARIANCE)
        gains[chosen] = -np.inf
        best = int(np.argmax(gains))
        chosen.append(best)
        left -= np.outer(left[best], left[best]) / (variances[best] + NOISE_VARIANCE)
    return np.array(chosen)


def _cost_features(widths: Ints, signal_length: int) -> Floats:
    """Return logarithms of the quantities that determine latency, by layer and in total."""
    space = FCNNSpace(widths.shape[1], max(2, int(widths.max())), tie_io=False)
    encoder = ArchitectureEncoder(space, "costs", signal_length).fit(widths)
    return np.asarray(np.log1p(encoder.transform(widths)))


def select_for_transfer(
    candidates: npt.ArrayLike, n: int, *, signal_length: int = 50, random_state: Any = None
) -> Ints:
    """Choose architectures to measure for a `TransferRegressor`: typical ones of all kinds.

    The candidates are divided into `n` clusters by depth, single neurons, products of vectors, and
    the logarithms of rows, multiply-accumulates, values written and parameters. The candidate
    nearest to the centre of each cluster is chosen. Extreme architectures would be the worst
    choice: no law holds that far out.

    Parameters
    ----------
    candidates : array-like of shape (n_candidates, max_layers)
        Zero-padded widths, for example ``FCNNSpace().sample(2000)``.
    n : int
        How many to choose.
    signal_length : int, default=50
        Values that one inference reads.
    random_state : int, RandomState or None, default=None
        Seed of the clusters.

    Returns
    -------
    ndarray of int, shape (n,)
        Rows of `candidates`.

    Raises
    ------
    ValueError
        If a candidate is no architecture, there are fewer than `n` candidates, or `n` is not a
        whole number of at least 1.

    Examples
    --------
    >>> from fcnn_latency import FCNNSpace, select_for_transfer
    >>> candidates = FCNNSpace().sample(500, random_state=0)
    >>> candidates[select_for_transfer(candidates, 30, random_state=0)].shape
    (30, 5)
    """
    widths = pad_widths(candidates).astype(np.float64)
    check(n, whole(1, len(widths)), f"n, of {len(widths)} candidates,")
    layers = layers_of(widths, signal_length)
    costs = (layers.rows[:, :1], layers.macs, layers.activations, layers.parameters)
    logs = [np.log1p(cost.sum(axis=1)) for cost in costs]
    kinds = (layers.fan_out > 0, layers.fan_out == 1, layers.rows == 1)
    counts = np.column_stack([kind.sum(axis=1) for kind in kinds])
    scaled = _scaled(np.column_stack([counts, *logs]))
    return _central(scaled, n, random_state, n_init=1)
