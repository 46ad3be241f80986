# Everything a checkout needs: `make` lists it. State lives in .venv, jars, .cache, .airflow and data; `make clean` removes it.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
.DELETE_ON_ERROR:

BIN := .venv/bin
UV := $(BIN)/uv
# One environment per Airflow that is supported beside the one in .venv.
LANES := 2.11 3.1 3.4
# The tests' lock holds the demo's: whichever was asked for first, the other never takes anything away.
LOCK := $(if $(wildcard .venv/.dev),dev,demo)
SOURCES := airflow_provider_etl spark_jobs benchmarks demo supply dags tests

# What users set for themselves (mirrors, local wheels) helps them to install and must not end in a lock.
export PIP_DISABLE_PIP_VERSION_CHECK := 1
PRIVATE := PIP_FIND_LINKS PIP_INDEX_URL PIP_EXTRA_INDEX_URL UV_FIND_LINKS UV_INDEX_URL UV_EXTRA_INDEX_URL UV_INDEX UV_DEFAULT_INDEX
COMPILE := env $(PRIVATE:%=-u %) $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-emit-find-links --no-annotate --custom-compile-command "make lock"

.PHONY: help
help: ## Say what can be made
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## /\1\t/' | while IFS=$$'\t' read -r name text; do \
		printf '  make %-12s %s\n' "$$name" "$$text"; done

## ------------------------------------------------------------------ set-up, once

.PHONY: setup
setup: .venv/.$(LOCK) ## Make .venv and install the hash-pinned lock and this checkout

$(UV): requirements/uv.txt
	@$(MAKE_VENV)
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements/uv.txt
	@touch $@

.venv/.demo: requirements/demo.txt requirements/build.txt pyproject.toml | $(UV)
	@$(call INSTALL,demo)

.venv/.dev: requirements/dev.txt requirements/build.txt pyproject.toml | $(UV)
	@$(call INSTALL,dev)
	@touch .venv/.demo

# Some wheels are built here from sources: what builds them is pinned by hashes too.
define INSTALL
echo "installing requirements/$(1).txt into .venv"; \
$(UV) pip sync --quiet --python $(BIN)/python --require-hashes --build-constraints requirements/build.txt requirements/$(1).txt; \
$(UV) pip install --quiet --python $(BIN)/python --no-deps --build-constraints requirements/build.txt --editable .; \
touch .venv/.$(1)
endef

define MAKE_VENV
for python in $${PYTHON:-python3 python3.11 python3.12 python3.13}; do \
	"$$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && break || python=; \
done; \
if [ -z "$$python" ]; then echo "no Python 3.11 to 3.13 found: on Debian 12, apt-get install python3 python3-venv;" \
	"or name one: make PYTHON=/path/to/python3.11" >&2; exit 1; fi; \
[ -x $(BIN)/python ] || "$$python" -m venv .venv || { rm -rf .venv; \
	echo "$$python can't make a virtual environment: on Debian, apt-get install python3-venv" >&2; exit 1; }
endef

.PHONY: java
java:
	@java="$${JAVA_HOME:+$$JAVA_HOME/bin/}java"; \
	version=$$("$$java" -version 2>&1 | sed -nE 's/.* version "([0-9]+).*/\1/p' || true); \
	if [ -z "$$version" ] || [ "$$version" -lt 17 ]; then \
		echo "Spark needs Java 17, found $${version:-none}: on Debian, apt-get install openjdk-17-jre-headless" >&2; exit 1; fi

.PHONY: jars
jars: setup java ## Fetch the Delta jars that jars.lock names into jars/, once
	@[ jars/.complete -nt airflow_provider_etl/jars.lock ] || { $(BIN)/airflow-etl doctor --fetch-jars; touch jars/.complete; }

# Only what names s3a:// needs them: nobody else pays for them.
.PHONY: s3
s3: jars .venv/.dev ## Fetch the jars for S3, and those of the tests' S3 server, once
	@[ jars/s3/.complete -nt airflow_provider_etl/jars-s3.lock ] || { \
		$(BIN)/airflow-etl doctor --fetch-jars --for-s3; touch jars/s3/.complete; }
	@[ .cache/s3proxy/.complete -nt tests/servers/s3proxy.lock ] || { \
		$(BIN)/python -m tests.servers.s3; touch .cache/s3proxy/.complete; }

