"""Which path is judged: the one that the application will see, as it was sent, whatever a server tells."""

from __future__ import annotations

import asyncio
import posixpath
import random
from typing import Any
from urllib.parse import quote, unquote, unquote_to_bytes

import pytest
from authgate import AuthGateMiddleware, Event, JWTAuthBackend
from authgate.wsgi import AuthGate

from world import (
    HOST,
    SECRET,
    Answer,
    Clock,
    asgi_dashboard,
    ask_asgi,
    ask_wsgi,
    environ_of,
    scope_of,
    wsgi_dashboard,
)

TOLD: list[Event] = []
OPEN: dict[str, Any] = {"allowlist": ["/static"], "public_paths": ["/healthz"]}


def by_asgi(path: str, raw: bytes | None, root: str = "", **more: Any) -> Answer:
    gate = AuthGateMiddleware(asgi_dashboard, **settings(), **OPEN, **more)
    scope = scope_of("GET", "/", [HOST], path=path, raw_path=raw, root_path=root)
    if raw is None:
        del scope["raw_path"]
    return asyncio.run(ask_asgi(gate, scope))


def by_wsgi(path: str, raw: str | None, root: str = "", **more: Any) -> Answer:
    gate = AuthGate(wsgi_dashboard, **settings(), **OPEN, **more)
    environ = environ_of(
        "GET", "/", [HOST], PATH_INFO=latin1(path), SCRIPT_NAME=latin1(root), REQUEST_URI=raw
    )
    if raw is None:
        del environ["REQUEST_URI"]
    return ask_wsgi(gate, environ)


def settings() -> dict[str, Any]:
    return {"backend": JWTAuthBackend(secret=SECRET), "clock": Clock(), "on_event": TOLD.append}


def latin1(text: str) -> str:
    return text.encode().decode("latin-1")


def location(answer: Answer) -> str | None:
    assert answer.status == 303, answer
    return answer["location"]


def test_t09_a_layer_that_rewrites_the_path_alone_does_not_open_what_it_leads_to() -> None:
    answer = by_asgi("/queues", b"/static/app.css")
    assert location(answer) == "/login?next=%2Fqueues"
    answer = by_wsgi("/queues", "/static/app.css")
    assert location(answer) == "/login?next=%2Fqueues"


def test_t09_a_layer_that_rewrites_towards_a_public_path_is_believed() -> None:
    assert by_asgi("/static/app.css", b"/queues").status == 200
    assert by_wsgi("/static/app.css", "/queues").status == 200


@pytest.mark.parametrize(
    "raw", [b"/static/%2e%2e/queues", b"/static/..%2fqueues", b"/static/%2e%2e%2fqueues"]
)
def test_t09_escapes_that_a_server_has_decoded_are_still_seen(raw: bytes) -> None:
    assert by_asgi(unquote(raw.decode()), raw).status == 303
    assert by_asgi(unquote(raw.decode()), None).status == 303
    assert by_wsgi(unquote(raw.decode()), raw.decode()).status == 303
    assert by_wsgi(unquote(raw.decode()), None).status == 303


def test_t02_an_escaped_slash_comes_back_as_it_was_sent() -> None:
    assert location(by_asgi("/queues//x", b"/queues/%2Fx")) == "/login?next=%2Fqueues%2F%252Fx"
    assert location(by_wsgi("/queues//x", "/queues/%2Fx?page=2")) == "/login?next=%2Fqueues%2F%252Fx"


def test_t02_bytes_that_are_no_text_lead_nowhere() -> None:
    assert location(by_wsgi("/queues/x", "/queues/x")) == "/login?next=%2Fqueues%2Fx"
    environ = environ_of("GET", "/queues/%ff", [HOST])
    assert environ["PATH_INFO"] == "/queues/\xff"
    gate = AuthGate(wsgi_dashboard, **settings())
    assert location(ask_wsgi(gate, environ)) == "/login"
    assert TOLD[-1].path == "/queues/%ff"
    # ASGI's path is text: what was no text is a replacement character there, which the application sees, too.
    assert location(by_asgi("/queues/\ufffd", b"/queues/%ff")) == "/login?next=%2Fqueues%2F%25EF%25BF%25BD"


@pytest.mark.parametrize(
    "path", ["", "/", "queues", "*", "http://evil.example/static/x", "//static/x", "?", "#"]
)
def test_t09_odd_paths_are_private(path: str) -> None:
    for raw in (None, path.encode()):
        assert by_asgi(path, raw).status in (303, 400, 404), path
        assert by_wsgi(path, None if raw is None else raw.decode()).status in (303, 400, 404), path


@pytest.mark.parametrize("root", ["/ops", "/caf\u00e9", "/a b", "/100%", "/ops/"])
@pytest.mark.parametrize("cut", [False, True])
@pytest.mark.parametrize("told", [False, True])
def test_t10_a_root_is_cut_off_once_whoever_has_cut_it_off_already(root: str, cut: bool, told: bool) -> None:
    base = root.rstrip("/")
    sent = quote(base) + "/static/a%20b.css"
    path = "/static/a b.css" if cut else f"{base}/static/a b.css"
    assert by_asgi(path, sent.encode() if told else None, root).status == 200
    assert by_wsgi("/static/a b.css", sent if told else None, base).status == 200
    path = "/queues" if cut else f"{base}/queues"
    answer = by_asgi(path, (quote(base) + "/queues").encode() if told else None, root)
    wanted = f"{quote(base)}/login?next={quote(quote(base) + '/queues', safe='')}"
    assert location(answer) == wanted
    assert location(by_wsgi("/queues", quote(base) + "/queues" if told else None, base)) == wanted


