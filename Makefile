# Gathers commands; everything cargo does works with plain cargo as well (after `make deps`).
# Where npm is missing, DuckDB is compiled into the binary instead (FEATURES=bundled): slow the first time.

CARGO ?= cargo
FEATURES ?= $(shell scripts/libduckdb.sh >/dev/null 2>&1; test $$? -eq 3 && echo bundled)
FLAGS = $(if $(FEATURES),--no-default-features --features $(FEATURES))
LINEAL = $(CARGO) run --quiet $(FLAGS) --

.PHONY: deps build demo test lint docs bench release

deps: ## DuckDB's library, prebuilt where npm is there
	@scripts/libduckdb.sh || test $$? -eq 3
	@echo "DuckDB: $(if $(FEATURES),compiled in (feature $(FEATURES)),prebuilt shared library)"

build: deps
	$(CARGO) build $(FLAGS)

demo: build ## A whole project: seeds, models, tests, in a DuckDB file
	$(LINEAL) build --project-dir examples/jaffle_shop --full-refresh
	$(LINEAL) show --project-dir examples/jaffle_shop --select menu_sales --limit 5
	$(LINEAL) docs generate --quiet --project-dir examples/jaffle_shop
	@echo "The warehouse is examples/jaffle_shop/jaffle_shop.duckdb, the artifacts are in examples/jaffle_shop/target."

test: deps ## All tests
	@scripts/test-tools.sh
	$(CARGO) nextest run $(FLAGS) --no-fail-fast
	$(CARGO) test $(FLAGS) --doc --quiet

lint: deps
	$(CARGO) fmt --check
	$(CARGO) clippy --all-targets $(FLAGS) -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --no-deps $(FLAGS)

bench: deps ## Benchmarks; compare within one run
	$(CARGO) bench $(FLAGS)

# C++'s library goes into the program as well, where the compiler has it to give: a program that loads it starts later.
CXX_STATIC = $(if $(findstring /,$(shell $(CXX) -print-file-name=libstdc++.a 2>/dev/null)),CXXSTDLIB=static:-bundle=stdc++)

release: ## One static binary, DuckDB compiled in
	$(CXX_STATIC) $(CARGO) build --release --no-default-features --features bundled
