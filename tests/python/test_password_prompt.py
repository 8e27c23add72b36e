"""At a terminal a password is asked for twice and never shown, and the terminal is left as it was."""

from __future__ import annotations

import errno
import os
import pty
import secrets
import select
import signal
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.people import Person
from support.program import PROGRAM, environment, running


class Terminal:
    """The program at a terminal of its own, and somebody who types."""

    def __init__(self, *arguments: str | Path) -> None:
        self.shown = b""
        self.process, self.keys = pty.fork()
        if self.process == 0:
            try:
                os.execve(PROGRAM, [str(PROGRAM), *map(str, arguments)], environment())
            finally:
                os._exit(127)
        self.echoed_at_first = self.echoes()

    def echoes(self) -> bool:
        return bool(termios.tcgetattr(self.keys)[3] & termios.ECHO)

    def wait_for(self, text: str) -> None:
        deadline = time.monotonic() + 10
        while text.encode() not in self.shown:
            assert time.monotonic() < deadline and self.read(1.0), f"{text!r} is not shown: {self.shown!r}"

    def read(self, seconds: float) -> bool:
        """Reads once; false at the end."""
        if not select.select([self.keys], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self.keys, 4096)
        except OSError as error:  # how Linux tells that nobody holds the terminal any more
            assert error.errno == errno.EIO
            return False
        self.shown += data
        return bool(data)

    def type(self, prompt: str, text: str) -> None:
        """Types once the prompt is there and the terminal hides what is typed."""
        self.wait_for(prompt)
        deadline = time.monotonic() + 10
        while self.echoes():
            assert time.monotonic() < deadline, "the terminal shows what is typed"
            time.sleep(0.005)
        self.shown = self.shown[self.shown.index(prompt.encode()) + len(prompt) :]
        os.write(self.keys, text.encode())

    def end(self) -> int:
        """Waits for the end, and returns the exit code, or a signal as a negative number."""
        deadline = time.monotonic() + 10
        while True:
            ended, status = os.waitpid(self.process, os.WNOHANG)
            if ended:
                self.process = 0
                while select.select([self.keys], [], [], 0)[0] and self.read(0):
                    pass
                return os.waitstatus_to_exitcode(status)
            assert time.monotonic() < deadline, f"still running: {self.shown!r}"
            self.read(0.05)


@contextmanager
def at_a_terminal(*arguments: str | Path) -> Iterator[Terminal]:
    terminal = Terminal(*arguments)
    try:
        yield terminal
    finally:
        if terminal.process:
            os.kill(terminal.process, signal.SIGKILL)
            os.waitpid(terminal.process, 0)
        os.close(terminal.keys)


@pytest.fixture
def password() -> str:
    return secrets.token_urlsafe(12)


def test_it_is_asked_for_twice_and_never_shown(runtime: str, tmp_path: Path, password: str) -> None:
    file = tmp_path / "users.toml"
    with at_a_terminal("user", "add", "--file", file, "--id", "ada") as terminal:
        terminal.type("Password for ada: ", f"{password}\r")
        terminal.type("The same again: ", f"{password}\r")
        terminal.wait_for("ada can sign in")
        assert terminal.end() == 0
        assert password.encode() not in terminal.shown
    with running(runtime, "--users-file", file) as demo:
        assert Person(demo, "ada", password).try_to_sign_in().status == 303


def test_two_different_ones_are_refused(tmp_path: Path, password: str) -> None:
    file = tmp_path / "users.toml"
    with at_a_terminal("user", "add", "--file", file, "--id", "ada") as terminal:
        terminal.type("Password for ada: ", f"{password}\r")
        terminal.type("The same again: ", f"{password[::-1]}\r")
        terminal.wait_for("authgate: the two passwords differ; try again")
        assert terminal.end() == 2
        assert password.encode() not in terminal.shown
    assert not file.exists()


@pytest.mark.parametrize(("typed", "told"), [("", "the password is empty"), ("x" * 1025, "the password is too long")])
def test_one_that_cannot_be_taken_is_refused_before_it_is_asked_for_again(typed: str, told: str) -> None:
    with at_a_terminal("hash-password") as terminal:
        terminal.type("Password: ", f"{typed}\r")
        terminal.wait_for(told)
        assert terminal.end() == 2


def test_the_terminal_is_as_it_was_when_ctrl_c_ends_it(password: str) -> None:
    with at_a_terminal("hash-password") as terminal:
        assert terminal.echoed_at_first
        terminal.type("Password: ", f"{password}\x03")
        assert terminal.end() == -signal.SIGINT
        assert terminal.echoes()
        assert password.encode() not in terminal.shown


def test_nobody_types_in_vain(tmp_path: Path, password: str) -> None:
    """Who is in the file already, or is not, is said before a password is asked for."""
    file = tmp_path / "users.toml"
    with at_a_terminal("user", "add", "--file", file, "--id", "ada") as terminal:
        terminal.type("Password for ada: ", f"{password}\r")
        terminal.type("The same again: ", f"{password}\r")
        assert terminal.end() == 0
    for command, id, told in (("add", "ada", "already"), ("password", "bob", "not in the file")):
        with at_a_terminal("user", command, "--file", file, "--id", id) as terminal:
            assert terminal.end() == 2
            assert told.encode() in terminal.shown and b"assword for" not in terminal.shown
