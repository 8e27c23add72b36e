"""`authgate user` edits a user file, and `authgate hash-password` makes a hash for one."""

from __future__ import annotations

import json
import os
import re
import secrets
import stat
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from support.checks import assert_a_clear_line
from support.people import Person, hash_of
from support.program import PROGRAM, authgate, environment, running

COMMANDS = ["add", "password", "disable", "enable", "remove"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "users.toml"


@pytest.fixture
def password() -> str:
    return secrets.token_urlsafe(12)


def user(command: str, file: Path, id: str = "ada", *flags: str, password: str | bytes = "") -> str:
    """A command that succeeds, and what it says. It never says the password or the hash."""
    line = password if isinstance(password, bytes) else f"{password}\n".encode()
    done = authgate("user", command, "--file", file, "--id", id, *flags, stdin=line)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert "$argon2" not in done.stdout and (not password or line.decode().strip() not in done.stdout)
    assert done.stdout.count("\n") == 1
    return done.stdout.strip()


def listed(file: Path) -> list[dict[str, Any]]:
    shown = authgate("user", "list", "--file", file, "--json")
    assert (shown.returncode, shown.stderr, shown.stdout.count("\n")) == (0, "", 1)
    return list(json.loads(shown.stdout))


def refused(command: str, file: Path | str, *flags: str, id: str = "ada", stdin: bytes = b"", names: list[str]) -> str:
    return assert_a_clear_line("user", command, "--file", file, "--id", id, *flags, names=names, stdin=stdin)


def signs_in(runtime: str, file: Path, id: str, password: str) -> bool:
    with running(runtime, "--users-file", file) as demo:
        return Person(demo, id, password).try_to_sign_in().status == 303


def test_a_user_who_is_added_can_sign_in(runtime: str, file: Path, password: str) -> None:
    assert user("add", file, "ada", password=password) == "ada can sign in"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "$argon2id$" in file.read_text() and password not in file.read_text()
    assert signs_in(runtime, file, "ada", password)
    assert not signs_in(runtime, file, "ada", password[:-1])


def test_everybody_is_listed_with_all_but_the_hash(file: Path, password: str) -> None:
    user("add", file, "ada", "--name", "Ada Lovelace", "--admin", "--role", "ops", "--role", "dev", password=password)
    user("add", file, "bob", password=password)
    user("disable", file, "bob")
    hash, old = hash_of(password), "m=19455"
    with file.open("a") as end:
        end.write(f'\n[[user]]\nid = "eve"\npassword = "{hash.replace("m=19456", old)}"\n')
    ada = {"id": "ada", "name": "Ada Lovelace", "is_admin": True, "roles": ["ops", "dev"]}
    bob = {"id": "bob", "name": "bob", "is_admin": False, "roles": []}
    eve = {"id": "eve", "name": "eve", "is_admin": False, "roles": []}
    assert listed(file) == [
        ada | {"disabled": False, "outdated": False},
        bob | {"disabled": True, "outdated": False},
        eve | {"disabled": False, "outdated": True},
    ]
    table = authgate("user", "list", "--file", file).stdout.splitlines()
    assert [re.split(r" {2,}", line) for line in table] == [
        ["ID", "NAME", "ROLES", "REMARKS"],
        ["ada", "Ada Lovelace", "ops, dev", "admin"],
        ["bob", "bob", "disabled"],
        ["eve", "eve", "outdated"],
    ]


def test_a_user_is_replaced_only_if_that_is_said(file: Path, password: str) -> None:
    user("add", file, "ada", "--admin", password=password)
    before = file.read_text()
    refused("add", file, stdin=b"another\n", names=["ada", "already", "--replace", file.name])
    assert file.read_text() == before
    user("add", file, "ada", "--role", "ops", "--replace", password=password)
    (ada,) = listed(file)
    assert (ada["is_admin"], ada["roles"]) == (False, ["ops"])


def test_a_new_password_takes_the_old_one_s_place(runtime: str, file: Path, password: str) -> None:
    user("add", file, "ada", "--admin", password=password)
    new = secrets.token_urlsafe(12)
    assert user("password", file, password=new) == "ada has a new password"
    assert listed(file)[0]["is_admin"], "all else stays"
    assert signs_in(runtime, file, "ada", new) and not signs_in(runtime, file, "ada", password)


def test_a_user_is_disabled_and_enabled_again(runtime: str, file: Path, password: str) -> None:
    user("add", file, "ada", password=password)
    assert user("disable", file) == "ada cannot sign in any more"
    assert not signs_in(runtime, file, "ada", password)
    assert user("enable", file) == "ada can sign in"
    assert signs_in(runtime, file, "ada", password)


def test_the_last_one_who_is_removed_leaves_a_file_of_nobody(runtime: str, file: Path, password: str) -> None:
    user("add", file, "ada", password=password)
    assert user("remove", file) == "ada is removed"
    assert listed(file) == []
    assert authgate("user", "list", "--file", file).stdout == "Nobody is in the file.\n"
    assert not signs_in(runtime, file, "ada", password)


def test_comments_and_the_file_s_mode_are_kept(file: Path, password: str) -> None:
    user("add", file, "ada", password=password)
    file.write_text(f"# on call: ada\n\n{file.read_text().replace('[[user]]', '[[user]] # first')}# the end\n")
    file.chmod(0o640)
    user("add", file, "bob", password=password)
    user("password", file, "ada", password=secrets.token_urlsafe(12))
    user("disable", file, "ada")
    user("remove", file, "bob")
    text = file.read_text()
    assert text.startswith("# on call: ada\n\n[[user]] # first\n") and "bob" not in text
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n", b"\nsomething else\n"])
def test_the_end_of_the_line_is_no_part_of_the_password(runtime: str, file: Path, password: str, end: bytes) -> None:
    user("add", file, "ada", password=password.encode() + end)
    assert signs_in(runtime, file, "ada", password)


@pytest.mark.parametrize("odd", ["Grüße 🚀", "  blanks  ", "a&b=c+d%20", "a\ttab", '"quoted"', "x" * 1024, "$argon2id$"])
def test_any_text_can_be_a_password(runtime: str, file: Path, odd: str) -> None:
    user("add", file, "ada", password=odd.encode())
    assert signs_in(runtime, file, "ada", odd)


@pytest.mark.parametrize("command", [["user", "add", "--file", "{file}", "--id", "ada"], ["hash-password"]])
@pytest.mark.parametrize(
    ("typed", "names"),
    [
        (b"", ["stdin is empty"]),
        (b"\n", ["password is empty", "1 to 1024"]),
        (b"\r\n", ["password is empty"]),
        (b"\nsecond line\n", ["password is empty"]),
        (b"x" * 1025 + b"\n", ["too long", "1 to 1024"]),
        (b"x" * 1025, ["too long"]),
        ("ü".encode() * 600, ["too long"]),
        (b"x" * 5_000_000, ["too long"]),
        (b"caf\xe9\n", ["UTF-8"]),
    ],
    ids=["no line", "empty", "empty, too", "empty first", "1025", "no end", "letters of two bytes", "5 MB", "Latin-1"],
)
def test_a_password_that_is_none_is_refused(file: Path, command: list[str], typed: bytes, names: list[str]) -> None:
    said = assert_a_clear_line(*(word.format(file=file) for word in command), stdin=typed, names=names)
    assert "xxx" not in said and not file.exists()


def test_a_pipe_that_stays_open_does_not_hold_it(file: Path, password: str) -> None:
    command = [str(PROGRAM), "user", "add", "--file", str(file), "--id", "ada"]
    with subprocess.Popen(command, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as adding:
        assert adding.stdin is not None
        adding.stdin.write(f"{password}\n".encode())
        adding.stdin.flush()
        assert adding.wait(10) == 0


def test_without_any_stdin_it_says_so_at_once(file: Path) -> None:
    command = [str(PROGRAM), "user", "add", "--file", str(file), "--id", "ada"]
    start = time.monotonic()
    ended = subprocess.run(
        ["sh", "-c", 'exec "$@" <&-', "sh", *command], env=environment(), capture_output=True, timeout=10
    )
    assert ended.returncode == 2 and b"stdin" in ended.stderr and time.monotonic() - start < 5


@pytest.mark.parametrize("command", ["password", "disable", "enable", "remove"])
def test_somebody_who_is_not_there(file: Path, password: str, command: str) -> None:
    refused(command, file, stdin=b"x\n", names=[file.name, "does not exist"])
    user("add", file, "ada", password=password)
    before = file.read_text()
    refused(command, file, id="bob", stdin=b"x\n", names=["bob", "not in the file", file.name])
    assert file.read_text() == before


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    "content", ["[[user]", "[[user]]\nid = 'ada'\n", "user = 1", '[[user]]\npassword = "hunter2"\n']
)
def test_a_broken_file_is_not_touched(file: Path, command: str, content: str) -> None:
    file.write_text(content)
    assert "hunter2" not in refused(command, file, stdin=b"enigma\n", names=[file.name])
    assert file.read_text() == content
    assert_a_clear_line("user", "list", "--file", file, names=[file.name])


@pytest.mark.parametrize("id", ["", " ada", "a\nb", "a\x1b[2J", "a\u202eb", "x" * 257, "$argon2id$v=19"])
def test_an_id_that_is_none(file: Path, id: str) -> None:
    refused("add", file, id=id, stdin=b"enigma\n", names=[file.name])
    assert not file.exists()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_place_that_cannot_hold_a_file(tmp_path: Path, command: str) -> None:
    for place in (tmp_path, tmp_path / "missing" / "users.toml", Path("/proc/users.toml")):
        refused(command, place, stdin=b"enigma\n", names=[str(place)])


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["user", "nonsense"], ["nonsense"]),
        (["user", "add", "--id", "ada"], ["--file"]),
        (["user", "add", "--file", "x"], ["--id"]),
        (["user", "list"], ["--file"]),
        (["user", "remove", "--file", "x", "--id", "ada", "--admin"], ["--admin"]),
    ],
)
def test_wrong_words(arguments: list[str], names: list[str]) -> None:
    assert_a_clear_line(*arguments, names=names)