.PHONY: drivers
drivers: jars .venv/.dev ## Fetch the tests' database that runs in Java, H2, once
	@[ .cache/drivers/.complete -nt tests/servers/drivers.lock ] || { \
		$(BIN)/python -m tests.servers.embedded; touch .cache/drivers/.complete; }

.PHONY: catalog
catalog: drivers ## Fetch the jars of the tests' REST catalog of Iceberg tables, once (needs Maven)
	@[ .cache/iceberg/.complete -nt tests/servers/iceberg.lock ] || { \
		$(BIN)/python -m tests.servers.iceberg; touch .cache/iceberg/.complete; }

.PHONY: log-store
log-store: s3 ## Build the jar of Delta's log store for S3 from its source (needs a JDK 17)
	@$(BIN)/python -m spark_jobs.object_store.build jars

.PHONY: archive
archive: jars ## Make the archive of loaded classes that lets Spark start faster, once
	@[ .cache/spark.jsa -nt jars/.complete ] || $(BIN)/airflow-etl doctor --archive

## ------------------------------------------------------------------ the demo

.PHONY: demo
demo: archive ## Seven days of real flights through a real Airflow, backfilled twice, proven identical (ENGINE=standalone: two, on a cluster; ENGINE=local_connect: two, by thin clients)
	@$(BIN)/python -m demo.main $(if $(ENGINE),--engine $(ENGINE))

.PHONY: demo-ui
demo-ui: archive ## Leave the demo's Airflow running; prints its address and login; Ctrl-C stops it
	@$(BIN)/python -m demo.ui

.PHONY: screenshot
screenshot: archive ## Photograph the DAG in the Airflow UI for the README (after make demo)
	@command -v chromium >/dev/null || { echo "chromium is missing: on Debian, apt-get install chromium" >&2; exit 1; }
	@$(BIN)/python -m demo.screenshot docs/images/flights.png

## ------------------------------------------------------------------ the tests

.PHONY: lint
lint: .venv/.dev
	@$(BIN)/ruff check $(SOURCES)
	@$(BIN)/ruff format --check $(SOURCES)
	@$(BIN)/mypy
	@$(BIN)/lint-imports

.PHONY: check
check: lint ## Lint, types, walls and the tests that start neither Spark nor Airflow's servers
	@$(BIN)/python -m pytest -q -m "not spark and not e2e and not prove"

.PHONY: test
test: ## Everything: what check does, and Spark, Airflow and end-to-end tests, and the oldest supported Airflow
	@$(MAKE) debian .venv/.dev
	@$(MAKE) -j2 --output-sync=target archive s3 catalog lint test-airflow LANES=2.11
	@$(BIN)/python -m pytest $(PARALLEL) --durations=150 --durations-min=5

# A file's tests share servers and tables: they go to one of the processes, in order.
WORKERS ?= 2
PARALLEL := -n $(WORKERS) --dist loadfile --no-loadscope-reorder
PICK ?= not prove
.PHONY: test-airflow
test-airflow: $(LANES:%=.venv-airflow/%/.made) .venv/.dev ## The same YAML on every supported Airflow, an environment each
	@for lane in $(LANES); do echo "Airflow $$lane:"; .venv-airflow/$$lane/bin/python -m pytest -q -m "$(PICK)" tests/airflow/lanes; done
	@[ "$(words $(LANES))" = 1 ] || { echo "Airflow of .venv:"; $(BIN)/python -m pytest -q -m "$(PICK)" tests/airflow/lanes; }

.PHONY: prove
prove: ## Every supported Airflow, and the proofs that take too long for make test
	@$(MAKE) debian .venv/.dev archive s3 catalog
	@$(MAKE) test-airflow PICK="prove or not prove"
	@$(BIN)/python -m pytest -m prove --ignore=tests/airflow/lanes

