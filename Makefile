# Builds, tests and checks this repository. Needs Python 3.11 or newer and make; the rest is installed into
# .venv, each group of dependencies when the first target asks for it and again when pyproject.toml or
# constraints.txt changes.

# Another Python, Sphinx, docutils or PEFT gets a virtual environment of its own:
#     make test PYTHON=python3.13
#     make test-core SPHINX=8.2 DOCUTILS=0.20
#     make html PEFT=newest
PYTHON ?= python3
SPHINX ?=
DOCUTILS ?=
PEFT ?=
# More options for sphinx-build, pytest, the benchmark and the report, such as SPHINXOPTS=-E or PYTESTOPTS='-k role'
SPHINXOPTS ?=
PYTESTOPTS ?=
BENCHOPTS ?=
ASKEDOPTS ?=
# Processes that run tests: the cores, but each imports PyTorch (about half a GB, which a few processes double)
cores := $(or $(shell getconf _NPROCESSORS_ONLN 2>/dev/null),2)
JOBS ?= $(shell echo $$(($(cores) < 8 ? $(cores) : 8)))

python_version := $(or $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null),unknown)
variant := $(if $(filter file,$(origin PYTHON)),,-$(python_version))$(if $(SPHINX),-sphinx-$(SPHINX))$(if $(DOCUTILS),-docutils-$(DOCUTILS))$(if $(PEFT),-peft-$(PEFT))
VENV ?= .venv$(variant)

bin := $(VENV)/bin
venv_ready := $(VENV)/.python-$(python_version)
site := docs/_build/html
manual := $(site)/manual
book := docs/_build/latex
doctrees := docs/_build/doctrees

# The pinned versions, for each Python. Another Sphinx requires other versions of its extensions, another PEFT other
# versions of what it imports: there, pip takes the newest versions that pyproject.toml allows.
pins := constraints.txt
constraints := $(if $(SPHINX)$(DOCUTILS)$(PEFT),,$(pins))
wanted := $(if $(SPHINX),'sphinx==$(SPHINX).*') $(if $(DOCUTILS),'docutils==$(DOCUTILS).*')
# The newest PEFT can change at any time: look for it on every call
newest := $(filter newest,$(PEFT))
wanted += $(if $(newest),--upgrade,$(if $(PEFT),'peft==$(PEFT).*'))

export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Nothing here needs a model from the hub: without a network it is the same
export HF_HUB_OFFLINE := 1

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.SUFFIXES:
.PHONY: help html manual heuristic renew adopt try-adopt asked pictures bench picture screenshots pdf test test-all test-core ecosystem try-ecosystem lint format dist try-dist lock clean \
	distclean browser tex always

help: ## show this list
	@echo 'make TARGET, where TARGET is'
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1|\2/p' Makefile | while IFS='|' read -r name text; do \
		printf '  %-14s%s\n' "$$name" "$$text"; done
	@echo 'Variables: PYTHON=python3.13, SPHINX=8.2, DOCUTILS=0.20, PEFT=newest (a virtual environment of its own'
	@echo '           each); SPHINXOPTS, PYTESTOPTS, BENCHOPTS, ASKEDOPTS, JOBS'

# Sphinx does not see that conf.py does something else now: then all is read again
unread = $(if $(shell find docs/conf.py docs/_ext -name '*.py' -newer $(doctrees)/environment.pickle 2>/dev/null),-E)

# The site links to the manual by its inventory, so the manual comes first
define build_manual
	@$(bin)/python -m sphinx -b html -q -W --keep-going -j auto $(SPHINXOPTS) -d $(doctrees)-manual docs/manual $(manual) \
		|| { rm -rf $(doctrees)-manual; echo 'make: the manual has warnings, see above' >&2; exit 1; }
	@echo 'make: the manual is in $(manual)/index.html'
endef

manual: $(VENV)/.group-manual ## build the manual, a site of its own, into docs/_build/html/manual; a warning fails it
	$(build_manual)

