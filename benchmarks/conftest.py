"""An option of the benchmarks that pytest runs."""


def pytest_addoption(parser):
    parser.addoption("--save", action="store_true", help="Into benchmarks/results.")
