# Two commands do all of their own set-up: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
SDKS_VENV ?= .venv-sdks
SDKS_READY := $(SDKS_VENV)/.ready

# Compiled modules are kept between runs, also where the environment says otherwise.
export PYTHONDONTWRITEBYTECODE =

.PHONY: demo test lint types tests sdks niquests bench record docs wheel clean
.DEFAULT_GOAL := test

$(READY): pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[graphql,html,server]' --group dev
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

# Random order, two workers; branch coverage, whose floor is in pyproject.toml, of all but the contract: its thousands of
# conversations wait for real sockets, and would take twice as long.
tests: $(READY)
	rm -f .coverage .coverage.*
	$(BIN)/coverage run -m pytest -n 2 --dist worksteal --ignore tests/contract
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report
	$(BIN)/python -m pytest -q -n 3 --dist worksteal tests/contract

$(SDKS_READY): pyproject.toml
	test -x $(SDKS_VENV)/bin/python || $(PYTHON) -m venv $(SDKS_VENV)
	$(SDKS_VENV)/bin/python -m pip install --quiet --upgrade pip
	$(SDKS_VENV)/bin/python -m pip install --quiet --editable '.[graphql,html,server]' --group sdks
	touch $(SDKS_READY)

# Every SDK of the matrix, none skipped, in an environment of its own; prints docs/sdk-matrix.md and docs/waits.md,
# for which each client also waits a few seconds in real time.
sdks: $(SDKS_READY)
	$(SDKS_VENV)/bin/python tests/sdks/matrix/_page.py
	$(SDKS_VENV)/bin/python tests/sdks/waits/_waits_page.py
	$(SDKS_VENV)/bin/python -m pytest -q tests/sdks --ignore tests/sdks/matrix/test_sdk_matrix.py \
	  --ignore tests/sdks/waits/test_sdk_waits.py

# niquests overwrites urllib3, so it has an environment of its own.
niquests:
	test -x .venv-niquests/bin/python || $(PYTHON) -m venv .venv-niquests
	.venv-niquests/bin/python -m pip install --quiet --editable '.[server]' niquests
	cd tests/niquests && ../../.venv-niquests/bin/python -m pytest -c pytest.ini --rootdir . --confcutdir .

bench: $(READY)
	$(BIN)/python -m benchmarks --write

record: $(READY)
	$(BIN)/python examples/record.py

docs: $(READY)
	$(BIN)/python docs/generate.py

wheel: $(READY)
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .

clean:
	rm -rf $(VENV) $(SDKS_VENV) .venv-niquests dist .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache
