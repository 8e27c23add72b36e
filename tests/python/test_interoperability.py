"""Other tools' tokens open the gate, and other tools accept the program's tokens."""

from __future__ import annotations

import time
from pathlib import Path

import jwt
import pytest

from support.program import authgate, running

THIRTY_TWO = "0123456789abcdef0123456789abcdeF"


def make_token(secret_file: Path, *arguments: str) -> str:
    made = authgate("token", "--secret-file", secret_file, *arguments)
    assert made.returncode == 0, made.stderr
    assert made.stdout.count("\n") == 1, "one line on stdout"
    return made.stdout.strip()


def test_a_pyjwt_token_with_only_sub_and_name_is_accepted(runtime: str) -> None:
    """As AsyncMQ's documentation makes it: no exp, a secret of 32 bytes."""
    token = jwt.encode({"sub": "42", "name": "Ada Lovelace"}, THIRTY_TWO, "HS256")
    with running(runtime, secret=THIRTY_TWO) as demo:
        reply = demo.get("/ops/", token=token)
        assert reply.status == 200
        assert "Ada Lovelace" in reply.text


def test_a_token_of_the_program_is_accepted_by_pyjwt_and_by_the_gate(
    runtime: str, secret: str, secret_file: Path
) -> None:
    token = make_token(secret_file, "--sub", "u-1", "--name", "Grace Hopper")
    claims = jwt.decode(token, secret, ["HS256"])
    assert (claims["sub"], claims["name"]) == ("u-1", "Grace Hopper")
    with running(runtime, "--jwt-secret-file", secret_file) as demo:
        assert "Grace Hopper" in demo.get("/ops/", token=token).text


def test_a_newline_at_the_end_of_the_secret_file_is_not_part_of_it(runtime: str, secret: str, tmp_path: Path) -> None:
    token = jwt.encode({"sub": "42"}, secret, "HS256")
    for name, ending in (("none", ""), ("unix", "\n"), ("dos", "\r\n")):
        path = tmp_path / name
        path.write_bytes(f"{secret}{ending}".encode())
        jwt.decode(make_token(path, "--sub", "u-1"), secret, ["HS256"])
        with running(runtime, "--jwt-secret-file", path) as demo:
            assert demo.get("/ops/", token=token).status == 200, name


def test_a_token_lives_as_long_as_asked(secret: str, secret_file: Path) -> None:
    for ttl, seconds in (("90s", 90), ("15m", 900), ("1h", 3600), ("2days", 172_800)):
        claims = jwt.decode(make_token(secret_file, "--sub", "u-1", "--ttl", ttl), secret, ["HS256"])
        assert claims["exp"] - claims["iat"] == seconds
        assert abs(claims["iat"] - time.time()) < 5


def test_a_token_does_not_live_forever_unless_asked(secret: str, secret_file: Path) -> None:
    claims = jwt.decode(make_token(secret_file, "--sub", "u-1"), secret, ["HS256"])
    assert claims["exp"] - claims["iat"] == 3600


def test_roles_audience_and_issuer_are_claims(secret: str, secret_file: Path) -> None:
    given = ["--role", "ops", "--role", "dev", "--audience", "dashboard", "--issuer", "here"]
    token = make_token(secret_file, "--sub", "u-1", *given)
    claims = jwt.decode(token, secret, ["HS256"], audience="dashboard", issuer="here")
    assert claims["roles"] == ["ops", "dev"]


def test_nobody_is_admin_unless_asked(secret: str, secret_file: Path) -> None:
    """t31"""
    claims = jwt.decode(make_token(secret_file, "--sub", "u-1"), secret, ["HS256"])
    assert True not in claims.values()


@pytest.mark.parametrize(("alg", "length"), [("HS256", 32), ("HS384", 48), ("HS512", 64)])
def test_every_hmac_algorithm(runtime: str, tmp_path: Path, alg: str, length: int) -> None:
    path = tmp_path / "secret"
    path.write_text("k" * length)
    token = make_token(path, "--sub", "u-1", "--alg", alg)
    assert jwt.decode(token, "k" * length, [alg])["sub"] == "u-1"
    with running(runtime, "--jwt-secret-file", path, "--algorithm", alg) as demo:
        assert demo.get("/ops/", token=token).status == 200


def test_a_fresh_secret_is_usable_as_it_is_and_never_the_same(runtime: str, tmp_path: Path) -> None:
    made = [authgate("secret") for _ in range(2)]
    assert [one.returncode for one in made] == [0, 0]
    assert made[0].stdout != made[1].stdout
    path = tmp_path / "secret"
    path.write_text(made[0].stdout)
    secret = made[0].stdout.strip()
    assert len(secret) >= 32 and secret.isascii() and secret.isprintable() and " " not in secret
    token = make_token(path, "--sub", "u-1")
    assert jwt.decode(token, secret, ["HS256"])["sub"] == "u-1"
    with running(runtime, "--jwt-secret-file", path) as demo:
        assert demo.get("/ops/", token=token).status == 200
        assert demo.get("/ops/", token=jwt.encode({"sub": "42"}, secret, "HS256")).status == 200


@pytest.mark.parametrize("command", [["demo", "--jwt-secret-file"], ["token", "--sub", "u-1", "--secret-file"]])
def test_a_short_secret_meets_an_error_with_the_remedy(tmp_path: Path, command: list[str]) -> None:
    path = tmp_path / "secret"
    path.write_text("k" * 31 + "\n")
    ended = authgate(*command, path)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "32" in ended.stderr and "authgate secret" in ended.stderr
    assert "k" * 31 not in ended.stderr


def test_a_short_secret_in_the_environment_meets_the_same_error() -> None:
    ended = authgate("demo", "--listen", "127.0.0.1:0", env={"AUTHGATE_JWT_SECRET": "hunter2"})
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "32" in ended.stderr and "authgate secret" in ended.stderr
    assert "hunter2" not in ended.stderr


@pytest.mark.parametrize(("alg", "length"), [("HS384", 48), ("HS512", 64)])
def test_a_longer_hash_wants_a_longer_secret(tmp_path: Path, alg: str, length: int) -> None:
    path = tmp_path / "secret"
    path.write_text("k" * (length - 1))
    for command in (
        ["token", "--sub", "u-1", "--alg", alg, "--secret-file"],
        ["demo", "--algorithm", alg, "--jwt-secret-file"],
    ):
        ended = authgate(*command, path)
        assert ended.returncode == 2, ended.stdout
        assert str(length) in ended.stderr and "authgate secret" in ended.stderr
