"""What is said about a configuration that names a Redis or a provider: the key, the remedy, and never a password."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from gates import Crowd, Sharing, dashboard, gate
from own_authority import signed_for_localhost
from serve.configured import GOOD, NOWHERE, Configuration
from shared_redis import Redis, redis
from support.checks import until
from support.people import Person
from support.program import authgate, serving

PASSWORD = "pa55-of-the-store"
REDIS = f"redis://gates:{PASSWORD}@127.0.0.1:6379/0"
COOKIE = 'session_store = "cookie"\n'
PROVIDER = NOWHERE + 'algorithms = ["RS256"]\n'

# What is written, the key that must be named, and a word of the remedy.
MISTAKES = {
    "a store of another kind": (
        GOOD + f'session_store = "http://x:{PASSWORD}@127.0.0.1"\n',
        "session_store",
        "redis://",
    ),
    "a word that is no store": (GOOD + 'session_store = "disk"\n', "session_store", "memory"),
    "no host": (GOOD + f'session_store = "redis://gates:{PASSWORD}@"\n', "session_store", ""),
    "a port that is none": (
        GOOD + f'session_store = "redis://gates:{PASSWORD}@127.0.0.1:99999/0"\n',
        "session_store",
        "",
    ),
    "a database that is none": (
        GOOD + f'session_store = "redis://gates:{PASSWORD}@127.0.0.1:6379/x"\n',
        "session_store",
        "",
    ),
    "the query of a URL": (GOOD + f'session_store = "{REDIS}?ssl_cert_reqs=none"\n', "session_store", ""),
    "word of endings in another store": (
        GOOD + COOKIE + f'revocation_store = "tcp://{PASSWORD}@h"\n',
        "revocation_store",
        "redis://",
    ),
    "word of endings for memory": (GOOD + f'revocation_store = "{REDIS}"\n', "revocation_store", "cookie"),
    "a store for nobody": (
        PROVIDER + f'jwks_url = "http://127.0.0.1/k"\nsession_store = "{REDIS}"\n',
        "session_store",
        "users_file",
    ),
    "two stores": (
        GOOD + f'session_store = "{REDIS}"\nrevocation_store = "{REDIS}"\n',
        "revocation_store",
        "session_store",
    ),
    "a delay without a store": (GOOD + 'revocation_delay = "1s"\n', "revocation_delay", "revocation_store"),
    "a delay that is too long": (
        GOOD + f'session_store = "{REDIS}"\nrevocation_delay = "2m"\n',
        "revocation_delay",
        "minute",
    ),
    "a delay that is none": (GOOD + f'session_store = "{REDIS}"\nrevocation_delay = "soon"\n', "revocation_delay", ""),
    "a prefix without a store": (GOOD + 'redis_prefix = "x:"\n', "redis_prefix", "session_store"),
    "an authority without a store": (GOOD + 'redis_ca_file = "ca.pem"\n', "redis_ca_file", "session_store"),
    "an authority that is not there": (
        GOOD + f'session_store = "{REDIS.replace("redis", "rediss", 1)}"\nredis_ca_file = "nowhere.pem"\n',
        "redis_ca_file",
        "nowhere.pem",
    ),
    "an authority that is none": (
        GOOD + f'session_store = "{REDIS.replace("redis", "rediss", 1)}"\nredis_ca_file = "users.toml"\n',
        "redis_ca_file",
        "certificate",
    ),
    "secrets for sessions in Redis": (
        GOOD + f'session_store = "{REDIS}"\nsession_secret_files = ["s"]\n',
        "session_secret_files",
        "cookie",
    ),
    "a provider over plain HTTP": (PROVIDER + 'jwks_url = "http://issuer.example/k"\n', "jwks_url", "https"),
    "a provider with a password": (
        PROVIDER + f'jwks_url = "https://x:{PASSWORD}@issuer.example/k"\n',
        "jwks_url",
        "leave out",
    ),
    "a provider that is no URL": (PROVIDER + 'jwks_url = "issuer.example"\n', "jwks_url", "https"),
    "a provider and a secret's algorithm": (NOWHERE + 'jwks_url = "https://issuer.example/k"\n', "algorithms", "RS256"),
    "a provider and keys in a file": (
        PROVIDER + 'jwks_url = "https://issuer.example/k"\njwks_file = "keys.json"\n',
        "jwks_file",
        "",
    ),
    "an authority of a provider that is none": (
        PROVIDER + 'jwks_url = "https://issuer.example/k"\njwks_ca_file = "users.toml"\n',
        "jwks_ca_file",
        "certificate",
    ),
    "an authority without a provider": (GOOD + 'jwks_ca_file = "ca.pem"\n', "jwks_ca_file", "jwks_url"),
    "an authority of a provider that is not there": (
        PROVIDER + 'jwks_url = "https://issuer.example/k"\njwks_ca_file = "nowhere.pem"\n',
        "jwks_ca_file",
        "nowhere.pem",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_named_with_its_key_and_a_remedy_and_without_a_password(mistake: str, tmp_path: Path) -> None:
    text, key, remedy = MISTAKES[mistake]
    problems = Configuration.of(tmp_path, text).problems()
    about = [line for line in problems if line.startswith(key) or f" {key}" in line or f"{key}:" in line]
    assert about, f"{key} is not named: {problems}"
    assert any(remedy in line for line in about), f"{remedy!r} is not among {about}"
    assert PASSWORD not in "\n".join(problems)


@pytest.mark.parametrize(
    "more",
    [
        f'session_store = "{REDIS}"\n',
        f'session_store = "{REDIS}"\nrevocation_delay = "0s"\nredis_prefix = "dash:"\n',
        'session_store = "rediss://127.0.0.1/1"\nredis_ca_file = "ca.pem"\n',
        f'session_store = "cookie"\nsession_secret_files = ["seal"]\nrevocation_store = "{REDIS}"\nrevocation_delay = "1m"\n',
        'algorithms = ["RS256", "EdDSA"]\njwks_url = "https://issuer.example/k"\njwks_ca_file = "ca.pem"\nissuer = "x"\n',
        'algorithms = ["ES256"]\njwks_url = "http://127.0.0.1:9/k"\naudience = "x"\n',
    ],
)
def test_what_is_right_is_said_to_be_right(more: str, tmp_path: Path) -> None:
    configuration = Configuration.of(tmp_path, GOOD + more)
    configuration.secret("seal")
    signed_for_localhost(tmp_path)[0].rename(tmp_path / "ca.pem")
    if f"gates:{PASSWORD}" in more:
        configuration.file.chmod(0o600)
    configuration.must_be_good()


def test_a_password_in_a_flag_is_warned_of_and_not_repeated(runtime: str, crowd: Crowd) -> None:
    with redis("--requirepass", PASSWORD) as store, dashboard(runtime) as upstream:
        url = store.named(f":{PASSWORD}@")
        users: list[str | Path] = ["--upstream", upstream.url, "--users-file", crowd.file]
        with serving(runtime, *users, "--session-store", url) as site:
            site.hidden.add(PASSWORD)
            assert "session-store" in site.log() and "password" in site.log() and "file" in site.log()
            ada = Person(site, "ada", "enigma")
            ada.sign_in()
            assert ada.is_in()


def test_a_password_in_the_file_is_not_warned_of(tmp_path: Path) -> None:
    configuration = Configuration.of(tmp_path, GOOD + f'session_store = "{REDIS}"\n')
    configuration.file.chmod(0o600)
    configuration.must_be_good()


def test_a_password_in_a_file_that_everybody_reads_is_warned_of(tmp_path: Path) -> None:
    configuration = Configuration.of(tmp_path, GOOD + f'session_store = "{REDIS}"\n')
    configuration.file.chmod(0o644)
    said = configuration.check().stderr
    assert "authgate.toml" in said and PASSWORD not in said and ("600" in said or "own" in said), said


def test_t33_a_wrong_password_of_redis_is_503_and_a_line_in_the_log_without_it(runtime: str, crowd: Crowd) -> None:
    with redis("--requirepass", "another") as store:
        with gate(runtime, crowd, Sharing(store.named(f":{PASSWORD}@"))) as site:
            site.hidden.add(PASSWORD)
            ada = Person(site, "ada", "enigma")
            assert ada.get("/").status == 303
            assert ada.try_to_sign_in().status == 503
            until(lambda: any("WARN" in line and "edis" in line for line in site.log().splitlines()), "it is told")


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--store", f"redis://gates:{PASSWORD}@127.0.0.1:9/0"], ["ada", "has not been signed out"]),
        (["--store", f"http://{PASSWORD}"], ["redis://"]),
        ([], ["--config"]),
    ],
)
def test_a_sign_out_that_cannot_be_told_says_so(flags: list[str], words: list[str]) -> None:
    began = time.monotonic()
    ended = authgate("sign-out", "ada", *flags)
    assert ended.returncode != 0 and ended.stdout == "", ended
    assert time.monotonic() - began < 5
    assert PASSWORD not in ended.stderr and "panicked" not in ended.stderr
    for word in words:
        assert word in ended.stderr, ended.stderr


def test_a_sign_out_by_the_configuration_of_a_gate(
    crowd: Crowd, sharing: Sharing, store: Redis, tmp_path: Path
) -> None:
    folder = tmp_path / "etc"
    folder.mkdir()
    configuration = Configuration.of(folder, "")
    kept = {"sealed": f'session_store = "cookie"\nsession_secret_files = ["{sharing.secret_file}"]\nrevocation_store'}
    configuration.write(GOOD + f'{kept.get(sharing.name, "session_store")} = "{store.url}"\n')
    with gate("tokio", crowd, sharing) as site:
        ada = Person(site, "ada", "enigma")
        ada.sign_in()
        ended = authgate("sign-out", "ada", "--config", configuration.file)
        assert ended.returncode == 0 and "ada" in ended.stdout, ended
        until(lambda: not ada.is_in(), "she is out", 1)


def test_a_sign_out_where_gates_share_nothing_says_so(tmp_path: Path) -> None:
    configuration = Configuration.of(tmp_path, GOOD)
    ended = authgate("sign-out", "ada", "--config", configuration.file)
    assert ended.returncode != 0 and "session_store" in ended.stderr, ended


def test_t33_no_password_is_in_what_a_gate_shows_of_itself(crowd: Crowd, tmp_path: Path) -> None:
    """Neither in its log, nor in its metrics, nor among the words that it was started with, if it stands in the file."""
    with redis("--requirepass", PASSWORD) as store, dashboard("tokio") as upstream:
        folder = tmp_path / "etc"
        folder.mkdir()
        configuration = Configuration.of(folder, f'upstream = "{upstream.url}"\nusers_file = "users.toml"\n')
        configuration.write(configuration.file.read_text() + f'session_store = "{store.named(f":{PASSWORD}@")}"\n')
        configuration.file.chmod(0o600)
        with serving("tokio", "--config", configuration.file) as site:
            site.hidden.add(PASSWORD)
            ada = Person(site, "ada", "enigma")
            ada.sign_in()
            store.kill()
            until(lambda: ada.get("/").status == 503, "Redis is away")
            shown = subprocess.run(
                ["ps", "-ww", "-o", "args=", "-p", str(site.process.pid)], capture_output=True, text=True
            )
            assert "--config" in shown.stdout and PASSWORD not in shown.stdout
