"""``python -m fcnn_latency``: the command line."""

from fcnn_latency.cli import main

main(prog_name="fcnn-latency")
