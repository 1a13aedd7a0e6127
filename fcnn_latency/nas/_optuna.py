"""The search as an Optuna study whose parameters are architectures within a budget."""

from __future__ import annotations

import math
import os
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import psutil
from optuna.distributions import BaseDistribution, IntDistribution
from optuna.samplers import BaseSampler, NSGAIISampler, RandomSampler, TPESampler
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState
from tqdm.auto import tqdm

from fcnn_latency._files import check_writable, resolve
from fcnn_latency._validation import BOOLEAN
from fcnn_latency.measurement._store_file import STORE_SUFFIXES
from fcnn_latency.nas._candidates import Candidates
from fcnn_latency.nas._gain_sampler import GainSampler, Taken
from fcnn_latency.nas._trial import Trial, parameter_ranges, parameters_of, widths_of
from fcnn_latency.spaces._fcnn import FCNNSpace

#: Maximum number of proposals of a sampler; then an architecture in the budget is drawn randomly.
MOST_PROPOSALS = 20
#: Suffixes of Optuna journal files.
JOURNAL_SUFFIXES = (".journal", ".log", ".jsonl")
#: Samplers by name. Each trial creates a new one with its own seed.
SAMPLERS: dict[str, Callable[[int, Candidates, Taken], BaseSampler | GainSampler]] = {
    "gain": GainSampler,
    # Running trials are already excluded by their architectures. Without `constant_liar`, each
    # proposal saves a write.
    "tpe": lambda seed, *_: TPESampler(seed=seed, multivariate=True, constant_liar=False),
    "nsga2": lambda seed, *_: NSGAIISampler(seed=seed),
    "random": lambda seed, *_: RandomSampler(seed=seed),
}