def test_t10_a_root_that_was_sent_in_other_escapes_is_the_same_root() -> None:
    # A router has matched the decoded path; `%61` is an `a`.
    wanted = "/a%20b/login?next=%2Fa%2520b%2Fqueues"
    assert location(by_asgi("/a b/queues", b"/%61%20b/queues", "/a b")) == wanted
    assert location(by_asgi("/ops/queues", b"/%6fps/queues", "/ops")) == "/ops/login?next=%2Fops%2Fqueues"
    assert by_asgi("/a b/login", b"/%61%20b/login", "/a b").status == 200


def test_t10_a_public_name_that_is_also_the_roots_opens_nothing() -> None:
    # Under `/static`, the page `/static/queues` is `/queues`.
    assert by_asgi("/static/queues", b"/%73tatic/queues", "/static").status == 303
    assert by_asgi("/static/queues", b"/static/queues", "/static").status == 303
    assert by_asgi("/static/queues", None, "/static").status == 303
    assert by_asgi("/stat\u00efc/queues", b"/stat%c3%afc/queues", "/stat\u00efc", mount="").status == 303


def test_t10_a_root_ends_at_a_segment_boundary() -> None:
    assert location(by_asgi("/opsqueues", b"/opsqueues", "/ops")) == "/ops/login?next=%2Fops%2Fopsqueues"
    assert by_asgi("/ops/../static/x", b"/ops/../static/x", "/ops").status == 303


@pytest.mark.parametrize(
    "root", ["//evil.example", "/\\evil.example", "/%2Fevil.example", "evil.example", "/a\r\nb"]
)
def test_t04_a_root_that_is_an_authority_is_never_echoed(root: str) -> None:
    for answer in (by_asgi(root + "/queues", None, root), by_wsgi("/queues", None, root)):
        assert answer.status in (303, 400, 404), answer
        target = answer["location"] or "/"
        assert target.startswith("/") and not target.startswith(("//", "/\\")), target
        assert "\r" not in target and "\n" not in target


@pytest.mark.parametrize(
    "field", ["query_string", "host", "user-agent", "referer", "x-original-url", "x-rewrite-url"]
)
def test_t11_nothing_beside_the_path_makes_it_public(field: str) -> None:
    gate = AuthGateMiddleware(asgi_dashboard, **settings(), **OPEN)
    scope = scope_of("GET", "/queues", [HOST])
    if field == "query_string":
        scope["query_string"] = b"/static/app.css"
    else:
        scope["headers"].append((field.encode(), b"/static/app.css"))
    assert asyncio.run(ask_asgi(gate, scope)).status in (303, 400)


PIECES = [
    "static", "queues", "healthz", "login", "logout", "ops", "a b", "..", ".", "", ";", "..;x",
    "%2e%2e",
    "%252e", "%2f", "%5c", "%00", "%3f", "%23", "%", "%zz", "\\", "\u00e9", "%c3%a9", "%ff", "?", "#", "%73tatic",
    "static%2f", "%2e",
]  # fmt: skip
ROOTS = ["", "/ops", "/a b", "/static", "/\u00e9", "/ops/static"]


def local(path: str, root: str) -> str:
    """The path that frameworks route by: below the root, at a segment boundary."""
    rest = path[len(root) :] if path.startswith(root) else path
    return rest if rest == "" or rest.startswith("/") else path


def is_open(path: str) -> bool:
    """Whether the path stays public however somebody reads it: escapes, parameters, backslashes and dots."""
    for _ in range(4):
        parts = path.replace("\\", "/").split("/")
        plain = posixpath.normpath("/".join(part.split(";")[0] for part in parts))
        if not (plain.startswith("/static/") or plain in ("/static", "/healthz")):
            return False
        path = unquote(path)
    return True


@pytest.mark.parametrize("seed", range(4))
def test_t09_whatever_a_server_tells_a_private_path_is_never_public(seed: int) -> None:
    dice = random.Random(seed)
    gate = AuthGateMiddleware(asgi_dashboard, **settings(), **OPEN)
    wsgi = AuthGate(wsgi_dashboard, **settings(), **OPEN)
    # What is being asked for is quoted in no answer; the messages are enough.
    passed = 0

    async def ask_all() -> None:
        nonlocal passed
        for _ in range(1500):
            root = dice.choice(ROOTS)
            sent = "".join("/" + dice.choice(PIECES) for _ in range(dice.randint(1, 4)))
            if dice.random() < 0.6:
                sent = dice.choice(["/static", "/healthz", ""]) + sent
            path = dice.choice([root, ""]) + (unquote(sent) if dice.random() < 0.8 else sent)
            raw = dice.choice([quote(root), root, ""]) + sent
            if dice.random() < 0.2:
                raw = "/static/app.css"
            scope = scope_of("GET", "/", [HOST], path=path, raw_path=raw.encode(), root_path=root)
            answer = await ask_asgi(gate, scope)
            assert "%" in raw or answer.status != 500
            if answer.status == 200 and b"passed:" in answer.body:
                passed += 1
                assert is_open(local(path, root)), (path, raw, root)
            info = unquote_to_bytes(sent).decode("latin-1")
            environ = environ_of(
                "GET", "/", [HOST], PATH_INFO=info, SCRIPT_NAME=latin1(root), REQUEST_URI=raw
            )
            answer = ask_wsgi(wsgi, environ)
            if answer.status == 200 and b"passed:" in answer.body:
                passed += 1
                assert is_open(info.encode("latin-1").decode(errors="replace")), (info, raw, root)

    asyncio.run(ask_all())
    assert passed > 50
