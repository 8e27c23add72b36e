#!/bin/sh
# Builds the wheel as pip does on a machine with Rust, and installs it: install.sh PYTHON FOLDER
set -eu
cd "$(dirname "$0")/../.."
rm -rf "$2"
"$1" -m pip wheel -q --disable-pip-version-check --no-deps --wheel-dir "$2" ./python
"$1" -m pip install -q --disable-pip-version-check --no-deps --force-reinstall "$2"/authgate-*.whl