html: $(VENV)/.group-docs ## build the manual and PEFT's site, docs/_build/html; a warning fails it
	$(build_manual)
	@echo "make: building the site with $$($(bin)/python -m sphinx --version) and" \
		"PEFT $$($(bin)/python -c 'from importlib.metadata import version; print(version("peft"))')"
	@# the cache of a failed build goes: Sphinx would not repeat its warnings, and the next -W would be green
	@$(bin)/python -m sphinx -b html -W --keep-going -j auto $(unread) $(SPHINXOPTS) -d $(doctrees) docs $(site) \
		|| { rm -rf $(doctrees); echo 'make: the site has warnings, see above; what is stale, make renew writes' >&2; \
		exit 1; }
	@# the tests go on from it, where it is of the same environment
	@echo '$(VENV)' >$(doctrees)/made-in
	@echo 'make: the site is in $(site)/index.html'

NAME ?=
heuristic: $(venv_ready) ## begin a heuristic, its page and its test: NAME=Merge_Before_Export
	@$(bin)/python tools/heuristic.py '$(NAME)'

renew: $(VENV)/.group-docs ## write what follows from the heuristics' pages and PEFT, and say what changed
	$(build_manual)
	@$(bin)/python tools/renew.py

# a checkout of PEFT, whose files stay as they are
PEFT_TREE ?= ../peft
adopt: $(VENV)/.group-markup ## write the diff that shows heuristics in PEFT's docstrings, from a checkout: PEFT_TREE=../peft
	@git -C $(PEFT_TREE) rev-parse --quiet HEAD >/dev/null 2>&1 || { \
		echo 'make: $(PEFT_TREE) is no checkout of PEFT: clone https://github.com/huggingface/peft' >&2; exit 1; }
	@$(bin)/python tools/adopt.py $(PEFT_TREE) $(VENV)-adopt
	@git --no-pager diff --stat -- docs/manual/adopt-peft

try-adopt: $(VENV)/.group-core adopt ## try what is offered to PEFT on its tree: its checks, its tests, the workflow (weekly)
	@$(VENV)-adopt/bin/python -m pip install --quiet --requirement tests/ecosystem/gates.txt
	HEURISTICS_PEFT=$(PEFT_TREE) HEURISTICS_ADOPT=$(VENV)-adopt $(bin)/python -m pytest \
		tests/ecosystem/gates.py tests/ecosystem/pull_requests.py tests/ecosystem/workflow.py $(PYTESTOPTS)

asked: $(VENV)/.group-core ## report how the box of the built site answers, against the last commit; ASKEDOPTS=--help
	@$(bin)/python tools/asked.py $(ASKEDOPTS)

pictures: $(VENV)/.group-test ## measure what the pictures of the site show, and draw them in docs/pictures
	@$(bin)/python tools/pictures.py
	@git --no-pager diff --stat -- docs/pictures 2>/dev/null || true

bench: $(VENV)/.group-test ## measure what the extension costs against the same words by hand; BENCHOPTS=--quick is short
	@$(bin)/python tests/benchmarks/bench.py $(BENCHOPTS)

picture: browser $(VENV)/.group-core ## build README's example, and take README's picture of it
	@$(bin)/python tools/picture.py docs/screenshot.png

screenshots: browser $(VENV)/.group-core ## take screenshots of the built site, wide and narrow, light and dark: docs/_build/screenshots
	@$(bin)/python tools/screenshots.py $(site) docs/_build/screenshots

