"""What the tests of a measuring process share."""

import gc

import pytest

from helpers.fake_machine import FakeMachine


@pytest.fixture
def machine(monkeypatch):
    """A machine on which time passes only by calls, in the place of the real one."""
    machine = FakeMachine()
    machine.replace(monkeypatch)
    return machine


@pytest.fixture(params=[True, False], ids=["collecting", "not collecting"])
def collecting(request):
    """Whether the collector is on before what is tested."""
    before = gc.isenabled()
    (gc.enable if request.param else gc.disable)()
    yield request.param
    (gc.enable if before else gc.disable)()
