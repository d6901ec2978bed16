# `make` lists the targets. Everything is set up on first use; a stamp file says what is up to date.

SHELL := /bin/sh
.SHELLFLAGS := -eu -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:

# Python reads and writes UTF-8 whatever the machine's locale says.
export PYTHONUTF8 := 1

BIN := .venv/bin
TICKERTAPE := $(BIN)/tickertape
NPM := scripts/npm.sh
STATIC := src/tickertape/dashboard/static
WEB_SOURCES := $(shell find web/src -type f) $(wildcard web/*.html web/*.ts web/tsconfig.json)
# Each has an engine of its own; more of them than cores only wait for each other.
TEST_PROCESSES ?= 2
ARGS ?=

.PHONY: help
help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: .venv/.runtime $(STATIC)/index.html ## Install what it needs into .venv and build the dashboard.

.PHONY: demo
demo: setup ## Run it on a made-up company with live traffic (ARGS="--port 9000").
	@exec $(TICKERTAPE) demo $(ARGS)

.PHONY: serve
serve: setup ## Run the server on your own data (ARGS="--data DIR").
	@exec $(TICKERTAPE) serve $(ARGS)

# --- checks ---

.PHONY: test
test: setup .venv/.dev ## Lint, check types, run every test.
	@$(MAKE) --no-print-directory lint web-test
	@sh scripts/chromium.sh
	$(BIN)/pytest -n $(TEST_PROCESSES) --dist worksteal --ignore tests/browser $(ARGS)
	@# Chromium's driver keeps an event loop running in its process, so its tests have one of their own.
	$(BIN)/pytest tests/browser $(ARGS)

.PHONY: lint
lint: .venv/.dev web/node_modules/.stamp ## Style and types of the Python and the TypeScript.
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	sh $(NPM) exec -- tsc --noEmit

.PHONY: web-test
web-test: web/node_modules/.stamp
	sh $(NPM) test --silent

.PHONY: format
format: .venv/.dev ## Bring the Python into shape.
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

.PHONY: torture
torture: setup .venv/.dev ## Kill the server again and again under load; nothing acknowledged may be lost.
	TORTURE_ROUNDS=$${TORTURE_ROUNDS:-200} $(BIN)/pytest tests/test_torture.py $(ARGS)

.PHONY: bench
bench: setup .venv/.dev ## Measure it (minutes; ARGS goes to the suite).
	$(BIN)/python -m bench $(ARGS)

# --- what is generated ---

.PHONY: docs
docs: .venv/.runtime ## Write docs/reference/ from the code.
	$(BIN)/python scripts/docs.py

.PHONY: screenshots
screenshots: setup .venv/.dev ## Take the pictures in docs/img/ (needs Chromium).
	@sh scripts/chromium.sh
	$(BIN)/python scripts/screenshots.py $(ARGS)

.PHONY: wheel
wheel: setup ## Build dist/*.whl, the dashboard in it.
	$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .
	@ls dist/*.whl

# A lock names versions and hashes and no address: where to download from is the machine's business.
LOCK := uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-emit-find-links --custom-compile-command "make locks" --quiet $(ARGS)
.PHONY: locks
locks: ## Bring requirements/ in line with pyproject.toml (needs uv; ARGS=--upgrade for the newest versions).
	$(LOCK) pyproject.toml --output-file requirements/runtime.lock >/dev/null
	$(LOCK) pyproject.toml --group dev --constraint requirements/runtime.lock --output-file requirements/dev.lock >/dev/null
	$(LOCK) --group build --output-file requirements/build.lock >/dev/null
	$(LOCK) --group node --output-file requirements/node.lock >/dev/null

.PHONY: clean
clean: ## Remove what was installed and built. Data folders are left alone.
	rm -rf .venv dist web/node_modules $(STATIC) .pytest_cache .mypy_cache .ruff_cache .hypothesis

# --- how it comes about ---

.venv/.made: scripts/venv.sh
	@sh scripts/venv.sh
	@touch $@

.venv/.runtime: .venv/.made requirements/build.lock requirements/runtime.lock pyproject.toml scripts/pip.sh
	@echo "Installing Python packages (some 200 MB the first time) …"
	@sh scripts/pip.sh --require-hashes -r requirements/build.lock -r requirements/runtime.lock
	@sh scripts/pip.sh --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.dev: .venv/.runtime requirements/dev.lock
	@echo "Installing the tools for tests …"
	@sh scripts/pip.sh --require-hashes -r requirements/dev.lock
	@touch $@

web/node_modules/.stamp: .venv/.made web/package.json web/package-lock.json web/.npmrc $(NPM) requirements/node.lock
	@echo "Installing the dashboard's packages …"
	@sh $(NPM) ci --no-fund --no-audit --loglevel=error
	@touch $@

$(STATIC)/index.html: web/node_modules/.stamp $(WEB_SOURCES)
	@echo "Building the dashboard …"
	@sh $(NPM) run build --silent
	@touch $@
