"""What the gate shows by itself, what is public, and signing out."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import urlencode

import pytest

from support.checks import assert_local
from support.program import Demo, running
from support.wire import Reply

LINKS = {"href", "src", "action", "formaction", "hx-get", "hx-post", "hx-put", "hx-delete", "sse-connect", "ws-connect"}


class Page(HTMLParser):
    """The addresses, inline scripts, inline styles and password fields of a page."""

    def __init__(self, reply: Reply) -> None:
        super().__init__()
        self.links: list[str] = []
        self.files: list[str] = []
        self.inline: list[str] = []
        self.password = False
        self.feed(reply.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.links += [value for name, value in attrs if name in LINKS and value and not value.startswith("#")]
        if tag in ("link", "script") and (file := given.get("href") or given.get("src")):
            self.files.append(file)
        if (tag == "script" and not given.get("src")) or tag == "style":
            self.inline.append(tag)
        self.inline += [name for name in given if name.startswith("on") or name == "style"]
        self.password |= given.get("type") == "password"


def policy(reply: Reply) -> dict[str, list[str]]:
    parts = (part.split() for part in (reply.header("Content-Security-Policy") or "").split(";"))
    return {name: sources for name, *sources in filter(None, parts)}


@pytest.fixture(scope="module")
def forbidden(runtime: str, secret: str) -> Iterator[Reply]:
    with running(runtime, "--admins-only", secret=secret) as demo:
        yield demo.get("/ops/", ("Accept", "text/html"), token=demo.mint())


def assert_guarded(reply: Reply) -> None:
    """The headers of every page that the gate itself renders."""
    assert "no-store" in (reply.header("Cache-Control") or "")
    assert reply.header("X-Content-Type-Options") == "nosniff"
    assert reply.header("X-Frame-Options") in ("DENY", "SAMEORIGIN")
    assert reply.header("Referrer-Policy") in (
        "no-referrer",
        "same-origin",
        "strict-origin",
        "strict-origin-when-cross-origin",
    )
    rules = policy(reply)
    assert rules.get("default-src") in (["'none'"], ["'self'"])
    assert "frame-ancestors" in rules
    for name, sources in rules.items():
        for source in sources:
            assert source not in ("*", "'unsafe-inline'", "'unsafe-eval'", "http:", "https:"), f"{name} {source}"


def test_the_login_page_asks_for_a_password(demo: Demo) -> None:
    reply = demo.get("/ops/login")
    assert reply.status == 200
    assert (reply.header("Content-Type") or "").lower().replace(" ", "") == "text/html;charset=utf-8"
    assert Page(reply).password and Page(reply).links == ["/ops/login"], "the form comes back to the same address"


def test_the_login_page_is_guarded(demo: Demo) -> None:
    assert_guarded(demo.get("/ops/login"))
    assert_guarded(demo.get("/ops/login?next=%2Fops%2Fqueues"))


def test_the_forbidden_page_is_guarded(forbidden: Reply) -> None:
    assert forbidden.status == 403
    assert (forbidden.header("Content-Type") or "").startswith("text/html")
    assert_guarded(forbidden)


def test_the_gate_s_pages_obey_their_own_policy(demo: Demo, forbidden: Reply) -> None:
    for reply in (demo.get("/ops/login"), demo.get("/ops/logout"), forbidden):
        rules, inline = policy(reply), Page(reply).inline
        allowed = [source for sources in rules.values() for source in sources if source.startswith(("'nonce-", "'sha"))]
        assert not inline or allowed, f"inline {inline} that the policy forbids"


@pytest.mark.parametrize("accept", ["text/html", "application/json", "text/event-stream"])
def test_no_answer_of_the_gate_is_kept_by_a_cache(demo: Demo, accept: str) -> None:
    reply = demo.get("/ops/queues", ("Accept", accept))
    assert "no-store" in (reply.header("Cache-Control") or "")
    assert reply.header("X-Content-Type-Options") == "nosniff"


@pytest.mark.parametrize(
    "query", ["%22%3E%3Cscript%3Ealert(1)%3C/script%3E", "javascript:alert(1)", "//evil.example", "/ops/%22onload=x"]
)
def test_the_login_page_never_repeats_what_the_address_smuggles_in(demo: Demo, query: str) -> None:
    reply = demo.get(f"/ops/login?next={query}")
    assert reply.status in (200, 400)
    assert "<script>alert" not in reply.text
    for link in Page(reply).links:
        assert_local(link)


@pytest.mark.parametrize("page", ["/ops/", "/ops/queues", "/ops/audit", "/ops/login"])
def test_every_link_carries_the_mount(demo: Demo, page: str) -> None:
    reply = demo.get(page, token=demo.mint())
    assert reply.status == 200
    for link in Page(reply).links:
        assert_local(link)


@pytest.mark.parametrize("page", ["/ops/", "/ops/queues", "/ops/login"])
def test_what_a_page_needs_to_be_shown_is_public(demo: Demo, page: str) -> None:
    for file in Page(demo.get(page, token=demo.mint())).files:
        reply = demo.get(file)
        assert reply.status == 200, file
        assert reply.body and reply.header("Content-Type")


def test_the_dashboard_uses_htmx_from_its_own_files(demo: Demo) -> None:
    files = Page(demo.get("/ops/queues", token=demo.mint())).files
    scripts = [file for file in files if "htmx" in file]
    assert scripts
    assert "javascript" in (demo.get(scripts[0]).header("Content-Type") or "")


def test_public_paths_need_no_token(demo: Demo) -> None:
    assert demo.get("/ops/healthz").status == 200
    css = demo.get("/ops/static/app.css")
    assert css.status == 200
    assert (css.header("Content-Type") or "").startswith("text/css")
    assert b"{" in css.body


def test_public_paths_do_not_mind_a_bad_token(demo: Demo) -> None:
    assert demo.get("/ops/healthz", token=demo.mint(exp=1)).status == 200
    assert demo.get("/ops/login", token=demo.mint(exp=1)).status == 200


@pytest.mark.parametrize("signed_in", [True, False])
def test_t34_signing_out_goes_to_login_under_the_mount(demo: Demo, signed_in: bool) -> None:
    reply = demo.post("/ops/logout", ("Origin", demo.origin), token=demo.mint() if signed_in else None)
    assert (reply.status, reply.header("Location")) == (303, "/ops/login")


def test_t34_signing_out_by_htmx_gets_hx_redirect(demo: Demo) -> None:
    headers = [("HX-Request", "true"), ("HX-Current-URL", f"{demo.origin}/ops/queues"), ("Origin", demo.origin)]
    reply = demo.post("/ops/logout", *headers, token=demo.mint())
    assert reply.header("HX-Redirect") == "/ops/login"
    assert reply.header("Location") is None and not 300 <= reply.status < 400 and reply.status < 500


def test_t16_signing_out_is_never_a_mere_link(demo: Demo) -> None:
    """A GET shows a button, which posts."""
    reply = demo.get("/ops/logout")
    assert reply.status == 200 and reply.all("Set-Cookie") == []
    assert '<form method="post" action="/ops/logout">' in reply.text
    assert_guarded(reply)


@pytest.mark.parametrize("username", ["admin", "demo", "", "' OR 1=1 --"])
def test_posting_a_guess_signs_nobody_in(demo: Demo, username: str) -> None:
    form = ("Content-Type", "application/x-www-form-urlencoded")
    body = urlencode({"username": username, "password": "admin"}).encode()
    reply = demo.post("/ops/login", form, ("Origin", demo.origin), body=body)
    assert reply.status == 401
    assert reply.all("Set-Cookie") == []
    assert_guarded(reply)
