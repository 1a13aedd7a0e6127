"""The entry point of the command line."""

from __future__ import annotations

import json
import os
from typing import Any

import click

from fcnn_latency.cli._compare import compare
from fcnn_latency.cli._measure import export, measure
from fcnn_latency.cli._models import adapt, describe, fit, predict
from fcnn_latency.cli._search import search
from fcnn_latency.exceptions import MeasurementError, SearchError, StoreError

#: Errors of commands that are not bugs of the code.
EXPECTED = (ImportError, OSError, ValueError, MeasurementError, SearchError, StoreError)


class _Commands(click.Group):
    """Commands that print errors as one line, since users do not need a traceback."""

    def invoke(self, context: click.Context) -> Any:
        """Run a command, and show expected errors as one line."""
        try:
            return super().invoke(context)
        except EXPECTED as error:
            message = str(error)
            if "FCNNSpace(" in message:
                message += " On the command line: --max-layers, --max-width, --untied."
            raise click.ClickException(message) from error


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "show_default": True},
)
@click.version_option(package_name="fcnn-latency")
def main() -> None:
    """Measure and predict the CPU inference latency of fully connected networks."""
    # Otherwise TensorFlow looks for a graphics card and prints warnings.
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")


for command in (measure, export, compare, fit, adapt, predict, describe, search):
    main.add_command(command)


@main.command()
@click.option("-n", "--n-architectures", default=200, help="How many.")
@click.option("-o", "--output", default="demo", help="Folder.")
def demo(n_architectures: int, output: str) -> None:
    """Measure, compare, fit, and save data, model and figures."""
    from fcnn_latency.cli._demo import run_demo

    run_demo(output, n_architectures)


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def doctor(as_json: bool) -> None:
    """Show machine, versions and settings, and what would disturb a measurement."""
    from fcnn_latency.cli._doctor import list_environment, list_findings
    from fcnn_latency.measurement.machine._disturbances import find_disturbances
    from fcnn_latency.measurement.machine._environment import describe_environment, missing_packages
    from fcnn_latency.measurement.runtimes._registry import RUNTIMES

    packages = {package for runtime in RUNTIMES.values() for package in runtime.packages}
    environment = describe_environment(sorted(packages | {"tensorflow", "keras", "scikeras"}))
    missing = {name: missing_packages(runtime.packages) for name, runtime in RUNTIMES.items()}
    found = find_disturbances(environment)
    if as_json:
        about = {**environment, "missing_packages": missing, "disturbances": found}
        click.echo(json.dumps(about, indent=2))
    else:
        click.echo("\n".join([*list_environment(environment, missing), *list_findings(found)]))