# What was stood is kept in .cache/proved.jsonl (or in ETL_PROVED) for the code that stood it; parts add up.
.PHONY: prove-part
prove-part: .venv/.dev archive s3 catalog ## Go on proving schedules for MINUTES, then say how many each test has stood
	@ETL_PROVE_MINUTES=$(or $(MINUTES),30) $(BIN)/python -m pytest -q -m prove tests/conformance $(if $(ONLY),-k "$(ONLY)")
	@$(BIN)/python -m tests.conformance.tally

.venv-airflow/%/.made: requirements/airflow-%.txt requirements/build.txt pyproject.toml | $(UV)
	@$(call INSTALL_BESIDE,$*,airflow-$*)

.venv-airflow/dag-factory/.made: requirements/dag-factory.txt requirements/build.txt pyproject.toml | $(UV)
	@$(call INSTALL_BESIDE,dag-factory,dag-factory)

.venv-airflow/bench-quality/.made: requirements/bench-quality.txt requirements/build.txt pyproject.toml | $(UV)
	@$(call INSTALL_BESIDE,bench-quality,bench-quality)

.venv-airflow/bench-peers/.made: requirements/bench-peers.txt requirements/build.txt pyproject.toml | $(UV)
	@$(call INSTALL_BESIDE,bench-peers,bench-peers)

define INSTALL_BESIDE
echo "installing requirements/$(2).txt into .venv-airflow/$(1)"; python=.venv-airflow/$(1)/bin/python; \
[ -x $$python ] || $(UV) venv --quiet --python $(BIN)/python .venv-airflow/$(1); \
$(UV) pip sync --quiet --python $$python --require-hashes --build-constraints requirements/build.txt requirements/$(2).txt; \
$(UV) pip install --quiet --python $$python --no-deps --build-constraints requirements/build.txt --editable .; \
touch .venv-airflow/$(1)/.made
endef

# A machine of its own (CI) gets what is missing; a person is told the command and decides.
.PHONY: debian
debian:
	@missing=""; \
	command -v docker-compose >/dev/null || docker compose version >/dev/null 2>&1 || missing="$$missing docker-compose"; \
	command -v java >/dev/null || [ -n "$${JAVA_HOME:-}" ] || missing="$$missing openjdk-17-jre-headless"; \
	command -v javac >/dev/null || missing="$$missing openjdk-17-jdk-headless"; \
	command -v mvn >/dev/null || missing="$$missing maven"; \
	[ -x /usr/lib/postgresql/15/bin/postgres ] || missing="$$missing postgresql-15"; \
	[ -x /usr/sbin/mariadbd ] || missing="$$missing mariadb-server"; \
	if [ -z "$$missing" ]; then :; \
	elif [ "$${CI:-}" = true ] && [ "$$(id -u)" = 0 ]; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; \
	else echo "missing, so some tests are skipped: apt-get install$$missing"; fi

.PHONY: bench-factory
bench-factory: .venv/.dev .venv-airflow/dag-factory/.made ## What the factory costs beside a loop by hand and dag-factory
	@$(BIN)/python -m benchmarks.factory

.PHONY: bench-batch
bench-batch: .venv/.dev archive ## What a backfill in jobs of many windows saves: a year of flights (half an hour)
	@$(BIN)/python -m benchmarks.batch

.PHONY: bench-jdbc
bench-jdbc: .venv/.dev jars ## What loads into PostgreSQL take beside Spark's own JDBC writer
	@$(BIN)/python -m benchmarks.jdbc

.PHONY: bench-quality
bench-quality: .venv/.dev archive .venv-airflow/bench-quality/.made ## What twelve checks cost beside a write, Great Expectations and pandera
	@$(BIN)/python -m benchmarks.quality

# RUN: options for the command, such as RUN="--tiny", RUN="--only 'fused, 12 checks' 'by hand'".
PEERS := .venv-airflow/bench-peers/.made .venv-airflow/bench-quality/.made .venv-airflow/dag-factory/.made
.PHONY: bench
bench: .venv/.dev archive $(PEERS) ## All benchmarks, hours of them, beside all peers: one page, data/benchmarks/index.html (needs PostgreSQL)
	@$(BIN)/python -m benchmarks $(RUN)