class NothingLeftError(Exception):
    """Raised if all architectures within the budget are taken; `number` is the trial left empty."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def distributions_of(space: FCNNSpace) -> dict[str, BaseDistribution]:
    """Return the Optuna distributions of the parameters in `parameter_ranges`."""
    return {name: IntDistribution(*ends) for name, ends in parameter_ranges(space).items()}


class BudgetSampler(BaseSampler):
    """An Optuna sampler that proposes each architecture once, and only within a budget.

    It asks an inner sampler, and asks again if the proposal is over the budget or already taken.
    After 20 such proposals it draws an architecture at random. So no trial is spent on
    architectures that the latency model rules out.

    Parameters
    ----------
    sampler : {"gain", "tpe", "nsga2", "random"} or BaseSampler
        The inner sampler.
    candidates : Candidates
        The architectures within the budget.
    seed : int
        Seed of the proposals, combined with the number of each trial. So a resumed search proposes
        the same architectures as an uninterrupted one.
    """

    def __init__(self, sampler: str | BaseSampler, candidates: Candidates, seed: int) -> None:
        if not isinstance(sampler, BaseSampler) and sampler not in SAMPLERS:
            raise ValueError(
                f"Unknown sampler {sampler!r}. Valid ones: {sorted(SAMPLERS)}, or one of Optuna."
            )
        self.sampler = sampler
        self.candidates = candidates
        self.seed = seed
        self._distributions = distributions_of(candidates.space)

    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """Return all parameters, regardless of earlier trials."""
        return self._distributions

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Return parameters of an architecture within the budget that is not taken."""
        seeds = np.random.SeedSequence([self.seed, trial.number]).generate_state(2)
        space = self.candidates.space
        taken = taken_by(study, space) | self.candidates.excluded
        rng, inner = np.random.RandomState(seeds[0]), self._inner(int(seeds[1]), taken)
        asked = {name: d for name, d in search_space.items() if not d.single()}
        fixed = {name: d.low for name, d in search_space.items() if d.single()}  # type: ignore[attr-defined]
        for _ in range(MOST_PROPOSALS):
            proposed = inner.sample_relative(study, trial, asked)
            if not asked.keys() <= proposed.keys():
                break  # the inner sampler has seen too few trials
            widths = widths_of(fixed | proposed, space)
            if widths not in taken and self.candidates.keep(self.candidates.predict([widths]))[0]:
                return fixed | proposed
        drawn = self.candidates.draw(rng, taken)
        if drawn is None:
            raise NothingLeftError(trial.number)
        return parameters_of(drawn, space)

    def _inner(self, seed: int, taken: Taken) -> BaseSampler | GainSampler:
        if isinstance(self.sampler, BaseSampler):
            return self.sampler
        return SAMPLERS[self.sampler](seed, self.candidates, taken)

    def sample_independent(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """Raise NotImplementedError; unused, since `sample_relative` returns all parameters."""
        raise NotImplementedError(f"{param_name} is no parameter of the search.")

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        """Call `before_trial` of a sampler object given by the user."""
        if isinstance(self.sampler, BaseSampler):
            self.sampler.before_trial(study, trial)

    def after_trial(
        self, study: optuna.Study, trial: FrozenTrial, state: TrialState, values: Any
    ) -> None:
        """Call `after_trial` of a sampler object given by the user."""
        if isinstance(self.sampler, BaseSampler):
            self.sampler.after_trial(study, trial, state, values)


def is_finished(trial: FrozenTrial) -> bool:
    """Return whether the objective returned or raised; False for killed or interrupted trials."""
    failed = trial.state is TrialState.FAIL and "error" in trial.user_attrs
    return trial.state is TrialState.COMPLETE or failed


def taken_by(study: optuna.Study, space: FCNNSpace) -> set[tuple[int, ...]]:
    """Return architectures that have been evaluated or are being evaluated."""
    trials = study.get_trials(deepcopy=False)
    there = (trial for trial in trials if is_finished(trial) or trial.state is TrialState.RUNNING)
    # Other processes write the parameters of a trial one by one; skip incomplete ones.
    named = parameter_ranges(space).keys()
    return {widths_of(trial.params, space) for trial in there if named <= trial.params.keys()}


def open_study(
    storage: Any, name: str, sampler: BudgetSampler, directions: list[Any], about: dict[str, Any]
) -> optuna.Study:
    """Create a study, or resume the one that the same call has created.

    Raises
    ------
    ValueError
        If `storage` is not a storage, or holds a study of this name with other settings; the
        message names them.
    """
    study = optuna.create_study(
        study_name=name,
        storage=_storage(storage),
        sampler=sampler,
        directions=directions,
        load_if_exists=True,
    )
    about = about | {"space": asdict(sampler.candidates.space)}
    known = study.user_attrs.get("fcnn_latency")
    if known is None and not study.get_trials(deepcopy=False):
        study.set_user_attr("fcnn_latency", about)
    elif known != about:
        known = known or {}
        differ = [
            f"{k}: {known.get(k)!r} and {about[k]!r}" for k in about if known.get(k) != about[k]
        ]
        raise ValueError(
            f"The study {name!r} of this storage was made otherwise ({'; '.join(differ)}). Repeat "
            "its settings to resume it, or choose another study_name."
        )
    _end_killed(study)
    return study


def add_known(study: optuna.Study, known: Sequence[Trial], space: FCNNSpace) -> None:
    """Add trials that were evaluated elsewhere to a study, unless it already has trials."""
    if study.get_trials(deepcopy=False):
        return
    for trial in known:
        study.add_trial(
            optuna.trial.create_trial(
                state=TrialState.FAIL if trial.state == "failed" else TrialState.COMPLETE,
                params=parameters_of(trial.widths, space),
                distributions=distributions_of(space),
                values=trial.values(len(study.directions)),
                user_attrs=trial.attributes(),
            )
        )


def run_study(
    study: optuna.Study, candidates: Candidates, objective: Any, n_trials: int, verbose: int
) -> str | None:
    """Evaluate until `n_trials` are finished; return why it ended earlier, or None."""
    distributions = distributions_of(candidates.space)
    with tqdm(total=n_trials, desc="searching", unit="trial", disable=not verbose) as progress:
        while True:
            done = sum(map(is_finished, study.get_trials(deepcopy=False)))
            progress.update(min(done, n_trials) - progress.n)
            if done >= n_trials:
                return None
            try:
                _evaluate(study, study.ask(distributions), candidates, objective)
            except NothingLeftError as error:
                study.tell(error.number, state=TrialState.FAIL)
                return "exhausted"
            except KeyboardInterrupt:
                return "interrupted"


def _evaluate(
    study: optuna.Study, asked: optuna.Trial, candidates: Candidates, objective: Any
) -> None:
    asked.set_user_attr("worker", worker_name())
    widths = widths_of(asked.params, candidates.space)
    predicted, upper = candidates.predict([widths])[0].tolist()
    started = time.perf_counter()
    try:
        quality = _number(objective(widths))
        trial = Trial(widths, quality, predicted, upper, duration=time.perf_counter() - started)
    except KeyboardInterrupt:
        study.tell(asked, state=TrialState.FAIL)
        raise
    except Exception as error:
        why = f"{type(error).__name__}: {error}"
        trial = Trial(widths, math.nan, predicted, upper, "failed", why)
    for name, value in trial.attributes().items():
        asked.set_user_attr(name, value)
    values = trial.values(len(study.directions))
    study.tell(asked, values, state=TrialState.FAIL if values is None else None)


def _number(value: Any) -> float:
    """Return a quality as float; 0-dimensional arrays and tensors count as numbers."""
    number = math.nan
    if hasattr(value, "__float__") and not BOOLEAN.holds(value) and np.ndim(value) == 0:
        number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"the objective must return a finite number. Got {value!r} instead.")
    return number


