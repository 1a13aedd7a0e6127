"""The runner: ``python -m benchmarks NAME [OPTIONS]``; ``--help`` lists the names."""

import click

from benchmarks._figures import figures
from benchmarks.experiments.ablation import ablation
from benchmarks.experiments.accuracy import accuracy
from benchmarks.experiments.graphs import graphs
from benchmarks.experiments.intervals import intervals
from benchmarks.experiments.layer_table import layer_table
from benchmarks.experiments.noise_floor import noise_floor
from benchmarks.experiments.processes import processes
from benchmarks.experiments.reductions import reductions
from benchmarks.experiments.retest import retest
from benchmarks.experiments.sample_efficiency import sample_efficiency
from benchmarks.experiments.transfer import transfer


@click.group()
def main():
    """Experiments and stress tests."""


for command in (
    ablation,
    accuracy,
    figures,
    graphs,
    intervals,
    layer_table,
    noise_floor,
    processes,
    reductions,
    retest,
    sample_efficiency,
    transfer,
):
    main.add_command(command)

if __name__ == "__main__":
    main(prog_name="python -m benchmarks")
