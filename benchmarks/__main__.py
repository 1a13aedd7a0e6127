"""The runner: ``python -m benchmarks NAME [OPTIONS]``; ``--help`` lists the names."""

import ast
import runpy
import sys
from pathlib import Path

import click

from benchmarks._figures import figures
from benchmarks.experiments.accuracy import accuracy
from benchmarks.experiments.retest import retest

HERE = Path(__file__).parent


class Experiments(click.Group):
    """Commands of their own, and scripts that read their arguments themselves."""

    def list_commands(self, context):
        """All of them, by name."""
        return sorted({*super().list_commands(context), *_scripts()})

    def get_command(self, context, name):
        """The command, or one that runs the script of that name with the arguments as they are."""
        own = super().get_command(context, name)
        return own or (_script_command(_scripts()[name]) if name in _scripts() else None)


def _scripts():
    """Files of experiments and stress tests by name."""
    folders = ("experiments", "stress")
    return {p.stem: p for folder in folders for p in sorted((HERE / folder).glob("[a-z]*.py"))}


def _script_command(path):
    about = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""

    @click.command(
        path.stem,
        help=about,
        short_help=about.splitlines()[0],
        context_settings={"ignore_unknown_options": True},
    )
    @click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
    def script(arguments):
        sys.argv = [str(path), *arguments]
        runpy.run_path(str(path), run_name="__main__")

    return script


@click.group(cls=Experiments)
def main():
    """Experiments and stress tests."""


for command in (accuracy, retest, figures):
    main.add_command(command)

if __name__ == "__main__":
    main(prog_name="python -m benchmarks")
