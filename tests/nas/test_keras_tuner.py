"""KerasTuner within a latency budget."""

import pytest

from fcnn_latency import hold_budget, make_hypermodel
from fcnn_latency._imports import import_keras
from helpers.searches import SMALL, SumOfWidths

pytest.importorskip("keras_tuner")

#: KerasTuner calls threading.currentThread.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def hypermodel(max_latency="8us"):
    keras = import_keras()

    def build(hp, widths):
        layers = [keras.layers.Dense(width) for width in widths[1:]]
        model = keras.Sequential([keras.Input((widths[0],)), *layers])
        model.widths = widths
        return model

    return make_hypermodel(build, space=SMALL, latency_model=SumOfWidths(), max_latency=max_latency)


def tuner_of(folder, **changes):
    import keras_tuner

    class SumTuner(keras_tuner.RandomSearch):
        """The quality is the sum of the widths; nothing is trained."""

        def run_trial(self, trial, *args, **kwargs):
            return {"quality": float(sum(self.hypermodel.build(trial.hyperparameters).widths))}

    return SumTuner(
        hypermodel(),
        objective=keras_tuner.Objective("quality", "max"),
        directory=folder,
        max_trials=12,
        seed=0,
        **changes,
    )


def test_only_architectures_within_the_budget_are_trials(tmp_path):
    tuner = hold_budget(tuner_of(tmp_path))
    tuner.search(verbose=0)
    scores = [trial.score for trial in tuner.oracle.trials.values()]
    assert len(scores) == 12
    assert max(scores) <= 8


def test_what_is_over_the_budget_fails_before_it_is_built():
    import keras_tuner

    hp = keras_tuner.HyperParameters()
    hp.values = {"layers": 2, "width_1": 6, "width_2": 1}
    with pytest.raises(keras_tuner.errors.FailedTrialError, match=r"\(6, 6\) is over"):
        hypermodel().build(hp)


def test_impossible_budget_states_the_least_latency():
    with pytest.raises(ValueError, match="least predicted latency is 2 µs"):
        hypermodel(max_latency="1us")


def test_tuner_of_another_hypermodel_is_refused():
    class Tuner:
        hypermodel = None

    with pytest.raises(ValueError, match="one of make_hypermodel"):
        hold_budget(Tuner())
