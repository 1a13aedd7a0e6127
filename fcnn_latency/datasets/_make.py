"""Datasets measured here."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from sklearn.utils import Bunch, check_random_state

from fcnn_latency._validation import check, is_whole, or_none
from fcnn_latency.datasets._bunch import finish
from fcnn_latency.datasets._from_store import REFINEMENTS, dataset_of_campaigns, scale_of_campaign
from fcnn_latency.exceptions import MeasurementError
from fcnn_latency.measurement._campaign import Campaign, check_same, measure_here, run_campaign
from fcnn_latency.measurement._measurement import Measurement
from fcnn_latency.measurement._protocol import MeasurementProtocol
from fcnn_latency.measurement._store import Store
from fcnn_latency.measurement.machine._environment import describe_environment
from fcnn_latency.measurement.machine._lock import timing_lock
from fcnn_latency.measurement.runtimes._base import Runtime
from fcnn_latency.spaces._fcnn import SPACE, FCNNSpace
from fcnn_latency.spaces._widths import trim_widths


def make_dataset(
    architectures: Any = 300,
    *,
    space: FCNNSpace | None = None,
    runtime: str | Runtime | None = None,
    protocol: str | MeasurementProtocol = "reliable",
    signal_length: int = 50,
    scale: str = "machine",
    target_error: float | None = None,
    store: str | os.PathLike[str] | None = None,
    client: Any = None,
    wait: bool = True,
    random_state: Any = None,
    return_X_y: bool = False,
    as_frame: bool = False,
    verbose: int = 0,
) -> Any:
    """Measure the latency of architectures on this machine.

    Parameters
    ----------
    architectures : int or sequence of sequences, array or DataFrame, default=300
        Number of distinct architectures to sample from `space`, or the architectures themselves:
        ragged widths, a zero-padded array, or a DataFrame with columns ``layer_1`` to
        ``layer_k``. Rows are returned in the order given. Repeated rows are measured repeatedly.
    space : FCNNSpace or None, default=None
        The space to sample from, which must also contain given architectures. None is
        ``FCNNSpace()``.
    runtime : str, Runtime or None, default=None
        What executes the models: ``"keras"``, ``"keras-predict"``, ``"tf-function"``, ``"xla"``,
        ``"litert"``, ``"onnxruntime"`` or a custom `Runtime`. None is that of the protocol:
        ``"keras-predict"`` for the protocol ``"paper"``, ``"keras"`` for all others.
    protocol : {"reliable", "quick", "thorough", "paper"} or MeasurementProtocol, \
