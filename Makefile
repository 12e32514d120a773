# The index of commands. `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
BIN := .venv/bin
UV_VERSION := $(shell sed -n 's/^uv==//p' requirements.in)
WORKLOAD ?= water_flow
KEEP ?=

# Some thousand short processes import these packages: whatever the shell says, none compiles them again.
export PYTHONDONTWRITEBYTECODE :=

# The laptop's cloud, as any AWS client sees it.
export LOCALCLOUD_PORT ?= 4566
export LOCALCLOUD_MQTT_TLS_PORT ?= 8883
export LOCALCLOUD_SERVICE_PORT ?= 8000
# What delivery streams wait on the laptop, in place of what workloads say (a minute at least where they share one).
export LOCALCLOUD_FIREHOSE_INTERVAL_SECONDS ?= 0.3
LAPTOP = eval "$$($(BIN)/watchkeeper env)"

.PHONY: help
help: ## list the commands
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: .venv/.installed build/kernel/.compiled node_modules/.installed web/dist/.built build/.images ## make the virtual environment, the detector's kernel, the CDK command line, the console and the laptop's images

.venv/.installed: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if (3, 11) <= v < (3, 14) else f"Python 3.11 to 3.13 is needed, {v.major}.{v.minor} found: set PYTHON=python3.12")'
	@echo "Installing the Python packages (once)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python -r requirements.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

KERNEL := model_code/watchkeeper/detectors/native

