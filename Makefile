# Every command that a person needs, each a line on a Python command that has --help.

STACK ?=
stack := $(if $(STACK),--stack $(STACK))
UV := $(or $(shell command -v uv),.uv/bin/uv)
RUN := $(UV) run --frozen

.DEFAULT_GOAL := help
.PHONY: help up down status test test-lab test-unit lint generate docs load load-smoke bench-forecast bench-up bench-gateway bench-gateway-units bench-cache bench-anomaly bench-autoscale bench-redis bench-rollout bench-zone bench-operator

help: ## Show the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-20s %s\n", $$1, $$2}'

# Debian's own Python keeps pip out of the system: uv gets an environment of its own.
.uv/bin/uv:
	python3 -m venv .uv
	.uv/bin/pip install --quiet 'uv>=0.9,<1'

up: $(UV) ## From nothing to a running platform, on KUBECONFIG's cluster or the embedded one
	$(RUN) tenfold up $(stack)

down: $(UV) ## Remove the platform, and the embedded cluster with it
	$(RUN) tenfold down $(stack)

status: $(UV) ## How the cluster and the platform are, and where to look
	$(RUN) tenfold status $(stack)

test: $(UV) ## All tests on units, processes and the cluster, of test-lab's the main failures; leaves nothing behind
	$(RUN) pytest -m 'not lab or ci'

test-lab: $(UV) ## Redis tiers as real servers in network namespaces; needs root and a quarter of an hour
	$(RUN) pytest -m lab

test-unit: $(UV) ## The quick tests, without a cluster
	$(RUN) pytest -m 'not cluster and not lab'

lint: $(UV) ## Style, types, import rules and generated files
	$(RUN) ruff check
	$(RUN) ruff format --check
	$(RUN) mypy
	$(RUN) lint-imports
	$(RUN) tenfold-generate --check
	$(RUN) tenfold-dashboards generate --check
	NO_MKDOCS_2_WARNING=1 $(RUN) mkdocs build --strict --quiet

generate: $(UV) ## Make the generated files anew: models, references, rules
	$(RUN) tenfold-generate
	$(RUN) tenfold-dashboards generate

docs: $(UV) ## The documentation as a site, in out/site
	NO_MKDOCS_2_WARNING=1 $(RUN) mkdocs build --strict

load: $(UV) ## The 10x gate, against the running platform
	$(RUN) tenfold-load run --suite 10x

load-smoke: $(UV) ## The gate's quick form: a minute
	$(RUN) tenfold-load run --suite smoke

bench-forecast: $(UV) ## How good forecasts are on every trace in TENFOLD_DATA (EVERY=4: a quarter of the origins)
	$(RUN) python -m tests.benchmarks.forecast $(if $(EVERY),--every $(EVERY))

bench-up: $(UV) ## How long up takes; takes the embedded cluster down first (COLD=1: empty caches too)
	$(RUN) python -m tests.benchmarks.up $(if $(COLD),--cold)

bench-gateway: $(UV) ## The gate's 10x run against the running platform, its figures kept
	$(RUN) python -m tests.benchmarks.gateway

bench-gateway-units: $(UV) ## What mapping, breaker and verification take
	$(RUN) python -m tests.benchmarks.gateway_units

bench-cache: $(UV) ## The cache beside other policies, its latency and hit ratio (QUICK=1: a minute)
	$(RUN) python -m tests.benchmarks.cache $(if $(QUICK),--quick)

bench-anomaly: $(UV) ## How well anomalies are found: NAB, VUS-PR on servers, false alarms, time
	$(RUN) python -m tests.benchmarks.anomaly

bench-autoscale: $(UV) ## Pods at equal violation beside HPA, KEDA and an oracle (DAYS=1: quick)
	$(RUN) python -m tests.benchmarks.autoscale $(if $(DAYS),--days $(DAYS))

bench-redis: $(UV) ## Redis tiers on this machine: hand-overs, failures, backups, against bare Sentinel
	$(RUN) python -m tests.benchmarks.redis

bench-rollout: $(UV) ## 20 rollouts under load, 5 of them bad, beside a plain Deployment (GOOD=3: quick)
	$(RUN) python -m tests.benchmarks.rollout $(if $(GOOD),--good $(GOOD))

bench-zone: $(UV) ## A zone cut off under load, with the node guard and without
	$(RUN) python -m tests.benchmarks.zone

bench-operator: $(UV) ## 1,000 Workloads and 100 RedisTiers on one core: time, memory, CPU
	$(RUN) python -m tests.benchmarks.operator
