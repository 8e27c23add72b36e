"""The command line explains itself, with examples, and says what it made on stdout alone."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from support.program import PROGRAM, authgate, environment


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"], ["help"]])
def test_help_names_the_commands_and_shows_examples(arguments: list[str]) -> None:
    shown = authgate(*arguments)
    text = shown.stdout + shown.stderr
    assert shown.returncode == (0 if arguments else shown.returncode)
    assert shown.returncode in (0, 2)
    for command in ("demo", "token", "secret", "user", "hash-password"):
        assert re.search(rf"^\s+{command}\b", text, re.MULTILINE), command
    assert "authgate demo" in text, "an example"


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("demo", ["--listen", "--mount", "--runtime", "--json", "--jwt-secret-file", "AUTHGATE_JWT_SECRET",
          "--users-file", "--session-store", "--session-secret-file", "--session-idle", "--session-lifetime"]),
        (
            "token",
            ["--secret-file", "--sub", "--name", "--admin", "--role", "--ttl", "--alg", "--audience", "--issuer"],
        ),
        ("secret", []),
        ("user", ["add", "list", "password", "disable", "enable", "remove", "--file", "--id"]),
        ("user add", ["--file", "--id", "--name", "--admin", "--role", "--replace", "stdin"]),
        ("user list", ["--file", "--json"]),
        ("user password", ["--file", "--id"]),
        ("user disable", ["--file", "--id"]),
        ("user enable", ["--file", "--id"]),
        ("user remove", ["--file", "--id"]),
        ("hash-password", ["argon2id", "stdin"]),
    ],
)
def test_each_command_explains_its_flags_with_an_example(command: str, words: list[str]) -> None:
    shown = authgate(*command.split(), "--help")
    assert shown.returncode == 0
    assert f"authgate {command}" in re.sub(r"Usage:.*", "", shown.stdout), "an example, beside the usage line"
    for word in words:
        assert word in shown.stdout, word


def test_the_version_is_one_line() -> None:
    for flag in ("--version", "-V"):
        shown = authgate(flag)
        assert (shown.returncode, shown.stderr) == (0, "")
        assert re.fullmatch(r"authgate \d+\.\d+\.\d+\n", shown.stdout)


def test_a_secret_is_one_line_on_stdout() -> None:
    made = authgate("secret")
    assert (made.returncode, made.stderr) == (0, "")
    assert re.fullmatch(r"[\x21-\x7e]{32,}\n", made.stdout)


def test_a_token_is_one_line_on_stdout(secret_file: Path) -> None:
    made = authgate("token", "--secret-file", secret_file, "--sub", "u-1")
    assert (made.returncode, made.stderr) == (0, "")
    assert re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+\n", made.stdout)


def test_the_secret_of_a_token_may_come_from_the_environment_of_a_file_alone() -> None:
    """No flag takes a secret itself: it would stand in the process list."""
    for command in ("demo", "token"):
        flags = re.findall(r"--[\w-]*secret[\w-]*", authgate(command, "--help").stdout)
        assert flags and all(flag.endswith("-file") for flag in flags), flags


@pytest.mark.parametrize("arguments", [["--help"], ["secret"], ["--version"], ["demo", "--help"]])
def test_a_closed_pipe_is_no_reason_to_panic(arguments: list[str]) -> None:
    """As in `authgate secret | head -0`."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        ended = subprocess.run(
            [str(PROGRAM), *arguments], env=environment(), stdin=subprocess.DEVNULL, stdout=writing,
            stderr=subprocess.PIPE, text=True, timeout=20,
        )  # fmt: skip
    finally:
        os.close(writing)
    assert "panicked" not in ended.stderr
    assert ended.returncode in (0, 1, 2, -13, 141)
