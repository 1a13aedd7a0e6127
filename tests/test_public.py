"""What the package offers, and what importing it costs."""

import ast
import subprocess
import sys
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import pytest

import fcnn_latency

FOLDER = Path(fcnn_latency.__file__).parent
SUBPACKAGES = ("datasets", "displays", "encoding", "estimators", "evaluation", "measurement")
SUBPACKAGES += ("nas", "networks", "persistence", "spaces")


@pytest.mark.parametrize("package", ["", *SUBPACKAGES])
def test_names_of_the_stub_can_be_imported(package):
    module = import_module(f"fcnn_latency.{package}".rstrip("."))
    assert module.__all__
    assert set(module.__all__) <= set(dir(module))
    for name in module.__all__:
        assert getattr(module, name) is not None


@pytest.mark.parametrize("package", ["", *SUBPACKAGES])
def test_stub_is_the_list_of_public_names(package):
    tree = ast.parse((FOLDER / package / "__init__.pyi").read_text())
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    module = import_module(f"fcnn_latency.{package}".rstrip("."))
    names = [alias.asname for node in imports for alias in node.names]
    assert sorted(names) == sorted(module.__all__)


def test_version_is_that_of_the_installed_package():
    assert fcnn_latency.__version__ == version("fcnn-latency")


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="attribute nothing"):
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