default="reliable"
        How latencies are measured.
    signal_length : int, default=50
        Number of input values of one inference.
    scale : {"machine", "campaign"}, default="machine"
        Source of the common level of the labels. ``"machine"``: the reference latency that the
        first campaign on this machine stored; all campaigns with the same settings share it, so
        their labels can be pooled. ``"campaign"``: the reference latency of this campaign alone.
    target_error : float or None, default=None
        Relative standard error above which an architecture is measured in further passes, up to
        the protocol's `max_passes`. None is that of the protocol.
    store : path or None, default=None
        SQLite file (``.sqlite``, ``.sqlite3`` or ``.db``) to which every reading is written at
        once. Repeating the call resumes an interrupted campaign and retries failed architectures;
        finished ones are not measured again. A different `target_error` adds passes. One file can
        hold many campaigns; `load_dataset` reads them.
    client : distributed.Client or None, default=None
        Measure on the hosts of this Dask cluster instead of this machine.
    wait : bool, default=True
        Whether to wait until no other campaign measures on this machine, because two campaigns
        disturb each other. If False, raise MeasurementError instead.
    random_state : int, RandomState or None, default=None
        Seed of the sample and of the order in which architectures are measured.
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.
    as_frame : bool, default=False
        Return `data` as a DataFrame and `target` as a Series.
    verbose : int, default=0
        Whether to show progress with the time left.

    Returns
    -------
    Bunch
        data : ndarray of int64, shape (n_samples, max_layers)
            Zero-padded widths.
        target : ndarray of float64, shape (n_samples,)
            Latency in seconds.
        target_std : ndarray of float64, shape (n_samples,)
            Standard error of `target` in seconds.
        frame : DataFrame
            ``layer_1`` to ``layer_k``, ``latency``, ``latency_std``, ``first_call`` (of a newly
            built model, never part of the label) and ``pass_1`` to ``pass_K``. All times are in
            seconds.
        noise_floor : float or None
            Mean absolute percentage error, as a fraction, that a perfect predictor would show
            against `target`. None if there is a single pass: its noise is unknown.
        reliability : Reliability or None
            The noise statistics behind `noise_floor`.
        readings : DataFrame
            Every reading, including those of missing architectures: ``architecture`` (row in the
            order given; -1 for the reference), ``pass``, ``group``, ``round``, ``process``,
            ``host``, ``campaign``, ``seconds``.
        rounds : DataFrame
            For every round ``group``, ``process``, ``started_at`` (seconds since 1970), ``load`` of
            the machine and ``stolen``, the fraction of time that its hypervisor took away.
        missing : DataFrame
            Widths of the architectures without a label, and the ``reason``.
        interrupted : bool
            Whether Ctrl-C ended the campaign early.
        environment : dict
            Machine, versions and settings.
        scale : dict or None
            ``reference_latency`` in seconds, ``campaign_latency`` (that of this campaign alone)
            and ``set_at``, the time when the first was stored. None if the protocol has no
            reference.
        measuring_time : float or None
            Seconds spent on measuring and building, summed over hosts. None if it cannot be
            computed from the readings.
        space : FCNNSpace
            The space of the architectures.
        feature_names, target_name, runtime, protocol, signal_length, \
