"""`authgate check` names everything that is wrong with a configuration at once: where, what, and the remedy."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from serve.configured import GOOD, NOWHERE, Configuration, configured, told
from support.program import authgate

ASKED = 'forward_auth = true\ntrusted_proxies = "127.0.0.1"\nusers_file = "users.toml"\n'

QUIET = {"AUTHGATE_LOG": "error"}  # the hashes of Ada and Bob are weaker than the program likes


@pytest.mark.parametrize(
    ("rules", "words"),
    [("", "no rules"), ('rule = [{ path = "/", allow = "admins" }]', "1 rule"),
     ('[[rule]]\npath = "/"\nallow = "admins"\n[[rule]]\npath = "/x"\nallow = "role:a"', "2 rules")],
)  # fmt: skip
def test_a_good_one_is_told_on_stdout(tmp_path: Path, rules: str, words: str) -> None:
    configuration = Configuration.of(tmp_path, GOOD + rules)
    ended = configuration.check()
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == f"{configuration.file}: ok: in front of http://127.0.0.1:9, with {words}\n"


def test_one_for_proxies_that_ask_is_told_as_such(tmp_path: Path) -> None:
    ended = Configuration.of(tmp_path, ASKED).check()
    assert ended.returncode == 0 and "proxies that ask" in ended.stdout


# Each line is wrong, for itself or beside another, and all of them are named: by the key, and by a word about it.
WRONG = [
    ('upstream = "https://127.0.0.1"', "upstream", "HTTPS"),
    ('users_file = "nobody.toml"', "users_file", "nobody.toml: does not exist"),
    ('public_key_file = "no.pem"', "public_key_file", "no.pem: cannot be read"),
    ('jwks_file = "no.json"', "jwks_file", "no.json: cannot be read"),
    ('jwt_secret_file = "no.secret"', "jwt_secret_file", "no.secret: cannot be read"),
    ('audience = ["dash", ""]', "audience", "empty"),
    ('issuer = ""', "issuer", "empty"),
    ('mount = "ops"', "mount", 'write "/ops"'),
    ('user_header = "Host"', "user_header", '"Host"'),
    ('roles_header = "a b"', "roles_header", '"a b"'),
    ('identity_headers = ["X-A", "b c", ""]', "identity_headers", '"b c"'),
    ('connect_timeout = "0s"', "connect_timeout", "choose some seconds"),
    ('upstream_timeout = "0ms"', "upstream_timeout", "choose some seconds"),
    ("max_connections = 0", "max_connections", "at least 1"),
    ('admin_listen = "127.0.0.1:8080"', "admin_listen", "choose another"),
    ('roles = [""]', "roles", "empty"),
    ('public_paths = ["/a", "b"]', "public_paths", '"b"'),
    ('public_prefixes = "/"', "public_prefixes", "open everything"),
    ('session_store = "cookie"', "session_secret_files", "first.secret"),
    ('session_secret_files = ["first.secret", "second.secret"]', "session_secret_files", "second.secret"),
    ('session_idle = "13h"', "session_idle", "no more than the lifetime"),
    ('login_path = "login"', "login_path", '"login"'),
    ('logout_path = "/a?b"', "logout_path", '"/a?b"'),
    ('title = " "', "title", "empty"),
    ('trusted_proxies = ["*", "10.0.0.0/8", "all"]', "trusted_proxies", '"all"'),
    ('allowed_hosts = ["dash.example", "a/b", "http://c"]', "allowed_hosts", '"http://c"'),
    ('allowed_networks = ["10.0.0.0/33", "0.0.0.0/0"]', "allowed_networks", '"0.0.0.0/0"'),
    ('[[rule]]\npath = "queues"\nmethods = ["get", "POST"]\nallow = ["ops", "role:ops"]', "line", "rule 1: allow: "),
    ('[[rule]]\npath = "/"\nallow = "network:everywhere"', "line", "rule 2: allow: "),
]  # fmt: skip


def test_all_mistakes_at_once(tmp_path: Path) -> None:
    configuration = Configuration.of(tmp_path, "\n".join(line for line, _, _ in WRONG))
    problems = configuration.problems()
    for _, key, word in WRONG:
        assert any(problem.startswith(key) and word in problem for problem in problems), (key, word, problems)
    assert len(problems) == len(set(problems))
    # Beside these: a second host, a second entry or two of a list, and three more faults of the first rule.
    # That rules stand beside admins_only is told once there is one that can be read.
    assert len(problems) == len(WRONG) + 6, problems


@pytest.mark.parametrize(
    ("text", "key", "word"),
    [
        ('users_file = "users.toml"', "upstream", "nothing is behind the gate"),
        (NOWHERE, "users_file", "nobody could prove who they are"),
        (GOOD + 'forward_auth = true\ntrusted_proxies = "127.0.0.1"\n', "upstream", "beside forward_auth"),
        ('forward_auth = true\nusers_file = "users.toml"', "trusted_proxies", "none is"),
        (ASKED + 'forwarded_fields = "forwarded"', "forwarded_fields", "leave it out"),
        *[(ASKED + line, line.split()[0], "it is for an upstream")
          for line in ("strip_mount = true", "keep_host = false", "pass_authorization = true", 'connect_timeout = "1s"',
                       'upstream_timeout = "1s"', "max_body = 1")],
        (GOOD + 'session_secret_files = "users.toml"', "session_secret_files", "session_store"),
        (GOOD + 'login_path = "/x"\nlogout_path = "/x"', "logout_path", "login path"),
        (GOOD + 'user_header = "X-A"\nroles_header = "x-a"', "roles_header", "another name"),
        (GOOD + 'listen = "127.0.0.1:81"\nadmin_listen = "127.0.0.1:81"', "admin_listen", "choose another"),
        (GOOD + 'session_lifetime = "10m"\nsession_idle = "20m"', "session_idle", "no more than the lifetime"),
        (GOOD + 'admins_only = true\nrule = [{ path = "/", allow = "admins" }]', "rule", "in the rules alone"),
        (GOOD + 'roles = "ops"\nrule = [{ path = "/", allow = "admins" }]', "rule", "in the rules alone"),
        (GOOD + 'rule = [{ path = "/", allow = "network:10.0.0.0/8" }]', "allowed_hosts", "name the hosts"),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_one_problem(tmp_path: Path, text: str, key: str, word: str) -> None:
    problems = Configuration.of(tmp_path, text).problems()
    assert len(problems) == 1, problems
    assert problems[0].startswith(f"{key}: ") and word in problems[0], problems


def test_a_mistake_is_told_once_and_not_as_a_lack_besides(tmp_path: Path) -> None:
    """What is misspelt is neither missing nor the reason why something else cannot be."""
    for text in ("upstrem = 1\nuser_file = 2\n", "upstream = 1\nusers_file = 2\n", 'upstream = 1\njwt_secret = "x"\n'):
        problems = Configuration.of(tmp_path, text).problems()
        assert [problem[:6] for problem in problems] == ["line 1", "line 2"], problems
    secret = GOOD + 'trusted_proxy = "127.0.0.1"\n'
    for text in (secret, secret.replace(NOWHERE, "forward_auth = true\n")):
        assert len(Configuration.of(tmp_path, text).problems()) == 1


def test_a_lifetime_alone_bounds_the_time_without_use(tmp_path: Path) -> None:
    Configuration.of(tmp_path, GOOD + 'session_lifetime = "10m"\n').must_be_good()


def test_only_the_file_is_told_where_it_is_no_configuration(tmp_path: Path) -> None:
    configuration = Configuration.of(tmp_path, "this is no TOML\nand neither is this\n")
    assert [problem[:6] for problem in configuration.problems()] == ["line 1", "line 2"]


@pytest.mark.parametrize(
    ("flags", "names"),
    [(["--config", "missing.toml"], ["missing.toml: cannot be read"]), (["--config"], ["--config"]), ([], ["--config"]),
     (["--config", "a", "b"], ["'b'"])],
)  # fmt: skip
def test_a_file_that_is_not_there_and_one_that_is_not_named(flags: list[str], names: list[str]) -> None:
    ended = authgate("check", *flags)
    assert (ended.returncode, ended.stdout) == (1 if "missing.toml" in flags else 2, "")
    lines = told(ended.stderr)
    assert len(lines) == 1 and names[0] in lines[0], lines


def test_serve_refuses_in_the_same_words_with_another_exit_code(tmp_path: Path) -> None:
    file = Configuration.of(tmp_path, "mount = 5\n" + GOOD + 'allowed_hosts = ["a/b", "c/d"]\n').file
    checked, served = (authgate(command, "--config", file, env=QUIET) for command in ("check", "serve"))
    assert (checked.returncode, served.returncode) == (1, 2)
    assert checked.stderr == served.stderr != ""


def test_what_flags_say_is_told_as_flags(tmp_path: Path) -> None:
    file = Configuration.of(tmp_path, GOOD + 'title = ""\nmount = "/file"\n').file
    flags = ["--mount", "ops", "--allowed-host", "a/b", "--session-idle", "0s"]
    lines = told(authgate("serve", "--config", file, *flags, env=QUIET).stderr)
    assert [re.split(": ", line)[0] for line in lines] == ["--allowed-host", "--mount", "--session-idle", str(file)]


def test_a_secret_that_everybody_can_read_is_remarked(runtime: str, tmp_path: Path) -> None:
    configuration = Configuration.of(tmp_path, GOOD + 'jwt_secret_file = "tokens.secret"\n')
    configuration.secret("tokens.secret")
    configuration.must_be_good()
    (tmp_path / "tokens.secret").chmod(0o644)
    ended = configuration.check()
    assert ended.returncode == 0 and ": ok: " in ended.stdout, "it works, and maybe everybody here is trusted"
    (line,) = told(ended.stderr)
    assert line.startswith(f"{configuration.file}: jwt_secret_file: ") and "chmod 600" in line
    with configured(runtime, configuration) as site:
        assert line in site.log()


def test_a_path_that_names_the_mount_again_is_remarked(tmp_path: Path) -> None:
    paths = 'public_paths = ["/ops/healthz", "/opsroom"]\npublic_prefixes = "/ops"\n'
    rules = '[[rule]]\npath = "/ops/audit"\nallow = "admins"\n\n[[rule]]\npath = "/"\nallow = "admins"\n'
    configuration = Configuration.of(tmp_path, GOOD + 'mount = "/ops/"\n' + paths + rules)
    ended = configuration.check()
    assert ended.returncode == 0, "it may be meant"
    meant = [line.partition("it means ")[2].split("; ")[0] for line in told(ended.stderr)]
    assert meant == ["/ops/ops/audit", "/ops/ops/healthz", "/ops/ops"]
    Configuration.of(tmp_path, GOOD + paths + rules).must_be_good()


def test_nothing_that_is_wrong_shows_a_secret(tmp_path: Path) -> None:
    (tmp_path / "short.secret").write_text("hunter2\n")
    for text in (
        'jwt_secret = "hunter2"',
        'session_secret = "hunter2"',
        'password = "hunter2"',
        'secret = ["hunter2"]',
        'jwt_secret_file = ["hunter2"]',
        'session_secret_files = { key = "hunter2" }',
        'jwt_secret_file = "short.secret"',
        'session_store = "cookie"\nsession_secret_files = "short.secret"',
        'jwt_secret_file = "hunter2',
    ):
        problems = Configuration.of(tmp_path, GOOD + text).problems()
        assert len(problems) == 1 and "hunter2" not in problems[0], problems
    problems = Configuration.of(tmp_path, GOOD).problems(AUTHGATE_JWT_SECRET="hunter2")
    assert len(problems) == 1 and "hunter2" not in problems[0] and "AUTHGATE_JWT_SECRET" in problems[0]
