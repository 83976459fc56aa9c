# Two commands on a fresh machine with Python 3.11+ and make: `make demo` and `make test`.
# They make .venv, install the locked dependencies from whatever index pip is set to, and go.

PYTHON ?= python3
BIN := .venv/bin
ARGS ?=

.PHONY: help demo up test lint bench bench-large soak fuzz weather draw screenshots tongues lock clean

help:  ## what there is
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 10

.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "hoso needs Python 3.11 or newer; name one: make PYTHON=python3.12 …"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	$(BIN)/hoso procedures schema --to config/sample/procedure.schema.json
	@touch $@

demo: .venv/ready  ## everything on this machine, and the pilot year lived through; ARGS=--once stops after it
	$(BIN)/hoso demo $(ARGS)

up: .venv/ready  ## everything on this machine; ARGS="--data DIR --port N"
	$(BIN)/hoso up $(ARGS)

test: lint  ## lint, types, contracts and all tests; ARGS go to pytest
	$(BIN)/python -m pytest -q -n 2 --dist worksteal $(ARGS)

lint: .venv/ready  ## ruff, mypy --strict, import contracts
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/ready  ## each figure beside its limit; writes bench.json
	$(BIN)/python -m pytest -q -s -m bench tests/bench $(ARGS)

bench-large: .venv/ready  ## sweep and figures among ten million dossiers; more than an hour and 40 GB
	HOSO_TEST_LARGE=1 $(BIN)/python -m pytest -q -s -m bench tests/bench/test_bench_sweep.py tests/bench/test_bench_figures.py $(ARGS)

soak: .venv/ready  ## ninety virtual days of 20,000 dossiers, with faults from a printed seed
	$(BIN)/python -m pytest -q -s -m soak tests/soak $(ARGS)

fuzz: .venv/ready  ## requests drawn from the OpenAPI document; HOSO_TEST_FUZZ=N of each operation, 200 unless said
	HOSO_TEST_FUZZ=$${HOSO_TEST_FUZZ:-200} $(BIN)/python -m pytest -q -n 2 --dist worksteal tests/test_fuzz.py $(ARGS)

weather: .venv/ready  ## databases, servers and machines that die; wants Debian's redis-server too
	$(BIN)/python -m pytest -q -m weather tests $(ARGS)

draw: .venv/ready  ## docs/lifecycle.md from the table
	$(BIN)/hoso draw

screenshots: .venv/ready  ## docs/screenshots anew, of the ten main pages; wants Debian's chromium
	$(BIN)/python tests/screenshots.py

tongues: .venv/ready  ## states/locale after the sentences in the source: translate what is new by hand
	mkdir -p build
	$(BIN)/pybabel -q extract -F pyproject.toml --no-location --sort-output -o build/hoso.pot .
	$(BIN)/pybabel -q update -D hoso -i build/hoso.pot -d states/locale --no-fuzzy-matching \
	  --ignore-obsolete --ignore-pot-creation-date -w 100

lock: .venv/ready  ## requirements.lock anew: hashes, and no index
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --group dev --extra ha --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header --no-annotate --quiet --upgrade -o requirements.lock

clean:  ## all that make made here; data folders stay
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache bench.json