random_state, DESCR
            Names of the columns of `data` and of `target`, the settings, and a description.
    (data, target)
        If `return_X_y`.

    Raises
    ------
    ValueError
        If an architecture, name or number is invalid; the message says which, and what is valid.
    ImportError
        If a package that the runtime needs is not installed.
    MeasurementError
        If no architecture could be measured, or another campaign is measuring and `wait` is
        False.
    StoreError
        If the store cannot be used, or holds this campaign from another machine or other
        versions; the message says what differs.
    KeyboardInterrupt
        If Ctrl-C is pressed before one architecture is complete. Later it ends the campaign, and
        complete architectures are returned with a `MeasurementWarning`.

    Warns
    -----
    MeasurementWarning
        If architectures are missing or the labels are weak.

    Examples
    --------
    Measuring 300 architectures takes half a minute. The example dataset was made this way:

    >>> from fcnn_latency import load_example_dataset, make_dataset
    >>> dataset = make_dataset(300, runtime="litert", random_state=1)  # doctest: +SKIP
    >>> dataset = load_example_dataset("litert")
    >>> dataset.data[:2]
    array([[25, 50, 25,  0,  0],
           [16, 31, 28, 15, 16]])
    >>> dataset.runtime, bool(dataset.noise_floor < 0.01)
    ('litert', True)
    """
    bunch = measure_architectures(
        architectures,
        space=space,
        runtime=runtime,
        protocol=protocol,
        signal_length=signal_length,
        target_error=target_error,
        scale=scale,
        store=store,
        client=client,
        wait=wait,
        random_state=random_state,
        verbose=verbose,
    )
    return finish(bunch, as_frame=as_frame, return_X_y=return_X_y)


def measure_architectures(
    architectures: Any,
    *,
    space: FCNNSpace | None,
    input_rows: Sequence[int] | None = None,
    **settings: Any,
) -> Bunch:
    """Measure architectures; `make_dataset` without its warnings.

    Parameters
    ----------
    architectures, space
        As in `make_dataset`.
    input_rows : sequence of int or None, default=None
        Rows that one inference of each architecture reads. None cuts the signal into rows. The
        reference architecture always reads the signal. If given, the Bunch has them as
        ``input_rows``.
    **settings
        Parameters of `Measurement.from_settings`.
    """
    measurement = Measurement.from_settings(**settings)
    check(space, or_none(SPACE), "space")
    space = FCNNSpace() if space is None else space
    conditions = measurement.conditions() | {"space": asdict(space)}
    if input_rows is not None:
        conditions["input_rows"] = list(input_rows)
    asked = _ask(architectures, space, measurement.random_state, conditions)
    with ExitStack() as stack:
        path = measurement.store
        if path is None:
            path = Path(stack.enter_context(TemporaryDirectory()), "latencies.sqlite")
        store = stack.enter_context(Store(path))
        number = _find_or_add(store, asked, measurement.runtime)
        campaign = Campaign(
            store, number, measurement.runtime, measurement.protocol, measurement.workload
        )
        n_rounds = len(store.rounds(number))
        interrupted = _measure(campaign, measurement)
        n_read = len(store.rounds(number))
        # A campaign that was killed before this line has readings and no scale.
        new = n_read > n_rounds or (n_read and store.scale(number) is None)
        if campaign.protocol.reference_every and new:
            store.set_scale(number, asdict(scale_of_campaign(store, number)))
        try:
            bunch = dataset_of_campaigns(store, [number])
        except MeasurementError:
            if not interrupted:
                raise
            raise KeyboardInterrupt("Interrupted before one architecture was complete.") from None
    bunch.interrupted = interrupted
    return bunch


class _Asked(NamedTuple):
    """A requested campaign."""

    request: str
    seed: int
    conditions: dict[str, Any]
    architectures: list[tuple[int, ...]]


def _ask(
    architectures: Any, space: FCNNSpace, random_state: Any, conditions: dict[str, Any]
) -> _Asked:
    """Sample or check the architectures; the request identifies the same call in a store."""
    rng, state = check_random_state(random_state), None
    if random_state is not None:
        state = hashlib.sha256(repr(rng.get_state()).encode()).hexdigest()
    if is_whole(architectures):
        padded = space.sample(int(architectures), random_state=rng)
        which: Any = int(architectures)
    else:
        padded = space.validate(architectures)
        which = hashlib.sha256(padded.tobytes()).hexdigest()
    if not len(padded):
        raise ValueError("There is no architecture to measure: ask for at least 1.")
    protocol = {k: v for k, v in conditions["protocol"].items() if k not in REFINEMENTS}
    request = {**conditions, "protocol": protocol, "architectures": which, "random_state": state}
    request["signal_seed"] = 0  # part of the words since the first release; stores hold it
    words, seed = json.dumps(request, sort_keys=True), int(rng.randint(2**31 - 1))
    return _Asked(words, seed, conditions, trim_widths(padded))


def _find_or_add(store: Store, asked: _Asked, runtime: Runtime) -> int:
    """Return the number of the campaign that the same call began, or of a new one."""
    number = store.find_campaign(asked.request)
    if number is None:
        return store.add_campaign(*asked)
    # Affinity and variables are those of the measuring process, which reports them at its start.
    here = describe_environment(runtime.packages)
    here = {key: here[key] for key in here if key not in ("affinity", "variables")}
    check_same(store, number, here)
    store.set_conditions(number, asked.conditions)
    store.forget_failures(number)
    return number


def _measure(campaign: Campaign, measurement: Measurement) -> bool:
    """Measure what is left, here or on a fleet; return whether Ctrl-C ended it."""
    verbose = measurement.verbose
    if measurement.client is not None:
        from fcnn_latency.measurement._fleet import Fleet

        return run_campaign(campaign, Fleet(measurement.client).measure, verbose)

    def measure(*what: Any) -> Iterator[Any]:
        with timing_lock(measurement.wait):  # only where something is left to measure
            yield from measure_here(*what)

    return run_campaign(campaign, measure, verbose)
