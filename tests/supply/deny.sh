#!/bin/sh
# Licences, duplicates and sources of all that is depended on, and what is known against it: deny.sh FOLDER
# cargo-deny is installed to FOLDER, which takes some minutes the first time.
set -eu
cargo install --quiet --locked --root "$1" cargo-deny@0.20.2
deny="$1/bin/cargo-deny --locked"
$deny check -D unmatched-skip -D unnecessary-skip bans licenses sources
# The list of advisories is fetched from elsewhere than the crates, and may be out of reach where these are not.
if $deny fetch db; then
    $deny check advisories
else
    echo "skipped: no list of advisories can be had here"
fi
