"""``python -m fcnn_latency``: the command line."""

from fcnn_latency.cli._main import main

main(prog_name="fcnn-latency")
