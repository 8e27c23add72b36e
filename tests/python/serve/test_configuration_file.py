"""`authgate.toml`: a key for every flag, mistakes that are told by line, and files that are no configuration."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from serve.certificate import self_signed
from serve.configured import GOOD, NOWHERE, Configuration, configured
from serve.operators import reference
from serve.upstreams import Upstream
from support.program import authgate

# Flags whose keys are in the plural, because they are lists there.
PLURAL = {
    "identity-header": "identity_headers", "algorithm": "algorithms", "role": "roles", "public-path": "public_paths",
    "public-prefix": "public_prefixes", "session-secret-file": "session_secret_files",
    "trusted-proxy": "trusted_proxies", "allowed-host": "allowed_hosts", "allowed-network": "allowed_networks",
}  # fmt: skip


def keys() -> set[str]:
    """The keys that `authgate serve --help` has a flag for."""
    shown = re.findall(r"^ +--([a-z-]+)", authgate("serve", "--help").stdout, re.MULTILINE)
    assert len(shown) > 30, shown
    return {PLURAL.get(flag, flag.replace("-", "_")) for flag in shown} - {"config", "json"}


def whole(text: str) -> str:
    """The reference with what is commented out: every line that is a key and its value."""
    return re.sub(r"^# (?=[a-z_]+ = )", "", text, flags=re.MULTILINE)


@pytest.fixture(scope="module")
def rsa_key() -> rsa.RSAPublicKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()


def furnished(folder: Path, text: str, key: rsa.RSAPublicKey) -> Configuration:
    """A configuration with all files that it names."""
    configuration = Configuration.of(folder, text)
    for name, value in re.findall(r"^([a-z_]+_files?) = \[?([^]\n]*)", text, re.MULTILINE):
        for file in re.findall(r'"([^"]+)"', value):
            if "secret" in name:
                configuration.secret(file)
            elif name == "public_key_file":
                pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
                (folder / file).write_bytes(pem)
            elif name == "jwks_file":
                (folder / file).write_text(
                    json.dumps({"keys": [jwt.algorithms.RSAAlgorithm.to_jwk(key, as_dict=True)]})
                )
            elif name.endswith("_ca_file"):
                (folder / file).write_bytes(self_signed("issuer.example", folder).chain.read_bytes())
            else:
                assert (folder / file).exists(), f"{name} = {file!r} in place of users.toml"
    return configuration


def test_the_page_s_reference_is_a_good_configuration(tmp_path: Path, rsa_key: rsa.RSAPublicKey) -> None:
    furnished(tmp_path, reference(), rsa_key).must_be_good()


def test_the_page_s_reference_names_every_key_and_each_can_be_said(tmp_path: Path, rsa_key: rsa.RSAPublicKey) -> None:
    text = whole(reference())
    named = re.findall(r"^([a-z_]+) = ", text.partition("[[rule]]")[0], re.MULTILINE)
    assert sorted(named) == sorted(keys()), set(named) ^ keys()
    assert "[[rule]]" in text
    furnished(tmp_path, text, rsa_key).must_be_good()


def test_no_key_is_without_a_flag(tmp_path: Path) -> None:
    """A key that is none is told to be unknown, and suggested is none that there is not."""
    for key in sorted(keys()):
        (problem,) = Configuration.of(tmp_path, GOOD + f"{key}x = 1\n").problems()
        suggested = re.fullmatch(rf"line 3: unknown key {key}x; did you mean ([a-z_]+)\?", problem)
        assert suggested and suggested[1] in keys(), problem


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("upstrem", "upstream"), ("Upstream", "upstream"), ("users-file", "users_file"), ("user_file", "users_file"),
        ("trusted_proxy", "trusted_proxies"), ("proxies", "trusted_proxies"), ("hosts", "allowed_hosts"),
        ("algorithm", "algorithms"), ("audiences", "audience"), ("role", "roles"), ("rules", "rule"),
        ("mountpoint", "mount"), ("secret_file", "jwt_secret_file"), ("requires_tls", "require_tls"),
        ("admin-listen", "admin_listen"), ("sesion_idle", "session_idle"), ("public_prefix", "public_prefixes"),
    ],
)  # fmt: skip
def test_an_unknown_key_is_an_error_with_a_suggestion(tmp_path: Path, key: str, meant: str) -> None:
    problems = Configuration.of(tmp_path, GOOD + f'{key} = "x"\n').problems()
    assert problems == [f"line 3: unknown key {key}; did you mean {meant}?"]


@pytest.mark.parametrize("key", ["zzz", '""', '"a\\nb"', '"b c"', "ключ"])
def test_a_key_like_no_other_leads_to_the_help(tmp_path: Path, key: str) -> None:
    if not key.isascii():
        key = f'"{key}"'
    (problem,) = Configuration.of(tmp_path, GOOD + f"{key} = 1\n").problems()
    assert problem == f"line 3: unknown key {key}; see `authgate serve --help` for those that there are"


@pytest.mark.parametrize(
    ("key", "instead"),
    [("jwt_secret", "jwt_secret_file"), ("secret", "jwt_secret_file"), ("session_secret", "session_secret_files"),
     ("password", "users_file"), ("users", "users_file")],
)  # fmt: skip
def test_a_secret_belongs_into_a_file_of_its_own(tmp_path: Path, key: str, instead: str) -> None:
    (problem,) = Configuration.of(tmp_path, GOOD + f'{key} = "hunter2"\n').problems()
    assert problem == f"line 3: {key} does not belong here; keep it in a file of its own, and name that as {instead}"


def test_keys_have_no_sections_and_come_before_the_rules(tmp_path: Path) -> None:
    problems = Configuration.of(tmp_path, GOOD + '[server]\nlisten = "127.0.0.1:80"\n').problems()
    assert problems == ["line 3: [server]: there are no sections: write each key alone, above the first [[rule]]"]
    text = '[[rule]]\npath = "/"\nallow = "admins"\n\nmount = "/ops"\n'
    problems = Configuration.of(tmp_path, GOOD + text).problems()
    assert problems == ["line 7: rule 1: mount is no key of a rule; write it above the first [[rule]]"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"\xff\xfeu\x00p\x00", "is not text; write it in UTF-8"),
        (b'title = "\xe9"\n', "is not text; write it in UTF-8"),
        (b"#" * (1024 * 1024 + 1), "is longer than 1048576 bytes; is it the right file?"),
        (b"upstream = \x00", "line 1: "),
    ],
)
def test_a_file_that_cannot_be_a_configuration(tmp_path: Path, content: bytes, problem: str) -> None:
    configuration = Configuration.of(tmp_path, "")
    configuration.file.write_bytes(content)
    problems = configuration.problems()
    assert problems[0].startswith(problem) and (len(problems) == 1 or problem == "line 1: "), problems


@pytest.mark.parametrize("name", ["a folder", "missing", "endless", "nobody's"])
def test_a_file_that_is_none_is_told_alone(tmp_path: Path, name: str) -> None:
    configuration = Configuration.of(tmp_path, "")
    configuration.file.unlink()
    if name == "a folder":
        configuration.file.mkdir()
    elif name == "endless":
        configuration.file.symlink_to("/dev/zero")
    elif name == "nobody's":
        configuration.file.symlink_to("/proc/self/mem")  # which opens, and whose first byte not even root can read
    (problem,) = configuration.problems()
    assert problem.startswith("is longer than" if name == "endless" else "cannot be read: "), problem


def test_an_empty_file_says_what_is_needed(tmp_path: Path) -> None:
    for text in ("", "\n\n", "# nothing yet\n", "\ufeff"):
        problems = Configuration.of(tmp_path, text).problems()
        assert [problem.partition(":")[0] for problem in problems] == ["upstream", "users_file"], problems


@pytest.mark.parametrize(
    "text", [f"\ufeff{GOOD}", GOOD.replace("\n", "\r\n"), GOOD.rstrip(), "#" * 500_000 + f"\n{GOOD}"]
)
def test_files_as_editors_leave_them_are_good(tmp_path: Path, text: str) -> None:
    configuration = Configuration.of(tmp_path, "")
    configuration.file.write_bytes(text.encode())
    configuration.must_be_good()


def test_files_are_found_from_the_folder_of_the_file_that_names_them(tmp_path: Path) -> None:
    folder = tmp_path / "etc" / "authgate"
    folder.mkdir(parents=True)
    text = NOWHERE + 'users_file = "../../users.toml"\njwt_secret_file = "tokens.secret"\n'
    configuration = Configuration(folder)
    configuration.write(text)
    configuration.secret("tokens.secret")
    (tmp_path / "users.toml").write_bytes(Configuration.of(folder, text).folder.joinpath("users.toml").read_bytes())
    (tmp_path / "users.toml").chmod(0o600)
    (folder / "users.toml").unlink()
    configuration.must_be_good()
    configuration.write(text.replace("tokens.secret", str(folder / "tokens.secret")))
    configuration.must_be_good()


def test_the_environment_s_secret_counts_beside_the_file_unless_that_names_one(tmp_path: Path, secret: str) -> None:
    configuration = Configuration.of(tmp_path, NOWHERE)
    (problem,) = configuration.problems()
    assert "AUTHGATE_JWT_SECRET" in problem
    assert configuration.check(AUTHGATE_JWT_SECRET=secret).returncode == 0
    (problem,) = configuration.problems(AUTHGATE_JWT_SECRET="short")
    assert problem.startswith("AUTHGATE_JWT_SECRET: "), problem
    configuration.write(NOWHERE + 'jwt_secret_file = "tokens.secret"\n')
    configuration.secret("tokens.secret")
    assert configuration.check(AUTHGATE_JWT_SECRET="short").returncode == 0


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as started:
        yield started


def test_a_flag_wins_over_the_file_and_a_list_replaces_the_other(
    runtime: str, secret: str, tmp_path: Path, upstream: Upstream
) -> None:
    text = 'mount = "/file"\npublic_paths = ["/a", "/b"]\ntitle = "From the file"\nadmins_only = true\n'
    configuration = Configuration.of(tmp_path, text + 'upstream = "http://127.0.0.1:9"\nusers_file = "nobody.toml"\n')
    flags = ["--upstream", upstream.url, "--mount", "/flag", "--public-path", "/c", "--admins-only", "false"]
    users = ["--users-file", os.path.relpath(tmp_path / "users.toml")]
    with configured(runtime, configuration, *flags, *users, secret=secret) as site:
        assert site.mount == "/flag"
        asked = {path: site.get(f"/flag{path}", ("Accept", "application/json")).status for path in ("/a", "/b", "/c")}
        assert asked == {"/a": 401, "/b": 401, "/c": 200}
        assert site.get("/flag/a", token=site.mint()).status == 200, "nobody need be an administrator"
        assert "From the file" in site.get("/flag/login").text


def test_secrets_may_come_through_a_pipe(runtime: str, tmp_path: Path, secret: str, upstream: Upstream) -> None:
    """As in `--jwt-secret-file <(pass show authgate)`: it can be read once."""
    configuration = Configuration.of(tmp_path, f'upstream = "{upstream.url}"\n')
    reading, writing = os.pipe()
    os.write(writing, f"{secret}\n".encode())
    os.close(writing)
    os.set_inheritable(reading, True)
    try:
        pipe = tmp_path / "pipe"
        pipe.symlink_to(f"/proc/{os.getpid()}/fd/{reading}")
        with configured(runtime, configuration, "--jwt-secret-file", pipe) as site:
            site.secret = secret
            assert site.get("/x", token=site.mint()).status == 200
    finally:
        os.close(reading)
