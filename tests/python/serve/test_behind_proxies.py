"""nginx, Caddy and Traefik, configured as the operators' page says, asked by curl: sign in, use, sign out."""

from __future__ import annotations

import json
import time
from pathlib import Path
from urllib.parse import quote

import pytest

from serve.certificate import Certificate
from serve.curl import Curl
from serve.dashboards import Dashboard
from serve.fronts import Front, front
from support.wire import Reply

API = ("Accept", "application/json")

PRETENDED = [
    ("X-Auth-User", "root"),
    ("X_Auth_User", "root"),
    ("X-Auth-Roles", "admin"),
    ("Remote-User", "root"),
    ("X-Forwarded-User", "root"),
    ("X-HTTP-Method-Override", "DELETE"),
    ("X-Rewrite-URL", "/audit"),
    ("X-Original-URL", "/audit"),
]


@pytest.fixture
def curl(behind: Front, tmp_path: Path) -> Curl:
    return Curl(behind, tmp_path)


@pytest.fixture
def ada(behind: Front, tmp_path: Path) -> Curl:
    """Somebody who has signed in."""
    ada = Curl(behind, tmp_path)
    assert ada.sign_in().status == 303
    return ada


def told(reply: Reply) -> dict[str, list[str]]:
    """What the dashboard was told of the request."""
    assert reply.status == 200, reply
    fields: dict[str, list[str]] = {}
    for name, value in json.loads(reply.body)["fields"]:
        fields.setdefault(name, []).append(value)
    return fields


def test_sign_in_use_and_sign_out(behind: Front, curl: Curl) -> None:
    asked = curl.page("/told/a%20b?page=2&x=%26")
    login = f"{behind.login}?next={quote('/told/a%20b?page=2&x=%26', safe='')}"
    assert (asked.status, local(behind, asked.header("Location"))) == (303, login)
    assert "Sign in" in curl.page(login).text

    wrong = curl.post(behind.login, data="username=ada&password=wrong&next=%2Ftold")
    assert (wrong.status, wrong.all("Set-Cookie")) == (401, [])

    entered = curl.sign_in(then=quote("/told/a%20b?page=2&x=%26", safe=""))
    assert (entered.status, entered.header("Location")) == (303, "/told/a%20b?page=2&x=%26")
    cookie = entered.all("Set-Cookie")[0]
    assert cookie.startswith("__Host-authgate=") and "; Secure" in cookie and "; HttpOnly" in cookie
    assert told(curl.page("/told/a%20b?page=2&x=%26"))["x-auth-user"] == ["ada"]

    left = curl.sign_out()
    assert (left.status, left.header("Location")) == (303, behind.login)
    curl.keep(*cookie.split(";")[0].split("="))
    assert curl.page("/told/").status == 303, "t23: the old cookie is worthless"


def local(front: Front, location: str | None) -> str | None:
    """Proxies may complete an address."""
    return location.removeprefix(front.origin) if location else location


def test_each_gets_the_answer_that_it_can_read(behind: Front, curl: Curl) -> None:
    api = curl("GET", "/told/", API)
    assert (api.status, api.header("Location")) == (401, None)
    seen = ("HX-Current-URL", f"{behind.origin}/?page=2")
    htmx = curl("GET", "/told/rows", ("HX-Request", "true"), seen)
    target = f"{behind.login}?next=%2F%3Fpage%3D2"
    assert (htmx.status, htmx.header("HX-Redirect"), htmx.header("Location")) == (401, target, None)
    assert curl("HEAD", "/told/", ("Accept", "text/html")).status == 303


def test_t22_the_dashboard_knows_whom_it_serves_and_nothing_that_proves_it(ada: Curl) -> None:
    lies = [("X-Forwarded-For", "6.6.6.6"), ("X-Forwarded-Host", "evil.example"), ("X-Forwarded-Proto", "http")]
    fields = told(ada("GET", "/told/", *lies))
    assert (fields["x-auth-user"], fields["x-auth-roles"]) == (["ada"], ["ops"])
    assert "authgate" not in "".join(fields.get("cookie", []))
    assert fields["x-forwarded-for"] == ["127.0.0.1"] and fields["x-forwarded-proto"] == ["https"]
    assert "evil" not in json.dumps(fields)


