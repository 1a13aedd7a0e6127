"""What the package offers, and what importing it costs."""

import ast
import inspect
import subprocess
import sys
from importlib import import_module

import pytest

import fcnn_latency


def typed_homes():
    """Name to module of what `fcnn_latency` imports for type checkers."""
    tree = ast.parse(inspect.getsource(fcnn_latency))
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    assert ast.unparse(block.test) == "TYPE_CHECKING"
    return {name.name: node.module for node in block.body for name in node.names}


def test_public_names_agree():
    homes = {name: f"fcnn_latency.{home}" for name, home in fcnn_latency._HOMES.items()}
    assert typed_homes() == homes
    assert sorted(fcnn_latency.__all__) == dir(fcnn_latency) == sorted(homes)


@pytest.mark.parametrize("name", fcnn_latency.__all__)
def test_public_name_is_the_one_that_its_module_offers(name):
    home = import_module(typed_homes()[name])
    assert getattr(home, name) is getattr(fcnn_latency, name)
    assert name in home.__all__


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        fcnn_latency.nothing  # noqa: B018


def imported_by(statement):
    """Top-level packages that a fresh interpreter holds after `statement`."""
    script = f"{statement}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def test_importing_the_package_imports_nothing_heavy():
    heavy = {"keras", "matplotlib", "numpy", "pandas", "sklearn", "tensorflow"}
    assert "fcnn_latency" in imported_by("import fcnn_latency")
    assert not imported_by("import fcnn_latency") & heavy


def test_only_what_runs_networks_imports_tensorflow():
    statement = "\n".join(f"from fcnn_latency import {name}" for name in fcnn_latency.__all__)
    assert not imported_by(statement) & {"keras", "matplotlib", "scikeras", "tensorflow"}
