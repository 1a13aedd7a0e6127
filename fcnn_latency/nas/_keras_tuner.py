"""A latency budget for searches with KerasTuner."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fcnn_latency._imports import import_extra, import_keras
from fcnn_latency.nas._candidates import Candidates
from fcnn_latency.nas._trial import parameter_ranges, parameters_of, widths_of
from fcnn_latency.spaces._fcnn import FCNNSpace

#: Maximum number of proposals of an oracle for one trial; the search stops after them.
MOST_PROPOSALS = 1000


def make_hypermodel(
    build: Callable[..., Any],
    *,
    space: FCNNSpace | None = None,
    latency_model: Any,
    max_latency: float | str,
    confidence: float | None = None,
) -> Any:
    """Make a KerasTuner HyperModel whose hyperparameters describe the architectures of a space.

    Parameters
    ----------
    build : callable
        ``build(hp, widths)`` returns the compiled Keras model of these widths. It may define
        further hyperparameters with `hp`.
    space, latency_model, max_latency, confidence
        As in `search`.

    Returns
    -------
    keras_tuner.HyperModel
        Its hyperparameters are ``layers`` and ``width_1`` to ``width_k``; widths beyond the last
        layer are ignored. The trial of an architecture over the budget fails before the model is
        built. `hold_budget` prevents such trials.

    Raises
    ------
    ValueError
        If a parameter is wrong, or no architecture meets the budget; the message then states the
        least latency.
    ImportError
        If keras-tuner is not installed.
    """
    import_keras()
    keras_tuner = import_extra("keras_tuner", "keras-tuner", "make_hypermodel")
    candidates = Candidates(space, latency_model, max_latency=max_latency, confidence=confidence)
    within = candidates.draw(np.random.RandomState(0))
    assert within is not None  # nothing is taken yet
    # KerasTuner builds a model with the defaults to discover the hyperparameters.
    defaults = parameters_of(within, candidates.space)

    class BudgetHyperModel(keras_tuner.HyperModel):  # type: ignore[misc, name-defined]
        """Networks within a latency budget."""

        def build(self, hp: Any) -> Any:
            """Build the model of the architecture in `hp`."""
            ranges = parameter_ranges(candidates.space)
            chosen = {
                name: hp.Int(name, *ends, default=defaults[name]) for name, ends in ranges.items()
            }
            if not self.keeps_budget(chosen):
                widths = widths_of(chosen, candidates.space)
                raise keras_tuner.errors.FailedTrialError(f"{widths} is over the latency budget.")
            return build(hp, widths_of(chosen, candidates.space))

        def keeps_budget(self, values: dict[str, Any]) -> bool:
            """Return whether hyperparameters describe an architecture within the budget."""
            ends = candidates.predict([widths_of(defaults | values, candidates.space)])
            return bool(candidates.keep(ends)[0])

    return BudgetHyperModel()


def hold_budget(tuner: Any) -> Any:
    """Make a tuner propose only architectures within the budget of its hypermodel.

    Parameters
    ----------
    tuner : keras_tuner.Tuner
        RandomSearch or BayesianOptimization with a hypermodel from `make_hypermodel`. Its oracle
        proposes again while a proposal is over the budget, up to 1000 times. These proposals do
        not count as trials.

    Returns
    -------
    keras_tuner.Tuner
        The same tuner.

    Raises
    ------
    ValueError
        If its hypermodel is not from `make_hypermodel`.
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