def finished_trials(study: optuna.Study, space: FCNNSpace) -> list[Trial]:
    """Return the trials whose objective has returned or raised."""
    finished = filter(is_finished, study.get_trials(deepcopy=False))
    return [Trial.from_study(trial, space) for trial in finished]


def _storage(storage: Any) -> BaseStorage | str | None:
    if storage is None or isinstance(storage, BaseStorage):
        return storage
    if isinstance(storage, str) and "://" in storage:
        return storage
    path = resolve(storage) if isinstance(storage, str | os.PathLike) else Path()
    if path.suffix in (*STORE_SUFFIXES, *JOURNAL_SUFFIXES):
        check_writable(path).parent.mkdir(parents=True, exist_ok=True)
    if path.suffix in STORE_SUFFIXES:
        return RDBStorage(f"sqlite:///{path.resolve()}")
    if path.suffix in JOURNAL_SUFFIXES:
        return JournalStorage(JournalFileBackend(str(path)))
    raise ValueError(
        f"storage must be a file ending in one of {[*STORE_SUFFIXES, *JOURNAL_SUFFIXES]}, the URL "
        f"of a database, or a storage of Optuna. Got {storage!r} instead."
    )


def worker_name() -> dict[str, Any]:
    """Identify this process, so that others can check whether it is still running."""
    process = psutil.Process()
    return {"host": socket.gethostname(), "pid": os.getpid(), "started": process.create_time()}


def _end_killed(study: optuna.Study) -> None:
    """Mark trials of dead processes on this host as failed, to free their architectures."""
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        worker = trial.user_attrs.get("worker")
        if worker is None or worker["host"] != socket.gethostname():
            continue  # on another machine, or its worker is not stored yet
        if not _runs(worker):
            study.tell(trial.number, state=TrialState.FAIL)


def _runs(worker: dict[str, Any]) -> bool:
    try:
        return bool(abs(psutil.Process(worker["pid"]).create_time() - worker["started"]) < 1)
    except psutil.NoSuchProcess:
        return False


@contextmanager
def quiet_optuna() -> Iterator[None]:
    """Silence the line that Optuna logs for each trial."""
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(verbosity)
