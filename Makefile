# Circadia's habits. `make demo` and `make test` need only Swift, make, git and python3: what else is
# missing, `make setup` installs. `make help` lists the targets.

SHELL := /bin/bash
PREFIX ?= /usr/local
CONFIGURATION ?= release
CIRCADIA := .build/$(CONFIGURATION)/circadia
# Read anew, since the manifest looks for libraries that `setup` may just have installed.
BUILD := swift build -c $(CONFIGURATION) --manifest-cache none
# Pinned, since versions format differently; by itself, since many systems let pip install nowhere else.
CLANG_FORMAT_VERSION := 23.1.5
CLANG_FORMAT_FOLDER := $(HOME)/.cache/circadia/clang-format-$(CLANG_FORMAT_VERSION)
CLANG_FORMAT := $(CLANG_FORMAT_FOLDER)/bin/clang-format
C_SOURCES = $$(git ls-files 'CKernels/*.[ch]' 'Tests/*.[ch]' 'Benchmarks/*.[ch]')
PEERS ?= $(HOME)/.cache/circadia/peers

.PHONY: help setup build models demo test test-all peers-all behaviour bench docs docs-check lint format install clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-12s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install what is missing: OpenMP, OpenBLAS, SQLite (apt or brew), pip
	@bash Scripts/setup.sh

build: setup ## build the program
	$(BUILD) --product circadia

models: build ## bring the default model and the embedder
	@$(CIRCADIA) model pull smollm2-135m
	@$(CIRCADIA) model pull all-minilm-l6-v2

demo: models ## a day and a night on a real model, in ./demo
	@CIRCADIA=$(CURDIR)/$(CIRCADIA) bash Scripts/demo.sh

# What `test` skips because it takes long or downloads models, `test-all` runs: more kills, all models, llama.cpp.
test-all: export CIRCADIA_TEST_ALL := 1
test-all: export CIRCADIA_LLAMA_PYTHON := $(PEERS)-llama/bin/python
test-all: peers-all test ## every test without exception; needs a network

peers-all: models
	@bash Scripts/peers.sh "$(PEERS)" llama
	@python3 Benchmarks/default_gguf.py

test: models ## the tests, peers included where they can be installed
	@$(CIRCADIA) model pull llama-3.2-tokenizer
	@bash Scripts/peers.sh "$(PEERS)"
	@bash Scripts/setup.sh browser || echo "no headless browser here; its test will be skipped" >&2
	$(BUILD) --build-tests
	emulated="$$(bash Scripts/emulated-kernels.sh)" && \
	sanitized="$$(bash Scripts/sanitized-kernels.sh)" && \
	CIRCADIA_EMULATED_KERNELS="$$emulated" \
	CIRCADIA_SANITIZED_KERNELS="$$sanitized" \
	CIRCADIA_PEERS_CHROMA="$$(test -x '$(PEERS)-chroma/bin/chroma' && echo '$(PEERS)-chroma/bin/chroma')" \
	CIRCADIA_PEERS_PYTHON="$$(test -x '$(PEERS)/bin/python' && echo '$(PEERS)/bin/python')" \
		python3 Scripts/run-tests.py $(CONFIGURATION)

# Seven minutes on two idle cores. Bits depend on the instruction set, so it compares only on a processor like the
# one that the results were recorded on, and otherwise says so.
behaviour: models ## compare what the program computes with the recorded results
	python3 Scripts/behaviour.py $(CIRCADIA) .build/behaviour --like Benchmarks/results/behaviour-avx512.json --allow-wording

bench: models ## speed of this machine: every kernel, then whole models
	$(BUILD) --product KernelBenchmarks
	@bash Benchmarks/run.sh

docs: build ## write docs/cli.md from the program
	@python3 Scripts/cli-docs.py $(CIRCADIA) > docs/cli.md.new && mv docs/cli.md.new docs/cli.md

docs-check: build ## fail where docs/cli.md differs from the program
	@python3 Scripts/cli-docs.py $(CIRCADIA) --check docs/cli.md

$(CLANG_FORMAT): | setup
	python3 -m venv "$(CLANG_FORMAT_FOLDER)"
	"$(CLANG_FORMAT_FOLDER)/bin/pip" install --quiet "clang-format==$(CLANG_FORMAT_VERSION)"

lint: $(CLANG_FORMAT) ## formatting of Swift and C; symbols and shell that a Mac does not have
	swift format lint --strict --recursive --parallel Package.swift Sources Tests Benchmarks
	"$(CLANG_FORMAT)" --dry-run -Werror $(C_SOURCES)
	python3 Scripts/availability.py
	bash Scripts/portability.sh

format: $(CLANG_FORMAT) ## write that formatting
	swift format --in-place --recursive --parallel Package.swift Sources Tests Benchmarks
	"$(CLANG_FORMAT)" -i $(C_SOURCES)

install: build ## copy the program and its data to PREFIX (default /usr/local)
	install -d "$(DESTDIR)$(PREFIX)/bin" "$(DESTDIR)$(PREFIX)/share/circadia"
	install -m 755 $(CIRCADIA) "$(DESTDIR)$(PREFIX)/bin/circadia"
	cp -R data/eval data/samples "$(DESTDIR)$(PREFIX)/share/circadia/"

clean: ## remove what was built
	rm -rf .build demo
