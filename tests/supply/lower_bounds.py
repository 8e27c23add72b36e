#!/usr/bin/env python3
"""Checks that everything builds with the oldest dependencies that the manifests allow.

In a copy of the tree each dependency that a manifest names gets its oldest version. (What those depend on is as new as
can be: their bounds are not ours.) If a bound is too low, this fails; raise it in the manifest.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target").resolve()
TREE = TARGET / "bounds"
NEW = ["--cached", "--others", "--exclude-standard"]  # also what is not committed yet


def main() -> None:
    shutil.rmtree(TREE, ignore_errors=True)
    listed = subprocess.run(["git", "ls-files", "-z", *NEW], cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout
    for name in filter(None, listed.decode().split("\0")):
        if (ROOT / name).is_file():
            (TREE / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, TREE / name)
    (TREE / "Cargo.lock").unlink()
    # Nothing but the choice of versions may use what is not stable yet.
    cargo("update", "--quiet", "-Z", "direct-minimal-versions", RUSTC_BOOTSTRAP="1")
    # The tests are not published, and nobody else builds them.
    cargo("check", "--locked", "--workspace", "--exclude", "authgate-tests", "--all-features")


def cargo(*command: str, **env: str) -> None:
    print("cargo", *command, flush=True)
    told = os.environ | {"CARGO_TARGET_DIR": str(TARGET)} | env
    if code := subprocess.run(["cargo", *command], cwd=TREE, env=told).returncode:
        sys.exit(code)


if __name__ == "__main__":
    main()