@pytest.mark.parametrize("field", PRETENDED, ids=lambda field: str(field[0]))
def test_t22_what_a_client_pretends_never_arrives(behind: Front, ada: Curl, curl: Curl, field: tuple[str, str]) -> None:
    for asked in (ada("GET", "/told/", field), curl("GET", "/told/public/x", field)):
        if asked.status == 200:
            said = told(asked)
            assert field[1] not in [value for name in said if name != "x-forwarded-uri" for value in said[name]]
        else:
            assert behind.name != "nginx as a proxy" and asked.status in (400, 403)


def test_t22_nobody_can_have_it_taken_away_on_the_way(ada: Curl) -> None:
    fields = told(ada("GET", "/told/", ("Connection", "close, X-Auth-User, X-Auth-Roles")))
    assert (fields["x-auth-user"], fields["x-auth-roles"]) == (["ada"], ["ops"])


def test_long_cookies_and_addresses_pass(behind: Front, ada: Curl, curl: Curl) -> None:
    ada.keep("long", "x" * 3800)
    ada.keep("longer", "y" * 2000)
    assert told(ada("GET", "/told/"))["cookie"][0].count("x") >= 3800
    target = "/told/?q=" + "%26" * 600
    assert curl.page(target).status == 303 and ada.page(target).status == 200


def test_where_proxies_ask_is_no_place_for_clients(behind: Front, curl: Curl) -> None:
    described = [("X-Forwarded-Method", "GET"), ("X-Forwarded-Uri", "/told/public/x")]
    for path in ("/authgate/auth-request", "/authgate/forward-auth"):
        assert curl("GET", path, API, *described).status in (401, 404)


def test_t22_other_cookies_arrive_without_the_session(ada: Curl) -> None:
    ada.keep("theme", "dark")
    assert told(ada("GET", "/told/"))["cookie"] == ["theme=dark"]


def test_t22_a_program_comes_in_by_its_token_which_goes_no_further(behind: Front, curl: Curl) -> None:
    token = behind.site.mint(sub="robot é", roles=["ci"])
    fields = told(curl("GET", "/told/", API, ("Authorization", f"Bearer {token}")))
    assert (fields["x-auth-user"], fields["x-auth-roles"]) == (["robot%20%C3%A9"], ["ci"])
    assert fields.get("authorization", [""]) == [""] and token not in json.dumps(fields)


def test_t21_what_a_client_says_of_its_request_counts_for_nothing(behind: Front, curl: Curl) -> None:
    lies = [
        ("X-Forwarded-Method", "GET"),
        ("X-Forwarded-Uri", f"{behind.login}"),
        ("X-Forwarded-For", "127.0.0.1"),
    ]
    assert curl("GET", "/told/", API, *lies).status == 401
    assert curl("GET", "/authgate/../told/", API).status in (400, 401, 404)
    assert curl("GET", "/authgate/%2e%2e/told/", API).status in (400, 401, 404)
    assert curl("GET", "//told/", API).status in (400, 401, 404)


def test_t18_a_form_of_another_site_is_refused(behind: Front, ada: Curl) -> None:
    assert ada.post("/jobs").status == 200
    assert ada("POST", "/jobs", ("Origin", "https://evil.example")).status == 403
    assert ada("POST", "/jobs").status == 403
    assert ada("POST", behind.logout, ("Origin", "https://evil.example")).status == 403


def test_t08_a_websocket_is_asked_about_like_any_request(behind: Front, curl: Curl, ada: Curl) -> None:
    handshake = [
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ]
    assert curl("GET", "/ws", *handshake, ("Origin", behind.origin)).status == 401
    assert ada("GET", "/ws", *handshake, ("Origin", "https://evil.example")).status == 403


def test_an_upload_passes(ada: Curl) -> None:
    reply = ada.post("/upload", data="x" * 100_000)
    assert (reply.status, reply.body) == (200, b"100000")


@pytest.mark.parametrize("name", ["nginx with auth_request", "Traefik"])
def test_a_cookie_that_is_renewed_reaches_the_browser(
    name: str, starlette: Dashboard, users: Path, certificate: Certificate, tmp_path: Path
) -> None:
    (key := tmp_path / "sealing").write_text("a secret of at least thirty-two bytes\n")
    sealed = ["--session-store", "cookie", "--session-secret-file", key, "--session-idle", "2s"]
    with front(name, "tokio", starlette, users, certificate, tmp_path, *sealed) as behind:
        ada = Curl(behind, tmp_path)
        ada.sign_in()
        begun = time.monotonic()
        while time.monotonic() < begun + 3:
            assert ada.page("/told/").status == 200
            time.sleep(0.1)
