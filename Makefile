# Stint's targets. `make` lists them. Installed files go to .venv and the user's cache, files of a run to .stint.
# Settings: STINT_HOME STINT_HTTP_PORT STINT_PROJECTOR_PORT STINT_FEED_PORT STINT_KAFKA_PORT
# STINT_KAFKA_CONTROLLER_PORT STINT_POSTGRES_PORT, PYTHON.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/installed
LOCAL := $(BIN)/python -m deploy.local
COMPILE := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url --no-emit-find-links

# Where Python may keep what it compiles, each start of a process takes 40 % less. Some images tell it not to.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install run up down reset status logs test test-long test-containers bench bench-catchup bench-growth bench-profile bench-rules bench-soak bench-way check pages wheel locks jars docker-up docker-down

help: ## list the targets
	@sed -n -E 's/^([a-z-]+):.*## (.*)/\1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name what; do \
		printf '  make %-15s %s\n' "$$name" "$$what"; done

run: $(STAMP) ## bring up everything in the foreground: Kafka, Postgres, the API, a projector, the feed; Ctrl-C ends it
	@exec $(LOCAL) run

up: $(STAMP) ## bring up the same, detached; returns when all is ready
	@exec $(LOCAL) up

down: $(STAMP) ## end everything in this folder; data stays
	@exec $(LOCAL) down

reset: $(STAMP) ## delete all data, after asking; YES=1 skips the question
	@YES='$(YES)' exec $(LOCAL) reset

status: $(STAMP) ## show what runs, on which ports, and where the logs are
	@exec $(LOCAL) status

logs: $(STAMP) ## show the last lines of all logs, and follow them
	@exec $(LOCAL) logs

test: $(STAMP) ## run all tests, also with real Kafka and Postgres, on a stack of their own
	@exec $(BIN)/python -m pytest --numprocesses 3 --dist loadgroup

test-long: $(STAMP) ## run the same tests with many more seeds and examples
	@STINT_TEST_LONG=1 exec $(BIN)/python -m pytest

# What is long, or has parts of its own, and asks nothing of a container runs in `make test` alone.
NOT_IN_CONTAINERS := $(addprefix --ignore=tests/, \
	faults/test_falls_due.py faults/test_helped.py faults/test_local_run.py faults/test_rebalance.py \
	$(patsubst %,integration/test_%.py, gaps helpers index_uses kafka_tls new_tables operator_commands packed_topics \
		peer_with_promises policy_commands postgres_tls queries read_back read_queries reads_of_a_million rebuild reports \
		roles store_queries timer_lists touched_of_a_million young_tables))

test-containers: $(STAMP) ## test with the real parts in containers, and docker-compose.yml; needs a Docker engine
	@STINT_TEST_STACK=containers exec $(BIN)/python -m pytest --numprocesses 2 --dist loadgroup \
		tests/integration tests/faults tests/containers $(NOT_IN_CONTAINERS)

bench: $(STAMP) ## measure the product beside two peers, against what must be reached; ROUNDS=1 CLIENTS=64 for a short run
	@exec $(BIN)/python -m bench $(if $(ROUNDS),--rounds '$(ROUNDS)') $(if $(SECONDS),--seconds '$(SECONDS)') \
		$(if $(CLIENTS),--clients '$(CLIENTS)') $(if $(WARM_UP),--warm-up '$(WARM_UP)') $(if $(NO_CATCH_UP),--no-catch-up)

bench-growth: $(STAMP) ## compare a product that holds a million timers (TIMERS=) with one that holds a thousand
	@exec $(BIN)/python -m bench.growth $(if $(TIMERS),--timers '$(TIMERS)') $(if $(ROUNDS),--rounds '$(ROUNDS)') \
		$(if $(SECONDS),--seconds '$(SECONDS)') $(if $(WARM_UP),--warm-up '$(WARM_UP)')

bench-profile: $(STAMP) ## print where API and projector spend their time under 64 clients
	@exec $(BIN)/python -m bench.profile $(if $(SECONDS),--seconds '$(SECONDS)') $(if $(WARM_UP),--warm-up '$(WARM_UP)')

bench-way: $(STAMP) ## print how long a press of one client takes to each stage of its way
	@exec $(BIN)/python -m bench.way $(if $(SECONDS),--seconds '$(SECONDS)') $(if $(WARM_UP),--warm-up '$(WARM_UP)')

bench-rules: $(STAMP) ## print what rules cost a press, and what hundreds of running timers do
	@exec $(BIN)/python -m bench.rules

