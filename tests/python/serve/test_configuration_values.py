"""What stands in `authgate.toml` is told by line if it is of another type, no rule, or no TOML, with what to write."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from serve.configured import GOOD, Configuration
from support.program import authgate

STRING, LIST = "write a string in quotes", "or a list of such"
SPAN, NUMBER, BOOLEAN = "write a span", "write a whole number", "write true or false"
ADDRESS = "write an address and a port"

TYPES = [
    ("upstream", ["5", "true", "[]", "{}", "1979-05-27", "inf", '["http://a"]'], STRING),
    ("users_file", ["5", '["users.toml"]'], STRING),
    ("users_file", ['""'], "it is empty; name a file"),
    ("session_secret_files", ['["a", ""]'], "it is empty; name a file"),
    ("mount", ["1", "07:32:00"], STRING),
    ("title", ["true", "nan"], STRING),
    ("runtime", ['"Tokio"', '"async-std"', '""'], 'write "tokio" or "smol"'),
    ("session_store", ['"disk"'], 'write "memory", "cookie", or a Redis such as "redis://127.0.0.1:6379/0"'),
    ("forwarded_fields", ['"x_forwarded"'], '"x-forwarded-host"'),
    ("roles", ["1", '["a", 1]', "{ a = 1 }", "true", "1979-05-27T07:32:00Z"], LIST),
    ("trusted_proxies", ["127.1", '[["127.0.0.1"]]'], LIST),
    ("algorithms", ['"HS257"', '["HS256", "none"]', '""'], "choose from HS256"),
    ("connect_timeout", ["5", "5.0", "1979-05-27", "07:32:00", "-inf"], SPAN),
    ("session_idle", ['"soon"', '"-5m"', '""', '"5"', '"99999999999999999y"'], "write a span such as 90s"),
    ("listen", ["8080", "[127, 0]"], ADDRESS),
    ("listen", ['"localhost:80"', '"127.0.0.1"', '":80"', '"127.0.0.1:99999"', '""'], "write an IP address and a port"),
    ("max_body", ['"1MB"', "1e6", "inf", "-inf", "nan", "-1", "1979-05-27", "true", "[1]"], NUMBER),
    ("max_connections", ["-1", "1.5", '"many"'], NUMBER),
    ("require_tls", ['"yes"', '"true"', "1", "0", "[]", "nan"], BOOLEAN),
    ("admins_only", ['"false"', "1979-05-27"], BOOLEAN),
]


@pytest.mark.parametrize(("key", "values", "remedy"), TYPES, ids=[key for key, _, _ in TYPES])
def test_a_value_of_another_type_is_told_with_what_to_write(
    tmp_path: Path, key: str, values: list[str], remedy: str
) -> None:
    for value in values:
        others = "".join(line for line in GOOD.splitlines(keepends=True) if not line.startswith(key))
        (problem,) = Configuration.of(tmp_path, f"\n{key} = {value}\n{others}").problems()
        assert problem.startswith(f"line 2: {key}: ") and remedy in problem, (value, problem)


RULES = [
    ("rule = 5", ["rule: write each as a table"]),
    ("rule = []", ["rule: it is empty"]),
    ("rule = [1, {}]", ["rule 1: write it as a table", "rule 2: path is missing", "rule 2: allow is missing"]),
    ('[rule]\npath = "/"\nallow = "admins"', ["rule: write each as a table that starts with [[rule]]"]),
    ("[[rule]]", ["rule 1: path is missing", "rule 1: allow is missing"]),
    ('[[rule]]\npath = "/"\nallow = []', ["rule 1: allow: it is empty"]),
    ('[[rule]]\npath = "/"\nallow = "admins"\nmethods = []', ["rule 1: methods: it is empty"]),
    ('[[rule]]\npath = 1\nallow = { a = 1 }\nmethods = [1]',
     ["rule 1: path: write a string", "rule 1: allow: write a string", "rule 1: methods: write a string"]),
    ('[[rule]]\npath = ["/"]\nallow = "admins"', ["rule 1: path: write a string"]),
    ('[[rule]]\npath = "/"\nmethod = "GET"\nallow = "admins"', ["rule 1: unknown key method; did you mean methods?"]),
    ('[[rule]]\npath = "/"\nalow = "admins"', ["rule 1: unknown key alow; did you mean allow?"]),
    ('[[rule]]\npath = "/"\nallow = "ops"', ['rule 1: allow: "ops" names nobody; write role:NAME']),
    ('[[rule]]\npath = "/"\nallow = "admins"\n\n'
     '[[rule]]\npath = "a/../b"\nmethods = ["get", "a b"]\nallow = ["x", "network:y"]',
     ['rule 2: path: "a/../b"', 'rule 2: methods: "get"', 'rule 2: methods: "a b"', 'rule 2: allow: "x"',
      'rule 2: allow: "network:y"']),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), RULES, ids=[text.replace("\n", " ") for text, _ in RULES])
def test_a_rule_that_is_none_is_told_by_its_number_and_line(tmp_path: Path, text: str, expected: list[str]) -> None:
    problems = Configuration.of(tmp_path, GOOD + text).problems()
    assert len(problems) == len(expected), problems
    for problem, begins in zip(problems, expected, strict=True):
        line, _, rest = problem.partition(": ")
        assert re.fullmatch("line [3-9]|line 1[0-9]", line) and rest.startswith(begins), problem


@pytest.mark.parametrize("one", ['"GET"', '["GET"]'])
@pytest.mark.parametrize("who", ['"role:viewer"', '["role:viewer"]'])
def test_a_list_of_one_may_be_a_string(tmp_path: Path, one: str, who: str) -> None:
    public = one.replace("GET", "/health")
    text = f'{GOOD}public_paths = {public}\nrule = [{{ path = "/", methods = {one}, allow = {who} }}]\n'
    file = Configuration.of(tmp_path, text).file
    viewer = ["--role", "viewer"]
    for question, code in ((["GET", "/x", *viewer], 0), (["POST", "/x", *viewer], 1), (["POST", "/health"], 0)):
        assert authgate("explain", "--config", file, *question).returncode == code, question


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            GOOD + GOOD,
            ["line 3: upstream stands here for a second time", "line 4: users_file stands here for a second time"],
        ),
        (GOOD + '[[rule]]\npath = "/"\npath = "/"\nallow = "admins"', ["line 5: path stands here for a second time"]),
        (GOOD + "title = Jobs", ["line 3: "]),
        (GOOD + 'title = "Jobs', ["line 3: "]),
        (GOOD + "title", ["line 3: "]),
        (GOOD + "= 1\nlisten = \n", ["line 3: ", "line 4: "]),
        ("{}", ["line 1: "]),
        ('{"upstream": "http://127.0.0.1:9"}', ["line 1: "]),
        ("upstream: http://127.0.0.1:9", ["line 1: "]),
    ],
)
def test_what_is_no_toml_is_told_by_its_line_alone(tmp_path: Path, text: str, expected: list[str]) -> None:
    problems = Configuration.of(tmp_path, text).problems()
    assert len(problems) >= len(expected) and all(problem.startswith("line ") for problem in problems), problems
    assert all(any(problem.startswith(begins) for problem in problems) for begins in expected), problems
