"""Each example is started as its docstring says, and used: with a password, and with a token."""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest

FOLDER = Path(__file__).parents[2] / "examples"
PASSWORD = "enigma & co"
UVICORN = ["-m", "uvicorn", "--port", "0"]
EXAMPLES = {
    # How it is started, the page to see, and what stands there.
    "fastapi_app": ([*UVICORN, "fastapi_app:app"], "/", '{"hello":"Ada Lovelace"}'),
    "starlette_app": ([*UVICORN, "starlette_app:app"], "/ops/", "Hello Ada Lovelace"),
    "lilya_app": ([*UVICORN, "lilya_app:app"], "/", "Hello Ada Lovelace"),
    "asyncmq_app": ([*UVICORN, "asyncmq_app:app"], "/ops/queues", "AsyncMQ"),
    "flask_app": (["-m", "flask", "--app", "flask_app", "run", "--port", "0"], "/", "Hello Ada Lovelace"),
    "django_app": (
        ["-m", "waitress", "--listen=127.0.0.1:0", "django_app:application"],
        "/",
        "Hello Ada Lovelace",
    ),
}


class Follow(urllib.request.HTTPRedirectHandler):
    """Redirects are looked at, not followed."""

    def redirect_request(self, *_: Any) -> None:
        return None


class Client:
    def __init__(self, origin: str) -> None:
        self.origin = origin
        cookies = urllib.request.HTTPCookieProcessor(CookieJar())
        self.opener = urllib.request.build_opener(Follow, cookies, urllib.request.ProxyHandler({}))

    def ask(self, target: str, form: dict[str, str] | None = None, **fields: str) -> tuple[int, str, Any]:
        body = None if form is None else urlencode(form).encode()
        request = urllib.request.Request(self.origin + target, body, fields)
        try:
            answer = self.opener.open(request, timeout=10)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return answer.status, answer.read().decode(), answer.headers


@contextmanager
def running(command: list[str], secret: str, log: Path) -> Iterator[str]:
    """Starts a server on a free port, which it tells itself."""
    environment = os.environ | {"SECRET": secret, "PASSWORD": PASSWORD, "PYTHONUNBUFFERED": "1"}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=FOLDER,
            env=environment,
            stdout=output,
            stderr=output,
            stdin=subprocess.DEVNULL,
        )
    try:
        deadline = time.monotonic() + 30
        while (told := re.search(r"http://127\.0\.0\.1:(\d+)", log.read_text())) is None:
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()[-3000:]
            time.sleep(0.02)
        yield told[0]
    finally:
        process.terminate()
        process.wait(10)
    assert "Traceback" not in log.read_text(), log.read_text()[-3000:]


def test_every_example_is_started_here_and_is_short() -> None:
    found = {path.stem: path.read_text() for path in FOLDER.glob("*.py")}
    assert set(found) == set(EXAMPLES)
    for name, text in found.items():
        assert len(text.splitlines()) <= 40, name
        assert "Run it: SECRET=$(openssl rand -hex 32) " in text and name in text.split('"""')[1]


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_lets_in_whoever_signs_in_or_has_a_token(name: str, tmp_path: Path) -> None:
    command, page, wanted = EXAMPLES[name]
    secret = secrets.token_hex(32)
    with running(command, secret, tmp_path / "log") as origin:
        login = "/ops/login" if page.startswith("/ops") else "/login"
        person = Client(origin)
        status, _, fields = person.ask(page)
        assert (status, fields["Location"].partition("?")[0]) == (303, login)
        status, text, _ = person.ask(fields["Location"])
        assert status == 200 and f'action="{login}"' in text
        own = {"Origin": origin}
        form = {"username": "ada", "password": PASSWORD, "next": page}
        status, text, _ = person.ask(login, form | {"password": "guess"}, **own)
        assert status == 401 and "guess" not in text
        assert person.ask(login, form, Origin="http://evil.example")[0] == 403
        status, _, fields = person.ask(login, form, **own)
        assert (status, fields["Location"]) == (303, page)
        status, text, fields = person.ask(page)
        assert status == 200 and wanted in text and fields["Cache-Control"] == "no-store"
        assert person.ask(login.replace("login", "logout"), {}, **own)[0] == 303
        assert person.ask(page)[0] == 303

        script = Client(origin)
        token = jwt.encode({"sub": "ada", "name": "Ada Lovelace", "is_admin": True}, secret, "HS256")
        status, text, _ = script.ask(page, Authorization=f"Bearer {token}")
        assert status == 200 and wanted in text
        forged = jwt.encode({"sub": "ada"}, secrets.token_hex(32), "HS256")
        assert script.ask(page, Authorization=f"Bearer {forged}", Accept="application/json")[0] == 401
        if name == "fastapi_app":
            assert script.ask("/health")[:2] == (200, '{"status":"ok"}')
        if name == "asyncmq_app":
            assert script.ask("/ops/static/css/asyncmq.css")[0] == 200
