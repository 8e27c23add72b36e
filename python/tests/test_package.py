"""The wheel as strangers get it: into an empty environment, where there is no Rust."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

CODE = """
import sys, authgate
tokens = authgate.JWTAuthBackend(secret="a secret of at least thirty-two bytes")
assert tokens.verify("no token") is None and authgate.__version__
frameworks = {"starlette", "lilya", "fastapi", "flask", "django", "asyncmq", "jwt"}
assert not frameworks & {name.partition(".")[0] for name in sys.modules}
"""


OWN = f"cp3{sys.version_info.minor}"
# Which Pythons it must be for: this version, unless somebody asks for `cp310-abi3`.
TAG = os.environ.get("AUTHGATE_WHEEL_TAG", f"{OWN}-{OWN}")


@pytest.fixture(scope="module")
def wheel() -> Path:
    folder = Path(os.environ.get("AUTHGATE_WHEELS", Path(__file__).parents[2] / "target" / "tested-wheels"))
    found = list(folder.glob(f"authgate-*-{TAG}-*.whl"))
    assert len(found) == 1, f"build the wheel for {TAG} first: sh python/tests/install.sh PYTHON {folder}"
    return found[0]


def test_it_brings_all_that_it_needs_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {"authgate/py.typed", "authgate/_core.pyi", "authgate/asyncmq.py"} <= set(names)
    assert any(name.endswith("LICENSE-MIT") for name in names)
    assert not [name for name in names if "tests" in name or name.endswith(".rs")]


def test_it_installs_and_runs_where_there_is_no_rust(wheel: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True, timeout=120)
    python = tmp_path / "venv" / "bin" / "python"
    nothing = {"PATH": str(tmp_path), "HOME": str(tmp_path)}
    install = [str(python), "-m", "pip", "install", "-q", "--no-index", "--disable-pip-version-check", str(wheel)]
    subprocess.run(install, check=True, timeout=120, env=nothing)
    subprocess.run([str(python), "-c", CODE], check=True, timeout=60, env=nothing)
