"""Sessions in cookies: whoever has the secret opens them, secrets rotate, and mistakes are told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.checks import assert_a_clear_line
from support.people import Crowd, Person, cookie_of
from support.program import Demo, authgate, running

DEMO = ["demo", "--listen", "127.0.0.1:0"]


def secret_in(path: Path) -> Path:
    path.write_text(authgate("secret").stdout)
    return path


@pytest.fixture
def new(tmp_path: Path) -> Path:
    return secret_in(tmp_path / "new.txt")


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return secret_in(tmp_path / "old.txt")


@contextmanager
def sealing(runtime: str, crowd: Crowd, *files: Path) -> Iterator[Demo]:
    flags = [word for file in files for word in ("--session-secret-file", str(file))]
    with running(runtime, "--users-file", crowd.path, "--session-store", "cookie", *flags) as demo:
        for file in files:
            demo.hide(file.read_text().strip())
        yield demo


def visitor(demo: Demo, crowd: Crowd, cookie: str | None = None) -> Person:
    return Person(demo, "user-0", crowd.password, cookie=cookie)


def session_of(demo: Demo, crowd: Crowd) -> str:
    person = visitor(demo, crowd)
    person.sign_in()
    assert person.cookie is not None
    return person.cookie


def assert_anonymous(demo: Demo, crowd: Crowd, cookie: str) -> None:
    """Nobody is known by this cookie, and it is removed."""
    if len(value := cookie.partition("=")[2]) > 20:
        demo.hide(value)
    person = visitor(demo, crowd, cookie)
    assert not person.is_in()
    removed, attributes = cookie_of(person.get("/ops/queues"))
    assert removed == "authgate=" and "max-age=0" in attributes


def test_a_session_is_good_wherever_the_secret_is(runtime: str, crowd: Crowd, new: Path) -> None:
    with sealing(runtime, crowd, new) as one, sealing(runtime, crowd, new) as other:
        cookie = session_of(one, crowd)
        assert visitor(other, crowd, cookie).is_in()
        assert visitor(one, crowd, session_of(other, crowd)).is_in()
    with sealing(runtime, crowd, new) as later:
        assert visitor(later, crowd, cookie).is_in(), "a restart ends no session"


def test_a_secret_is_rotated_without_signing_anybody_out(runtime: str, crowd: Crowd, old: Path, new: Path) -> None:
    with sealing(runtime, crowd, old) as before:
        cookie = session_of(before, crowd)
    with sealing(runtime, crowd, new, old) as between:
        assert visitor(between, crowd, cookie).is_in()
        fresh = session_of(between, crowd)
    with sealing(runtime, crowd, new) as after:
        assert visitor(after, crowd, fresh).is_in(), "the first one seals"
        assert_anonymous(after, crowd, cookie)


def test_a_cookie_that_was_changed_is_worth_nothing(runtime: str, crowd: Crowd, new: Path) -> None:
    with sealing(runtime, crowd, new) as demo:
        name, _, value = session_of(demo, crowd).partition("=")
        other = {"A": "B"}.get(value[40], "A")
        for changed in (value[:40] + other + value[41:], value[:-4], value + "AAAA", value[1:], "", "x", f"{value}=="):
            assert_anonymous(demo, crowd, f"{name}={changed}")
        person = visitor(demo, crowd, f"{name}={value}; {name}={value}")
        assert not person.is_in(), "two of one name are nobody's"


def test_t26_without_a_secret_it_warns_and_works(runtime: str, crowd: Crowd) -> None:
    with sealing(runtime, crowd) as one, sealing(runtime, crowd) as other:
        cookie = session_of(one, crowd)
        assert visitor(one, crowd, cookie).is_in()
        assert_anonymous(other, crowd, cookie)
        warned = [line for line in one.log().splitlines() if " WARN " in line]
        assert len(warned) == 1 and "--session-secret-file" in warned[0]


def test_t26_sessions_in_memory_need_no_warning(runtime: str, crowd: Crowd) -> None:
    with running(runtime, "--users-file", crowd.path) as demo:
        person = visitor(demo, crowd)
        person.sign_in()
        assert person.is_in() and " WARN " not in demo.log()


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ("", ["empty", "authgate secret"]),
        ("\n", ["empty", "authgate secret"]),
        ("hunter2", ["32", "authgate secret"]),
        ("k" * 64, ["over and over", "authgate secret"]),
    ],
)
@pytest.mark.parametrize("place", ["first", "second"])
def test_a_secret_that_protects_nothing_is_refused(
    tmp_path: Path, new: Path, content: str, names: list[str], place: str
) -> None:
    bad = tmp_path / "bad.txt"
    bad.write_text(content)
    files = [bad, new] if place == "first" else [new, bad]
    flags = [word for file in files for word in ("--session-secret-file", file)]
    assert "hunter2" not in assert_a_clear_line(*DEMO, "--session-store", "cookie", *flags, names=["bad.txt", *names])


def test_t26_with_a_secret_it_says_that_sign_outs_are_not_kept(runtime: str, crowd: Crowd, new: Path) -> None:
    with sealing(runtime, crowd, new) as demo:
        warned = [line for line in demo.log().splitlines() if " WARN " in line]
        assert len(warned) == 1 and "sign-outs are forgotten" in warned[0]


def test_a_secret_file_that_is_missing_is_refused(tmp_path: Path) -> None:
    flags = ["--session-store", "cookie", "--session-secret-file", tmp_path / "missing.txt"]
    assert_a_clear_line(*DEMO, *flags, names=["missing.txt"])


@pytest.mark.parametrize("store", [[], ["--session-store", "memory"]])
def test_a_secret_that_would_seal_nothing_is_refused(new: Path, store: list[str]) -> None:
    names = ["--session-secret-file", "--session-store cookie"]
    assert_a_clear_line(*DEMO, *store, "--session-secret-file", new, names=names)


@pytest.mark.parametrize(
    ("flags", "names"),
    [
        (["--session-store", "redis"], ["redis", "memory", "cookie"]),
        (["--session-idle", "soon"], ["--session-idle", "soon"]),
        (["--session-idle", "0s"], ["--session-idle"]),
        (["--session-idle", "13h"], ["--session-idle"]),
        (["--session-idle", "1h", "--session-lifetime", "30m"], ["--session-idle"]),
        (["--session-lifetime", "2years"], ["--session-lifetime"]),
        (["--session-secret", "hunter2"], ["--session-secret"]),
    ],
)
def test_settings_of_sessions_that_make_no_sense_are_refused(flags: list[str], names: list[str]) -> None:
    assert_a_clear_line(*DEMO, *flags, names=names)


@pytest.mark.parametrize("content", ["", "[[user]", "[[user]]\nid = 'ada'\npassword = 'hunter2'\n", None])
def test_a_user_file_that_is_none_is_refused(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "users.toml"
    if content is not None:
        file.write_text(content)
    assert "hunter2" not in assert_a_clear_line(*DEMO, "--users-file", file, names=["users.toml"])
