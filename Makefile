# Two commands set a fresh machine up: `make demo` and `make test`. Everything else is for working on tfx itself.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Hundreds of modules are imported by every process a test starts: without their bytecode the suite takes a third longer.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help install demo test fast proofs lint types contracts bench bench-replayer bench-pipeline bench-memory bench-sanitizer bench-linkage cassettes expected readme coverage lock clean

help:  ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /  make \1\t/' | expand -t 24

install: $(STAMP)  ## put everything the project needs into .venv, from the lock with hashes

# uv reads the lock in seconds; where it cannot be had or cannot reach the index (a pip.conf with its own index), pip does the same slowly.
# --no-config: our overrides are for resolving, and would take the newest version in place of the locked one.
$(STAMP): requirements.lock requirements-uv.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.lock
	$(BIN)/uv pip install --no-config --quiet --compile-bytecode --python $(BIN)/python --no-deps --require-hashes -r requirements.lock \
	  || $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $(STAMP)

demo: install  ## run the whole loop on a simulated Tandem Source: record, sanitize, check, replay, load into DuckDB
	$(BIN)/tfx demo

# Before pytest's clock runs: Prefect's empty database takes half as long as all that is asked of it.
$(VENV)/.prefect: tests/support/prefect_template.py | $(STAMP)
	$(BIN)/python tests/support/prefect_template.py
	touch $@

test: install  ## run the test suite, offline (`make proofs` has what takes minutes)
	$(BIN)/python -m pytest -m "not proofs" -n auto --dist worksteal

fast: install  ## run the fast tests, as pre-commit does; stop at the first failure
	$(BIN)/python -m pytest -m "not slow and not proofs" -x -q -n auto

OLD_CLIENT := .venv-tconnectsync-2
OLD_LOCK := tests/proofs/clients/tconnectsync-2.lock

# tconnectsync 2 and 3 are one package: the old one needs an environment of its own.
$(OLD_CLIENT)/.installed: $(OLD_LOCK) | $(STAMP)
	test -x $(OLD_CLIENT)/bin/python || $(PYTHON) -m venv $(OLD_CLIENT)
	$(BIN)/uv pip install --no-config --quiet --python $(OLD_CLIENT)/bin/python --no-deps --require-hashes -r $(OLD_LOCK) \
	  || $(OLD_CLIENT)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $(OLD_LOCK)
	touch $@

FORKED := .venv-pytest-forked
FORKED_LOCK := tests/proofs/clients/pytest-forked.lock

# pytest-forked cannot carry the reports of the pytest we test with.
$(FORKED)/.installed: $(FORKED_LOCK) | $(STAMP)
	test -x $(FORKED)/bin/python || $(PYTHON) -m venv $(FORKED)
	$(BIN)/uv pip install --no-config --quiet --python $(FORKED)/bin/python --no-deps --require-hashes -r $(FORKED_LOCK) \
	  || $(FORKED)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $(FORKED_LOCK)
	touch $@

proofs: install $(VENV)/.prefect $(OLD_CLIENT)/.installed $(FORKED)/.installed  ## run the exhaustive tests, which take minutes
	$(BIN)/python -m pytest tests -m proofs -n auto --dist worksteal

lint: install  ## check rules and format with ruff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install  ## check types with mypy, strict
	$(BIN)/mypy
	cd alembic && ../$(BIN)/mypy --config-file ../pyproject.toml .  # apart, for its folder has the name of the library

contracts: install  ## check which package imports which
	$(BIN)/lint-imports

CASSETTES ?= cassettes
STAND_IN := $(BIN)/tfx record --simulated --cassettes $(CASSETTES)

cassettes: install  ## record the committed cassettes from the stand-in again (byte-identical unless tfx changed)
	$(STAND_IN) session-us --region us --days 1
	$(STAND_IN) session-eu --region eu --days 1 --seed 2
	$(STAND_IN) session-2025 --region us --era 2025 --days 2 --seed 3
	$(STAND_IN) unhappy-us --region us --since 2026-09-28 --until 2026-11-18 --history 1 --seed 4 --fault pump-logs:2:500 --fault pump-logs:3:401

