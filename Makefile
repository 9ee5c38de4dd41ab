# Tintype. `make help` lists what there is; everything installs what it needs into .venv.
PYTHON ?= python3
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help up test faults check fmt lint types imports contracts gen bench bench-sample clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

.venv/installed: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Tintype needs Python 3.11 or newer: make PYTHON=python3.11 …"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "installing pinned dependencies into .venv …"
	@$(BIN)/pip install -q --disable-pip-version-check -r requirements.txt
	@$(BIN)/pip install -q --disable-pip-version-check hatchling==1.27.0 editables==0.5
	@$(BIN)/pip install -q --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@

.venv/developing: .venv/installed requirements-dev.txt
	@echo "installing what tests and checks need …"
	@$(BIN)/pip install -q --disable-pip-version-check -r requirements-dev.txt
	@touch $@

up: .venv/installed ## start everything, seed a demo world the first time, stay in the foreground
	@exec $(BIN)/tintype up

test: .venv/developing ## run all tests against real servers
	$(BIN)/pytest -q -n 3 --dist loadfile

faults: .venv/developing ## kill every process under load in turn, and check that nothing acknowledged is lost (SEED=1)
	$(BIN)/pytest -q tests/faults -m "faults or not faults" --seed $(or $(SEED),1)

fmt: .venv/developing ## format Python and protos, and mend what the linter can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/buf format -w protos

check: lint types imports contracts ## all checks that are not tests

lint: .venv/developing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/developing
	$(BIN)/mypy

imports: .venv/developing ## who may import what (docs/architecture.md)
	$(BIN)/lint-imports

contracts: .venv/developing ## generated code is up to date, every service has its container; protos pass buf lint and break nothing
	$(BIN)/python protos/generate.py --check
	$(BIN)/python gateway/generate.py --check
	$(BIN)/python deploy/generate.py --check
	$(BIN)/buf lint generated/tintype/descriptors.binpb --config buf.yaml
	$(BIN)/buf format protos --diff --exit-code
	$(BIN)/buf breaking generated/tintype/descriptors.binpb --against protos/landed.binpb --config buf.yaml

gen: .venv/developing ## generate code, descriptors, Envoy's configuration, and containers of new services
	$(BIN)/buf format -w protos
	$(BIN)/python protos/generate.py
	$(BIN)/python gateway/generate.py
	$(BIN)/python deploy/generate.py

bench: .venv/developing ## measure against controls in the same run; JSON and a table in bench/results
	$(BIN)/python -m bench

bench-sample: .venv/developing ## the feed with 300 readers, in minutes; fails where a page is wrong, never for a figure
	$(BIN)/python -m bench.feed --sample --engine sqlite

clean: ## remove the environment, caches and the local installation's data
	rm -rf .venv .state .cache .mypy_cache .ruff_cache .pytest_cache .import_linter_cache bench/results