.PHONY: bench-pipeline bench-scale bench-windows bench-load
bench-pipeline: .venv/.dev archive .venv-airflow/bench-peers/.made ## What a pipeline costs beside PySpark by hand, Great Expectations, dlt, DuckDB: three million records of 1 KB
	@$(BIN)/python -m benchmarks pipeline $(RUN)

bench-scale: .venv/.dev archive ## Whether a record, and a window, cost the same however many there are (60 GB of disk; RECORDS=3000000 for less)
	@$(BIN)/python -m benchmarks scale $(if $(RECORDS),--records $(RECORDS)) $(RUN)

bench-windows: .venv/.dev archive ## What small windows cost beside a spark-submit per step
	@$(BIN)/python -m benchmarks windows $(RUN)

bench-load: .venv/.dev archive ## What each strategy costs beside plain Delta, plain Iceberg, and PostgreSQL's own ways
	@$(BIN)/python -m benchmarks load $(RUN)

.PHONY: bench-concurrency
bench-concurrency: .venv/.dev ## What many pipelines cost that are due at once, beside the same DAGs by hand (PIPELINES=50; needs PostgreSQL)
	@$(BIN)/python -m benchmarks.concurrency --pipelines $(or $(PIPELINES),50)

## ------------------------------------------------------------------ upkeep

.PHONY: lock
lock: | $(UV) ## Resolve requirements/*.in anew, with hashes and without host names
	@$(COMPILE) requirements/uv.in -o requirements/uv.txt
	@$(COMPILE) requirements/build.in -o requirements/build.txt
	@$(COMPILE) pyproject.toml --all-extras --constraints requirements/demo.in -o requirements/constraints.txt
	@$(COMPILE) requirements/demo.in --constraints requirements/constraints.txt -o requirements/demo.txt
	@$(COMPILE) requirements/dev.in --constraints requirements/constraints.txt \
		--constraints requirements/demo.txt -o requirements/dev.txt
	@$(COMPILE) requirements/compose.in --constraints requirements/demo.txt -o requirements/compose.txt
	@for lane in $(LANES); do $(COMPILE) pyproject.toml requirements/airflow-$$lane.in -o requirements/airflow-$$lane.txt; done
	@$(COMPILE) pyproject.toml requirements/dag-factory.in -o requirements/dag-factory.txt
	@$(COMPILE) requirements/bench-quality.in -o requirements/bench-quality.txt
	@$(COMPILE) requirements/bench-peers.in -o requirements/bench-peers.txt
	@$(COMPILE) requirements/sbom.in -o requirements/sbom.txt

SBOM := .venv-airflow/sbom
$(SBOM)/.made: requirements/sbom.txt requirements/build.txt | $(UV)
	@echo "installing requirements/sbom.txt into $(SBOM)"
	@[ -x $(SBOM)/bin/python ] || $(UV) venv --quiet --python $(BIN)/python $(SBOM)
	@$(UV) pip sync --quiet --python $(SBOM)/bin/python --require-hashes --build-constraints requirements/build.txt requirements/sbom.txt
	@touch $@

.PHONY: sbom
sbom: .venv/.dev $(SBOM)/.made ## Write the bill of materials, dist/sbom.cdx.json (CycloneDX): packages and jars of the locks
	@mkdir -p dist
	@$(SBOM)/bin/cyclonedx-py environment --output-reproducible --of JSON -o dist/sbom.cdx.json $(BIN)/python
	@$(BIN)/python -m supply bill dist
	@$(SBOM)/bin/python -m supply.validating dist/sbom.cdx.json

.PHONY: licences
licences: sbom ## List all licences in dist/licences.md; fails where one isn't allowed by supply/licences.toml
	@$(BIN)/python -m supply licences dist

.PHONY: docs
docs: .venv/.dev ## Write docs/language.md, docs/rules.md and the schemas that ship from the code
	@$(BIN)/python -m airflow_provider_etl.spec.reference docs
	@$(BIN)/python -m airflow_provider_etl.schemas

.PHONY: clean
clean: ## Remove all that make made, the demo's tables and its Airflow too
	@rm -rf .venv .venv-airflow .cache .airflow jars data dist build spark-warehouse metastore_db derby.log *.egg-info \
		.mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
