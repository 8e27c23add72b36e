"""The program, trained: built to count, run with the requests of `visits.py`, and built once more for the ways that these took."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from .profiles import host_triple, llvm_profdata
from .visits import train

ROOT = Path(__file__).resolve().parents[2]


def build_program(target: Path, to: Path) -> None:
    """Writes the program to the file `to`. What cargo builds is kept below `target` until the next time."""
    profdata = llvm_profdata()
    # Cargo does not look into a profile: what was built with another one must go.
    shutil.rmtree(target, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="authgate-profile-") as folder:
        counting = build(target, f"-Cprofile-generate={folder}")
        train(counting, {"LLVM_PROFILE_FILE": f"{folder}/%m_%p.profraw"})
        merged = Path(folder) / "merged.profdata"
        subprocess.run([profdata, "merge", "-o", merged, *Path(folder).glob("*.profraw")], check=True)
        trained = build(target, f"-Cprofile-use={merged}")
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(trained, to)


def build(target: Path, flags: str) -> Path:
    # With the target named, the flags are for the program and not for what builds it.
    host = host_triple()
    command = ["cargo", "build", "-q", "--release", "--locked", "-p", "authgate", "--target", host]
    environment = os.environ | {"CARGO_TARGET_DIR": str(target), "RUSTFLAGS": flags}
    subprocess.run(command, cwd=ROOT, check=True, env=environment)
    return target / host / "release" / "authgate"