bench-catchup: $(STAMP) ## print how fast an empty database catches up with the outcomes, against COPY of the same rows; and a rebuild
	@exec $(BIN)/python -m bench.refill $(if $(OUTCOMES),--outcomes '$(OUTCOMES)') $(if $(ROUNDS),--rounds '$(ROUNDS)')

bench-soak: $(STAMP) ## press at half of capacity for 20 minutes (MINUTES=), and look whether memory and descriptors grow
	@exec $(BIN)/python -m bench.soak $(if $(MINUTES),--minutes '$(MINUTES)') $(if $(WARM_UP),--warm-up '$(WARM_UP)')

check: $(STAMP) ## format, lint, types, walls, migrations, locks: what needs no running part
	@echo 'format'; $(BIN)/ruff format --check --quiet .
	@echo 'lint'; $(BIN)/ruff check --no-cache --quiet .
	@echo 'types'; $(BIN)/mypy --no-error-summary
	@echo 'walls'; said=$$($(BIN)/lint-imports --no-cache --no-logo) || { echo "$$said"; exit 1; }
	@echo 'migrations'; said=$$($(BIN)/squawk --reporter gcc deploy/migrations/*.sql) || { echo "$$said"; exit 1; }
	@echo 'locks'; .ci/locks $(BIN)/uv

pages: $(STAMP) ## write the pages and documents anew that are made from code
	@for page in settings rules metrics alerts openapi events records asyncapi; do $(BIN)/python -m deploy.pages.$$page; done

wheel: $(STAMP) ## build the wheel stint-events, the formats for other teams, into dist/
	@$(BIN)/uv build --quiet --wheel --no-build-isolation --python $(BIN)/python --out-dir dist packages/stint-events
	@ls dist/stint_events-*.whl

docker-up: ## bring up docker-compose.yml, and seed the demo tenant; needs Docker and nothing else
	@exec deploy/docker/up

docker-down: ## end its containers; data stays in the volumes
	@docker compose --profile by-hand down
	@echo 'Data stays. `docker compose down --volumes` drops it; the secrets are in $${STINT_HOME:-.stint}/docker.'

install: $(STAMP) ## make the virtual environment from the locks; the other targets do so by themselves

NOT_INSTALLED = { echo "stint: packages cannot be installed ($$(tail -n 1 .venv/install.log)): check the network and try \
	again. All that was said is in .venv/install.log." >&2; exit 1; }

# A target of its own, so that a second `make` installs nothing.
$(STAMP): requirements-dev.lock
	@command -v $(PYTHON) >/dev/null || { echo 'stint: there is no $(PYTHON): install Python 3.11 or later.' >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "stint: $(PYTHON) is $$($(PYTHON) -V 2>&1), and 3.11 or later is needed: make PYTHON=python3.13 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo 'Installing into .venv'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || { \
		echo 'stint: $(PYTHON) cannot make a virtual environment: install its venv module (Debian: apt-get install python3-venv).' >&2; \
		rm -rf .venv; exit 1; }
	@# uv in the version and with the hashes of the lock; uv then installs the rest, and itself, from the same file.
	@sed -n '/^uv==/,/[^\\]$$/p' $< > .venv/uv.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r .venv/uv.lock \
		2> .venv/install.log || $(NOT_INSTALLED)
	@$(BIN)/uv pip sync --require-hashes $< 2> .venv/install.log || $(NOT_INSTALLED)
	@sed -E '/^ [-+~] /d' .venv/install.log
	@# The operator's command line, beside the Python that runs it.
	@ln -sf ../../deploy/stint $(BIN)/stint
	@touch $@

locks: $(STAMP) ## write the locks anew from pyproject.toml; UPGRADE=1 takes the newest versions
	@$(COMPILE) $(if $(UPGRADE),--upgrade) pyproject.toml -o requirements.lock
	@$(COMPILE) $(if $(UPGRADE),--upgrade) -c requirements.lock --group dev pyproject.toml -o requirements-dev.lock
	@$(COMPILE) $(if $(UPGRADE),--upgrade) --python-version 3.11 tests/contract/clients/python.in -o tests/contract/clients/python.lock
	@$(COMPILE) $(if $(UPGRADE),--upgrade) --python-version 3.11 bench/peers/projection.in -o bench/peers/projection.lock

jars: $(STAMP) ## resolve Kafka's jars anew and write their lock
	@$(BIN)/python -m deploy.local.jars
