PYTHON ?= python3

.PHONY: bench coverage demo docs figures lint test types

demo: .venv/usable
	.venv/bin/fcnn-latency demo

bench: .venv/installed
	.venv/bin/python -m pytest benchmarks -p no:xdist -p no:cacheprovider

coverage: .venv/installed
	.venv/bin/python -m pytest -n 2 --dist loadfile -p no:benchmark --cov --cov-report term:skip-covered

docs: .venv/installed
	.venv/bin/python -m sphinx -W --keep-going -b html docs docs/_build/html

figures: .venv/installed
	.venv/bin/python -m benchmarks figures

lint: .venv/installed
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/lint-imports --no-cache
	.venv/bin/codespell

test: .venv/installed
	.venv/bin/python -m pytest -n 2 --dist loadfile -p no:benchmark

types: .venv/installed
	.venv/bin/mypy

# What the README uses; what only developers need is not in it.
.venv/usable: pyproject.toml
	test -x .venv/bin/pip || $(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet --editable ".[fleet,parquet,plots,runtimes,search]"
	touch $@

.venv/installed: .venv/usable
	.venv/bin/python -m pip install --quiet --editable ".[dev]"
	touch $@
