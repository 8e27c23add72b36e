"""What training needs of the compiler: a program that merges what a build has counted."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

OLDEST_LLVM = 19
"""The oldest that reads what Rust 1.95 writes."""


def llvm_profdata() -> Path:
    """Rustup's, which maturin takes first; else one that is new enough: Debian has a folder for each version."""
    ours = Path(told("rustc", "--print", "sysroot").strip()).glob("lib/rustlib/*/bin")
    folders = [*ours, *sorted(Path("/usr/lib").glob("llvm-*/bin")), *map(Path, os.get_exec_path())]
    programs = (folder / "llvm-profdata" for folder in folders)
    for program in programs:
        if program.exists() and llvm_version(program) >= OLDEST_LLVM:
            return program
    sys.exit(f"there is no llvm-profdata of LLVM {OLDEST_LLVM} or later (rustup: llvm-tools; Debian: llvm-{OLDEST_LLVM})")


def training_of_wheels() -> dict[str, str]:
    """The environment in which pip builds a wheel with training."""
    return {"MATURIN_PGO": "1", "PATH": f"{llvm_profdata().parent}:{os.environ['PATH']}"}


def llvm_version(program: Path) -> int:
    # Old ones know no `--version`, and fail.
    answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"LLVM version (\d+)", answer)
    return int(found[1]) if found else 0


def host_triple() -> str:
    [host] = re.findall(r"^host: (\S+)$", told("rustc", "-vV"), re.MULTILINE)
    return str(host)


def told(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
