"""A demo that is running follows its user file: whoever loses it loses the session, and nobody else does."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from support.checks import until
from support.people import Crowd, Person
from support.program import Demo, authgate, running


@pytest.fixture
def file(tmp_path: Path, crowd: Crowd) -> Path:
    """A file of two from the crowd."""
    path = tmp_path / "users.toml"
    entries = crowd.path.read_text().split("[[user]]")
    path.write_text("[[user]]".join(entries[:3]))
    return path


@pytest.fixture
def door(runtime: str, store: str, file: Path) -> Iterator[Demo]:
    with running(runtime, "--users-file", file, "--session-store", store) as demo:
        yield demo


@pytest.fixture
def people(door: Demo, crowd: Crowd) -> tuple[Person, Person]:
    one = Person(door, "user-0", crowd.password, "127.0.2.1")
    other = Person(door, "user-1", crowd.password, "127.0.2.2")
    one.sign_in()
    other.sign_in()
    return one, other


def change(file: Path, command: str, password: str = "") -> None:
    done = authgate("user", command, "--file", file, "--id", "user-0", stdin=password.encode())
    assert done.returncode == 0, done.stderr


def assert_only_the_first_is_out(people: tuple[Person, Person]) -> None:
    one, other = people
    until(lambda: not one.is_in(), "the session ends", 5)
    assert other.is_in()


def test_a_new_password_ends_that_user_s_sessions(people: tuple[Person, Person], file: Path) -> None:
    one, _ = people
    new = secrets.token_urlsafe(12)
    change(file, "password", new)
    assert_only_the_first_is_out(people)
    assert one.try_to_sign_in().status == 401
    one.password = new
    one.sign_in()
    assert one.is_in()


def test_a_user_who_is_disabled_is_out_until_they_are_enabled(people: tuple[Person, Person], file: Path) -> None:
    one, _ = people
    change(file, "disable")
    assert_only_the_first_is_out(people)
    assert one.try_to_sign_in().status == 401
    change(file, "enable")
    assert not one.is_in(), "the old session stays ended"
    one.sign_in()
    assert one.is_in()


def test_a_user_who_is_removed_is_out(people: tuple[Person, Person], file: Path) -> None:
    change(file, "remove")
    assert_only_the_first_is_out(people)
    assert people[0].try_to_sign_in().status == 401


def test_t13_an_open_websocket_ends_when_its_user_is_disabled(people: tuple[Person, Person], file: Path) -> None:
    one, _ = people
    host, port = one.demo.address
    url, headers = f"ws://{host}:{port}/ops/ws", [*one.cookies(), ("Origin", one.demo.origin)]
    with connect(url, additional_headers=headers, proxy=None) as socket:
        socket.send("in time")
        assert socket.recv(timeout=5) == "in time"
        change(file, "disable")
        with pytest.raises(ConnectionClosed):
            socket.recv(timeout=5)


def test_a_broken_file_keeps_the_last_good_one_and_is_told_once(people: tuple[Person, Person], file: Path) -> None:
    one, other = people
    demo, good = one.demo, file.read_text()
    file.write_text(good.replace("[[user]]", "[[user", 1))

    def errors() -> list[str]:
        return [line for line in demo.log().splitlines() if " ERROR " in line]

    until(errors, "the log says that the file is broken")
    one.sign_in()  # which looks at the file again
    assert one.is_in() and other.is_in()

    # Broken in another way, which is told as well: by then the first fault has been seen several times.
    file.write_text("")
    until(lambda: len(errors()) > 1, "the log says that the file is broken in another way")
    one.sign_in()
    assert [str(file) in line and "last good file" in line for line in errors()] == [True, True]

    file.write_text(good)
    until(lambda: "the user file is good again" in demo.log(), "the log says that the file is good again")
    assert one.is_in() and other.is_in()
    change(file, "disable")
    assert_only_the_first_is_out(people)


def test_a_file_that_goes_away_keeps_everybody(people: tuple[Person, Person], file: Path) -> None:
    one, other = people
    file.rename(file.with_suffix(".away"))
    until(lambda: "does not exist" in one.demo.log(), "the log says that the file is gone")
    one.sign_in()
    assert one.is_in() and other.is_in()
