"""The command line."""

from click.testing import CliRunner

from fcnn_latency.cli import main


def run(*arguments):
    return CliRunner().invoke(main, list(arguments))


def test_measured_data_can_be_compared(tmp_path):
    path = str(tmp_path / "latencies.csv")
    measured = run("measure", "-n", "12", "-o", path)
    assert measured.exit_code == 0, measured.output
    compared = run("compare", path, "-e", "flops", "--folds", "3")
    assert compared.exit_code == 0, compared.output
    assert "mean" in compared.output
    assert "flops" in compared.output


def test_unknown_runtime_is_an_error():
    result = run("measure", "-n", "2", "--runtime", "nope")
    assert result.exit_code == 1
    assert "Valid ones" in result.output


def test_doctor_shows_versions():
    result = run("doctor")
    assert result.exit_code == 0
    assert "tensorflow" in result.output
