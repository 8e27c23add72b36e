"""Every mistake ends in one clear line on stderr and exit code 2: what is wrong, where, and never a backtrace."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from support import tokens
from support.checks import assert_a_clear_line

DEMO = ["demo", "--listen", "127.0.0.1:0"]
LONG = "k" * 64


def public_pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.fixture(scope="module")
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield int(holder.getsockname()[1])


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["--nonsense"], ["--nonsense"]),
        (["nonsense"], ["nonsense"]),
        ([*DEMO, "--nonsense"], ["--nonsense"]),
        ([*DEMO, "extra"], ["extra"]),
        ([*DEMO, "--runtime", "async-std"], ["async-std", "tokio", "smol"]),
        ([*DEMO, "--runtime"], ["--runtime"]),
        (["secret", "extra"], ["extra"]),
        (["token", "--sub", "u-1"], ["--secret-file"]),
        (["token", "--secret-file", "x"], ["--sub"]),
    ],
)
def test_wrong_words(arguments: list[str], names: list[str]) -> None:
    assert_a_clear_line(*arguments, names=names)


@pytest.mark.parametrize("flag", ["--jwt-secret", "--secret", "--password"])
def test_a_secret_as_an_argument_is_refused_and_not_repeated(flag: str) -> None:
    assert "hunter2" not in assert_a_clear_line(*DEMO, f"{flag}=hunter2", names=[flag])


@pytest.mark.parametrize(
    "listen",
    ["nonsense", "127.0.0.1", "127.0.0.1:", "127.0.0.1:99999", "127.0.0.1:-1", ":x", "http://127.0.0.1:80", ""],
)
def test_a_listen_address_that_is_none(listen: str) -> None:
    assert_a_clear_line("demo", "--listen", listen, names=["--listen", listen or "--listen"])


@pytest.mark.parametrize("runtime", ["tokio", "smol"])
def test_a_port_that_is_taken(taken: int, runtime: str) -> None:
    names = [f"127.0.0.1:{taken}", "in use"]
    assert_a_clear_line("demo", "--listen", f"127.0.0.1:{taken}", "--runtime", runtime, names=names)


@pytest.mark.parametrize(
    "mount",
    ["//evil.example", "ops", "http://evil.example/", "/ops?x=1", "/ops#x", "/ops/../x", "/ops/./x", "/a//b", "/ops\\x",
     "/o ps", "/ops\n", "/ops\r\nX: y", "/caf\u00e9", "/%2e%2e", "/%2fevil", "/ops;x=/../"],
)  # fmt: skip
def test_t04_a_mount_that_is_no_local_path(mount: str) -> None:
    assert_a_clear_line(*DEMO, "--mount", mount, names=["mount"])


@pytest.mark.parametrize("command", [[*DEMO, "--jwt-secret-file"], ["token", "--sub", "u-1", "--secret-file"]])
class TestSecretFile:
    """Each mistake with a secret's file, for the demo and for tokens alike."""

    def test_it_is_missing(self, command: list[str], tmp_path: Path) -> None:
        assert_a_clear_line(*command, tmp_path / "missing", names=["missing", "no such file"])

    def test_it_is_a_folder(self, command: list[str], tmp_path: Path) -> None:
        assert_a_clear_line(*command, tmp_path, names=[tmp_path.name, "directory"])

    def test_it_cannot_be_read(self, command: list[str]) -> None:
        """A file that opens, and whose first byte nobody can read, not even root."""
        assert_a_clear_line(*command, "/proc/self/mem", names=["/proc/self/mem"])

    @pytest.mark.parametrize("content", ["", "\n", "\r\n"])
    def test_it_is_empty(self, command: list[str], tmp_path: Path, content: str) -> None:
        path = tmp_path / "secret"
        path.write_text(content)
        assert_a_clear_line(*command, path, names=["empty", "authgate secret"])

    def test_it_is_some_other_and_enormous_file(self, command: list[str], tmp_path: Path) -> None:
        """Or the program would read a device to its end, which never comes."""
        path = tmp_path / "enormous"
        with path.open("wb") as file:
            file.truncate(64 * 1024 * 1024)
        assert_a_clear_line(*command, path, names=["enormous"])

    def test_it_is_too_short(self, command: list[str], tmp_path: Path) -> None:
        path = tmp_path / "secret"
        path.write_text("hunter2\n")
        assert "hunter2" not in assert_a_clear_line(*command, path, names=["32", "authgate secret"])

    @pytest.mark.parametrize("before", ["", " ", "\n", "\ufeff", "\t\n "])
    @pytest.mark.parametrize("kind", ["public", "private", "jwk", "set"])
    def test_t36_it_is_a_key_of_another_kind(
        self, command: list[str], tmp_path: Path, rsa_key: rsa.RSAPrivateKey, kind: str, before: str
    ) -> None:
        private = rsa_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        jwk = {"kty": "oct", "k": tokens.b64(LONG.encode()), "alg": "HS256"}
        text = {"public": public_pem(rsa_key), "private": private, "jwk": json.dumps(jwk)}
        path = tmp_path / "secret"
        path.write_text(before + text.get(kind, json.dumps({"keys": [jwk]})), encoding="utf-8")
        said = assert_a_clear_line(*command, path, names=["PEM" if kind in ("public", "private") else "JWK"])
        assert "KEY-----" not in said and tokens.b64(LONG.encode()) not in said


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not json",
        b"[]",
        b"null",
        b"{}",
        b'{"keys": []}',
        b'{"keys": {}}',
        b'{"keys": [{}]}',
        b'{"keys": [{"kty": "none"}]}',
        b'{"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB"}]}',
        b'{"keys": [{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}]}',
        b"\xff\xfe{}",
        b"[" * 100_000,
    ],
)
def test_a_key_set_that_is_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "jwks.json"
    path.write_bytes(content)
    alg = "ES256" if b"P-256" in content else "RS256"
    assert_a_clear_line(*DEMO, "--jwks-file", path, "--algorithm", alg, names=["jwks.json"])


