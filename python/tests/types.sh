#!/bin/sh
# Checks the types, and the stub against the module that it describes: types.sh PYTHON
set -eu
cd "$(dirname "$0")/.."
"$1" -m mypy --config-file pyproject.toml authgate
# The module is the installed one: here there is only its stub.
cd tests
"$1" -m mypy.stubtest authgate --mypy-config-file ../pyproject.toml --allowlist ../.stubtest-allowlist