@pytest.mark.parametrize("arguments", [["user", "add", "--file", "x", "--id", "ada"], ["hash-password"]])
def test_a_password_as_an_argument_is_refused_and_not_repeated(arguments: list[str]) -> None:
    assert "hunter2" not in assert_a_clear_line(*arguments, "--password=hunter2", names=["--password"])


def test_a_hash_is_one_line_and_can_be_written_into_a_file(runtime: str, file: Path, password: str) -> None:
    first, second = hash_of(password), hash_of(password)
    assert re.fullmatch(r"\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}", first)
    assert first != second, "each has a salt of its own"
    file.write_text(f'[[user]]\nid = "ada"\npassword = "{first}"\n')
    assert signs_in(runtime, file, "ada", password)


def test_two_at_one_time_lose_nobody(file: Path, password: str) -> None:
    ids = [f"user-{number}" for number in range(12)]
    command = [str(PROGRAM), "user", "add", "--file", str(file), "--id"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.DEVNULL}
    adding = [subprocess.Popen([*command, id], env=environment(), **pipes) for id in ids]
    for one in adding:
        one.communicate(password.encode(), timeout=30)
        assert one.returncode == 0
    assert {one["id"] for one in listed(file)} == set(ids)
    assert [name for name in os.listdir(file.parent) if name.endswith(".new")] == []
