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
ROOT = Path(__file__).parents[1]
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


def test_few_modules_stand_at_the_top():
    modules = {path.stem for path in FOLDER.glob("*.py")} - {"__init__", "__main__"}
    assert len(modules) <= 8


def test_modules_of_subpackages_are_private():
    inside = [path for path in FOLDER.glob("*/**/*.py") if path.stem != "__init__"]
    assert inside
    assert not [path for path in inside if not path.stem.startswith("_")]


def test_no_file_is_longer_than_a_reader_bears():
    lengths = {path: len(path.read_text().splitlines()) for path in FOLDER.rglob("*.py")}
    assert {path.name: n for path, n in lengths.items() if n > 400} == {}


@pytest.mark.parametrize("folder", ["docs", "examples", "."])
def test_documented_imports_have_a_public_home(folder):
    pages = [*(ROOT / folder).glob("*.md"), *(ROOT / folder).glob("*.ipynb")]
    pages += (ROOT / folder).glob("*.py") if folder == "examples" else []
    imports = [line for page in pages for line in page.read_text("utf-8").splitlines()]
    imports = [line for line in imports if "from fcnn_latency" in line and " import " in line]
    assert imports
    assert not [line for line in imports if "._" in line]
