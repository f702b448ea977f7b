# make run: the app. make test: every check; make test-fast: those without a browser or long trainings, in 3 minutes.
# All set up .venv first; quick when it is there.
PYTHON ?= python3
BIN = .venv/bin
# Python compiles what is imported when it is, and keeps it; pip would compile all, one file after the other.
# Where the environment forbids to keep it, each process of the tests would compile torch anew, for 6 to 9 seconds.
unexport PYTHONDONTWRITEBYTECODE
INSTALL = $(BIN)/pip install --quiet --disable-pip-version-check --no-compile -c constraints.txt

.PHONY: run test test-fast lint style reproduce screenshots benchmarks faults wheel constraints

run: .venv/app
	$(BIN)/streamlit run app.py

# Debian's Chromium comes beside the packages. The types are checked beside the tests, which wait for browsers now and then.
test:
	tests/chromium.sh > /dev/null & $(MAKE) style; checked=$$?; wait; exit $$checked
	$(BIN)/mypy & types=$$!; \
	CHROMIUM="$$(tests/chromium.sh $(BIN))" $(BIN)/pytest --numprocesses 3 --dist worksteal; tests=$$?; \
	wait $$types && exit $$tests

test-fast: lint
	$(BIN)/pytest --numprocesses 2 --dist worksteal -m "not slow and not browser"

lint: style
	$(BIN)/mypy

style: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# The tutorials' recipes in full on the real data sets, into docs/tutorials.md: about half an hour on 2 cores.
reproduce: .venv/app
	$(BIN)/python -m benchmarks.make_tutorials

# The engine against tutorials, recipes' accuracies and the cost of watching, into docs/benchmarks.md: well over an hour.
benchmarks: .venv/dev
	CHROMIUM="$$(tests/chromium.sh $(BIN))" $(BIN)/python -m benchmarks.make_benchmarks

# 200 killed trainings, 50 full or locked disks, 500 bad inputs, 20 sessions at once: some 25 minutes.
faults: .venv/dev
	CHROMIUM="$$(tests/chromium.sh $(BIN))" $(BIN)/python -m tests.faults

screenshots: .venv/dev
	CHROMIUM="$$(tests/chromium.sh $(BIN))" $(BIN)/python -m benchmarks.make_screenshots
	CHROMIUM="$$(tests/chromium.sh $(BIN))" $(BIN)/python -m benchmarks.make_looks

# dist/cnnlab-….whl, which installs the app and its command line elsewhere.
wheel: .venv/dev
	$(BIN)/pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir dist .

# After a change of the requirements: installs what they ask for now. All that .venv then holds is what make test tests,
# and goes into constraints.txt by name and version alone; +cpu and the like say where a build comes from.
constraints:
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	$(BIN)/pip list --disable-pip-version-check --format=freeze --exclude pip --exclude cnnlab | sed 's/+.*//' > constraints.txt

.venv/app: requirements.txt constraints.txt
	$(PYTHON) -m venv .venv
	$(INSTALL) -r requirements.txt
	touch $@

# All that the app needs, and more.
.venv/dev: requirements-dev.txt requirements.txt constraints.txt
	$(PYTHON) -m venv .venv
	$(INSTALL) -r requirements-dev.txt
	touch .venv/app $@
