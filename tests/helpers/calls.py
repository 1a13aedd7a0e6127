"""Public functions replaced by ones that note the settings of their calls."""

import inspect

from click.testing import CliRunner

import fcnn_latency
from fcnn_latency.cli import main

#: The error of a replaced function that has no answer.
STOPPED = "stopped where it was called"


def note_calls(monkeypatch, name, answer=None):
    """Replace a public function; return a list, to which each call adds its settings by name.

    Settings that the function does not have are refused. `answer` is called instead of the
    function; without one the call ends with an error.
    """
    signature, calls = inspect.signature(getattr(fcnn_latency, name)), []

    def noted(*given, **settings):
        bound = signature.bind(*given, **settings)
        bound.apply_defaults()
        calls.append(dict(bound.arguments))
        if answer is None:
            raise ValueError(STOPPED)
        return answer(*given, **settings)

    monkeypatch.setattr(fcnn_latency, name, noted)
    return calls


def defaults(function, **given):
    """The settings of a call of a function with those given, and otherwise its defaults."""
    parameters = inspect.signature(function).parameters.values()
    return {each.name: each.default for each in parameters} | given


def run(*arguments):
    """Run a command in this process; its exit code and output."""
    return CliRunner().invoke(main, list(arguments))


def settings_of(monkeypatch, name, *arguments):
    """The settings with which a command calls a function, where it ends."""
    calls = note_calls(monkeypatch, name)
    done = run(*arguments)
    assert STOPPED in done.output, f"{done.output}{done.exception!r}"
    (settings,) = calls
    return settings
