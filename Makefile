# 掌办: a thin front for the package `town`. Every target may be called from any folder: make -C PATH TARGET.

.DEFAULT_GOAL := help
.PHONY: help run demo test check bench weather town requirements clean
export ARGS ONLY PYTHON

# The newest Python is not always called python3, and the one called python3 is not always new enough.
define begin
@makefile="$(MAKEFILE_LIST)"; cd "$$(dirname "$${makefile# }")" && \
for python in "$${PYTHON:-python3}" python3.14 python3.13 python3.12 python3.11; do \
    if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
    then exec "$$python" -m $(1); fi; \
done; \
echo "zhangban: Python 3.11 or newer is missing: install python3 and python3-venv, or name one by PYTHON=..." >&2; \
exit 1
endef

help:
	@echo "make run           opens the town on this machine; Ctrl-C closes it and keeps the data"
	@echo "make demo          plays five journeys in the open town"
	@echo "make test          runs every test on a throw-away PostgreSQL   (ARGS='tests/cases -x')"
	@echo "make check         style, types, floors and guards"
	@echo "make bench         measures the town                            (ONLY=progress_lookup)"
	@echo "make weather       kills parts of a crowded town                (ONLY=booking_rush)"
	@echo "make town          a command of the open town                   (ARGS='check')"
	@echo "make requirements  pins the packages of pyproject.toml anew     (ARGS=--upgrade)"
	@echo "make clean         throws away the closed town's data"

run demo test check bench weather clean requirements:
	$(call begin,town.$@)

town:
	$(call begin,town.command)
