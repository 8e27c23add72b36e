"""What several stories look for in an answer."""

from __future__ import annotations

import posixpath
import re
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from support.program import authgate
from support.wire import Reply

# What may be answered to somebody who has shown no proof: never 2xx, never 101, never a crash.
CLOSED = {303, 400, 401, 403, 404, 405, 413, 414, 421, 426, 431, 501, 505}


def encoded(local: str) -> str:
    """Percent-encodes everything but the unreserved characters: how `next` is written."""
    plain = re.compile(rb"[A-Za-z0-9._~-]")
    return "".join(chr(b) if plain.match(bytes([b])) else f"%{b:02X}" for b in local.encode())


def login_for(local: str, mount: str = "/ops") -> str:
    return f"{mount}/login?next={encoded(local)}"


def next_of(location: str) -> str | None:
    """What `next` of a login address decodes to; a second parameter of any name is a fault (t02)."""
    query = urlsplit(location).query
    parameters = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    assert [name for name, _ in parameters] in ([], ["next"]), f"unexpected parameters: {parameters}"
    return parameters[0][1] if parameters else None


def assert_local(location: str, mount: str = "/ops") -> None:
    """A redirect's target: one plain path at or under the mount, however often it is decoded (t01, t03, t04)."""
    assert re.fullmatch(r"/[\x21-\x5b\x5d-\x7e]*", location), f"not a plain local path: {location!r}"
    path, before = location.partition("?")[0].partition("#")[0], ""
    while path != before:
        slashes = path.replace("\\", "/")
        assert not slashes.startswith("//"), f"another authority: {location!r}"
        normal = posixpath.normpath(slashes)
        assert normal == mount or normal.startswith(f"{mount}/"), f"outside {mount}: {location!r}"
        path, before = unquote(path), path


def assert_no_way_in(reply: Reply) -> None:
    """Nothing behind the gate was reached, and nobody is sent anywhere but to the login page."""
    assert reply.status in CLOSED, f"status {reply.status}: {reply.body[:200]!r}"
    for name in ("Location", "HX-Redirect"):
        if (target := reply.header(name)) is not None:
            assert_local(target)
            assert target.partition("?")[0] in ("/ops/login", "/ops", "/ops/"), f"{name}: {target!r}"
            if (wanted := next_of(target)) is not None:
                assert_local(wanted)
    assert reply.all("Set-Cookie") == []


def assert_sent_to_login(reply: Reply, local: str) -> None:
    """The answer to an anonymous page: 303, and `next` says where the person was going."""
    assert (reply.status, reply.header("Location")) == (303, login_for(local))
    assert reply.header("HX-Redirect") is None


def assert_a_clear_line(
    *arguments: str | Path, names: list[str], env: dict[str, str] | None = None, stdin: bytes = b""
) -> str:
    """Runs the program, expects a mistake told on one line with exit code 2, and returns what it said."""
    ended = authgate(*arguments, env=env, stdin=stdin)
    said = ended.stderr
    assert ended.returncode == 2, f"exit code {ended.returncode}: {said or ended.stdout}"
    assert ended.stdout == ""
    lines = said.splitlines()
    assert len(lines) == 1, f"{len(lines)} lines: {said}"
    assert said.endswith("\n") and len(lines[0]) < 400
    for ugly in ("panicked", "backtrace", "RUST_", ".rs:", "Os {", "Some(", "Error {", "\x1b"):
        assert ugly not in said, said
    for name in names:
        assert name.lower() in said.lower(), f"{name!r} is not named: {said}"
    return said


def until(holds: Callable[[], object], what: str, seconds: float = 10.0) -> None:
    """Asks again and again until something holds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.05)