# An extra: CI has no LaTeX, which is too large for it
pdf: tex $(VENV)/.group-docs ## build the site as a PDF into docs/_build/latex (needs LaTeX; some minutes)
	$(build_manual)
	@rm -rf $(book)
	@$(bin)/python -m sphinx -b latex -W --keep-going -q $(SPHINXOPTS) -d $(doctrees) docs $(book) \
		|| { rm -rf $(doctrees); echo 'make: the site has warnings, see above' >&2; exit 1; }
	@echo 'make: LaTeX is at work, three times over some 400 pages'
	@(cd $(book) && latexmk -pdfxe -silent -interaction=nonstopmode *.tex) >$(book)/make.log 2>&1 \
		|| { tail -n 30 $(book)/make.log; echo 'make: LaTeX failed; all of it is in $(book)/*.log' >&2; exit 1; }
	@! grep -h 'Missing character' $(book)/*.log | sort | uniq -c | grep . \
		|| { echo 'make: the fonts lack these characters: see latex_elements in docs/conf.py' >&2; exit 1; }
	@echo "make: the PDF is $$(ls $(book)/*.pdf | head -n 1)"

# One file or command of each Debian package that the PDF takes
tex:
	@missing=; \
	command -v latexmk >/dev/null 2>&1 || missing="$$missing latexmk"; \
	command -v xelatex >/dev/null 2>&1 || missing="$$missing texlive-xetex"; \
	kpsewhich fncychap.sty >/dev/null 2>&1 && kpsewhich newunicodechar.sty >/dev/null 2>&1 \
		|| missing="$$missing texlive-latex-extra"; \
	kpsewhich ptmr8t.tfm >/dev/null 2>&1 || missing="$$missing texlive-fonts-recommended"; \
	kpsewhich FreeSerif.otf >/dev/null 2>&1 || fc-list 2>/dev/null | grep -q FreeSerif \
		|| missing="$$missing fonts-freefont-otf"; \
	test -z "$$missing" || { echo "make: the PDF needs LaTeX, and this is missing here;" \
		"on Debian: apt-get install --no-install-recommends$$missing" >&2; exit 1; }

pytest = $(bin)/python -m pytest -n $(JOBS)

test: $(VENV)/.group-test browser ## run the tests that are not slow: what users see first, in a few minutes
	$(pytest) -m 'not slow' $(PYTESTOPTS)

test-all: $(VENV)/.group-test browser ## run all tests, with the coverage report
	$(pytest) --cov --cov-report=term-missing:skip-covered $(PYTESTOPTS)

# PEFT's source is read where heuristics quote it; nothing imports it, nor PyTorch. CI runs the slow ones too
test-core: $(VENV)/.group-core browser ## run the tests that do without PEFT and are not slow, with any Sphinx: six minutes on two cores
	@$(bin)/python -m pip install --quiet --no-deps --constraint $(pins) peft
	$(pytest) -m 'not peft and not slow' \
		--ignore tests/peft --ignore tests/docbuilder/test_docbuilder_peft.py $(PYTESTOPTS)

# It needs other versions than the pinned ones: a virtual environment of its own
ecosystem: ## try other projects' documentation, neighbours and the manual's steps (weekly; ten minutes on two cores)
	@$(MAKE) --no-print-directory VENV=.venv-ecosystem constraints= try-ecosystem

try-ecosystem: $(VENV)/.group-ecosystem browser
	@$(bin)/python -m pip install --quiet --no-deps --requirement tests/ecosystem/projects.txt
	HEURISTICS_REQUIRE_NEIGHBOURS=1 $(pytest) tests/ecosystem/ecosystem.py tests/ecosystem/adoption.py \
		tests/integration/test_neighbours.py tests/show/test_themes.py $(PYTESTOPTS)

lint: $(VENV)/.group-lint ## check style (ruff), types (mypy) and the direction of imports (import-linter)
	$(bin)/ruff check .
	$(bin)/ruff format --check .
	$(bin)/mypy
	$(bin)/lint-imports --no-logo

format: $(VENV)/.group-lint ## let ruff mend and format what it can
	$(bin)/ruff check --fix .
	$(bin)/ruff format .

# The release workflow publishes what this writes. Without isolation: what builds is pinned, too
dist: $(VENV)/.group-release ## build the source distribution and, from it, the wheel into dist/, and check them
	@rm -rf dist
	@$(bin)/python -m build --no-isolation
	$(bin)/python -m twine check --strict dist/*

# The release workflow runs it. In a folder elsewhere, where nothing of this one is found
try-dist: ## try what dist/ holds, in an empty folder: README's example with the wheel, then the sites and all tests
	@test -f "$$(echo dist/*.whl)" || { echo 'make: there is no wheel in dist/: run make dist first' >&2; exit 1; }
	@set -e; folder=$$(mktemp -d); echo "make: trying dist/ in $$folder"; \
	mkdir $$folder/source; tar -x -f dist/*.tar.gz -C $$folder/source --strip-components 1; \
	$(PYTHON) -m venv $$folder/wheel; \
	$$folder/wheel/bin/python -m pip install --quiet dist/*.whl beautifulsoup4 furo; \
	$$folder/wheel/bin/python $$folder/source/tools/picture.py --example $$folder/example; \
	cd $$folder/example; \
	../wheel/bin/python -m sphinx -q -W docs html; \
	grep --quiet heuristics/Close_The_Session.html html/index.html; \
	echo "make: the wheel builds README's example"; \
	make -C ../source --no-print-directory html test-all; \
	rm -rf $$folder

# Constraints, and no lock file: pip's pylock.toml is for one Python, and uv's names the one build of PyTorch that the
# index has, which is CUDA's. These names let pip take the build that fits the machine.
lock: $(venv_ready) ## renew the versions in constraints.txt, which make installs
	@$(bin)/python -m pip install --quiet --upgrade uv
	@$(bin)/uv pip compile --quiet --universal --python-version 3.11 --upgrade --no-annotate \
		--custom-compile-command 'make lock' --group docs --group test --group lint --group release \
		--output-file $(pins) pyproject.toml
	@git --no-pager diff --stat -- $(pins) 2>/dev/null || true

clean: ## remove what was built, and the caches
	rm -rf docs/_build dist htmlcov .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find docs sphinxext_heuristics tests -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean ## clean, and remove the virtual environments too
	rm -rf .venv .venv-*

# Which browser the tests take is tests/conftest.py's; here a person is told before the tests run
browser:
	@if command -v chromium chromium-browser google-chrome >/dev/null 2>&1; then :; \
	elif [ "$$HEURISTICS_REQUIRE_BROWSER" = 1 ]; then \
		echo 'make: chromium is not installed, and HEURISTICS_REQUIRE_BROWSER=1 asks for it;' \
			'on Debian: apt-get install chromium' >&2; exit 1; \
	else \
		echo 'make: chromium is not installed: the browser tests are skipped;' \
			'on Debian: apt-get install chromium'; \
	fi

# pip shows its progress to a person, and one line to a log
$(VENV)/.group-%: pyproject.toml $(constraints) $(venv_ready) $(if $(newest),always)
	@echo 'make: installing what "$*" needs into $(VENV)$(if $(filter docs test,$*), (PyTorch and Transformers: some minutes the first time))'
	@quiet=--quiet; if [ -t 1 ]; then quiet=; fi; \
	$(bin)/python -m pip install $$quiet --editable . --group $* $(wanted) $(addprefix --constraint ,$(constraints))
	@touch $@

# named after its Python: when python3 becomes another version, the environment is made anew
$(VENV)/.python-%:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo 'make: Python 3.11 or newer is needed; $(PYTHON) is $(if $(filter unknown,$*),not there or does not run,$*); name another one: make TARGET PYTHON=python3.13' >&2; \
		exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo 'make: $(PYTHON) cannot make virtual environments (module venv or ensurepip is missing);' \
			'on Debian: apt-get install python3-venv' >&2; exit 1; }
	@echo 'make: making $(VENV) with Python $*'
	@$(PYTHON) -m venv --clear $(VENV)
	@# dependency groups are known since pip 25.1
	@$(bin)/python -m pip install --quiet --upgrade 'pip>=25.1'
	@touch $@
