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


FOLDER = Path(os.environ.get("AUTHGATE_WHEELS", Path(__file__).parents[2] / "target" / "wheels"))
WHEELS = sorted(FOLDER.glob("authgate-*.whl"))


@pytest.fixture(params=WHEELS or [None], ids=lambda wheel: wheel and wheel.name)
def wheel(request: pytest.FixtureRequest) -> Path:
    assert request.param, f"build the wheel first: sh python/tests/install.sh PYTHON {FOLDER}"
    return Path(request.param)


def test_it_says_which_pythons_it_is_for_and_brings_all_that_it_needs(wheel: Path) -> None:
    own = f"cp3{sys.version_info.minor}"
    assert f"-{own}-{own}-" in wheel.name or "-cp310-abi3-" in wheel.name
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
