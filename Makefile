# SPDX-License-Identifier: Apache-2.0
# The front door. `make demo` shows the product, `make test` proves it; tox.ini lists every check.
.PHONY: help demo test lint typing unit faults fuzz bench generate launcher deb clean

VENV := .venv

help: ## say what can be made
	@awk -F':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/.ready: pyproject.toml tools/bootstrap.sh
	@sh tools/bootstrap.sh $(VENV)

$(VENV)/bin/tox: $(VENV)/.ready
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check 'tox>=4.22'

demo: $(VENV)/.ready ## record a scripted session, ship it, store it, find it, play it (no root, 2 minutes at most)
	@$(VENV)/bin/ttyscribe demo

test: $(VENV)/bin/tox ## install what the checks need, then run all of them
	@sh tools/install-peers.sh
	@$(VENV)/bin/tox run --colored no

lint typing unit faults fuzz bench: $(VENV)/bin/tox ## one check or long matrix of tox.ini, by its name
	@$(VENV)/bin/tox run -e $@

generate: $(VENV)/.ready ## write everything that is generated from fields, options and panels
	@$(VENV)/bin/python tools/generate.py

launcher: recorder/launcher.c ## build the recorder's launcher into build/
	@mkdir -p build
	$(CC) -O2 -static -Wall -Wextra -Werror -o build/ttyscribe-launcher recorder/launcher.c

deb: $(VENV)/.ready ## build the Debian packages into build/
	@$(VENV)/bin/python tools/deb.py

clean: ## remove what was built (not the demo's data)
	rm -rf $(VENV) .tox build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