build/kernel/.compiled: .venv/.installed $(wildcard $(KERNEL)/*.[ch]) $(KERNEL)/compiling.py
	@echo "Compiling the detector's kernel (once)"
	@$(BIN)/python $(KERNEL)/compiling.py build/kernel && touch $@

node_modules/.installed: package.json package-lock.json
	@echo "Installing the CDK command line (once)"
	@npm ci --silent --no-audit --no-fund
	@touch $@

web/node_modules/.installed: web/package.json web/package-lock.json
	@echo "Installing what the console is built with (once)"
	@npm ci --prefix web --silent --no-audit --no-fund
	@touch $@

CONSOLE := $(shell find web/src web/public web/index.html web/vite.config.ts web/tsconfig.json -type f -not -name '*.d.ts')

web/dist/.built: .venv/.installed web/node_modules/.installed $(CONSOLE)
	@echo "Building the console"
	@npm run --prefix web --silent build -- --logLevel error
	@$(BIN)/python -m pipeline.site > $@

build/.images: .venv/.installed $(wildcard localcloud/images/*/requirements.txt localcloud/images/*/sources.txt)
	@echo "Building the environments of the laptop's container images (once)"
	@$(BIN)/python -m localcloud images --quiet
	@mkdir -p build && touch $@

.PHONY: demo
demo: setup ## deploy, train, score and alert on this laptop (WORKLOAD=machine_temperature, KEEP=1 leaves it up)
	@export LOCALCLOUD_HOME=build/demo/cloud; \
	 $(BIN)/python -m localcloud down --quiet; \
	 $(BIN)/python -m localcloud reset --yes --quiet; \
	 trap '[ -n "$(KEEP)" ] || $(BIN)/python -m localcloud down --quiet' EXIT; \
	 $(BIN)/python -m localcloud up --detach; \
	 $(LAPTOP); $(BIN)/watchkeeper demo $(WORKLOAD) --stage laptop; \
	 [ -z "$(KEEP)" ] || echo "console: http://localhost:$$LOCALCLOUD_SERVICE_PORT/console/"

.PHONY: up
up: setup ## start the laptop's cloud, and print what clients of it need
	@$(BIN)/python -m localcloud up --detach --quiet
	@$(BIN)/watchkeeper env
	@echo '# The cloud is up. In your shell: eval "$$($(BIN)/watchkeeper env)"'
	@echo "# After a deployment the console is at http://localhost:$$LOCALCLOUD_SERVICE_PORT/console/"

.PHONY: down
down: setup ## stop the laptop's cloud
	@$(BIN)/python -m localcloud down

.PHONY: test
test: setup ## run the tests
	@$(BIN)/python -m pytest tests -n 2 --dist loadscope --no-loadscope-reorder

.PHONY: test-aws
test-aws: setup ## walk docs/guides/first-deployment.md in the AWS account of the current credentials (costs money)
	@WATCHKEEPER_AWS_TESTS=1 $(BIN)/python -m pytest tests/aws

.PHONY: lint
lint: setup ## check style, types and the direction of imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

.PHONY: format
format: setup ## format the code
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

.PHONY: wheel
wheel: setup ## build the library's wheel to build/dist
	@$(BIN)/uv build --quiet --no-build-isolation --python $(BIN)/python --out-dir build/dist .

.PHONY: synth
synth: setup ## write the CloudFormation templates to build/cdk.out (no credentials needed)
	@PATH="$(CURDIR)/$(BIN):$$PATH" node_modules/.bin/cdk synth --quiet
	@$(BIN)/cfn-lint build/cdk.out/*.template.json

.PHONY: deploy
deploy: setup ## deploy to the AWS account of the current credentials
	@$(BIN)/watchkeeper deploy

.PHONY: destroy
destroy: setup ## remove everything but the data (`watchkeeper destroy --help` tells how to remove that too)
	@$(BIN)/watchkeeper destroy

.PHONY: bench-quality
bench-quality: setup ## measure detection quality; regenerates docs/benchmarks.md
	@$(BIN)/python -m benchmarks.quality

.PHONY: bench-speed
bench-speed: setup ## measure speed and memory beside the peers
	@$(BIN)/python -m benchmarks.speed

.PHONY: bench-attribution
bench-attribution: setup ## measure how well anomalies are explained; regenerates docs/benchmarks-attribution.md
	@$(BIN)/python -m benchmarks.attribution

.PHONY: bench-journey
bench-journey: setup ## measure throughput and latency of the scoring loop on this laptop
	@$(BIN)/python -m benchmarks.journey

.PHONY: bench-cost
bench-cost: setup ## count what the scoring loop asks of AWS on this laptop, and price it beside `watchkeeper cost`
	@$(BIN)/python -m benchmarks.cost

.PHONY: bench-incidents
bench-incidents: setup ## measure how anomalies become incidents; regenerates docs/benchmarks-incidents.md
	@$(BIN)/python -m benchmarks.incidents

.PHONY: bench-feedback
bench-feedback: setup ## measure what feedback is worth on labelled series; regenerates docs/benchmarks-feedback.md
	@$(BIN)/python -m benchmarks.feedback

.PHONY: bench-backtest
bench-backtest: setup ## measure backtest --compare over a year of 100 series; regenerates docs/benchmarks-backtest.md
	@$(BIN)/python -m benchmarks.backtest

.PHONY: bench-fraud
bench-fraud: setup ## measure fraud models with and without a graph; regenerates docs/benchmarks-fraud.md
	@$(BIN)/python -W ignore -m benchmarks.fraud

.PHONY: bench-faults
bench-faults: setup ## try kills, repeated, shuffled and unacknowledged messages on the scoring loop; regenerates docs/benchmarks-faults.md
	@$(BIN)/python -m benchmarks.faults

.PHONY: bench-history
bench-history: setup ## measure how soon the scores of one series among 10,000 are read back
	@$(BIN)/python -m benchmarks.history

.PHONY: bench-console
bench-console: setup ## measure how soon the console's screens have their first data, with 10,000 series and 1,000 incidents
	@$(BIN)/python -m benchmarks.console

.PHONY: bench-scale
bench-scale: setup ## measure the scoring loop in Spark from a thousand series to a million (builds Spark's environment)
	@$(BIN)/python -m benchmarks.scale.equality
	@$(BIN)/python -m benchmarks.scale.laptop
	@$(BIN)/python -m benchmarks.scale.growth

.PHONY: bench-service-jobs
bench-service-jobs: setup ## measure the anomaly service's jobs: F1 of the search, rows a second, memory
	@$(BIN)/python -m benchmarks.service_jobs

.PHONY: bench-synthesis
bench-synthesis: setup ## measure the synthesis of 200 workloads
	@$(BIN)/python -W ignore -m benchmarks.synthesis

.PHONY: bench-explain
bench-explain: setup ## measure explanations beside shap's own; regenerates docs/benchmarks-explain.md
	@$(BIN)/python -m benchmarks.explain

.PHONY: fuzz-service
fuzz-service: setup ## send the anomaly service over 2,000 requests made from its OpenAPI document
	@$(BIN)/python -m benchmarks.service.fuzz

.PHONY: bench-service
bench-service: setup ## measure the anomaly service on this laptop
	@$(BIN)/python -m benchmarks.service

.PHONY: pins
pins: setup ## compile requirements.in to requirements.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-header requirements.in -o build/requirements.txt
	@{ echo '# Compiled from requirements.in by `make pins`. Do not edit.'; cat build/requirements.txt; } > requirements.txt

.PHONY: clean
clean: ## remove what the commands made, but the environments
	@rm -rf build web/dist cdk.out .pytest_cache .mypy_cache .ruff_cache

# What of ours is outside of the clone; caches that other projects share stay.
ELSEWHERE := $(HOME)/.cache/watchkeeper $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/localcloud

.PHONY: clean-all
clean-all: ## stop the laptop's cloud and remove all that was ever made: its state, environments, downloads, images
	@[ ! -x $(BIN)/python ] || $(BIN)/python -m localcloud down --quiet
	@rm -rf build cdk.out .pytest_cache .mypy_cache .ruff_cache .hypothesis .localcloud .venv .venvs node_modules web/node_modules web/dist
	@rm -rf $(ELSEWHERE)
	@echo "removed also: $(ELSEWHERE)"
	@echo "kept, since other projects use them too: caches of pip, uv and npm, ~/.cdk, ~/.cache/aws, ~/.cache/zig, ~/.cache/matplotlib"

.PHONY: audit
audit: .venv/.installed ## ask npm and PyPI for known vulnerabilities of what is pinned
	@$(BIN)/python -m pipeline.audit
