#!/bin/sh
# Each fuzz target for a minute: fuzz.sh FOLDER
# cargo-fuzz is installed to FOLDER. What it needs beside that, a nightly compiler, is not installed here: fuzz/run says how.
set -eu
cargo install --quiet --locked --root "$1" cargo-fuzz@0.13.2
PATH="$1/bin:$PATH" python3 fuzz/run --seconds 60 --jobs 2
