"""A latency budget for searches with KerasTuner."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fcnn_latency._imports import import_extra, import_keras
from fcnn_latency.nas._candidates import Candidates
from fcnn_latency.nas._trial import parameter_ranges, parameters_of, widths_of
from fcnn_latency.spaces._fcnn import FCNNSpace

#: How often an oracle is asked for an architecture within the budget before it is stopped.
MOST_PROPOSALS = 1000


def make_hypermodel(
    build: Callable[..., Any],
    *,
    space: FCNNSpace | None = None,
    latency_model: Any,
    max_latency: float | str,
    confidence: float | None = None,
) -> Any:
    """A HyperModel of KerasTuner whose hyperparameters are the architectures of a space.

    Parameters
    ----------
    build : callable
        ``build(hp, widths)`` returns the compiled Keras model of these widths; it may ask `hp` for
        further hyperparameters.
    space, latency_model, max_latency, confidence
        As in `search`.

    Returns
    -------
    keras_tuner.HyperModel
        With hyperparameters ``layers`` and ``width_1`` to ``width_k``, of which as many count as
        there are layers. It fails the trial of an architecture over the budget before it is
        built; with `hold_budget` there are no such trials.

    Raises
    ------
    ValueError
        If a parameter is wrong, or no architecture meets the budget (states the least latency).
    ImportError
        If keras-tuner is not installed.
    """
    import_keras()
    keras_tuner = import_extra("keras_tuner", "keras-tuner", "make_hypermodel")
    candidates = Candidates(space, latency_model, max_latency=max_latency, confidence=confidence)
    within = candidates.draw(np.random.RandomState(0))
    assert within is not None  # nothing is taken yet
    # KerasTuner builds the defaults to learn of the hyperparameters.
    defaults = parameters_of(within, candidates.space)

    class BudgetHyperModel(keras_tuner.HyperModel):  # type: ignore[misc, name-defined]
        """Networks within a latency budget."""

        def build(self, hp: Any) -> Any:
            """The model of the architecture that `hp` has."""
            ranges = parameter_ranges(candidates.space)
            chosen = {
                name: hp.Int(name, *ends, default=defaults[name]) for name, ends in ranges.items()
            }
            if not self.keeps_budget(chosen):
                widths = widths_of(chosen, candidates.space)
                raise keras_tuner.errors.FailedTrialError(f"{widths} is over the latency budget.")
            return build(hp, widths_of(chosen, candidates.space))

        def keeps_budget(self, values: dict[str, Any]) -> bool:
            """Whether hyperparameters are those of an architecture within the budget."""
            ends = candidates.predict([widths_of(defaults | values, candidates.space)])
            return bool(candidates.keep(ends)[0])

    return BudgetHyperModel()


def hold_budget(tuner: Any) -> Any:
    """Make a tuner propose only architectures within the budget of its hypermodel.

    Parameters
    ----------
    tuner : keras_tuner.Tuner
        RandomSearch or BayesianOptimization with a hypermodel of `make_hypermodel`. Its oracle is
        asked again as long as what it proposes is over the budget, which is no trial.

    Returns
    -------
    keras_tuner.Tuner
        The same tuner.

    Raises
    ------
    ValueError
        If its hypermodel is none of `make_hypermodel`.
    """
    if not hasattr(tuner.hypermodel, "keeps_budget"):
        raise ValueError(
            f"The tuner's hypermodel must be one of make_hypermodel. Got {tuner.hypermodel!r}."
        )
    propose = tuner.oracle.populate_space

    def propose_within(trial_id: str) -> dict[str, Any]:
        for _ in range(MOST_PROPOSALS):
            proposal: dict[str, Any] = propose(trial_id)
            values = proposal.get("values")
            if values is None or tuner.hypermodel.keeps_budget(values):
                return proposal
        return {"status": "STOPPED"}

    tuner.oracle.populate_space = propose_within
    return tuner