@pytest.mark.parametrize("flag", ["--jwks-file", "--public-key-file"])
def test_a_key_file_that_is_missing(tmp_path: Path, flag: str) -> None:
    assert_a_clear_line(*DEMO, flag, tmp_path / "missing", "--algorithm", "RS256", names=["missing", "no such file"])


@pytest.mark.parametrize(
    "content",
    [
        "",
        "not a key",
        "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "-----BEGIN PUBLIC KEY-----\nMIIB",
    ],
)
def test_a_public_key_that_is_none(tmp_path: Path, content: str) -> None:
    path = tmp_path / "public.pem"
    path.write_text(content)
    assert_a_clear_line(*DEMO, "--public-key-file", path, "--algorithm", "RS256", names=["public.pem"])


def test_an_rsa_key_that_is_too_small(tmp_path: Path) -> None:
    path = tmp_path / "small.pem"
    path.write_text(public_pem(rsa.generate_private_key(public_exponent=65537, key_size=1024)))
    assert_a_clear_line(*DEMO, "--public-key-file", path, "--algorithm", "RS256", names=["2048"])


@pytest.mark.parametrize("alg", ["ES256", "EdDSA", "HS256", "PS999", "none", "rs256x", ""])
def test_t36_an_algorithm_that_does_not_fit_the_key(tmp_path: Path, rsa_key: rsa.RSAPrivateKey, alg: str) -> None:
    path = tmp_path / "public.pem"
    path.write_text(public_pem(rsa_key))
    assert_a_clear_line(*DEMO, "--public-key-file", path, "--algorithm", alg, names=["algorithm"])


@pytest.mark.parametrize("alg", ["RS256", "ES256", "EdDSA", "none", "HS1"])
def test_t36_an_algorithm_that_does_not_fit_a_secret(alg: str) -> None:
    assert_a_clear_line(*DEMO, "--algorithm", alg, names=["algorithm"], env={"AUTHGATE_JWT_SECRET": LONG})


@pytest.mark.parametrize(
    ("flag", "value", "name"),
    [
        ("--ttl", "soon", "soon"),
        ("--ttl", "-1h", "--ttl"),
        ("--ttl", "", "--ttl"),
        ("--alg", "none", "none"),
        ("--alg", "HS1", "HS1"),
        ("--alg", "RS256", "RS256"),
    ],
)
def test_a_token_that_cannot_be_made(secret_file: Path, flag: str, value: str, name: str) -> None:
    assert_a_clear_line("token", "--secret-file", secret_file, "--sub", "u-1", f"{flag}={value}", names=[name])
