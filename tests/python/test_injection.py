"""Line breaks, NUL and other controls, however they arrive, never come out in a header (t03).

`support.wire.parse_head` refuses any reply line that is not plain ASCII, so every test of this suite watches; these
put the controls in on purpose.
"""

from __future__ import annotations

import pytest

from support.checks import assert_no_way_in
from support.program import Demo

ENCODED = [
    "%0d%0aX-Injected:%20yes",
    "%0D%0ASet-Cookie:%20a=b",
    "%0d%0a%0d%0a<script>alert(1)</script>",
    "%0aX-Injected:%20yes",
    "%0dX-Injected:%20yes",
    "%00",
    "%00%0d%0aX-Injected:%20yes",
    "%250d%250aX-Injected:%20yes",
    "%E5%98%8A%E5%98%8DX-Injected:%20yes",
    "%c4%8d%c4%8aX-Injected:%20yes",
    "%e2%80%a8%c2%85",
    "%7f%1b%5b2J",
    "%ff%fe",
    "%",
    "%zz%0",
    "%u000d%u000a",
]

WHERE = ["/ops/queues/{}", "/ops/queues?page={}", "/ops/queues?{}=1", "/ops/login?next={}", "/ops/login?next=/ops/{}",
         "/ops/{}", "/ops/static/{}", "/ops/logout?next=/ops/{}", "/{}", "/ops{}/queues"]  # fmt: skip


def nothing_injected(demo: Demo, target: str, *headers: tuple[str, str], method: str = "GET") -> None:
    reply = demo.request(method, target, *headers)
    names = {name.lower() for name, _ in reply.headers}
    assert not names & {"x-injected", "set-cookie"}
    assert b"<script>" not in reply.body
    if reply.status != 200:  # else the login page, or a button to sign out
        assert_no_way_in(reply)


@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize("encoded", ENCODED)
def test_t03_controls_in_the_address(demo: Demo, where: str, encoded: str) -> None:
    nothing_injected(demo, where.format(encoded.replace("<", "%3c").replace(">", "%3e")))


@pytest.mark.parametrize("encoded", ENCODED)
def test_t03_controls_in_the_page_that_htmx_names(demo: Demo, encoded: str) -> None:
    for url in (f"{demo.origin}/ops/{encoded}", f"{demo.origin}/ops/queues?x={encoded}", f"{demo.origin}{encoded}/ops"):
        headers = [("HX-Request", "true"), ("HX-Current-URL", url)]
        nothing_injected(demo, "/ops/queues/rows", *headers)
        signed_out = demo.post("/ops/logout", *headers, ("Origin", demo.origin))
        assert signed_out.header("HX-Redirect") == "/ops/login"


@pytest.mark.parametrize("encoded", ENCODED)
def test_t03_controls_in_the_page_that_posted(demo: Demo, encoded: str) -> None:
    for url in (f"{demo.origin}/ops/{encoded}", f"{demo.origin}/ops/queues?x={encoded}"):
        headers = [("Referer", url), ("Origin", demo.origin), ("Content-Length", "0")]
        nothing_injected(demo, "/ops/queues/emails/pause", *headers, method="POST")


@pytest.mark.parametrize("raw", ["caf\u00e9", "\u00ff\u00fe", "\u00e2\u0080\u00a8", "\u0085"])
def test_t03_bytes_that_are_not_ascii(demo: Demo, raw: str) -> None:
    for target in (f"/ops/queues/{raw}", f"/ops/queues?x={raw}", f"/ops/login?next=/ops/{raw}"):
        nothing_injected(demo, target)
    nothing_injected(demo, "/ops/queues/rows", ("HX-Request", "true"), ("HX-Current-URL", f"{demo.origin}/ops/{raw}"))


@pytest.mark.parametrize("character", ['"', "'", "<", ">", "{", "}", "|", "^", "`", "\\", "\t"])
def test_t03_characters_that_a_browser_would_have_encoded(demo: Demo, character: str) -> None:
    for target in (f"/ops/queues/a{character}b", f"/ops/queues?x=a{character}b"):
        nothing_injected(demo, target)
