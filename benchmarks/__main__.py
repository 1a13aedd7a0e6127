"""The runner: ``python -m benchmarks NAME [OPTIONS]``. ``--help`` lists the names."""

import click

from benchmarks._figures import figures
from benchmarks.experiments.ablation import ablation
from benchmarks.experiments.accuracy import accuracy
from benchmarks.experiments.compare_speed import compare_speed
from benchmarks.experiments.demo import demo
from benchmarks.experiments.graphs import graphs
from benchmarks.experiments.intervals import intervals
from benchmarks.experiments.latency_map import latency_map
from benchmarks.experiments.layer_table import layer_table
from benchmarks.experiments.noise_floor import noise_floor
from benchmarks.experiments.paper import paper
from benchmarks.experiments.processes import processes
from benchmarks.experiments.reductions import reductions
from benchmarks.experiments.retest import retest
from benchmarks.experiments.sample_efficiency import sample_efficiency
from benchmarks.experiments.search import search
from benchmarks.experiments.transfer import transfer
from benchmarks.experiments.verification import verification
from benchmarks.stress.endurance import endurance
from benchmarks.stress.kills import kills

COMMANDS = (
    ablation,
    accuracy,
    compare_speed,
    demo,
    endurance,
    figures,
    graphs,
    intervals,
    kills,
    latency_map,
    layer_table,
    noise_floor,
    paper,
    processes,
    reductions,
    retest,
    sample_efficiency,
    search,
    transfer,
    verification,
)


@click.group(commands=COMMANDS)
def main():
    """Experiments and stress tests."""


if __name__ == "__main__":
    main(prog_name="python -m benchmarks")
