"""Run a script with short trainings and campaigns, where only whether it runs is tested.

Called as `python short_run.py SCRIPT ARGUMENT ...`.
"""

import runpy
import sys

from fcnn_latency import MeasurementProtocol
from fcnn_latency.estimators.neural import _training

CAMPAIGN = {"passes": 2, "rounds": 2, "processes": 1}
N_EPOCHS = 2


def shorten():
    """Replace how long networks are trained, and how often architectures are measured."""
    import_keras, make_protocol = _training.import_keras, MeasurementProtocol.__init__

    def short_keras():
        keras = import_keras()
        fit = keras.Model.fit
        keras.Model.fit = lambda *rows, epochs, **settings: fit(*rows, epochs=N_EPOCHS, **settings)
        _training.import_keras = import_keras
        return keras

    def short_protocol(self, name, **fields):
        make_protocol(self, name, **{**fields, **CAMPAIGN})

    _training.import_keras = short_keras
    MeasurementProtocol.__init__ = short_protocol


if __name__ == "__main__":
    shorten()
    sys.argv = sys.argv[1:]
    runpy.run_path(sys.argv[0], run_name="__main__")
