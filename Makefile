# Hourbridge. `make help` lists what can be done; nothing is needed but python3 (3.11 or newer) and make.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

PYTHON ?= python3
VENV ?= .venv
PYTEST_ARGS ?=
BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip --disable-pip-version-check install --quiet
RUNTIME := $(VENV)/.runtime-installed
DEVELOPMENT := $(VENV)/.development-installed
SOURCES := libs services cli sandbox tools benchmarks
COMPILE := $(abspath $(BIN))/pip-compile --config $(abspath pyproject.toml)

##@ Try it

.PHONY: help
help: ## Show this list
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(RUNTIME) ## Run the whole flow on a sample firm, embedded; KEEP=1 keeps it up
	@KEEP=$(KEEP) $(BIN)/python -m hourbridge.cli.demo

.PHONY: setup
setup: $(DEVELOPMENT) ## Create .venv with everything that development and tests need

.PHONY: up
up: .env ## Run the whole stack with Docker Compose (.env: see deploy/compose/example.env)
	@docker compose up --build --detach --wait

.PHONY: down
down: ## Stop the stack; its data stays
	@docker compose down

.env:
	@echo "no .env: copy deploy/compose/example.env to .env and change its secrets" >&2; exit 1

##@ Check it

.PHONY: test
test: $(DEVELOPMENT) ## Run all tests but the long ones (brings its own RabbitMQ and PostgreSQL)
	@$(BIN)/python -m pytest -m "not long" $(PYTEST_ARGS)

.PHONY: test-long
test-long: $(DEVELOPMENT) ## Run the tests that take minutes: kills, floods, whole imports
	@$(BIN)/python -m pytest -m long $(PYTEST_ARGS)

.PHONY: lint
lint: $(DEVELOPMENT) ## Check style, format, import directions and the project's own rules
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports
	@$(BIN)/python -m tools.lint

.PHONY: types
types: $(DEVELOPMENT) ## Check types strictly
	@$(BIN)/mypy --exclude '(^|/)tests/' $(SOURCES)
	@$(BIN)/mypy conftest.py tests/support

.PHONY: coverage
coverage: $(DEVELOPMENT) ## Require that the tests of the pricing rules take every branch of them
	@mkdir -p build
	@COVERAGE_FILE=build/coverage $(BIN)/coverage run --branch --source=libs/billing/hourbridge/billing \
		-m pytest -q libs/billing/tests
	@COVERAGE_FILE=build/coverage $(BIN)/coverage report --show-missing --skip-covered --fail-under=100

.PHONY: mutation
mutation: $(DEVELOPMENT) ## Change the pricing rules and list what no test notices: MODULES="increments", SAMPLE=10
	@$(BIN)/python -m tools.mutation --sample $(or $(SAMPLE),100) $(MODULES)

.PHONY: bench
bench: $(DEVELOPMENT) ## Measure against the floor and the straightforward peer; fails on a missed number
	@$(BIN)/python -m benchmarks --large

.PHONY: test-compose
test-compose: ## Build the images and run the stack for real, also without a container registry
	@tools/compose_e2e.sh

##@ Change it

.PHONY: fmt
fmt: $(DEVELOPMENT) ## Format the code and apply safe corrections
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

.PHONY: schemas
schemas: $(DEVELOPMENT) ## Generate message schemas, examples, AsyncAPI and the message catalogue
	@$(BIN)/hourbridge schemas export docs

.PHONY: schemas-freeze
schemas-freeze: schemas ## Keep today's messages as those of release VERSION=x.y.z, for ever
	@test -n "$(VERSION)" || { echo "which release? make schemas-freeze VERSION=1.2.3" >&2; exit 1; }
	@$(BIN)/python -m tools.freeze_schemas $(VERSION)

.PHONY: docs
docs: schemas ## Generate every page that comes from code
	@$(BIN)/python -m tools.generate_settings
	@$(BIN)/python -m tools.generate_metrics

.PHONY: dashboards
dashboards: $(DEVELOPMENT) ## Generate the Grafana dashboards
	@$(BIN)/python -m tools.dashboards

.PHONY: lock
lock: $(DEVELOPMENT) ## Resolve requirements/*.in into lock files with hashes
	@cd requirements && for name in runtime dev build; do \
		$(COMPILE) --output-file $$name.lock $$name.in; done

.PHONY: clean
clean: ## Remove the environment, caches and everything generated outside version control
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage build dist var
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- environment ------------------------------------------------------------------------------

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { \
		echo "python3 is missing: install Python 3.11 or newer, or set PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "$(PYTHON) is $$($(PYTHON) --version 2>&1); Hourbridge needs 3.11 or newer: set PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) cannot make virtual environments (no ensurepip):" \
			"on Debian and Ubuntu, apt-get install python3-venv; then run make again" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)

# The stamps make a second run free; a changed lock file or project file installs again.
$(RUNTIME): requirements/runtime.lock requirements/build.lock pyproject.toml | $(BIN)/python
	@echo "installing what Hourbridge needs to run into $(VENV)"
	@$(PIP_INSTALL) --require-hashes -r requirements/runtime.lock -r requirements/build.lock
	@$(PIP_INSTALL) --no-build-isolation --no-deps --editable .
	@touch $@

$(DEVELOPMENT): requirements/dev.lock $(RUNTIME)
	@echo "installing what development and tests need into $(VENV)"
	@$(PIP_INSTALL) --require-hashes -r requirements/dev.lock
	@touch $@
