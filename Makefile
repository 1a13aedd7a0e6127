PYTHON ?= python3

.PHONY: demo docs lint test types

demo: .venv/installed
	.venv/bin/fcnn-latency demo

docs: .venv/installed
	.venv/bin/python -m sphinx -W --keep-going -b html docs docs/_build/html

lint: .venv/installed
	.venv/bin/ruff check
	.venv/bin/ruff format --check

test: .venv/installed
	.venv/bin/python -m pytest -n 2 --dist loadfile -p no:benchmark

types: .venv/installed
	.venv/bin/mypy

.venv/installed: pyproject.toml
	test -d .venv || $(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet --editable ".[dev]"
	touch $@