expected: install  ## write the expected outputs of the committed cassettes again; review the diff
	$(BIN)/python tests/support/golden.py

readme: install  ## write the README's output blocks again, from a demo and a run of the suite
	$(BIN)/python -m pytest -m "not proofs" -n auto --dist worksteal | $(BIN)/python tests/support/readme.py

coverage: install  ## run the test suite with coverage, one line per package; at least 90 %
	rm -f .coverage .coverage.*
	$(BIN)/python -m pytest -n auto --dist worksteal -q --cov --cov-report=
	@for stage in tfx tandem recorder sanitizer replayer pipeline simulator; do \
	  printf "%-10s " $$stage; $(BIN)/coverage report --include="$$stage/*" --format=total --fail-under=0; done
	$(BIN)/coverage report | tail -1

bench: install  ## measure against the floor and peers, one table with medians and ratios
	$(BIN)/python benchmarks/run.py

PEERS_REPLAYER := .venv-peers-replayer

$(PEERS_REPLAYER)/.installed: benchmarks/peers-replayer.lock $(STAMP)
	test -x $(PEERS_REPLAYER)/bin/python || $(PYTHON) -m venv $(PEERS_REPLAYER)
	$(BIN)/uv pip install --no-config --quiet --python $(PEERS_REPLAYER)/bin/python --no-deps --require-hashes -r benchmarks/peers-replayer.lock \
	  || $(PEERS_REPLAYER)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r benchmarks/peers-replayer.lock
	touch $@

bench-replayer: install $(PEERS_REPLAYER)/.installed  ## load, time per request and memory beside every peer (OPTIONS="--sizes 10 100 --rounds 1")
	$(BIN)/python benchmarks/replayers.py $(OPTIONS)

bench-pipeline: install  ## decode and store 10 k to 5 M events beside the floor and two peers (OPTIONS="--quick --in-file": to 100 k, in files)
	$(BIN)/python benchmarks/pipelines.py $(OPTIONS)

bench-memory: install  ## the most memory a run into a file takes, from 0.1 to 5 M events
	$(BIN)/python benchmarks/pipeline_memory.py

PEERS := .venv-peers-sanitizer

$(PEERS)/.installed: benchmarks/peers-sanitizer.lock $(STAMP)
	$(BIN)/python -m venv --clear $(PEERS)
	$(BIN)/uv pip install --no-config --quiet --python $(PEERS)/bin/python --no-deps --require-hashes -r benchmarks/peers-sanitizer.lock \
	  || $(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r benchmarks/peers-sanitizer.lock
	touch $@

bench-sanitizer: install $(PEERS)/.installed  ## both layers and the check beside orjson, detect-secrets and Presidio (DAYS=14)
	$(BIN)/python benchmarks/sanitizers.py --days $(or $(DAYS),14)

bench-linkage: install  ## how often a sanitized week is matched with another copy of it, values kept and synthetic
	$(BIN)/python benchmarks/linkage.py

lock: install  ## resolve the lock files again (names, versions and hashes; never an index host)
	$(BIN)/uv pip compile pyproject.toml --quiet --all-extras --group dev --generate-hashes --no-header --universal --python-version 3.11 --output-file requirements.lock
	$(BIN)/uv pip compile $(OLD_LOCK:.lock=.in) --no-config --quiet --generate-hashes --no-header --universal --python-version 3.11 --output-file $(OLD_LOCK)
	$(BIN)/uv pip compile pyproject.toml $(FORKED_LOCK:.lock=.in) --no-config --quiet --generate-hashes --no-header --universal --python-version 3.11 --output-file $(FORKED_LOCK)
	echo 'uv>=0.9' | $(BIN)/uv pip compile - --quiet --generate-hashes --no-header --universal --output-file requirements-uv.lock

clean:  ## remove environments and caches
	rm -rf $(VENV) .venv-* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage*
