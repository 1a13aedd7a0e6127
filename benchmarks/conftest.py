"""The option ``--save`` for benchmarks that pytest runs."""


def pytest_addoption(parser):
    parser.addoption("--save", action="store_true", help="Into benchmarks/results.")
