"""`authgate explain` says which rule decides, and why; what it decides is in `test_rules.py`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from serve.configured import GOOD, Configuration, told
from serve.operators import PAGE, block, reference
from support.program import authgate

RULES = f"""{GOOD}
mount = "/ops"
public_prefixes = "/static"
allowed_networks = ["127.0.0.0/8", "10.0.0.0/8"]
allowed_hosts = "dash.example"

[[rule]]
path = "/"
methods = "GET"
allow = "role:viewer"

[[rule]]
path = "/"
allow = ["role:ops", "admins"]

[[rule]]
path = "/metrics"
methods = ["GET"]
allow = ["user:prometheus", "network:10.0.0.0/8"]
"""


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    return Configuration.of(tmp_path, RULES).file


def explained(file: Path, *question: str) -> tuple[int, str]:
    """The exit code, and the line that it is about."""
    ended = authgate("explain", "--config", file, *question)
    assert ended.stderr == ""
    assert re.fullmatch(r"[^\n]+\n", ended.stdout), ended.stdout
    return ended.returncode, ended.stdout.strip()


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        (["GET", "/ops/queues", "--role", "viewer"], ["allowed: rule 1 ", '"/"', "GET", "allows role:viewer"]),
        (["GET", "/ops/queues?page=2", "--role", "viewer"], ["allowed: rule 1 "]),
        (["HEAD", "/ops/queues", "--role", "viewer"], ["allowed: rule 1 "]),
        (["GET", "/ops", "--role", "viewer"], ["allowed: rule 1 "]),
        (["POST", "/ops/queues", "--role", "ops"], ["allowed: rule 2 ", "allows role:ops"]),
        (["POST", "/ops/queues", "--admin"], ["allowed: rule 2 ", "allows admins"]),
        (["WEBSOCKET", "/ops/live", "--user", "ada", "--admin"], ["allowed: rule 2 "]),
        (["GET", "/ops/metrics", "--user", "prometheus"], ["allowed: rule 3 ", "allows user:prometheus"]),
        (["GET", "/ops/metrics", "--from", "10.1.2.3"], ["allowed: rule 3 ", "allows network:10.0.0.0/8"]),
        (["GET", "/ops/metrics", "--from", "::ffff:10.1.2.3"], ["allowed: rule 3 "]),
        (["GET", "/ops/static/app.css"], ["allowed: ", "public"]),
        (["GET", "/ops/login"], ["allowed: ", "the gate answers it itself"]),
    ],
)
def test_what_passes_and_by_which_rule(rules: Path, question: list[str], parts: list[str]) -> None:
    code, line = explained(rules, *question)
    assert code == 0 and line.startswith(parts[0])
    assert [part for part in parts if part not in line] == [], line


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        (["POST", "/ops/queues", "--role", "viewer"], ["rule 2 ", "every method", 'user "somebody"', "viewer"]),
        (["GET", "/ops/queues"], ["rule 1 ", "rule 2 ", "nobody", "127.0.0.1"]),
        (["GET", "/ops/queues", "--user", "zoe", "--role", "a", "--role", "b"], ['user "zoe"', "a b"]),
        (["WEBSOCKET", "/ops/live", "--role", "viewer"], ["rule 2 "]),
        (["GET", "/ops/metrics", "--role", "ops"], ["rule 3 ", "user:prometheus"]),
        (["POST", "/ops/metrics", "--user", "prometheus"], ["method"]),
        (["GET", "/ops/a/../metrics", "--admin"], ["read the path in different ways"]),
        (["GET", "/queues", "--admin"], ["not below the mount /ops"]),
        (["GET", "/opsx", "--admin"], ["not below the mount /ops"]),
        (["GET", "/ops/queues", "--admin", "--from", "192.0.2.1"], ["192.0.2.1", "allowed networks"]),
        (["GET", "/ops/login", "--from", "192.0.2.1"], ["192.0.2.1", "allowed networks"]),
    ],
)
def test_what_is_refused_and_why(rules: Path, question: list[str], parts: list[str]) -> None:
    code, line = explained(rules, *question)
    assert code == 1 and line.startswith("refused: ")
    assert [part for part in parts if part not in line] == [], line


def test_a_path_without_any_rule(tmp_path: Path) -> None:
    text = GOOD + 'rule = [{ path = "/queues", allow = "signed-in" }]\n'
    file = Configuration.of(tmp_path, text).file
    assert explained(file, "GET", "/queues/1", "--user", "ada")[0] == 0
    code, line = explained(file, "GET", "/other", "--admin")
    assert code == 1 and "no rule has a path that contains it" in line


@pytest.mark.parametrize(
    ("setting", "question", "passes"),
    [
        ("", ["--user", "ada"], True),
        ("", [], False),
        ("admins_only = true", ["--user", "ada"], False),
        ("admins_only = true", ["--admin"], True),
        ('roles = ["ops", "oncall"]', ["--role", "oncall"], True),
        ('roles = "ops"', ["--role", "viewer"], False),
        ('roles = "ops"', ["--admin"], False),
    ],
)
def test_without_rules_the_whole_gate_is_open_or_not(
    tmp_path: Path, setting: str, question: list[str], passes: bool
) -> None:
    code, line = explained(Configuration.of(tmp_path, GOOD + setting).file, "POST", "/x", *question)
    assert (code, "there are no rules" in line) == (0 if passes else 1, True), line


@pytest.mark.parametrize(
    ("question", "names"),
    [
        (["get", "/ops/queues"], ["get", "GET"]),
        (["websocket", "/ops/queues"], ["websocket", "WEBSOCKET"]),
        (["GE T", "/ops/queues"], ["GE T", "GET"]),
        (["", "/ops/queues"], ["METHOD"]),
        (["GET", "ops/queues"], ["ops/queues", "PATH"]),
        (["GET", "https://dash.example/ops/queues"], ["PATH", "after the host"]),
        (["GET", ""], ["PATH"]),
        (["GET"], ["<PATH>"]),
        (["GET", "/ops", "--user", ""], ["--user"]),
        (["GET", "/ops", "--role", ""], ["--role"]),
        (["GET", "/ops", "--from", "nowhere"], ["--from", "nowhere"]),
        (["GET", "/ops", "--from", "10.0.0.0/8"], ["--from", "10.0.0.0/8"]),
        (["GET", "/ops", "--nonsense"], ["--nonsense"]),
    ],
)
def test_a_question_that_is_none_is_no_refusal(rules: Path, question: list[str], names: list[str]) -> None:
    """Or a script would take its own slip for an answer."""
    ended = authgate("explain", "--config", rules, *question)
    assert (ended.returncode, ended.stdout) == (2, "")
    lines = told(ended.stderr)
    assert len(lines) == 1 and all(name in lines[0] for name in names), lines


@pytest.mark.parametrize("text", ["", "upstream =", GOOD + "rule = []\n", GOOD + 'mount = "ops"\n'])
def test_a_bad_configuration_is_no_refusal_either(tmp_path: Path, text: str) -> None:
    file = Configuration.of(tmp_path, text).file
    ended = authgate("explain", "--config", file, "GET", "/", "--admin")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert told(ended.stderr) == told(authgate("check", "--config", file).stderr)


def test_somebody_in_the_file_of_users_has_the_rights_that_stand_there(rules: Path) -> None:
    assert explained(rules, "POST", "/ops/queues", "--user", "ada")[0] == 0, "Ada has the role ops"
    for question in (["--user", "ada", "--role", "viewer"], ["--user", "bob"], ["--user", "eve"]):
        assert explained(rules, "POST", "/ops/queues", *question)[0] == 1, question


def test_the_page_shows_what_is_said(tmp_path: Path) -> None:
    """With the file that it shows: every line of its `console` block, word by word."""
    file = Configuration.of(tmp_path, reference()).file
    shown = block(PAGE.read_text(), "console").strip().splitlines()
    assert len(shown) == 4
    for question, answer in zip(shown[::2], shown[1::2], strict=True):
        command = question.removeprefix("$ authgate explain --config authgate.toml ")
        assert explained(file, *command.split())[1] == answer
