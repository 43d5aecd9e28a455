# Two commands do all of their own set-up: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

# Compiled modules are kept between runs, also where the environment says otherwise.
export PYTHONDONTWRITEBYTECODE =

.PHONY: demo test lint types tests bench record docs wheel clean
.DEFAULT_GOAL := test

$(READY): pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[graphql,server]' --group dev
	touch $(READY)

# The main job: real SDKs over recorded cassettes, under every kind of fault.
demo: $(READY)
	$(BIN)/python examples/demo.py

# Everything the gate runs.
test: lint types tests

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

# Random order, two workers, branch coverage; the floor is in pyproject.toml.
tests: $(READY)
	rm -f .coverage .coverage.*
	$(BIN)/coverage run -m pytest -n 2 --dist worksteal
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

bench: $(READY)
	$(BIN)/python -m benchmarks --write

record: $(READY)
	$(BIN)/python examples/record.py

docs: $(READY)
	$(BIN)/python docs/generate.py

wheel: $(READY)
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .

clean:
	rm -rf $(VENV) dist .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache
