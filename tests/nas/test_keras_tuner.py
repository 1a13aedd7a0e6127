"""KerasTuner within a latency budget."""

from contextlib import nullcontext
from types import SimpleNamespace

import pytest

from fcnn_latency import hold_budget, make_hypermodel
from fcnn_latency._imports import import_keras
from helpers.searches import SMALL, SumOfWidths, SumWithIntervals

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


@pytest.mark.parametrize(
    ("budget", "confidence", "keeps"),
    [("8us", None, True), ("7.99us", None, False), ("8us", 0.9, False), ("8.81us", 0.9, True)],
)
def test_budget_is_held_by_the_prediction_or_with_confidence_by_the_upper_end(
    budget, confidence, keeps
):
    built = []
    model = make_hypermodel(
        lambda hp, widths: built.append(widths),
        space=SMALL,
        latency_model=SumWithIntervals(),
        max_latency=budget,
        confidence=confidence,
    )
    proposal = {"layers": 2, "width_1": 4, "width_2": 6}  # the second is ignored
    assert model.keeps_budget(proposal) == keeps
    import keras_tuner

    hp = keras_tuner.HyperParameters()
    hp.values = proposal
    with nullcontext() if keeps else pytest.raises(keras_tuner.errors.FailedTrialError):
        model.build(hp)
    assert built == [(4, 4)] * keeps


def test_hyperparameters_are_those_of_the_space():
    import keras_tuner

    hp = keras_tuner.HyperParameters()
    hypermodel().build(hp)
    ranges = {one.name: (one.min_value, one.max_value) for one in hp.space}
    assert ranges == {"layers": (2, 3), "width_1": (1, 6), "width_2": (1, 6)}


class Oracle:
    """Proposes from a list, and notes for which trials; after its end it has nothing."""

    def __init__(self, proposals):
        self.proposals = iter(proposals)
        self.asked = []

    def populate_space(self, trial_id):
        self.asked.append(trial_id)
        values = next(self.proposals, None)
        return {"status": "STOPPED" if values is None else "RUNNING", "values": values}


def held(proposals):
    """A tuner of an oracle whose proposals are numbers, held to a budget of 8; and its oracle."""
    oracle = Oracle(proposals)
    holder = SimpleNamespace(keeps_budget=lambda values: values <= 8)
    tuner = SimpleNamespace(hypermodel=holder, oracle=oracle)
    assert hold_budget(tuner) is tuner
    return oracle


def test_oracle_proposes_again_until_the_budget_is_kept():
    oracle = held([9, 12, 8, 3])
    assert oracle.populate_space("0001") == {"status": "RUNNING", "values": 8}
    assert oracle.populate_space("0002") == {"status": "RUNNING", "values": 3}
    assert oracle.asked == ["0001"] * 3 + ["0002"]
    assert oracle.populate_space("0003") == {"status": "STOPPED", "values": None}
    assert oracle.asked[4:] == ["0003"]


def test_search_stops_after_a_thousand_proposals_over_the_budget():
    last = held([9] * 999 + [8])
    assert last.populate_space("0001")["values"] == 8
    none = held([9] * 1000 + [8])
    assert none.populate_space("0001") == {"status": "STOPPED"}
    assert len(last.asked) == len(none.asked) == 1000
